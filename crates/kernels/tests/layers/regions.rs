use geometry::{RegionsDesc, RegionsGeometry};
use kernels::pool::max::NO_SOURCE;
use kernels::regions::align::{AlignOptions, Moves};
use kernels::regions::{align, average, check, max};
use kernels::{Context, Isa, Real, Team};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::regions::Sampling;
use testkit::{Draw, RegionsCase, gradient};

use crate::every::{as_nchw, laid_out, operand, result, way};

const GAMMA: f64 = 0.125;

fn geometry(case: &RegionsCase) -> RegionsGeometry {
    RegionsDesc::new(case.bins)
        .position_sensitive(case.position_sensitive)
        .resolve(
            &[case.batch, case.channels, case.input[0], case.input[1]],
            &[case.regions.len(), 5],
        )
        .unwrap()
}

fn options(case: &RegionsCase, sampling: Sampling) -> AlignOptions {
    AlignOptions {
        scale: case.scale,
        sampling: sampling.points,
        aligned: sampling.aligned,
    }
}

/// Problems whose every place and share is exact in f32: quarters and powers of two. Regions reach over
/// the borders, some miss the map, some have no extent or a negative one.
fn exact_cases(seed: u64, count: usize) -> Vec<RegionsCase> {
    let mut draw = Draw::new(seed);
    (0..count)
        .map(|_| {
            let bins = [draw.pick(&[1, 2, 4]), draw.pick(&[1, 2, 4])];
            let position_sensitive = draw.once_in(2);
            let own = if position_sensitive {
                bins[0] * bins[1]
            } else {
                1
            };
            let batch = 1 + draw.below(3);
            let input = [1 + draw.below(9), 1 + draw.below(9)];
            let mut quarter = |extent: usize| draw.below(8 * extent) as f64 / 4.0 - 3.0;
            let regions = (0..5)
                .map(|index| {
                    let (y, x) = (quarter(input[0]), quarter(input[1]));
                    let (height, width) = (quarter(input[0]), quarter(input[1]));
                    [(index % batch) as f64, x, y, x + width, y + height]
                })
                .collect();
            RegionsCase {
                batch,
                channels: own * draw.pick(&[1, 3, 16, 17, 35]),
                input,
                bins,
                position_sensitive,
                regions,
                scale: draw.pick(&[1.0, 0.5, 2.0]),
            }
        })
        .collect()
}

/// The offsets of deformable pooling, in the layout of a map of the regions.
fn offsets(case: &RegionsCase, seed: u64) -> Vec<f32> {
    let mut draw = Draw::new(seed);
    (0..case.offset_len())
        .map(|_| draw.below(33) as f32 / 4.0 - 4.0)
        .collect()
}

fn aligned_every_way(case: &RegionsCase, sampling: Sampling, moved: bool, seed: u64, exact: bool) {
    let geometry = geometry(case);
    let options = options(case, sampling);
    let mut draw = Draw::new(seed);
    let (x, dy) = (
        draw.integers(case.input_len()),
        draw.integers(case.output_len()),
    );
    let offset = offsets(case, seed);
    let wide_offset = widen(&offset);
    let moves = moved.then_some((&wide_offset[..], GAMMA));
    let mut want = vec![
        case.align(&widen(&x), sampling, moves),
        case.align_backward(&widen(&dy), sampling, moves),
    ];
    want.extend(
        moves.map(|moves| case.align_backward_offset(&widen(&x), &widen(&dy), sampling, moves)),
    );
    let (count, outputs) = (case.regions.len(), case.out_channels());
    for layout in Layout::ALL {
        let x_map = laid_out(layout, &x, case.batch, case.channels);
        let dy_map = laid_out(layout, &dy, count, outputs);
        let offset_map = laid_out(layout, &offset, count, 2);
        way(
            &format!("{layout} {sampling:?} moved {moved} {case:?}"),
            |ctx| {
                let (x, dy, list) = (operand(&x_map), operand(&dy_map), operand(&case.list()));
                let offset = operand(&offset_map);
                let moves = moved.then_some(Moves {
                    offset: &offset,
                    gamma: GAMMA,
                });
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                align::forward(ctx, layout, &geometry, options, &list, moves, &x, &mut y);
                align::backward(ctx, layout, &geometry, options, &list, moves, &dy, &mut dx);
                let mut all = vec![
                    as_nchw(layout, &y, count, outputs),
                    as_nchw(layout, &dx, case.batch, case.channels),
                ];
                all.extend(moves.map(|moves| {
                    let mut doffset = result(offset.len());
                    align::backward_offset(
                        ctx,
                        layout,
                        &geometry,
                        options,
                        &list,
                        moves,
                        &x,
                        &dy,
                        &mut doffset,
                    );
                    as_nchw(layout, &doffset, count, 2)
                }));
                all
            },
            |problem, got| {
                for (got, want) in got.iter().zip(&want) {
                    if exact {
                        assert_exact(problem, got, want);
                    } else {
                        // Places are off by roundings of f32 times the steepness of x.
                        let bound: Vec<f64> = want.iter().map(|w| 2e-4 * (1.0 + w.abs())).collect();
                        assert_close(problem, got, want, &bound);
                    }
                }
            },
        );
    }
}

#[test]
fn aligned_regions_equal_the_oracle_exactly() {
    for (seed, case) in exact_cases(51, 40).into_iter().enumerate() {
        let sampling = Sampling {
            points: [1, 2, 4][seed % 3],
            aligned: seed % 2 == 0,
        };
        aligned_every_way(&case, sampling, false, seed as u64, true);
        aligned_every_way(&case, sampling, true, seed as u64, true);
    }
}

/// Regions in the middle of a map, so that no sample meets the sharp edge a pixel off it.
fn inner_case(bins: [usize; 2], position_sensitive: bool) -> RegionsCase {
    RegionsCase {
        batch: 2,
        channels: 42,
        input: [12, 15],
        bins,
        position_sensitive,
        regions: vec![
            [1.0, 3.3, 4.1, 17.9, 16.2],
            [0.0, 9.7, 6.6, 25.2, 20.3],
            [1.0, 8.2, 8.4, 9.1, 8.9],
        ],
        scale: 0.5,
    }
}

#[test]
fn adaptive_grids_equal_the_oracle() {
    for aligned in [false, true] {
        for (bins, position_sensitive) in [([7, 3], false), ([3, 2], true), ([1, 1], false)] {
            let case = inner_case(bins, position_sensitive);
            let sampling = Sampling { points: 0, aligned };
            aligned_every_way(&case, sampling, false, 3, false);
            let sampling = Sampling { points: 3, aligned };
            aligned_every_way(&case, sampling, false, 4, false);
        }
    }
}

/// Everything in f64, with any number of bins, against the oracle within a few roundings.
fn double_every_way(case: &RegionsCase, sampling: Sampling, seed: u64) {
    let geometry = geometry(case);
    let options = options(case, sampling);
    let mut draw = Draw::new(seed);
    let x = widen(&draw.reals(case.input_len()));
    let dy = widen(&draw.reals(case.output_len()));
    let offset = widen(&draw.reals(case.offset_len()));
    let regions: Vec<f64> = case.regions.iter().flatten().copied().collect();
    let (count, outputs) = (case.regions.len(), case.out_channels());
    let oracle = Some((&offset[..], GAMMA));
    let want = [
        case.align(&x, sampling, oracle),
        case.align_backward(&dy, sampling, oracle),
        case.align_backward_offset(&x, &dy, sampling, (&offset, GAMMA)),
        case.average(&x),
        case.average_backward(&dy),
        case.max(&x).values,
        case.max_backward(&x, &dy),
    ];
    for layout in Layout::ALL {
        for threads in [1, 3] {
            let team = Team::new(threads).unwrap();
            let isa = Isa::best();
            let ctx = &Context { team: &team, isa };
            let map = |values: &[f64], batch, channels| match layout {
                Layout::Nchw => values.to_vec(),
                Layout::Nhwc => testkit::layout::channels_last(values, batch, channels),
            };
            let (x, dy) = (map(&x, case.batch, case.channels), map(&dy, count, outputs));
            let offset = map(&offset, count, 2);
            let moves = Moves {
                offset: &offset,
                gamma: GAMMA,
            };
            let nan = |len: usize| vec![f64::NAN; len];
            let (mut y, mut dx, mut doffset) = (nan(dy.len()), nan(x.len()), nan(offset.len()));
            let (mut mean, mut dmean) = (nan(dy.len()), nan(x.len()));
            let (mut top, mut dtop) = (nan(dy.len()), nan(x.len()));
            let mut indices = vec![0; dy.len()];
            let (g, r, some) = (&geometry, &regions[..], Some(moves));
            align::forward(ctx, layout, g, options, r, some, &x, &mut y);
            align::backward(ctx, layout, g, options, r, some, &dy, &mut dx);
            align::backward_offset(ctx, layout, g, options, r, moves, &x, &dy, &mut doffset);
            average::forward(ctx, layout, g, case.scale, r, &x, &mut mean);
            average::backward(ctx, layout, g, case.scale, r, &dy, &mut dmean);
            max::forward(
                ctx,
                layout,
                g,
                case.scale,
                r,
                &x,
                &mut top,
                Some(&mut indices),
            );
            max::backward(ctx, layout, g, r, &dy, &indices, &mut dtop);
            let outputs_of = |values: &[f64]| as_nchw(layout, values, count, outputs);
            let inputs_of = |values: &[f64]| as_nchw(layout, values, case.batch, case.channels);
            let got = [
                outputs_of(&y),
                inputs_of(&dx),
                as_nchw(layout, &doffset, count, 2),
                outputs_of(&mean),
                inputs_of(&dmean),
                outputs_of(&top),
                inputs_of(&dtop),
            ];
            for (index, (got, want)) in got.iter().zip(&want).enumerate() {
                for (got, want) in got.iter().zip(want) {
                    assert!(
                        (got - want).abs() <= 1e-12 * (1.0 + want.abs()),
                        "{layout} {case:?} result {index}: {got} should be {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn double_precision_equals_the_oracle() {
    for (seed, mut case) in exact_cases(52, 20).into_iter().enumerate() {
        let sampling = |points| Sampling {
            points,
            aligned: seed % 2 == 0,
        };
        double_every_way(&case, sampling(seed % 3), seed as u64);
        // Bins that divide nothing.
        if !case.position_sensitive {
            case.bins = [3, 7];
            double_every_way(&case, sampling(2 - seed % 3), seed as u64);
        }
    }
}

#[test]
fn maxima_and_averages_equal_the_oracle() {
    for (seed, case) in exact_cases(53, 40).into_iter().enumerate() {
        let geometry = geometry(&case);
        let mut draw = Draw::new(seed as u64);
        let (x, dy) = (
            draw.integers(case.input_len()),
            draw.integers(case.output_len()),
        );
        let maxima = case.max(&widen(&x));
        let want_max = case.max_backward(&widen(&x), &widen(&dy));
        let want_mean = case.average(&widen(&x));
        let want_spread = case.average_backward(&widen(&dy));
        let (count, outputs) = (case.regions.len(), case.out_channels());
        for layout in Layout::ALL {
            let x_map = laid_out(layout, &x, case.batch, case.channels);
            let dy_map = laid_out(layout, &dy, count, outputs);
            way(
                &format!("{layout} {case:?}"),
                |ctx| {
                    let (x, dy, list) = (operand(&x_map), operand(&dy_map), operand(&case.list()));
                    let (g, scale) = (&geometry, case.scale);
                    let [mut top, mut bare, mut mean] = [0; 3].map(|_| result(dy.len()));
                    let [mut dtop, mut dmean] = [0; 2].map(|_| result(x.len()));
                    let mut indices = vec![7; dy.len()];
                    max::forward(
                        ctx,
                        layout,
                        g,
                        scale,
                        &list,
                        &x,
                        &mut top,
                        Some(&mut indices),
                    );
                    max::forward(ctx, layout, g, scale, &list, &x, &mut bare, None);
                    max::backward(ctx, layout, g, &list, &dy, &indices, &mut dtop);
                    average::forward(ctx, layout, g, scale, &list, &x, &mut mean);
                    average::backward(ctx, layout, g, scale, &list, &dy, &mut dmean);
                    let indices = as_nchw(layout, &indices, count, outputs);
                    vec![
                        as_nchw(layout, &top, count, outputs),
                        as_nchw(layout, &bare, count, outputs),
                        as_nchw(layout, &dtop, case.batch, case.channels),
                        as_nchw(layout, &mean, count, outputs),
                        as_nchw(layout, &dmean, case.batch, case.channels),
                        indices.into_iter().map(f32::from_bits).collect(),
                    ]
                },
                |problem, got| {
                    assert_exact(problem, &got[0], &maxima.values);
                    assert_exact(problem, &got[1], &maxima.values);
                    assert_exact(problem, &got[2], &want_max);
                    let near = |want: &[f64]| vec![1e-4; want.len()];
                    assert_close(problem, &got[3], &want_mean, &near(&want_mean));
                    assert_close(problem, &got[4], &want_spread, &near(&want_spread));
                    let indices = got[5].iter().map(|i| i.to_bits());
                    let want = maxima.indices.iter();
                    let want = want.map(|i| i.map_or(NO_SOURCE, |i| i as u32));
                    assert!(indices.eq(want), "{problem}: indices");
                },
            );
        }
    }
}

#[test]
fn offsets_of_zero_are_no_offsets() {
    let case = inner_case([3, 2], false);
    let geometry = geometry(&case);
    let sampling = AlignOptions {
        scale: 0.5,
        sampling: 0,
        aligned: true,
    };
    let x = Draw::new(1).reals(case.input_len());
    let offset = vec![0.0; case.offset_len()];
    let moves = Moves {
        offset: &offset,
        gamma: 0.1,
    };
    way(
        "offsets of zero",
        |ctx| {
            [None, Some(moves)]
                .map(|moves| {
                    let mut y = result(case.output_len());
                    let (layout, list) = (Layout::Nhwc, case.list());
                    align::forward(ctx, layout, &geometry, sampling, &list, moves, &x, &mut y);
                    y.to_vec()
                })
                .into()
        },
        |problem, got| assert_eq!(got[0], got[1], "{problem}"),
    );
}

#[test]
fn regions_of_no_image_are_found_and_give_zeros() {
    let list = |first: f32| [0.0, 0.0, 0.0, 3.0, 3.0, first, 0.0, 0.0, 3.0, 3.0];
    assert_eq!(check(&list(1.0), 2), Ok(()));
    // A fraction is dropped, as torchvision does.
    assert_eq!(check(&list(1.5), 2), Ok(()));
    assert_eq!(check::<f32>(&[], 0), Ok(()));
    for wrong in [2.0, -1.0, f32::INFINITY, 1e20] {
        let error = check(&list(wrong), 2).unwrap_err();
        assert_eq!((error.region, error.image), (1, f64::from(wrong)));
    }
    let error = check(&list(2.0), 2).unwrap_err().to_string();
    assert_eq!(
        error,
        "region 1 names image 2, but there are 2 images, counted from 0"
    );
    assert!(check(&list(f32::NAN), 2).is_err());

    for odd in [
        [2.0, 0.0, 0.0, 3.0, 3.0],
        [-1.0, 0.0, 0.0, 3.0, 3.0],
        [f64::NAN, 0.0, 0.0, 3.0, 3.0],
        [0.0, f64::NAN, 0.0, 3.0, 3.0],
        [0.0, 0.0, 0.0, 3.0, f64::NAN],
    ] {
        let case = RegionsCase {
            batch: 2,
            channels: 4,
            input: [4, 5],
            bins: [2, 2],
            position_sensitive: true,
            regions: vec![odd, [1.0, 0.0, 0.0, 4.0, 4.0]],
            scale: 1.0,
        };
        for points in [0, 2] {
            let sampling = Sampling {
                points,
                aligned: true,
            };
            aligned_every_way(&case, sampling, true, 1, false);
        }
        double_every_way(
            &case,
            Sampling {
                points: 1,
                aligned: false,
            },
            2,
        );
    }
}

/// What regions without bounds give: finite numbers, in no more time than the map has pixels.
fn boundless<T: Real>(regions: &[T]) {
    let geometry = RegionsDesc::new(2)
        .resolve(&[1, 3, 6, 5], &[regions.len() / 5, 5])
        .unwrap();
    let team = Team::new(1).unwrap();
    let isa = Isa::best();
    let ctx = &Context { team: &team, isa };
    let (layout, scale) = (Layout::Nhwc, 1.0);
    let x = vec![T::one(); 90];
    let mut y = vec![T::nan(); regions.len() / 5 * 12];
    let mut dx = vec![T::nan(); 90];
    let offset = vec![T::of(1e20); regions.len() / 5 * 8];
    let mut doffset = offset.clone();
    let moves = Moves {
        offset: &offset,
        gamma: 0.1,
    };
    let finite = |values: &[T]| values.iter().all(|v| v.is_finite());
    for aligned in [false, true] {
        let options = AlignOptions {
            scale,
            sampling: 0,
            aligned,
        };
        for moves in [None, Some(moves)] {
            align::forward(ctx, layout, &geometry, options, regions, moves, &x, &mut y);
            assert!(finite(&y), "{aligned}");
            align::backward(ctx, layout, &geometry, options, regions, moves, &y, &mut dx);
            assert!(finite(&dx), "{aligned}");
        }
        let (r, g) = (regions, &geometry);
        align::backward_offset(ctx, layout, g, options, r, moves, &x, &y, &mut doffset);
    }
    max::forward(ctx, layout, &geometry, scale, regions, &x, &mut y, None);
    assert!(finite(&y));
    average::forward(ctx, layout, &geometry, scale, regions, &x, &mut y);
    assert!(finite(&y));
    average::backward(ctx, layout, &geometry, scale, regions, &y, &mut dx);
    assert!(finite(&dx));
}

#[test]
fn regions_without_bounds_cost_no_more_than_the_map() {
    let far = [1e4, 1e9, 1e18, 1e30, f64::INFINITY];
    for far in far {
        let regions = [
            [0.0, -far, -far, far, far],
            [0.0, 0.0, 0.0, far, far],
            [0.0, far, far, far, far],
            [0.0, far, far, -far, -far],
            [0.0, -far, 0.0, 2.0, far],
        ];
        boundless::<f64>(regions.as_flattened());
        let narrow: Vec<f32> = regions.as_flattened().iter().map(|&v| v as f32).collect();
        boundless::<f32>(&narrow);
    }
}

#[test]
fn double_precision_gradients_are_differences() {
    let case = RegionsCase {
        batch: 2,
        channels: 12,
        input: [6, 7],
        bins: [3, 2],
        position_sensitive: true,
        regions: vec![[1.0, 1.3, 0.4, 9.1, 8.3], [0.0, -3.2, 2.1, 14.7, 11.9]],
        scale: 0.5,
    };
    let geometry = geometry(&case);
    let mut draw = Draw::new(61);
    let x = widen(&draw.reals(case.input_len()));
    let dy = widen(&draw.reals(case.output_len()));
    let offset = widen(&draw.reals(case.offset_len()));
    let list: Vec<f64> = case.regions.iter().flatten().copied().collect();
    let team = Team::new(2).unwrap();
    let isa = Isa::best();
    let ctx = &Context { team: &team, isa };
    let (g, layout) = (&geometry, Layout::Nchw);
    for sampling in [0, 2] {
        let options = AlignOptions {
            scale: case.scale,
            sampling,
            aligned: true,
        };
        let loss = |x: &[f64], offset: &[f64]| -> f64 {
            let moves = Some(Moves { offset, gamma: 0.1 });
            let mut y = vec![f64::NAN; dy.len()];
            align::forward(ctx, layout, g, options, &list, moves, x, &mut y);
            y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        let moves = Moves {
            offset: &offset,
            gamma: 0.1,
        };
        let (mut dx, mut doffset) = (vec![f64::NAN; x.len()], vec![f64::NAN; offset.len()]);
        align::backward(ctx, layout, g, options, &list, Some(moves), &dy, &mut dx);
        align::backward_offset(ctx, layout, g, options, &list, moves, &x, &dy, &mut doffset);
        gradient::check(|x| loss(x, &offset), &x, &dx).unwrap();
        gradient::check(|o| loss(&x, o), &offset, &doffset).unwrap();
    }
}

#[test]
fn a_nan_never_wins_a_region() {
    let case = RegionsCase {
        batch: 1,
        channels: 1,
        input: [1, 4],
        bins: [1, 2],
        position_sensitive: false,
        regions: vec![[0.0, 0.0, 0.0, 3.0, 0.0]],
        scale: 1.0,
    };
    let geometry = geometry(&case);
    let x = [f32::NAN, 2.0, f32::NAN, f32::NEG_INFINITY];
    for layout in Layout::ALL {
        way(
            "NaN",
            |ctx| {
                let (mut y, mut indices) = (result(2), vec![0; 2]);
                let list = case.list();
                max::forward(
                    ctx,
                    layout,
                    &geometry,
                    1.0,
                    &list,
                    &x,
                    &mut y,
                    Some(&mut indices),
                );
                assert_eq!(indices, [1, NO_SOURCE]);
                vec![y.to_vec()]
            },
            |problem, got| assert_exact(problem, &got[0], &case.max(&widen(&x)).values),
        );
    }
}

#[test]
fn no_regions_give_nothing() {
    let mut case = inner_case([2, 2], false);
    case.regions.clear();
    let sampling = Sampling {
        points: 0,
        aligned: true,
    };
    aligned_every_way(&case, sampling, true, 1, true);
    double_every_way(&case, sampling, 1);
}
