//! Averages of numbers that are none, infinite or denormal, and maxima of denormals.

use geometry::PoolKind;
use kernels::pool::{average, global};
use tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::draw::pool_cases;
use testkit::{Draw, PoolCase};

use super::geometry;
use super::windows::assert_max;
use crate::every::as_nchw;
use crate::every::{laid_out, operand, result, way};

fn assert_average(case: &PoolCase, x: &[f32], dy: &[f32]) {
    let (batch, channels) = (case.batch, case.channels);
    let kind = PoolKind::Average {
        count_padding: true,
    };
    let geometry = geometry(case, kind);
    let rounded = |v: Vec<f64>| -> Vec<f64> { v.iter().map(|&v| f64::from(v as f32)).collect() };
    for layout in Layout::ALL {
        let (x_map, dy_map) = (
            laid_out(layout, x, batch, channels),
            laid_out(layout, dy, batch, channels),
        );
        way(
            &format!("{layout} {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                average::forward(context, layout, &geometry, &operand(&x_map), &mut y);
                average::backward(context, layout, &geometry, &operand(&dy_map), &mut dx);
                let maps = [&y, &dx];
                maps.map(|v| as_nchw(layout, v, batch, channels)).into()
            },
            |problem, got| {
                let want = case.average_forward(&widen(x), true);
                assert_exact(problem, &got[0], &rounded(want));
                // The gradient sums quotients, so only what kind of number it is can be told exactly.
                let kinds = |v: f64| if v.is_finite() { 0.0 } else { v };
                let want = case.average_backward(&widen(dy), true);
                let got: Vec<f64> = widen(&got[1]).into_iter().map(kinds).collect();
                let want: Vec<f64> = want.into_iter().map(kinds).collect();
                assert_exact(problem, &got, &want);
            },
        );
    }
}

#[test]
fn averages_of_what_is_no_number_or_infinite_are_as_defined() {
    let wide = PoolCase::new(2, 83, [5, 6], [3, 2])
        .stride([2, 3])
        .padding([1, 1]);
    for (seed, case) in pool_cases(17, 32).iter().chain([&wide]).enumerate() {
        let mut draw = Draw::new(seed as u64);
        let mut map = |len| {
            let mut map = draw.integers(len);
            for value in &mut map {
                if draw.once_in(8) {
                    *value = draw.pick(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
                }
            }
            map
        };
        let (x, dy) = (map(case.input_len()), map(case.output_len()));
        assert_average(case, &x, &dy);
    }
}

/// Multiples of the least number above zero; windows of two and four elements halve and quarter them exactly
/// where they are multiples of four.
#[test]
fn denormals_are_not_taken_for_zero() {
    let least = f32::from_bits(1);
    for (kernel, stride) in [([2, 2], [2, 2]), ([1, 2], [1, 1]), ([2, 1], [2, 1])] {
        let case = PoolCase::new(2, 83, [6, 8], kernel).stride(stride);
        let mut draw = Draw::new(3);
        let mut map = |len| -> Vec<f32> {
            let integers = draw.integers(len).into_iter();
            integers.map(|v| 4.0 * v * least).collect()
        };
        let (x, dy) = (map(case.input_len()), map(case.output_len()));
        assert_average(&case, &x, &dy);
        assert_max(&case, &x);
    }
}

#[test]
fn a_plane_with_what_is_no_number_has_no_average() {
    let (batch, channels, area) = (2, 35, 49);
    let case = PoolCase::global(batch, channels, [area]);
    let mut x = Draw::new(1).integers(case.input_len());
    // Of the third channel, and of the last of the second image.
    x[2 * area + 5] = f32::NAN;
    let last = x.len() - 1;
    x[last] = f32::INFINITY;
    for layout in Layout::ALL {
        let map = laid_out(layout, &x, batch, channels);
        way(
            &format!("global {layout}"),
            |context| {
                let mut y = result(batch * channels);
                let x = operand(&map);
                global::forward(context, layout, batch, channels, area, &x, &mut y);
                vec![y.to_vec()]
            },
            |problem, got| {
                let want = case.average_forward(&widen(&x), true);
                let want: Vec<f64> = want.iter().map(|&v| f64::from(v as f32)).collect();
                assert_exact(problem, &got[0], &want);
            },
        );
    }
}
