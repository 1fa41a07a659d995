//! A part of a layer counts as the layer does, and says what it leaves out.

use figures::arithmetic::{Colouring, Convolution, Excerpt, Pool, convolution, pool};
use figures::matrix::im2col;
use figures::{Caption, svg};
use geometry::{ConvDesc, ConvGeometry, Padding, PoolDesc};
use tensor::Tensor;

use crate::drawn::{Cells, Mark, Picture};

fn tensor(dims: &[usize], values: &[f64]) -> Tensor<f64> {
    Tensor::from_slice(dims, values).unwrap()
}

fn caption() -> Caption {
    Caption::new("a part", "")
}

/// Channels 3 and 17 of five, of which the other three add 10, 20, …, around the neuron 1,31 of map 5.
struct Part {
    geometry: ConvGeometry,
    arrays: [Tensor<f64>; 4],
    excerpt: Excerpt,
}

impl Part {
    fn new() -> Self {
        // Padding above and to the right, as at a corner of the layer.
        let padding = Padding::Explicit(vec![(1, 0), (0, 1)]);
        let desc = ConvDesc::new(1, 2).padding(padding);
        let geometry = desc.resolve(&[1, 2, 2, 2]).unwrap();
        let rest = tensor(&[1, 1, 2, 2], &[10.0, 20.0, 30.0, 40.0]);
        Self {
            arrays: [
                tensor(&[1, 2, 2, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
                tensor(&[1, 2, 2, 2], &[1.0, -1.0, 2.0, 0.0, 0.0, 1.0, 1.0, -2.0]),
                tensor(&[1], &[100.0]),
                // By hand: taps, the others, the bias.
                tensor(&[1, 1, 2, 2], &[105.0, 130.0, 132.0, 158.0]),
            ],
            geometry,
            excerpt: Excerpt {
                map: 5,
                first: [0, 30],
                neuron: [1, 31],
                channels: vec![3, 17],
                of: 5,
                rest: Some(rest),
            },
        }
    }

    fn problem(&self) -> Convolution<'_> {
        let [input, weight, bias, output] = &self.arrays;
        Convolution {
            geometry: &self.geometry,
            input,
            weight,
            bias: Some(bias),
            output,
            excerpt: Some(&self.excerpt),
        }
    }
}

fn has(marks: &[Mark], text: &str) -> bool {
    marks.iter().any(|mark| mark.text == text)
}

#[test]
fn channels_and_places_are_those_of_the_layer() {
    let part = Part::new();
    let scene = convolution(&part.problem(), &caption(), Colouring::Role).unwrap();
    let picture = Picture::read(&svg::write(&scene));
    let lines: Vec<&str> = picture
        .frames
        .iter()
        .flatten()
        .map(|mark| mark.text.as_str())
        .filter(|text| text.starts_with("output["))
        .collect();
    assert_eq!(
        lines,
        [
            "output[5, 0, 30] = 2 (channel 3) + −7 (channel 17) + 10 (3 other channels) + 100 (bias) = 105",
            "output[5, 0, 31] = 4 (channel 3) + 6 (channel 17) + 20 (3 other channels) + 100 (bias) = 130",
            "output[5, 1, 30] = 5 (channel 3) + −3 (channel 17) + 30 (3 other channels) + 100 (bias) = 132",
            "output[5, 1, 31] = 10 (channel 3) + 8 (channel 17) + 40 (3 other channels) + 100 (bias) = 158",
        ]
    );
    for label in ["channel 3", "channel 17"] {
        assert!(has(&picture.always, label), "{label}");
    }
    // The sides of the padding by their names, and no size that would follow from it.
    let named = "input 2 × 2×2, padding top 1, right 1, 3 more not drawn";
    assert!(has(&picture.always, named), "{:?}", picture.always);
    assert!(!picture.always.iter().any(|mark| mark.text.contains('⌊')));
}

/// The frame of the neuron is no frame's own.
#[test]
fn the_neuron_has_a_mark_that_stays() {
    let part = Part::new();
    let scene = convolution(&part.problem(), &caption(), Colouring::Role).unwrap();
    let picture = Picture::read(&svg::write(&scene));
    let framed = |cells: &Cells| -> Vec<[usize; 2]> {
        let ink = picture.always.iter().filter(|mark| {
            mark.tag == "rect" && mark.class.contains("cs-ink") && mark.class.contains("c-none")
        });
        ink.filter_map(|mark| cells.at(mark.x, mark.y)).collect()
    };
    assert_eq!(framed(&Cells::of(&picture, &["cf-output"])), [[1, 1]]);
    // So it is in a picture of pixels, whatever frame has its turn.
    let size = figures::gif::write(&scene, figures::Theme::Light, 1.0).unwrap();
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(size.as_slice()).unwrap();
    let mark = picture
        .always
        .iter()
        .rfind(|mark| mark.class.contains("cs-ink"));
    let (x, y) = mark.map(|mark| (mark.x as usize, mark.y as usize)).unwrap();
    let first = decoder.read_next_frame().unwrap().unwrap();
    let place = ((y + 18) * usize::from(first.width) + x) * 4;
    assert!(first.buffer[place..place + 3].iter().all(|&part| part < 90));
}

#[test]
fn what_is_added_to_a_product_of_matrices_stands_beside_it() {
    let part = Part::new();
    let picture = Picture::read(&svg::write(&im2col(&part.problem(), &caption()).unwrap()));
    for text in [
        "bias 1×1",
        "3 other channels 1×4",
        "input, channel 17",
        "100",
        "40",
        "158",
    ] {
        assert!(has(&picture.always, text), "{text}");
    }
    let signs = picture.always.iter().filter(|mark| mark.text == "+");
    assert_eq!(signs.count(), 2);
}

/// Of signed weights zero is in the middle of their colours, and the scale says so.
#[test]
fn kernels_have_the_colours_of_their_numbers() {
    let part = Part::new();
    let drawn = |colouring| {
        let scene = convolution(&part.problem(), &caption(), colouring).unwrap();
        Picture::read(&svg::write(&scene)).always
    };
    let plain = |marks: &[Mark]| {
        let cells = marks.iter().filter(|mark| mark.tag == "rect");
        cells
            .filter(|mark| mark.class.contains("cf-kernel"))
            .count()
    };
    assert_eq!(plain(&drawn(Colouring::Role)), 9);
    let coloured = drawn(Colouring::Value);
    // The bias keeps the colour of what it is: it is no part of the scale.
    assert_eq!(plain(&coloured), 1);
    let scale = |text: &str| {
        let ticks = coloured
            .iter()
            .filter(|mark| mark.class.contains("cf-muted"));
        ticks.filter(|mark| mark.text == text).count()
    };
    assert_eq!([scale("−2"), scale("2")], [1, 1]);
}

#[test]
fn a_pool_of_many_numbers_says_their_sum() {
    let values: Vec<f64> = (0..25).map(f64::from).collect();
    let geometry = PoolDesc::average(5).resolve(&[1, 1, 5, 5]).unwrap();
    let excerpt = Excerpt {
        map: 7,
        first: [0, 0],
        neuron: [0, 0],
        channels: vec![7],
        of: 1,
        rest: None,
    };
    let problem = Pool {
        geometry: &geometry,
        input: &tensor(&[1, 1, 5, 5], &values),
        output: &tensor(&[1, 1, 1, 1], &[12.0]),
        backward: None,
        excerpt: Some(&excerpt),
    };
    let scene = pool(&problem, &caption(), Colouring::Role).unwrap();
    let picture = Picture::read(&svg::write(&scene));
    let line = "output[7, 0, 0] = 300 (sum of 25 numbers) / 25 = 12";
    let all = picture.always.iter().chain(picture.frames.iter().flatten());
    assert!(all.into_iter().any(|mark| mark.text == line));
}

#[test]
fn an_excerpt_that_is_of_another_problem_is_refused() {
    let mut part = Part::new();
    part.excerpt.neuron = [0, 29];
    let refused = convolution(&part.problem(), &caption(), Colouring::Role);
    assert!(refused.unwrap_err().to_string().contains("excerpt"));
}
