//! Adaptive and global pooling.

use geometry::{AdaptiveDesc, AdaptiveGeometry};
use kernels::pool::adaptive::{average, lp, max};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, magnitude, rounding_bound, widen};
use testkit::draw::adaptive_cases;
use testkit::{AdaptiveCase, Draw};

use super::lp::{ORDERS, order};
use crate::every::{as_nchw, laid_out, operand, result, way};

/// The production geometry of a case of the oracle.
fn geometry(case: &AdaptiveCase, desc: AdaptiveDesc) -> AdaptiveGeometry {
    let shape = [&[case.batch, case.channels][..], &case.input].concat();
    desc.resolve(&shape).unwrap()
}

/// Drawn cases, one with every width of a band, and planes read in one run, in runs of rows, in rows.
fn cases(seed: u64) -> Vec<AdaptiveCase> {
    let mut cases = adaptive_cases(seed, 36);
    cases.extend([
        AdaptiveCase::new(2, 83, [5, 6], [2, 4]),
        AdaptiveCase::new(1, 70, [9, 9], [1, 1]),
        AdaptiveCase::new(1, 2, [130, 90], [1, 1]),
        AdaptiveCase::new(1, 2, [60, 70], [3, 1]),
        AdaptiveCase::new(1, 1, [4, 9, 80], [2, 1, 2]),
        AdaptiveCase::new(1, 3, [50_000], [1]),
    ]);
    cases
}

fn assert_max(case: &AdaptiveCase, x: &[f32]) {
    let geometry = geometry(case, AdaptiveDesc::max(&case.output[..]));
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let dy = Draw::new(3).integers(len);
    let want = case.max_forward(&widen(x));
    for layout in Layout::ALL {
        let x_map = laid_out(layout, x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} max {case:?}"),
            |context| {
                let (mut values, mut bare, mut dx) = (result(len), result(len), result(x.len()));
                let mut indices = vec![7; len];
                let x = operand(&x_map);
                let some = Some(&mut indices[..]);
                max::forward(context, layout, &geometry, &x, &mut values, some);
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
                let indices = got[3].iter().map(|i| Some(i.to_bits() as usize));
                assert!(
                    indices.eq(want.indices.iter().copied()),
                    "{problem}: indices"
                );
                let want = case.max_backward(&widen(x), &widen(&dy));
                assert_exact(problem, &got[2], &want);
            },
        );
    }
}

#[test]
fn maxima_equal_the_oracle_exactly() {
    for (seed, case) in cases(31).iter().enumerate() {
        // Few different integers, so that ties are common.
        assert_max(case, &Draw::new(seed as u64).integers(case.input_len()));
    }
}

#[test]
fn a_nan_wins() {
    for (seed, case) in cases(32).iter().step_by(2).enumerate() {
        let mut draw = Draw::new(seed as u64);
        let special = [f32::NEG_INFINITY, f32::NEG_INFINITY, -1.0, f32::INFINITY];
        let mut x: Vec<f32> = (0..case.input_len()).map(|_| draw.pick(&special)).collect();
        assert_max(case, &x);
        for _ in 0..x.len().div_ceil(20) {
            let at = draw.below(x.len());
            x[at] = f32::NAN;
        }
        assert_max(case, &x);
        x.fill(f32::NEG_INFINITY);
        assert_max(case, &x);
    }
}

fn assert_average(case: &AdaptiveCase, seed: u64) {
    let geometry = geometry(case, AdaptiveDesc::average(&case.output[..]));
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let mut draw = Draw::new(seed);
    let (x, dy) = (draw.integers(case.input_len()), draw.integers(len));
    for layout in Layout::ALL {
        let x_map = laid_out(layout, &x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} average {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(len), result(x.len()));
                average::forward(context, layout, &geometry, &operand(&x_map), &mut y);
                average::backward(context, layout, &geometry, &operand(&dy_map), &mut dx);
                [&y, &dx]
                    .map(|v| as_nchw(layout, v, batch, channels))
                    .into()
            },
            |problem, got| {
                let rounded = |v: Vec<f64>| -> Vec<f64> {
                    v.into_iter().map(|v| f64::from(v as f32)).collect()
                };
                // The sum is exact, so the only rounding is that of the division.
                let want = case.average_forward(&widen(&x));
                assert_exact(problem, &got[0], &rounded(want));

                let want = case.average_backward(&widen(&dy));
                if geometry.bins.iter().all(|bins| bins.are_disjoint()) {
                    assert_exact(problem, &got[1], &rounded(want));
                } else {
                    let size = case.average_backward(&magnitude(&widen(&dy)));
                    // As many bins as an element can be in.
                    let terms = geometry.bins.map(|b| b.output.div_ceil(b.input) + 1);
                    let terms = (terms.iter().product::<usize>() + 1) as f64;
                    let bound = rounding_bound(&vec![terms; size.len()], &size);
                    assert_close(problem, &got[1], &want, &bound);
                }
            },
        );
    }
}

#[test]
fn averages_equal_the_oracle() {
    for (seed, case) in cases(33).iter().enumerate() {
        assert_average(case, seed as u64);
    }
}

fn assert_lp(case: &AdaptiveCase, x: &[f32], p: f64) {
    let geometry = geometry(case, AdaptiveDesc::lp(order(p), &case.output[..]));
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let dy = Draw::new(3).integers(len);
    for layout in Layout::ALL {
        let x_map = laid_out(layout, x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} l{p} {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(len), result(x.len()));
                let x = operand(&x_map);
                lp::forward(context, layout, &geometry, &x, &mut y);
                let (y, dy) = (operand(&y), operand(&dy_map));
                lp::backward(context, layout, &geometry, &x, &y, &dy, &mut dx);
                [&y, &dx]
                    .map(|v| as_nchw(layout, v, batch, channels))
                    .into()
            },
            |problem, got| {
                // A rounding of each term, of 64 additions at most, of the root; then, for each bin an
                // element is in, what a power makes of that.
                let bound = |size: &[f64]| {
                    let bins = geometry.bins.map(|b| b.output.div_ceil(b.input) + 1);
                    let terms = 72.0 + 2.0 * p + bins.iter().product::<usize>() as f64;
                    rounding_bound(&vec![terms; size.len()], size)
                };
                let want = case.lp_forward(&widen(x), p);
                assert_close(problem, &got[0], &want, &bound(&want));
                let want = case.lp_backward(&widen(x), &widen(&dy), p);
                let size = case.lp_backward(&magnitude(&widen(x)), &magnitude(&widen(&dy)), p);
                assert_close(problem, &got[1], &want, &bound(&size));
            },
        );
    }
}

#[test]
fn norms_equal_the_oracle() {
    for (seed, case) in cases(34).iter().enumerate() {
        let x = Draw::new(seed as u64).integers(case.input_len());
        assert_lp(case, &x, ORDERS[seed % ORDERS.len()]);
    }
}

#[test]
fn an_empty_batch_gives_nothing() {
    let case = AdaptiveCase::new(0, 3, [4, 4], [2, 3]);
    assert_max(&case, &[]);
    assert_average(&case, 0);
    assert_lp(&case, &[], 2.0);
}
