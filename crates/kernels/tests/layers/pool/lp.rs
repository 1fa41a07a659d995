//! Norms of windows.

use geometry::{NormOrder, PoolKind};
use kernels::pool::{adaptive, lp};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, magnitude, rounding_bound, widen};
use testkit::draw::pool_cases;
use testkit::{Draw, PoolCase};

use super::geometry;
use crate::every::{as_nchw, laid_out, operand, result, way};

/// Orders with loops of their own, and two without.
pub(super) const ORDERS: [f64; 5] = [1.0, 2.0, 3.0, 1.5, 8.0];

/// The order as descriptors write it.
pub(super) fn order(p: f64) -> NormOrder {
    NormOrder::from_millionths((p * 1e6) as u64).unwrap()
}

/// Runs Lp pooling in every way against the oracle, on values given in NCHW.
pub(super) fn assert_lp(case: &PoolCase, x: &[f32], p: f64) {
    let geometry = geometry(case, PoolKind::Lp { order: order(p) });
    let (batch, channels, len) = (case.batch, case.channels, case.output_len());
    let dy = Draw::new(3).integers(len);
    for layout in Layout::ALL {
        let x_map = laid_out(layout, x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} {}", case.lp_problem(p)),
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
                let want = case.lp_forward(&widen(x), p);
                let taps = case.kernel.iter().product::<usize>() as f64;
                // A rounding of each term, of each sum, of the root; a power multiplies that of y.
                let bound = |size: &[f64]| {
                    let terms = vec![taps + 2.0 * p + 6.0; size.len()];
                    rounding_bound(&terms, size)
                };
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
    let wide = PoolCase::new(2, 83, [5, 6], [3, 2])
        .stride([2, 3])
        .padding([1, 1]);
    let long = PoolCase::new(1, 2, [4, 300], [2, 3])
        .stride([1, 2])
        .padding([1, 1]);
    let cases = pool_cases(21, 40);
    for (seed, case) in cases.iter().chain([&wide, &long]).enumerate() {
        let x = Draw::new(seed as u64).integers(case.input_len());
        assert_lp(case, &x, ORDERS[seed % ORDERS.len()]);
    }
}

#[test]
fn a_window_of_zeros_hands_on_nothing() {
    let case = PoolCase::new(1, 17, [5, 4], [2, 2]).padding([1, 1]);
    for p in ORDERS {
        assert_lp(&case, &vec![0.0; case.input_len()], p);
    }
}

#[test]
fn a_nan_stays_in_its_windows() {
    let case = PoolCase::new(1, 1, [6], [2]).stride([2]);
    for p in ORDERS {
        let geometry = geometry(&case, PoolKind::Lp { order: order(p) });
        let x = [1.0, f32::NAN, 0.0, 0.0, -2.0, 0.0];
        way(
            &case.lp_problem(p),
            |context| {
                let (mut y, mut dx) = (result(3), result(6));
                lp::forward(context, Layout::Nchw, &geometry, &operand(&x), &mut y);
                let (x, dy) = (operand(&x), operand(&[1.0; 3]));
                lp::backward(context, Layout::Nchw, &geometry, &x, &y, &dy, &mut dx);
                vec![y.to_vec(), dx.to_vec()]
            },
            |problem, got| {
                assert_exact(problem, &got[0], &[f64::NAN, 0.0, 2.0]);
                assert!(got[1][1].is_nan(), "{problem}");
                assert_exact(problem, &got[1][2..], &[0.0, 0.0, -1.0, 0.0]);
            },
        );
    }
}

#[test]
fn large_orders_do_not_overflow() {
    // 1000¹⁵ is past the range of f32.
    let case = PoolCase::new(1, 2, [4], [2]).stride([2]);
    assert_lp(
        &case,
        &[1000.0, -900.0, 0.0, 3.0, 1.0, 1.0, -1.0, 0.0],
        15.0,
    );
}

#[test]
fn onnx_dilated() {
    // The onnx backend test `lppool_2d_dilations`.
    let case = PoolCase::new(1, 1, [4, 4], [2, 2]).dilation([2, 2]);
    let geometry = geometry(&case, PoolKind::Lp { order: order(2.0) });
    let x: Vec<f32> = (1..=16u8).map(f32::from).collect();
    let want = [14.56022, 16.24808, 21.63331, 23.49468];
    for layout in Layout::ALL {
        way(
            "lppool_2d_dilations",
            |context| {
                let mut y = result(4);
                lp::forward(context, layout, &geometry, &operand(&x), &mut y);
                vec![y.to_vec()]
            },
            |problem, got| assert_close(problem, &got[0], &want, &[1e-5; 4]),
        );
    }
}

#[test]
fn an_empty_batch_gives_nothing() {
    assert_lp(&PoolCase::new(0, 3, [4, 4], [2, 2]), &[], 2.0);
}

/// Norms of elements whose powers f32 does not hold, by hand from 3-4-5, 1³+6³+8³ = 9³ and their slopes.
#[test]
fn powers_out_of_range_do_not_spoil_a_norm_in_range() {
    for scale in [1e20f32, 1e-25, 1.0, f32::MIN_POSITIVE] {
        for (p, x, norm) in [
            (2.0, [3.0, -4.0, 0.0], 5.0),
            (3.0, [1.0f64, -6.0, 8.0], 9.0),
        ] {
            let want: Vec<f64> = x
                .map(|v: f64| (v.abs() / norm).powf(p - 1.0) * v.signum())
                .into();
            let given = x.map(|v| v as f32 * scale);
            let desc = geometry::PoolDesc::lp(order(p), 3);
            let bins = geometry::AdaptiveDesc::lp(order(p), 1);
            let geometry = desc.resolve(&[1, 1, 3]).unwrap();
            let bins = bins.resolve(&[1, 1, 3]).unwrap();
            for layout in Layout::ALL {
                way(
                    &format!("{layout} p {p} times {scale}"),
                    |context| {
                        let (mut y, mut dx) = (result(1), result(3));
                        lp::forward(context, layout, &geometry, &given, &mut y);
                        lp::backward(context, layout, &geometry, &given, &y, &[1.0], &mut dx);
                        let (mut y_bin, mut dx_bin) = (result(1), result(3));
                        let adaptive = adaptive::lp::forward::<f32>;
                        adaptive(context, layout, &bins, &given, &mut y_bin);
                        let adaptive = adaptive::lp::backward::<f32>;
                        adaptive(context, layout, &bins, &given, &y_bin, &[1.0], &mut dx_bin);
                        [&y, &dx, &y_bin, &dx_bin].map(|v| v.to_vec()).into()
                    },
                    |problem, got| {
                        for (y, dx) in [(&got[0], &got[1]), (&got[2], &got[3])] {
                            let ratio = f64::from(y[0]) / f64::from(scale);
                            assert!((ratio - norm).abs() < 1e-5, "{problem}: {ratio}");
                            for (got, want) in dx.iter().zip(&want) {
                                let error = (f64::from(*got) - want).abs();
                                assert!(error < 1e-5, "{problem}: slope {got} for {want}");
                            }
                        }
                    },
                );
            }
        }
    }
}
