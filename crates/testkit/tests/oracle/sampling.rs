//! Grids and resizing with known answers, and their backward functions against differences.

use crate::{assert_near, counting, dot};
use testkit::affine::AffineCase;
use testkit::compare::widen;
use testkit::gradient::check;
use testkit::grid_sample::{Around, Beyond, GridSampleCase};
use testkit::resize::{Coordinates, Filter, ResizeCase, Rounding};
use testkit::{Draw, gradient};

fn grid_case(input: &[usize], output: &[usize], around: Around) -> GridSampleCase {
    GridSampleCase {
        batch: 1,
        channels: 1,
        input: input.to_vec(),
        output: output.to_vec(),
        around,
        beyond: Beyond::Zeros,
        align_corners: false,
    }
}

fn resize_case(input: &[usize], output: &[usize], filter: Filter) -> ResizeCase {
    ResizeCase {
        batch: 1,
        channels: 1,
        input: input.to_vec(),
        output: output.to_vec(),
        scales: None,
        filter,
        coordinates: Coordinates::HalfPixel,
        antialias: false,
        exclude_outside: false,
    }
}

#[test]
fn onnx_grid_samples() {
    // The examples of ONNX GridSample: a map 0 … 5 of 3 × 2.
    let x: Vec<f64> = (0..6).map(f64::from).collect();
    let points = [
        -10.0, -10.0, -5.0, -5.0, -0.2, -0.2, 10.0, 10.0, 10.0, 10.0, -0.2, -0.2, 5.0, 5.0, 10.0,
        10.0,
    ];
    for (beyond, want) in [
        (Beyond::Zeros, [0.0, 0.0, 1.7, 0.0, 0.0, 1.7, 0.0, 0.0]),
        (Beyond::Border, [0.0, 0.0, 1.7, 5.0, 5.0, 1.7, 5.0, 5.0]),
        (Beyond::Reflection, [2.5, 0.0, 1.7, 2.5, 2.5, 1.7, 5.0, 2.5]),
    ] {
        let case = GridSampleCase {
            beyond,
            ..grid_case(&[3, 2], &[2, 4], Around::Linear)
        };
        assert_near(&case.forward(&x, &points), &want, 1e-12);
    }
    let points = [
        -1.0, -1.0, -0.5, -0.5, -0.2, -0.2, 0.0, 0.0, 0.0, 0.0, -0.2, -0.2, 0.5, 0.5, 1.0, 1.0,
    ];
    for (around, align_corners, want) in [
        (
            Around::Linear,
            false,
            [0.0, 0.5, 1.7, 2.5, 2.5, 1.7, 4.5, 1.25],
        ),
        (
            Around::Linear,
            true,
            [0.0, 1.25, 2.0, 2.5, 2.5, 2.0, 3.75, 5.0],
        ),
        (
            Around::Nearest,
            false,
            [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 5.0, 0.0],
        ),
        (
            Around::Cubic,
            false,
            [
                -0.1406, 0.3828, 1.7556, 2.9688, 2.9688, 1.7556, 5.1445, 1.3906,
            ],
        ),
    ] {
        let case = GridSampleCase {
            align_corners,
            ..grid_case(&[3, 2], &[2, 4], around)
        };
        // ONNX rounds its cubic example to four places.
        assert_near(&case.forward(&x, &points), &want, 5.1e-5);
    }
}

#[test]
fn backward_functions_of_grids_agree_with_differences() {
    let mut draw = Draw::new(21);
    for beyond in [Beyond::Zeros, Beyond::Border, Beyond::Reflection] {
        for align_corners in [false, true] {
            for (input, output, around) in [
                (&[3, 4][..], &[2, 5][..], Around::Linear),
                (&[3, 4], &[2, 5], Around::Cubic),
                (&[2, 3, 4], &[2, 1, 3], Around::Linear),
            ] {
                let case = GridSampleCase {
                    batch: 2,
                    channels: 2,
                    beyond,
                    align_corners,
                    ..grid_case(input, output, around)
                };
                let x = widen(&draw.reals(case.input_len()));
                let dy = widen(&draw.reals(case.output_len()));
                let points = widen(&draw.reals(case.grid_len()));
                let points: Vec<f64> = points.iter().map(|v| 1.7 * v).collect();
                let dx = case.backward_input(&points, &dy);
                check(|x| dot(&dy, &case.forward(x, &points)), &x, &dx).unwrap();
                let dgrid = case.backward_grid(&x, &points, &dy);
                check(|at| dot(&dy, &case.forward(&x, at)), &points, &dgrid).unwrap();
            }
        }
    }
}

#[test]
fn the_identity_reads_the_map_itself() {
    for (size, align_corners) in [(vec![4, 7], true), (vec![3, 5, 2], false)] {
        let axes = size.len();
        let affine = AffineCase {
            batch: 1,
            size: size.clone(),
            align_corners,
        };
        let theta: Vec<f64> = (0..axes * (axes + 1))
            .map(|i| f64::from(u8::from(i % (axes + 1) == i / (axes + 1))))
            .collect();
        let points = affine.forward(&theta);
        let case = GridSampleCase {
            align_corners,
            beyond: Beyond::Border,
            ..grid_case(&size, &size, Around::Linear)
        };
        let x = counting(case.input_len());
        assert_near(&case.forward(&x, &points), &x, 1e-12);

        let dgrid = widen(&Draw::new(3).reals(affine.grid_len()));
        let dtheta = affine.backward(&dgrid);
        let f = |theta: &[f64]| dot(&dgrid, &affine.forward(theta));
        check(f, &theta, &dtheta).unwrap();
    }
}

#[test]
fn halves_go_to_the_even_element() {
    // −1, −0.5, 0, 0.5 and 1 are the positions −0.5, 0.5, 1.5, 2.5 and 3.5 of four elements.
    let case = grid_case(&[1, 4], &[1, 5], Around::Nearest);
    let points = [-1.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.0];
    let y = case.forward(&counting(4), &points);
    assert_eq!(y, [1.0, 1.0, 3.0, 3.0, 0.0]);
}

#[test]
fn onnx_resizes() {
    let linear = resize_case(&[2, 2], &[4, 4], Filter::Linear);
    let want = [
        1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75, 4.0,
    ];
    assert_near(&linear.forward(&counting(4)), &want, 1e-14);

    let cubic = ResizeCase {
        scales: Some(vec![0.8, 0.8]),
        ..resize_case(&[4, 4], &[3, 3], Filter::Cubic(-0.75))
    };
    let want = [
        1.47119141,
        2.78125,
        4.08251953,
        6.71142578,
        8.02148438,
        9.32275391,
        11.91650391,
        13.2265625,
        14.52783203,
    ];
    assert_near(&cubic.forward(&counting(16)), &want, 1e-8);

    let nearest = resize_case(&[2, 4], &[1, 3], Filter::Nearest(Rounding::HalfDown));
    assert_eq!(nearest.forward(&counting(8)), [1.0, 2.0, 4.0]);

    let shrunk = ResizeCase {
        antialias: true,
        scales: Some(vec![0.6, 0.6]),
        ..resize_case(&[4, 4], &[2, 2], Filter::Linear)
    };
    let want = [2.875, 4.5, 9.375, 11.0];
    assert_near(&shrunk.forward(&counting(16)), &want, 1e-12);
}

#[test]
fn a_resized_constant_is_constant_and_its_gradient_the_adjoint() {
    let mut draw = Draw::new(22);
    for filter in [
        Filter::Nearest(Rounding::Ceil),
        Filter::Linear,
        Filter::Cubic(-0.5),
        Filter::Cubic(-0.75),
    ] {
        for (antialias, exclude_outside) in [(false, false), (false, true), (true, true)] {
            for (input, output) in [
                (&[5, 7][..], &[3, 11][..]),
                (&[9], &[2]),
                (&[2, 3, 4], &[3, 1, 7]),
            ] {
                let case = ResizeCase {
                    antialias,
                    exclude_outside,
                    ..resize_case(input, output, filter)
                };
                let y = case.forward(&vec![1.0; case.input_len()]);
                assert_near(&y, &vec![1.0; y.len()], 1e-14);

                let x = widen(&draw.reals(case.input_len()));
                let dy = widen(&draw.reals(case.output_len()));
                let f = |x: &[f64]| dot(&dy, &case.forward(x));
                gradient::check(f, &x, &case.backward(&dy)).unwrap();
            }
        }
    }
}
