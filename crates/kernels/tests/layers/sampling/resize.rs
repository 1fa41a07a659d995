use geometry::{
    CubicCoefficient, NearestRounding, ResizeCoordinates, ResizeDesc, ResizeFilter, ResizeGeometry,
};
use kernels::sampling::resize::{ResizePlacement, ResizePlan, backward, forward};
use kernels::{Context, Real};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::layout::{channels_first, channels_last};
use testkit::resize::{Coordinates, Filter, ResizeCase, Rounding};

use super::{assert_near, in_f64, reals};
use crate::every::{as_nchw, laid_out, operand, result, way};

const ROUNDINGS: [(Rounding, NearestRounding); 4] = [
    (Rounding::HalfDown, NearestRounding::HalfDown),
    (Rounding::HalfUp, NearestRounding::HalfUp),
    (Rounding::Floor, NearestRounding::Floor),
    (Rounding::Ceil, NearestRounding::Ceil),
];

const COORDINATES: [(Coordinates, ResizeCoordinates); 5] = [
    (Coordinates::HalfPixel, ResizeCoordinates::HalfPixel),
    (
        Coordinates::HalfPixelSymmetric,
        ResizeCoordinates::HalfPixelSymmetric,
    ),
    (
        Coordinates::PytorchHalfPixel,
        ResizeCoordinates::PytorchHalfPixel,
    ),
    (Coordinates::AlignCorners, ResizeCoordinates::AlignCorners),
    (Coordinates::Asymmetric, ResizeCoordinates::Asymmetric),
];

fn filters() -> Vec<(Filter, bool)> {
    let mut filters: Vec<_> = ROUNDINGS
        .iter()
        .map(|&(rounding, _)| (Filter::Nearest(rounding), false))
        .collect();
    for antialias in [false, true] {
        filters.extend([
            (Filter::Linear, antialias),
            (Filter::Cubic(-0.5), antialias),
            (Filter::Cubic(-0.75), antialias),
        ]);
    }
    filters
}

/// Every setting on each rank, growing and shrinking.
fn cases() -> Vec<ResizeCase> {
    let mut draw = Draw::new(3);
    let mut cases = Vec::new();
    for (filter, antialias) in filters() {
        for (coordinates, _) in COORDINATES {
            for exclude_outside in [false, true] {
                for rank in [1, 2, 3] {
                    let input = draw.distinct(&[1, 2, 3, 4, 5, 7, 9], rank);
                    let scales = draw.once_in(3).then(|| {
                        let scales = [0.5, 0.625, 1.0, 1.5, 2.0, 2.75];
                        (0..rank).map(|_| draw.pick(&scales)).collect::<Vec<_>>()
                    });
                    let output = match &scales {
                        None => draw.distinct(&[1, 2, 3, 4, 6, 8, 11], rank),
                        Some(scales) => {
                            let lens = input.iter().zip(scales).map(|(&n, s)| n as f64 * s);
                            lens.map(|len| len.floor() as usize).collect()
                        }
                    };
                    if output.contains(&0) {
                        continue;
                    }
                    cases.push(ResizeCase {
                        batch: draw.pick(&[1, 2]),
                        channels: draw.pick(&[1, 3, 17, 70]),
                        input,
                        output,
                        scales,
                        filter,
                        coordinates,
                        antialias,
                        exclude_outside,
                    });
                }
            }
        }
    }
    cases
}

fn geometry(case: &ResizeCase) -> ResizeGeometry {
    let antialias = case.antialias;
    let desc = ResizeDesc {
        filter: match case.filter {
            Filter::Nearest(rounding) => {
                let same = ROUNDINGS.iter().find(|(oracle, _)| *oracle == rounding);
                ResizeFilter::Nearest(same.unwrap().1)
            }
            Filter::Linear => ResizeFilter::Linear { antialias },
            Filter::Cubic(a) => ResizeFilter::Cubic {
                coefficient: if a == -0.5 {
                    CubicCoefficient::MinusHalf
                } else {
                    CubicCoefficient::MinusThreeQuarters
                },
                antialias,
            },
        },
        coordinates: COORDINATES
            .iter()
            .find(|(oracle, _)| *oracle == case.coordinates)
            .unwrap()
            .1,
        exclude_outside: case.exclude_outside,
        size: case.output[..].into(),
    };
    let shape = [&[case.batch, case.channels][..], &case.input].concat();
    desc.resolve(&shape).unwrap()
}

fn plan(case: &ResizeCase) -> ResizePlan {
    let scales = case.scales.as_ref().map(|scales| {
        let mut lifted = [1.0; 3];
        lifted[3 - scales.len()..].copy_from_slice(scales);
        lifted
    });
    let placement = ResizePlacement {
        scales,
        ..ResizePlacement::default()
    };
    ResizePlan::new(&geometry(case), &placement).unwrap()
}

/// `y` and `dx`, channels first.
fn run<T: Real>(
    context: &Context<'_>,
    layout: Layout,
    case: &ResizeCase,
    [x, dy]: [&[T]; 2],
) -> [Vec<T>; 2] {
    let plan = plan(case);
    let (batch, channels) = (case.batch, case.channels);
    let mut scratch = vec![T::nan(); plan.scratch_len(layout, context.team.threads())];
    let (mut y, mut dx) = (vec![T::nan(); dy.len()], vec![T::nan(); x.len()]);
    match layout {
        Layout::Nchw => {
            forward(context, layout, &plan, x, &mut y, &mut scratch);
            backward(context, layout, &plan, dy, &mut dx, &mut scratch);
            [y, dx]
        }
        Layout::Nhwc => {
            let (x, dy) = (
                channels_last(x, batch, channels),
                channels_last(dy, batch, channels),
            );
            forward(context, layout, &plan, &x, &mut y, &mut scratch);
            backward(context, layout, &plan, &dy, &mut dx, &mut scratch);
            [y, dx].map(|map| channels_first(&map, batch, channels))
        }
    }
}

/// Runs a case in every way against the oracle.
fn assert_resize(case: &ResizeCase, x: &[f32], dy: &[f32]) {
    let plan = plan(case);
    let (batch, channels) = (case.batch, case.channels);
    let (wide_x, wide_dy) = (widen(x), widen(dy));
    let want = [case.forward(&wide_x), case.backward(&wide_dy)];
    // Every weight along an axis is rounded, and so is every sum of at most as many products.
    let terms = |sizes: &[usize]| 8.0 + sizes.iter().sum::<usize>() as f64;
    let unit = 2f64.powi(-24);
    let bounds = [
        (case.magnitude(&wide_x), terms(&case.input)),
        (case.backward_magnitude(&wide_dy), terms(&case.output)),
    ]
    .map(|(size, terms)| -> Vec<f64> { size.iter().map(|v| v * terms * unit).collect() });
    for layout in Layout::ALL {
        let x_map = laid_out(layout, x, batch, channels);
        let dy_map = laid_out(layout, dy, batch, channels);
        way(
            &format!("{layout} {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                let mut scratch = result(plan.scratch_len(layout, context.team.threads()));
                let (x, dy) = (operand(&x_map), operand(&dy_map));
                forward(context, layout, &plan, &x, &mut y, &mut scratch);
                backward(context, layout, &plan, &dy, &mut dx, &mut scratch);
                vec![
                    as_nchw(layout, &y, batch, channels),
                    as_nchw(layout, &dx, batch, channels),
                ]
            },
            |problem, got| {
                for ((got, want), bound) in got.iter().zip(&want).zip(&bounds) {
                    if matches!(case.filter, Filter::Nearest(_)) {
                        assert_exact(problem, got, want);
                    } else {
                        assert_close(problem, got, want, bound);
                    }
                }
            },
        );
    }
}

#[test]
fn resized_maps_equal_the_oracle() {
    for (seed, case) in cases().iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let x = draw.integers(case.input_len());
        let dy = draw.integers(case.output_len());
        assert_resize(case, &x, &dy);
    }
}

#[test]
fn in_f64_too() {
    for (seed, case) in cases().iter().enumerate() {
        let mut draw = Draw::new(1000 + seed as u64);
        let x = reals(&mut draw, case.input_len());
        let dy = reals(&mut draw, case.output_len());
        for layout in Layout::ALL {
            let [y, dx] = in_f64(|context| run(context, layout, case, [&x, &dy]));
            let problem = format!("{layout} {case:?}");
            assert_near(&problem, &y, &case.forward(&x), 1e-12);
            assert_near(&problem, &dx, &case.backward(&dy), 1e-12);
        }
    }
}

#[test]
fn the_gradient_is_the_adjoint() {
    for (seed, case) in cases().iter().enumerate() {
        let mut draw = Draw::new(2000 + seed as u64);
        let x = reals(&mut draw, case.input_len());
        let dy = reals(&mut draw, case.output_len());
        let [y, dx] = in_f64(|context| run(context, Layout::Nhwc, case, [&x, &dy]));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let size: f64 = dy.iter().zip(&y).map(|(a, b)| (a * b).abs()).sum();
        let difference = (dot(&dy, &y) - dot(&dx, &x)).abs();
        assert!(
            difference <= 1e-13 * (1.0 + size),
            "{case:?}: {difference:e}"
        );
    }
}

fn case(input: &[usize], output: &[usize], filter: Filter, coordinates: Coordinates) -> ResizeCase {
    ResizeCase {
        batch: 1,
        channels: 1,
        input: input.to_vec(),
        output: output.to_vec(),
        scales: None,
        filter,
        coordinates,
        antialias: false,
        exclude_outside: false,
    }
}

#[test]
fn rows_are_cut_without_a_seam() {
    for filter in [Filter::Linear, Filter::Cubic(-0.75)] {
        for (input, output) in [([60, 130], [90, 400]), ([90, 400], [60, 130])] {
            let case = ResizeCase {
                batch: 2,
                channels: 3,
                antialias: true,
                ..case(&input, &output, filter, Coordinates::HalfPixel)
            };
            let mut draw = Draw::new(8);
            let x = draw.integers(case.input_len());
            assert_resize(&case, &x, &draw.integers(case.output_len()));
        }
    }
}

#[test]
fn a_size_kept_is_a_copy() {
    for (filter, antialias) in filters() {
        for (coordinates, _) in COORDINATES {
            let case = ResizeCase {
                batch: 2,
                channels: 3,
                antialias,
                ..case(&[1, 5, 7], &[1, 5, 7], filter, coordinates)
            };
            // What is next to an element is not even read.
            let mut x = widen(&Draw::new(1).reals(case.input_len()));
            (x[3], x[50]) = (f64::INFINITY, f64::NAN);
            for layout in Layout::ALL {
                let [y, dx] = in_f64(|context| run(context, layout, &case, [&x, &x]));
                let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&y), bits(&x), "{layout} {case:?}");
                assert_eq!(bits(&dx), bits(&x), "{layout} {case:?}");
            }
        }
    }
}

#[test]
fn a_single_element_lies_where_its_rule_says() {
    // pytorch#183523: the two half-pixel rules part where one element is left.
    let x: Vec<f64> = (0..10).map(f64::from).collect();
    for (coordinates, want) in [
        (Coordinates::HalfPixel, 4.5),
        (Coordinates::PytorchHalfPixel, 0.0),
        (Coordinates::AlignCorners, 0.0),
        (Coordinates::Asymmetric, 0.0),
    ] {
        for input in [&[10][..], &[1, 10], &[1, 1, 10]] {
            let output = vec![1; input.len()];
            let case = case(input, &output, Filter::Linear, coordinates);
            let [y, _] = in_f64(|context| run(context, Layout::Nchw, &case, [&x, &[1.0]]));
            assert_eq!(y, [want], "{case:?}");
        }
    }
}

#[test]
fn a_box_is_stretched_over_the_output() {
    // ONNX `test_resize_tf_crop_and_resize` and its sister with an extrapolation value.
    let x: Vec<f64> = (1..=16).map(f64::from).collect();
    let desc = ResizeDesc::linear([3, 3]).coordinates(ResizeCoordinates::CropAndResize);
    let geometry = desc.resolve(&[1, 1, 4, 4]).unwrap();
    let run = |crop: [(f64, f64); 2]| {
        let placement = ResizePlacement {
            crop: [(7.0, 7.0), crop[0], crop[1]],
            extrapolation: 10.0,
            ..ResizePlacement::default()
        };
        let plan = ResizePlan::new(&geometry, &placement).unwrap();
        in_f64(|context| {
            Layout::ALL.map(|layout| {
                let mut scratch = vec![f64::NAN; plan.scratch_len(layout, 3)];
                let (mut y, mut dx) = (vec![f64::NAN; 9], vec![f64::NAN; 16]);
                forward(context, layout, &plan, &x, &mut y, &mut scratch);
                backward(context, layout, &plan, &[1.0; 9], &mut dx, &mut scratch);
                (y, dx)
            })
        })
    };
    for (y, dx) in run([(0.4, 0.6), (0.6, 0.8)]) {
        let want = [7.6, 7.9, 8.2, 8.8, 9.1, 9.4, 10.0, 10.3, 10.6];
        assert_near("inside", &y, &want, 1e-12);
        assert!((dx.iter().sum::<f64>() - 9.0).abs() < 1e-12);
    }
    for (y, dx) in run([(0.4, 1.2), (0.6, 1.7)]) {
        let want = [7.6, 10.0, 10.0, 12.4, 10.0, 10.0, 10.0, 10.0, 10.0];
        assert_near("beyond", &y, &want, 1e-12);
        // Only two elements came from the input.
        assert!((dx.iter().sum::<f64>() - 2.0).abs() < 1e-12);
    }
}

#[test]
fn nothing_to_resize() {
    for (batch, channels) in [(0, 3), (2, 0)] {
        let case = ResizeCase {
            batch,
            channels,
            ..case(&[4, 5], &[3, 9], Filter::Linear, Coordinates::HalfPixel)
        };
        for layout in Layout::ALL {
            let [y, dx] = in_f64(|context| run::<f64>(context, layout, &case, [&[], &[]]));
            assert!(y.is_empty() && dx.is_empty());
        }
    }
    // However large its sizes, an empty batch takes no memory.
    let desc = ResizeDesc::linear(1 << 50);
    let plan = ResizePlan::new(
        &desc.resolve(&[0, 1, 4]).unwrap(),
        &ResizePlacement::default(),
    )
    .unwrap();
    assert_eq!(plan.scratch_len(Layout::Nhwc, 2), 0);
}

#[test]
#[should_panic(expected = "scale 3 from 4 to 9")]
fn a_scale_that_leads_elsewhere_is_a_bug_of_the_caller() {
    let placement = ResizePlacement {
        scales: Some([1.0, 1.0, 3.0]),
        ..ResizePlacement::default()
    };
    let geometry = ResizeDesc::linear(9).resolve(&[1, 1, 4]).unwrap();
    let _ = ResizePlan::new(&geometry, &placement);
}

#[test]
fn tables_that_no_memory_holds_are_an_error() {
    let geometry = ResizeDesc::linear(1 << 48).resolve(&[1, 1, 2]).unwrap();
    let error = ResizePlan::new(&geometry, &ResizePlacement::default()).unwrap_err();
    assert!(error.bytes >= 1 << 48, "{error}");
}
