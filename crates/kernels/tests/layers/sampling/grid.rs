use geometry::{
    AffineGridDesc, GridInterpolation, GridPadding, GridSampleDesc, GridSampleGeometry,
};
use kernels::sampling::{affine, grid};
use kernels::{Context, Real};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_exact, assert_relative_l2, widen};
use testkit::grid_sample::{Around, Beyond, GridSampleCase};
use testkit::layout::{channels_first, channels_last};

use super::{assert_gradient, assert_near, in_f64, reals};
use crate::every::{as_nchw, laid_out, operand, result, way};

/// Every setting, on sizes that differ from axis to axis.
fn cases() -> Vec<GridSampleCase> {
    let mut cases = Vec::new();
    let mut draw = Draw::new(1);
    for beyond in [Beyond::Zeros, Beyond::Border, Beyond::Reflection] {
        for align_corners in [false, true] {
            for around in [Around::Nearest, Around::Linear, Around::Cubic] {
                for rank in [2, 3] {
                    if (rank, around) == (3, Around::Cubic) {
                        continue;
                    }
                    for _ in 0..4 {
                        cases.push(GridSampleCase {
                            batch: draw.pick(&[1, 2]),
                            channels: draw.pick(&[1, 3, 16, 17, 70]),
                            input: draw.distinct(&[1, 2, 3, 5, 6, 7], rank),
                            output: draw.distinct(&[1, 2, 3, 5, 13], rank),
                            around,
                            beyond,
                            align_corners,
                        });
                    }
                }
            }
        }
    }
    cases
}

fn geometry(case: &GridSampleCase) -> GridSampleGeometry {
    let desc = GridSampleDesc {
        interpolation: match case.around {
            Around::Nearest => GridInterpolation::Nearest,
            Around::Linear => GridInterpolation::Linear,
            Around::Cubic => GridInterpolation::Cubic,
        },
        padding: match case.beyond {
            Beyond::Zeros => GridPadding::Zeros,
            Beyond::Border => GridPadding::Border,
            Beyond::Reflection => GridPadding::Reflection,
        },
        align_corners: case.align_corners,
    };
    let input = [&[case.batch, case.channels][..], &case.input].concat();
    let grid = [&[case.batch][..], &case.output, &[case.input.len()]].concat();
    desc.resolve(&input, &grid).unwrap()
}

/// Coordinates from −1.75 to 1.75 that are multiples of a power of two: positions, and linear
/// weights, are exact in f32, and many points lie on an element, between two, or on an edge.
fn whole_parts(draw: &mut Draw, case: &GridSampleCase) -> Vec<f32> {
    let parts = if case.input.len() == 2 { 16 } else { 8 };
    let most = parts * 7 / 4;
    (0..case.grid_len())
        .map(|_| (draw.below(2 * most + 1) as f32 - most as f32) / parts as f32)
        .collect()
}

/// `y`, `dx` and `dgrid`, channels first.
fn run<T: Real>(
    context: &Context<'_>,
    layout: Layout,
    case: &GridSampleCase,
    [x, points, dy]: [&[T]; 3],
) -> [Vec<T>; 3] {
    let g = geometry(case);
    let (batch, channels) = (case.batch, case.channels);
    let to_layout = |map: &[T]| match layout {
        Layout::Nchw => map.to_vec(),
        Layout::Nhwc => channels_last(map, batch, channels),
    };
    let from_layout = |map: Vec<T>| match layout {
        Layout::Nchw => map,
        Layout::Nhwc => channels_first(&map, batch, channels),
    };
    let (x, dy) = (to_layout(x), to_layout(dy));
    let nan = |len| vec![T::nan(); len];
    let (mut y, mut dx, mut dgrid) = (nan(dy.len()), nan(x.len()), nan(points.len()));
    grid::forward(context, layout, &g, &x, points, &mut y);
    grid::backward_input(context, layout, &g, points, &dy, &mut dx);
    grid::backward_grid(context, layout, &g, &x, points, &dy, &mut dgrid);
    [from_layout(y), from_layout(dx), dgrid]
}

#[test]
fn samples_equal_the_oracle() {
    for (seed, case) in cases().iter().enumerate() {
        let g = geometry(case);
        let (batch, channels) = (case.batch, case.channels);
        let mut draw = Draw::new(seed as u64);
        let (x, dy) = (
            draw.integers(case.input_len()),
            draw.integers(case.output_len()),
        );
        let points = whole_parts(&mut draw, case);
        let (wide_x, wide_dy, wide_points) = (widen(&x), widen(&dy), widen(&points));
        let want = [
            case.forward(&wide_x, &wide_points),
            case.backward_input(&wide_points, &wide_dy),
            case.backward_grid(&wide_x, &wide_points, &wide_dy),
        ];
        for layout in Layout::ALL {
            let x_map = laid_out(layout, &x, batch, channels);
            let dy_map = laid_out(layout, &dy, batch, channels);
            way(
                &format!("{layout} {case:?}"),
                |context| {
                    let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                    let mut dgrid = result(points.len());
                    let (x, dy) = (operand(&x_map), operand(&dy_map));
                    let points = operand(&points);
                    grid::forward(context, layout, &g, &x, &points, &mut y);
                    grid::backward_input(context, layout, &g, &points, &dy, &mut dx);
                    grid::backward_grid(context, layout, &g, &x, &points, &dy, &mut dgrid);
                    vec![
                        as_nchw(layout, &y, batch, channels),
                        as_nchw(layout, &dx, batch, channels),
                        dgrid.to_vec(),
                    ]
                },
                |problem, got| {
                    if case.around == Around::Cubic {
                        // The weights themselves are rounded.
                        for (got, want) in got.iter().zip(&want) {
                            assert_relative_l2(problem, got, want, 1e-6);
                        }
                    } else {
                        assert_exact(problem, &got[0], &want[0]);
                        assert_exact(problem, &got[1], &want[1]);
                        assert_relative_l2(problem, &got[2], &want[2], 1e-6);
                    }
                },
            );
        }
    }
}

#[test]
fn in_f64_too() {
    for (seed, case) in cases().iter().enumerate() {
        let mut draw = Draw::new(100 + seed as u64);
        let x = reals(&mut draw, case.input_len());
        let points: Vec<f64> = reals(&mut draw, case.grid_len())
            .iter()
            .map(|v| 2.0 * v)
            .collect();
        let dy = reals(&mut draw, case.output_len());
        let want = [
            case.forward(&x, &points),
            case.backward_input(&points, &dy),
            case.backward_grid(&x, &points, &dy),
        ];
        for layout in Layout::ALL {
            let got = in_f64(|context| run(context, layout, case, [&x, &points, &dy]));
            for (got, want) in got.iter().zip(&want) {
                assert_near(&format!("{layout} {case:?}"), got, want, 1e-12);
            }
        }
    }
}

#[test]
fn the_gradient_of_the_map_is_the_adjoint() {
    // ⟨dy, sample(x)⟩ = ⟨backward(dy), x⟩, exactly: all products are whole parts.
    for (seed, case) in cases().iter().enumerate() {
        if case.around == Around::Cubic {
            continue;
        }
        let mut draw = Draw::new(200 + seed as u64);
        let (x, dy) = (
            widen(&draw.integers(case.input_len())),
            widen(&draw.integers(case.output_len())),
        );
        let points = widen(&whole_parts(&mut draw, case));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let [y, dx, _] = in_f64(|context| run(context, Layout::Nchw, case, [&x, &points, &dy]));
        assert_eq!(dot(&dy, &y), dot(&dx, &x), "{case:?}");
    }
}

#[test]
fn gradients_agree_with_differences() {
    for (seed, case) in cases().iter().enumerate() {
        if case.around == Around::Nearest || case.channels > 3 {
            continue;
        }
        let mut draw = Draw::new(300 + seed as u64);
        let x = reals(&mut draw, case.input_len());
        // Away from kinks: positions a sixteenth and more from whole and half ones.
        let mut points = Vec::new();
        while points.len() < case.grid_len() {
            let size = case.input[case.input.len() - 1 - points.len() % case.input.len()] as f64;
            let stretch = if case.align_corners {
                (size - 1.0) / 2.0
            } else {
                size / 2.0
            };
            let point = 1.75 * reals(&mut draw, 1)[0];
            let halves = 2.0 * stretch * (point + 1.0);
            if size == 1.0 && case.align_corners || (halves - halves.round()).abs() > 0.125 {
                points.push(point);
            }
        }
        let dy = reals(&mut draw, case.output_len());
        let problem = format!("{case:?}");
        in_f64(|context| {
            let [_, dx, dgrid] = run(context, Layout::Nhwc, case, [&x, &points, &dy]);
            let by_x = |x: &[f64]| {
                let [y, ..] = run(context, Layout::Nchw, case, [x, &points, &dy]);
                y
            };
            let by_points = |points: &[f64]| {
                let [y, ..] = run(context, Layout::Nchw, case, [&x, points, &dy]);
                y
            };
            assert_gradient(&problem, by_x, &x, &dy, &dx);
            assert_gradient(&problem, by_points, &points, &dy, &dgrid);
        });
    }
}

#[test]
fn the_identity_gives_the_map_back() {
    // Sizes at which the coordinates of all elements are exact.
    for (sizes, align_corners) in [
        (vec![3, 5], true),
        (vec![9, 2], true),
        (vec![5, 3, 9], true),
        (vec![4, 8], false),
        (vec![2, 1, 16], false),
    ] {
        let rank = sizes.len();
        for around in [Around::Nearest, Around::Linear, Around::Cubic] {
            if (rank, around) == (3, Around::Cubic) {
                continue;
            }
            let case = GridSampleCase {
                batch: 2,
                channels: 3,
                input: sizes.clone(),
                output: sizes.clone(),
                around,
                beyond: Beyond::Zeros,
                align_corners,
            };
            let affine = AffineGridDesc::new(&sizes[..])
                .align_corners(align_corners)
                .resolve(&[2, rank, rank + 1])
                .unwrap();
            let one: Vec<f32> = (0..rank * (rank + 1))
                .map(|i| {
                    if i % (rank + 1) == i / (rank + 1) {
                        1.0
                    } else {
                        0.0
                    }
                })
                .collect();
            let theta = [&one[..], &one].concat();
            let x = Draw::new(9).reals(case.input_len());
            for layout in Layout::ALL {
                let map = laid_out(layout, &x, 2, 3);
                way(
                    &format!("identity {layout} {case:?}"),
                    |context| {
                        let mut points = result(case.grid_len());
                        affine::forward(context, &affine, &theta, &mut points);
                        let mut y = result(x.len());
                        grid::forward(context, layout, &geometry(&case), &map, &points, &mut y);
                        vec![as_nchw(layout, &y, 2, 3)]
                    },
                    |problem, got| assert_exact(problem, &got[0], &widen(&x)),
                );
            }
        }
    }
}

#[test]
fn the_nearest_of_the_identity_gives_any_map_back() {
    for size in 1..40 {
        for align_corners in [false, true] {
            let affine = AffineGridDesc::new([size, 3])
                .align_corners(align_corners)
                .resolve(&[1, 2, 3])
                .unwrap();
            let g = GridSampleDesc::new(GridInterpolation::Nearest)
                .align_corners(align_corners)
                .resolve(&[1, 1, size, 3], &[1, size, 3, 2])
                .unwrap();
            let x: Vec<f32> = (0..size * 3).map(|v| v as f32).collect();
            way(
                &format!("{size} {align_corners}"),
                |context| {
                    let mut points = vec![0.0; size * 6];
                    affine::forward(
                        context,
                        &affine,
                        &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
                        &mut points,
                    );
                    let mut y = result(x.len());
                    grid::forward(context, Layout::Nchw, &g, &x, &points, &mut y);
                    vec![y.to_vec()]
                },
                |problem, got| assert_exact(problem, &got[0], &widen(&x)),
            );
        }
    }
}

#[test]
fn coordinates_that_are_no_numbers() {
    let case = |around, beyond, align_corners| GridSampleCase {
        batch: 1,
        channels: 2,
        input: vec![3, 4],
        output: vec![2, 5],
        around,
        beyond,
        align_corners,
    };
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30, -1e30, 0.0];
    for around in [Around::Nearest, Around::Linear, Around::Cubic] {
        for beyond in [Beyond::Zeros, Beyond::Border] {
            let case = case(around, beyond, false);
            let mut draw = Draw::new(4);
            let points: Vec<f64> = (0..20).map(|_| draw.pick(&special)).collect();
            let (x, dy) = (widen(&draw.integers(24)), widen(&draw.integers(20)));
            let want = case.forward(&x, &points);
            assert!(want.iter().all(|v| v.is_finite()), "{case:?}: {want:?}");
            for layout in Layout::ALL {
                let [y, dx, dgrid] = in_f64(|c| run(c, layout, &case, [&x, &points, &dy]));
                let problem = format!("{layout} {case:?}");
                assert_near(&problem, &y, &want, 1e-12);
                assert_near(&problem, &dx, &case.backward_input(&points, &dy), 1e-12);
                let want = case.backward_grid(&x, &points, &dy);
                assert_near(&problem, &dgrid, &want, 1e-12);
            }
        }
        // Under reflection infinity has no place; it counts as not a number.
        for align_corners in [false, true] {
            let case = case(around, Beyond::Reflection, align_corners);
            let points: Vec<f64> = [special[0], special[1], special[2], 0.0, 0.0]
                .iter()
                .flat_map(|&v| [v, v, v, 0.0])
                .collect();
            let x = widen(&Draw::new(4).integers(24));
            let [y, dx, dgrid] = in_f64(|c| run(c, Layout::Nchw, &case, [&x, &points, &[1.0; 20]]));
            assert_eq!([y[0], y[2], y[4]], [x[0]; 3], "{case:?}");
            assert_eq!(dgrid[..2], [0.0; 2]);
            assert!(dx.iter().chain(&dgrid).all(|v| v.is_finite()), "{case:?}");
        }
    }
}

#[test]
fn a_number_outside_the_image_is_not_read() {
    // All taps of this point are in the padding; an infinite corner must not make it NaN.
    let case = GridSampleCase {
        batch: 1,
        channels: 1,
        input: vec![2, 2],
        output: vec![1, 1],
        around: Around::Linear,
        beyond: Beyond::Zeros,
        align_corners: false,
    };
    let x = [f64::INFINITY, f64::NAN, 1.0, 2.0];
    for layout in Layout::ALL {
        let [y, dx, dgrid] = in_f64(|c| run(c, layout, &case, [&x, &[3.0, 3.0], &[5.0]]));
        assert_eq!(
            (y[0], &dx[..], &dgrid[..]),
            (0.0, &[0.0; 4][..], &[0.0; 2][..])
        );
    }
}

#[test]
fn nothing_to_sample() {
    for (batch, output) in [(0, vec![2, 3]), (2, vec![0, 3])] {
        let case = GridSampleCase {
            batch,
            channels: 3,
            input: vec![3, 4],
            output,
            around: Around::Linear,
            beyond: Beyond::Zeros,
            align_corners: false,
        };
        let x = vec![1.0; case.input_len()];
        for layout in Layout::ALL {
            let [y, dx, dgrid] = in_f64(|c| run(c, layout, &case, [&x, &[], &[]]));
            assert!(y.is_empty() && dgrid.is_empty());
            assert_eq!(dx, vec![0.0; x.len()]);
        }
    }
}

#[test]
fn many_points_and_planes_are_cut_without_a_seam() {
    let case = GridSampleCase {
        batch: 2,
        channels: 67,
        input: vec![9, 8],
        output: vec![31, 45],
        around: Around::Linear,
        beyond: Beyond::Reflection,
        align_corners: true,
    };
    let g = geometry(&case);
    let mut draw = Draw::new(7);
    let x = draw.integers(case.input_len());
    let points = whole_parts(&mut draw, &case);
    let dy = draw.integers(case.output_len());
    let (wide_x, wide_points, wide_dy) = (widen(&x), widen(&points), widen(&dy));
    let want = [
        case.forward(&wide_x, &wide_points),
        case.backward_input(&wide_points, &wide_dy),
        case.backward_grid(&wide_x, &wide_points, &wide_dy),
    ];
    for layout in Layout::ALL {
        let (x_map, dy_map) = (laid_out(layout, &x, 2, 67), laid_out(layout, &dy, 2, 67));
        way(
            &format!("{layout} {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                let mut dgrid = result(points.len());
                grid::forward(context, layout, &g, &x_map, &points, &mut y);
                grid::backward_input(context, layout, &g, &points, &dy_map, &mut dx);
                grid::backward_grid(context, layout, &g, &x_map, &points, &dy_map, &mut dgrid);
                vec![
                    as_nchw(layout, &y, 2, 67),
                    as_nchw(layout, &dx, 2, 67),
                    dgrid.to_vec(),
                ]
            },
            |problem, got| {
                assert_exact(problem, &got[0], &want[0]);
                for (got, want) in got.iter().zip(&want) {
                    assert_relative_l2(problem, got, want, 1e-6);
                }
            },
        );
    }
}
