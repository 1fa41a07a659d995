//! Each frame's window covers the cells that a sliding window visits, and every cell holds the oracle's number.

use std::collections::HashSet;

use figures::arithmetic::{
    Backward, Colouring, Convolution, Pool, Transposed, convolution, pool, transposed,
};
use figures::{Caption, Scene, Weight, short, svg};
use geometry::{ConvDesc, Padding, PoolDesc, TransposedDesc};
use tensor::Tensor;
use testkit::window::{Axis, Cell, visits};
use testkit::{ConvCase, Draw, PoolCase, TransposedCase, compare};

use crate::drawn::{Cells, Mark, Picture};

fn tensor(dims: &[usize], values: &[f64]) -> Tensor<f64> {
    Tensor::from_slice(dims, values).unwrap()
}

fn caption() -> Caption {
    Caption::new("a problem", "")
}

/// Cells of the input that a frame's window covers, in padded rows and columns.
fn covered(frame: &[Mark], input: &Cells) -> Vec<[usize; 2]> {
    let is_tap = |mark: &&Mark| {
        mark.tag == "rect"
            && mark.class.contains("cf-kernel-edge")
            && (mark.width - input.size).abs() < 0.1
    };
    let taps = frame.iter().filter(is_tap);
    taps.filter_map(|tap| input.at(tap.x, tap.y)).collect()
}

#[test]
fn windows_of_convolutions_cover_what_the_oracle_visits() {
    let problems = [
        ([5, 5], [3, 3], [1, 1], [1, 1], [0, 0]),
        ([5, 6], [3, 2], [2, 1], [1, 1], [1, 0]),
        ([7, 7], [3, 3], [1, 1], [2, 2], [0, 0]),
        ([6, 6], [3, 3], [2, 2], [1, 1], [1, 1]),
        ([1, 9], [1, 3], [1, 2], [1, 2], [0, 2]),
    ];
    for (input, kernel, stride, dilation, padding) in problems {
        let case = ConvCase::new(1, 1, 1, input, kernel)
            .stride(stride)
            .dilation(dilation)
            .padding(padding);
        let mut draw = Draw::new(3);
        let [x, w] =
            [case.input_len(), case.weight_len()].map(|len| compare::widen(&draw.integers(len)));
        let y = case.forward(&x, &w, None);
        let geometry = ConvDesc::new(1, kernel)
            .stride(stride)
            .dilation(dilation)
            .padding(padding)
            .resolve(&[1, 1, input[0], input[1]])
            .unwrap();
        let problem = Convolution {
            geometry: &geometry,
            input: &tensor(&geometry.input_shape(), &x),
            weight: &tensor(&geometry.weight_shape(), &w),
            bias: None,
            output: &tensor(&geometry.output_shape(), &y),
            excerpt: None,
        };
        let scene = convolution(&problem, &caption(), Colouring::Role).unwrap();
        let picture = Picture::read(&svg::write(&scene));
        let cells = Cells::of(&picture, &["cf-input", "cf-blank", "cf-panel"]);
        let padded = [0, 1].map(|axis| input[axis] + 2 * padding[axis]);
        assert_eq!(cells.extents(), padded, "{case}");

        // Padding is zero, and everything else is the input's.
        let wanted: Vec<String> = (0..padded[0] * padded[1])
            .map(|place| {
                let inner = |axis: usize, at: usize| {
                    at.checked_sub(padding[axis]).filter(|&at| at < input[axis])
                };
                let row = inner(0, place / padded[1]);
                let column = inner(1, place % padded[1]);
                match (row, column) {
                    (Some(row), Some(column)) => short(x[row * input[1] + column]),
                    _ => "0".to_owned(),
                }
            })
            .collect();
        assert_eq!(cells.texts(&picture), wanted, "{case}");
        let outputs = Cells::of(&picture, &["cf-output"]);
        let wanted: Vec<String> = y.iter().map(|&value| short(value)).collect();
        assert_eq!(outputs.texts(&picture), wanted, "{case}");

        let axes = [0, 1].map(|axis| Axis {
            input: input[axis],
            kernel: kernel[axis],
            stride: stride[axis],
            dilation: dilation[axis],
            before: padding[axis],
            after: padding[axis],
            ceil: false,
        });
        assert_eq!(picture.frames.len(), y.len(), "{case}");
        // Grey is what no window looks at.
        let ever: HashSet<[usize; 2]> = picture
            .frames
            .iter()
            .flat_map(|frame| covered(frame, &cells))
            .collect();
        let is_grey = |mark: &&Mark| mark.tag == "rect" && mark.class.contains("cf-panel");
        let grey = picture.always.iter().filter(is_grey);
        let grey: HashSet<[usize; 2]> = grey.filter_map(|mark| cells.at(mark.x, mark.y)).collect();
        assert!(grey.is_disjoint(&ever), "{case}");
        assert_eq!(grey.len() + ever.len(), padded[0] * padded[1], "{case}");
        let all = visits(&axes);
        for (output, frame) in picture.frames.iter().enumerate() {
            let seen = covered(frame, &cells);
            assert_eq!(seen.len(), kernel[0] * kernel[1], "{case}");
            let mut on_image: Vec<usize> = seen
                .iter()
                .filter_map(|&[row, column]| {
                    let row = row.checked_sub(padding[0]).filter(|&row| row < input[0])?;
                    let column = column
                        .checked_sub(padding[1])
                        .filter(|&column| column < input[1])?;
                    Some(row * input[1] + column)
                })
                .collect();
            on_image.sort_unstable();
            let wanted: Vec<usize> = all
                .iter()
                .filter(|visit| visit.output == output)
                .filter_map(|visit| match visit.cell {
                    Cell::Image(place) => Some(place),
                    _ => None,
                })
                .collect();
            assert_eq!(on_image, wanted, "{case} output {output}");
            let sum = frame
                .iter()
                .find(|mark| mark.text.starts_with("output["))
                .unwrap();
            assert!(
                sum.text.ends_with(&format!("= {}", short(y[output]))),
                "{}",
                sum.text
            );
        }
    }
}

#[test]
fn a_transposed_convolution_is_drawn_over_the_stretched_input() {
    for (side, kernel, stride, padding, extra) in
        [(3, 3, 2, 1, 1), (2, 3, 1, 0, 0), (3, 2, 3, 0, 0)]
    {
        let case = TransposedCase {
            batch: 1,
            in_channels: 1,
            out_channels: 1,
            groups: 1,
            input: vec![side; 2],
            kernel: vec![kernel; 2],
            stride: vec![stride; 2],
            dilation: vec![1; 2],
            before: vec![padding; 2],
            after: vec![padding; 2],
            output_padding: vec![extra; 2],
        };
        let mut draw = Draw::new(5);
        let [x, w] =
            [case.input_len(), case.weight_len()].map(|len| compare::widen(&draw.integers(len)));
        let y = case.forward(&x, &w, None);
        let desc = ConvDesc::new(1, kernel)
            .stride(stride)
            .padding(Padding::symmetric(padding));
        let desc = TransposedDesc::new(desc).output_padding(extra);
        let geometry = desc.resolve(&[1, 1, side, side]).unwrap();
        let problem = Transposed {
            geometry: &geometry,
            input: &tensor(&geometry.output_shape(), &x),
            weight: &tensor(&geometry.weight_shape(), &w),
            bias: None,
            output: &tensor(&geometry.input_shape(), &y),
        };
        let scene = transposed(&problem, &caption(), Colouring::Role).unwrap();
        let picture = Picture::read(&svg::write(&scene));
        let outputs = Cells::of(&picture, &["cf-output"]);
        let wanted: Vec<String> = y.iter().map(|&value| short(value)).collect();
        assert_eq!(outputs.texts(&picture), wanted);
        // The products that a frame writes out sum to the oracle's number.
        for (frame, value) in picture.frames.iter().zip(&y) {
            let line = &frame
                .iter()
                .find(|mark| mark.text.starts_with("output["))
                .unwrap()
                .text;
            let line = line.replace('−', "-").replace(['(', ')'], "");
            let parts: Vec<&str> = line.split(" = ").collect();
            let sum: f64 = parts[1]
                .split(" + ")
                .map(|product| {
                    let factors = product
                        .split('·')
                        .map(|factor| factor.parse::<f64>().unwrap());
                    factors.product::<f64>()
                })
                .sum();
            assert_eq!(sum, *value, "{line}");
        }
    }
}

#[test]
fn arrows_of_a_max_pool_end_at_the_maxima() {
    let case = PoolCase::new(1, 1, [4, 4], [2, 2]).stride([2, 2]);
    let mut draw = Draw::new(9);
    let x = compare::widen(&draw.integers(case.input_len()));
    let maxima = case.max_forward(&x);
    let dy: Vec<f64> = (1..=maxima.values.len())
        .map(|value| value as f64)
        .collect();
    let dx = case.max_backward(&x, &dy);
    let places: Vec<u32> = maxima
        .indices
        .iter()
        .map(|place| place.unwrap() as u32)
        .collect();
    let geometry = PoolDesc::max(2).stride(2).resolve(&[1, 1, 4, 4]).unwrap();
    let output = tensor(&geometry.output_shape(), &maxima.values);
    let problem = Pool {
        geometry: &geometry,
        input: &tensor(&geometry.input_shape(), &x),
        output: &output,
        backward: Some(Backward {
            places: Some(&Tensor::from_slice(&geometry.output_shape(), &places).unwrap()),
            output: &tensor(&geometry.output_shape(), &dy),
            input: &tensor(&geometry.input_shape(), &dx),
        }),
        excerpt: None,
    };
    let scene = pool(&problem, &caption(), Colouring::Role).unwrap();
    let picture = Picture::read(&svg::write(&scene));
    assert_eq!(picture.frames.len(), 2 * dy.len());
    let gradients = Cells::of(&picture, &["cf-gradient"]);
    for (frame, &place) in picture.frames[dy.len()..].iter().zip(&places) {
        let marked = frame.iter().filter(|mark| mark.tag == "rect");
        let marked: Vec<[usize; 2]> = marked
            .filter_map(|mark| gradients.at(mark.x, mark.y))
            .collect();
        let place = place as usize;
        assert!(
            marked
                .iter()
                .any(|&[row, column]| [row, column] == [place / 4, place % 4]),
            "{marked:?}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let geometry = ConvDesc::new(9, 3).resolve(&[1, 1, 5, 5]).unwrap();
    let zeros = |dims: &[usize]| Tensor::<f64>::zeros(dims).unwrap();
    let (x, w, y) = (
        zeros(&geometry.input_shape()),
        zeros(&geometry.weight_shape()),
        zeros(&geometry.output_shape()),
    );
    let mut problem = Convolution {
        geometry: &geometry,
        input: &x,
        weight: &w,
        bias: None,
        output: &y,
        excerpt: None,
    };
    let error = convolution(&problem, &caption(), Colouring::Role)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("output channels: 9") && error.contains("at most 8"),
        "{error}"
    );
    problem.output = &x;
    let error = convolution(&problem, &caption(), Colouring::Role)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("output: [1, 1, 5, 5]") && error.contains("[1, 9, 3, 3]"),
        "{error}"
    );
}

/// Weights of a real layer are long numbers: in the corner of a cell none reaches into the next one, nor do those of the
/// planes.
#[test]
fn long_numbers_stay_in_their_cells() {
    let geometry = ConvDesc::new(1, 3).resolve(&[1, 1, 5, 5]).unwrap();
    let numbers = |count: usize, factor: f64| -> Vec<f64> {
        let number = |place: usize| factor * ((place * 7) as f64 - 30.0) / 37.0;
        (0..count).map(number).collect()
    };
    let problem = Convolution {
        geometry: &geometry,
        input: &tensor(&[1, 1, 5, 5], &numbers(25, 1e-7)),
        weight: &tensor(&[1, 1, 3, 3], &numbers(9, -3.7e-4)),
        bias: None,
        output: &tensor(&[1, 1, 3, 3], &numbers(9, -2e9)),
        excerpt: None,
    };
    let scene = convolution(&problem, &caption(), Colouring::Role).unwrap();
    let cell = Cells::of(&Picture::read(&svg::write(&scene)), &["cf-kernel"]).size;
    for colouring in [Colouring::Role, Colouring::Value] {
        let scene = convolution(&problem, &caption(), colouring).unwrap();
        let picture = Picture::read(&svg::write(&scene));
        let width = |mark: &Mark, weight| {
            let mut classes = mark.class.split(' ');
            let size = classes.find_map(|class| class.strip_prefix("ct"));
            let size: f64 = size.unwrap().parse().unwrap();
            Scene::text_width(&mark.text, size / 10.0, weight)
        };
        let is_weight = |mark: &&Mark| mark.tag == "text" && mark.class.contains("cf-kernel-edge");
        let weights: Vec<&Mark> = picture.frames[4].iter().filter(is_weight).collect();
        assert_eq!(weights.len(), 9);
        for weight in weights {
            assert!(
                width(weight, Weight::Bold) <= cell - 2.0,
                "{} in {cell}",
                weight.text
            );
        }
        // The ends of a scale are muted.
        let is_number = |mark: &&Mark| {
            !mark.class.contains("cf-muted")
                && mark.text.contains('e')
                && mark.text.chars().all(|c| "0123456789.e−".contains(c))
        };
        let numbers = picture.always.iter().filter(is_number);
        let mut count = 0;
        for number in numbers {
            assert!(
                width(number, Weight::Regular) <= cell,
                "{} in {cell}",
                number.text
            );
            count += 1;
        }
        assert!(count >= 25, "{count}");
    }
}
