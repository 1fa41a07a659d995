//! Maxima and averages of windows and of whole planes.

use geometry::{NormOrder, PoolDesc, PoolKind};
use kernels::pool::{average, global, lp, max};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, rounding_bound, widen};
use testkit::draw::pool_cases;
use testkit::{Draw, PoolCase};

use super::geometry;
use crate::every::{AREAS, CHANNELS, as_nchw, laid_out, operand, result, way};

/// Runs max pooling in every way against the oracle, on values given in NCHW.
pub(super) fn assert_max(case: &PoolCase, x: &[f32]) {
    let geometry = geometry(case, PoolKind::Max);
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let dy = Draw::new(3).integers(len);
    let want = case.max_forward(&widen(x));
    for layout in Layout::ALL {
        let (x_map, dy_map) = (
            laid_out(layout, x, batch, channels),
            laid_out(layout, &dy, batch, channels),
        );
        way(
            &format!("{layout} {case:?}"),
            |context| {
                let (mut values, mut bare) = (result(len), result(len));
                let mut indices = vec![7; len];
                let mut dx = result(x.len());
                let x = operand(&x_map);
                max::forward(
                    context,
                    layout,
                    &geometry,
                    &x,
                    &mut values,
                    Some(&mut indices),
                );
                max::forward(context, layout, &geometry, &x, &mut bare, None);
                let dy = operand(&dy_map);
                max::backward(context, layout, &geometry, &dy, &indices, &mut dx);
                let indices = as_nchw(layout, &indices, batch, channels);
                vec![
                    as_nchw(layout, &values, batch, channels),
                    as_nchw(layout, &bare, batch, channels),
                    as_nchw(layout, &dx, batch, channels),
                    indices.into_iter().map(f32::from_bits).collect(),
                ]
            },
            |problem, got| {
                assert_exact(problem, &got[0], &want.values);
                assert_exact(problem, &got[1], &want.values);
                let indices = got[3].iter().map(|i| i.to_bits());
                let want = want.indices.iter();
                let want = want.map(|i| i.map_or(max::NO_SOURCE, |i| i as u32));
                assert!(indices.eq(want), "{problem}: indices");
                let want = case.max_backward(&widen(x), &widen(&dy));
                assert_exact(problem, &got[2], &want);
            },
        );
    }
}

#[test]
fn maxima_equal_the_oracle_exactly() {
    // Bands of 64 channels, of 16, and what is left.
    let wide = PoolCase::new(2, 83, [5, 6], [3, 2])
        .stride([2, 3])
        .padding([1, 1]);
    for (seed, case) in pool_cases(11, 48).iter().chain([&wide]).enumerate() {
        // Few different integers, so that ties are common.
        let x = Draw::new(seed as u64).integers(case.input_len());
        assert_max(case, &x);
    }
}

#[test]
fn a_nan_wins_and_padding_never_does() {
    for (seed, case) in pool_cases(12, 16).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let special = [
            f32::NAN,
            f32::NEG_INFINITY,
            f32::NEG_INFINITY,
            -1.0,
            f32::INFINITY,
        ];
        let x: Vec<f32> = (0..case.input_len()).map(|_| draw.pick(&special)).collect();
        assert_max(case, &x);
    }
}

#[test]
fn a_window_wholly_in_the_padding_has_no_source() {
    let case = PoolCase::new(1, 3, [1, 2], [1, 1]).padding_sides([2, 0], [0, 1]);
    assert_max(&case, &Draw::new(1).integers(case.input_len()));
}

#[test]
fn gradients_go_where_the_places_say_even_outside_their_windows() {
    // 70 channels: two bands. One place of the second image is not of its window, one is no place.
    let case = PoolCase::new(2, 70, [4, 5], [3, 3]).padding([1, 1]);
    let geometry = geometry(&case, PoolKind::Max);
    let (batch, channels, area) = (case.batch, case.channels, 20);
    let x = Draw::new(5).integers(case.input_len());
    let dy = Draw::new(6).integers(case.output_len());
    let found = case.max_forward(&widen(&x)).indices;
    let mut places: Vec<_> = found
        .iter()
        .map(|i| i.map_or(max::NO_SOURCE, |i| i as u32))
        .collect();
    let of = |n: usize, channel: usize, output: usize| (n * channels + channel) * area + output;
    places[of(1, 66, 0)] = 19;
    places[of(1, 3, 7)] = max::NO_SOURCE;
    let mut want = vec![0.0; x.len()];
    for plane in 0..batch * channels {
        for at in plane * area..(plane + 1) * area {
            if places[at] != max::NO_SOURCE {
                want[plane * area + places[at] as usize] += f64::from(dy[at]);
            }
        }
    }
    for layout in Layout::ALL {
        let places = laid_out(layout, &places, batch, channels);
        let dy = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} {case:?}"),
            |context| {
                let mut dx = result(x.len());
                max::backward(context, layout, &geometry, &operand(&dy), &places, &mut dx);
                vec![as_nchw(layout, &dx, batch, channels)]
            },
            |problem, got| assert_exact(problem, &got[0], &want),
        );
    }
}

/// Runs average pooling in every way against the oracle, on integers drawn from `seed`.
pub(super) fn assert_average(case: &PoolCase, seed: u64, count_padding: bool) {
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let mut draw = Draw::new(seed);
    let (x, dy) = (draw.integers(case.input_len()), draw.integers(len));
    let geometry = geometry(case, PoolKind::Average { count_padding });
    for layout in Layout::ALL {
        let x_map = laid_out(layout, &x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} {case:?} count_padding {count_padding}"),
            |context| {
                let (mut y, mut dx) = (result(len), result(x.len()));
                average::forward(context, layout, &geometry, &operand(&x_map), &mut y);
                average::backward(context, layout, &geometry, &operand(&dy_map), &mut dx);
                [&y, &dx]
                    .map(|v| as_nchw(layout, v, batch, channels))
                    .into()
            },
            |problem, got| {
                // The sum is exact, so the only rounding is that of the division.
                let want = case.average_forward(&widen(&x), count_padding);
                let want: Vec<f64> = want.iter().map(|&v| f64::from(v as f32)).collect();
                assert_exact(problem, &got[0], &want);

                let want = case.average_backward(&widen(&dy), count_padding);
                let size: Vec<f64> = widen(&dy).iter().map(|v| v.abs()).collect();
                let size = case.average_backward(&size, count_padding);
                let taps = case.kernel.iter().product::<usize>() as f64;
                let bound = rounding_bound(&vec![taps + 1.0; size.len()], &size);
                assert_close(problem, &got[1], &want, &bound);
            },
        );
    }
}

#[test]
fn averages_equal_the_oracle() {
    // Bands of 64 channels, of 16, and what is left.
    let wide = PoolCase::new(2, 83, [5, 6], [3, 2])
        .stride([2, 3])
        .padding([1, 1]);
    for (seed, case) in pool_cases(13, 48).iter().chain([&wide]).enumerate() {
        for count_padding in [true, false] {
            assert_average(case, seed as u64, count_padding);
        }
    }
}

#[test]
fn long_rows_are_cut_without_a_seam() {
    for (stride, kernel) in [(1, 3), (2, 3), (3, 2)] {
        let case = PoolCase::new(1, 2, [5, 400], [2, kernel])
            .stride([1, stride])
            .padding([1, 1]);
        let x = Draw::new(5).integers(case.input_len());
        assert_max(&case, &x);
        let geometry = geometry(
            &case,
            PoolKind::Average {
                count_padding: false,
            },
        );
        // Divisors of 2ⁿ would be exact; with six taps the gradient is compared within a rounding.
        let dy = Draw::new(6).integers(case.output_len());
        way(
            &format!("{case:?}"),
            |context| {
                let mut dx = result(x.len());
                average::backward(context, Layout::Nchw, &geometry, &operand(&dy), &mut dx);
                vec![dx.to_vec()]
            },
            |problem, got| {
                let want = case.average_backward(&widen(&dy), false);
                assert_close(problem, &got[0], &want, &vec![1e-5; want.len()]);
            },
        );
    }
}

#[test]
fn the_ceil_mode_average_of_sixteen_numbers() {
    // PyTorch's AvgPool2d(3, stride=2, padding=1, ceil_mode=True) on 1..16.
    let case = PoolCase::new(1, 1, [4, 4], [3, 3])
        .stride([2, 2])
        .padding([1, 1])
        .ceil();
    let geometry = geometry(
        &case,
        PoolKind::Average {
            count_padding: true,
        },
    );
    let x: Vec<f32> = (1..=16u8).map(f32::from).collect();
    let want = [1.5556, 3.3333, 2.0, 6.3333, 11.0, 6.0, 4.5, 7.5, 4.0];
    for layout in Layout::ALL {
        way(
            "ceil",
            |context| {
                let mut y = result(9);
                average::forward(context, layout, &geometry, &operand(&x), &mut y);
                vec![y.to_vec()]
            },
            |problem, got| assert_close(problem, &got[0], &want, &[5e-5; 9]),
        );
    }
}

#[test]
fn planes_are_averaged_whole() {
    let small = CHANNELS.map(|c| AREAS.map(|area| (2, c, area))).concat();
    for (batch, channels, area) in small.into_iter().chain([(1, 3, 50_000)]) {
        let case = PoolCase::global(batch, channels, [area]);
        let mut draw = Draw::new(area as u64);
        let (x, dy) = (
            draw.integers(case.input_len()),
            draw.integers(batch * channels),
        );
        for layout in Layout::ALL {
            let map = laid_out(layout, &x, batch, channels);
            way(
                &format!("global {layout} {batch}x{channels}x{area}"),
                |context| {
                    let (mut y, mut dx) = (result(batch * channels), result(x.len()));
                    global::forward(
                        context,
                        layout,
                        batch,
                        channels,
                        area,
                        &operand(&map),
                        &mut y,
                    );
                    global::backward(
                        context,
                        layout,
                        batch,
                        channels,
                        area,
                        &operand(&dy),
                        &mut dx,
                    );
                    vec![y.to_vec(), as_nchw(layout, &dx, batch, channels)]
                },
                |problem, got| {
                    let rounded = |v: Vec<f64>| -> Vec<f64> {
                        v.into_iter().map(|v| f64::from(v as f32)).collect()
                    };
                    let want = case.average_forward(&widen(&x), true);
                    assert_exact(problem, &got[0], &rounded(want));
                    let want = case.average_backward(&widen(&dy), true);
                    assert_exact(problem, &got[1], &rounded(want));
                },
            );
        }
    }
}

#[test]
fn an_empty_batch_gives_nothing() {
    let case = PoolCase::new(0, 3, [4, 4], [2, 2]);
    assert_max(&case, &[]);
    assert_average(&case, 0, true);
}

/// Three windows of 10⁹ + 1 taps, half as far apart, over five elements amid 10⁹ of padding on either side: the first
/// sees the first element only, the others all. By hand; a walk over the taps would take hours.
#[test]
fn windows_far_larger_than_the_image_are_walked_where_they_meet_it() {
    let (x, dy) = ([3.0f32, -1.0, 4.0, -1.0, 5.0], [1.0f32, 2.0, 4.0]);
    let order = NormOrder::from_millionths(1_000_000).unwrap();
    let taps = 1_000_000_001;
    let pool = |kind, dims: &[usize]| {
        let mut kernel = vec![1; dims.len() - 2];
        kernel[0] = taps;
        let mut padding = vec![0; kernel.len()];
        padding[0] = taps - 1;
        let padding = geometry::Padding::per_axis(&padding);
        let mut desc = PoolDesc::max(kernel.clone()).padding(padding);
        kernel[0] = 500_000_000;
        desc = desc.stride(kernel);
        desc.kind = kind;
        desc.resolve(dims).unwrap()
    };
    for dims in [&[1, 1, 5][..], &[1, 1, 5, 1], &[1, 1, 5, 1, 1]] {
        for layout in Layout::ALL {
            let of = |kind| pool(kind, dims);
            let [image, all] =
                [false, true].map(|count_padding| PoolKind::Average { count_padding });
            way(
                &format!("{layout} {dims:?}"),
                |context| {
                    let made = || (result(3), result(5));
                    let (mut top, mut dtop) = made();
                    let mut places = vec![7; 3];
                    let g = of(PoolKind::Max);
                    max::forward(context, layout, &g, &x, &mut top, Some(&mut places));
                    max::backward(context, layout, &g, &dy, &places, &mut dtop);
                    let (mut mean, mut dmean) = made();
                    average::forward(context, layout, &of(image), &x, &mut mean);
                    average::backward(context, layout, &of(image), &dy, &mut dmean);
                    let (mut padded, _) = made();
                    average::forward(context, layout, &of(all), &x, &mut padded);
                    let (mut norm, mut dnorm) = made();
                    let g = of(PoolKind::Lp { order });
                    lp::forward(context, layout, &g, &x, &mut norm);
                    lp::backward(context, layout, &g, &x, &norm, &dy, &mut dnorm);
                    let made = [top, dtop, mean, dmean, padded, norm, dnorm];
                    made.map(|values| values.to_vec()).into()
                },
                |problem, got| {
                    let share = 1.0 + 6.0 / 5.0;
                    let all = taps as f64;
                    let want = [
                        vec![3.0, 5.0, 5.0],
                        vec![1.0, 0.0, 0.0, 0.0, 6.0],
                        vec![3.0, 2.0, 2.0],
                        vec![share, 1.2, 1.2, 1.2, 1.2],
                        vec![3.0 / all, 10.0 / all, 10.0 / all],
                        vec![3.0, 14.0, 14.0],
                        vec![7.0, -6.0, 6.0, -6.0, 6.0],
                    ];
                    for (got, want) in got.iter().zip(&want) {
                        for (&got, &want) in got.iter().zip(want) {
                            let error = (f64::from(got) - want).abs();
                            assert!(error <= 1e-6 * want.abs(), "{problem}: {got} for {want}");
                        }
                    }
                    assert_eq!(got.len(), want.len());
                },
            );
        }
    }
}
