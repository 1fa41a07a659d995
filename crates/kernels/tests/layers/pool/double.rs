//! The same kernels on f64: the oracle's numbers to the last digits, and gradients by differences.

use geometry::{AdaptiveDesc, PoolKind};
use kernels::pool::{adaptive, average, global, lp, max, unpool};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::compare::widen;
use testkit::draw::{adaptive_cases, pool_cases};
use testkit::{AdaptiveCase, Draw, PoolCase, gradient};

use super::geometry;
use super::lp::{ORDERS, order};
use crate::every::as_nchw;

/// Calls `run` with every layout, and with one and three threads.
fn everywhere(run: impl Fn(&Context<'_>, Layout)) {
    for threads in [1, 3] {
        let team = Team::new(threads).unwrap();
        let isa = Isa::best();
        for layout in Layout::ALL {
            run(&Context { team: &team, isa }, layout);
        }
    }
}

fn laid_out(layout: Layout, nchw: &[f64], batch: usize, channels: usize) -> Vec<f64> {
    match layout {
        Layout::Nchw => nchw.to_vec(),
        Layout::Nhwc => testkit::layout::channels_last(nchw, batch, channels),
    }
}

#[track_caller]
fn assert_near(problem: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{problem}");
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let allowed = 1e-12 * want.abs().max(1.0);
        let near = got == want || (got - want).abs() <= allowed;
        assert!(near, "{problem}: element {index} is {got}, not {want}");
    }
}

#[test]
fn windows() {
    for (seed, case) in pool_cases(51, 16).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let x = widen(&draw.reals(case.input_len()));
        let dy = widen(&draw.reals(case.output_len()));
        let p = ORDERS[seed % ORDERS.len()];
        let (batch, channels) = (case.batch, case.channels);
        let maxima = case.max_forward(&x);
        everywhere(|context, layout| {
            let problem = format!("f64 {layout} {case:?}");
            let near = |got: &[f64], want: &[f64]| {
                assert_near(&problem, &as_nchw(layout, got, batch, channels), want);
            };
            let x_map = laid_out(layout, &x, batch, channels);
            let dy_map = laid_out(layout, &dy, batch, channels);
            let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
            let mut places = vec![0; dy.len()];

            let max_of = geometry(case, PoolKind::Max);
            let some = Some(&mut places[..]);
            max::forward(context, layout, &max_of, &x_map, &mut y, some);
            near(&y, &maxima.values);
            max::backward(context, layout, &max_of, &dy_map, &places, &mut dx);
            near(&dx, &case.max_backward(&x, &dy));

            for count_padding in [true, false] {
                let kind = PoolKind::Average { count_padding };
                let average_of = geometry(case, kind);
                average::forward(context, layout, &average_of, &x_map, &mut y);
                near(&y, &case.average_forward(&x, count_padding));
                average::backward(context, layout, &average_of, &dy_map, &mut dx);
                near(&dx, &case.average_backward(&dy, count_padding));
            }

            let norm_of = geometry(case, PoolKind::Lp { order: order(p) });
            lp::forward(context, layout, &norm_of, &x_map, &mut y);
            near(&y, &case.lp_forward(&x, p));
            lp::backward(context, layout, &norm_of, &x_map, &y, &dy_map, &mut dx);
            near(&dx, &case.lp_backward(&x, &dy, p));
        });
    }
}

#[test]
fn bins() {
    for (seed, case) in adaptive_cases(52, 15).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let x = widen(&draw.reals(case.input_len()));
        let dy = widen(&draw.reals(case.output_len()));
        let p = ORDERS[seed % ORDERS.len()];
        let (batch, channels) = (case.batch, case.channels);
        let shape = [&[batch, channels][..], &case.input].concat();
        let of = |desc: AdaptiveDesc| desc.resolve(&shape).unwrap();
        let output = &case.output[..];
        everywhere(|context, layout| {
            let problem = format!("f64 {layout} {case:?}");
            let near = |got: &[f64], want: &[f64]| {
                assert_near(&problem, &as_nchw(layout, got, batch, channels), want);
            };
            let x_map = laid_out(layout, &x, batch, channels);
            let dy_map = laid_out(layout, &dy, batch, channels);
            let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
            let mut places = vec![0; dy.len()];

            let max_of = of(AdaptiveDesc::max(output));
            let some = Some(&mut places[..]);
            adaptive::max::forward(context, layout, &max_of, &x_map, &mut y, some);
            near(&y, &case.max_forward(&x).values);
            adaptive::max::backward(context, layout, &max_of, &dy_map, &places, &mut dx);
            near(&dx, &case.max_backward(&x, &dy));

            let average_of = of(AdaptiveDesc::average(output));
            adaptive::average::forward(context, layout, &average_of, &x_map, &mut y);
            near(&y, &case.average_forward(&x));
            adaptive::average::backward(context, layout, &average_of, &dy_map, &mut dx);
            near(&dx, &case.average_backward(&dy));

            let norm_of = of(AdaptiveDesc::lp(order(p), output));
            adaptive::lp::forward(context, layout, &norm_of, &x_map, &mut y);
            near(&y, &case.lp_forward(&x, p));
            adaptive::lp::backward(context, layout, &norm_of, &x_map, &y, &dy_map, &mut dx);
            near(&dx, &case.lp_backward(&x, &dy, p));
        });
    }
}

#[test]
fn whole_planes_and_unpooling() {
    let case = PoolCase::new(2, 5, [4, 6], [2, 3]).stride([2, 3]);
    let x = widen(&Draw::new(1).reals(case.input_len()));
    let means = PoolCase::global(2, 5, [4, 6]).average_forward(&x, true);
    let maxima = case.max_forward(&x);
    let back = testkit::unpool::forward(&maxima.values, &maxima.indices, 10, 24);
    let pool = geometry(&case, PoolKind::Max);
    let unpool_of = geometry::UnpoolDesc::new([2, 3])
        .resolve(&[2, 5, 2, 2])
        .unwrap();
    everywhere(|context, layout| {
        let x_map = laid_out(layout, &x, 2, 5);
        let mut y = vec![f64::NAN; 10];
        global::forward(context, layout, 2, 5, 24, &x_map, &mut y);
        assert_near("means", &y, &means);

        let (mut y, mut places) = (vec![f64::NAN; 40], vec![0; 40]);
        let mut map = vec![f64::NAN; x.len()];
        max::forward(context, layout, &pool, &x_map, &mut y, Some(&mut places));
        unpool::forward(context, layout, &unpool_of, &y, &places, &mut map);
        assert_near("unpooled", &as_nchw(layout, &map, 2, 5), &back);
        let mut values = vec![f64::NAN; 40];
        unpool::backward(context, layout, &unpool_of, &map, &places, &mut values);
        assert_near("gathered", &values, &y);
    });
}

#[test]
fn the_gradient_of_a_norm_is_its_slope() {
    let window = PoolCase::new(1, 2, [5, 4], [3, 2])
        .stride([2, 1])
        .padding_sides([1, 0], [0, 1]);
    let bins = AdaptiveCase::new(1, 2, [5, 4], [2, 3]);
    for p in ORDERS {
        let mut draw = Draw::new(6);
        let x = widen(&draw.reals(40));
        let of_window = geometry(&window, PoolKind::Lp { order: order(p) });
        let of_bins = AdaptiveDesc::lp(order(p), [2, 3])
            .resolve(&[1, 2, 5, 4])
            .unwrap();
        everywhere(|context, layout| {
            let problem = format!("{layout} p {p}");
            let weighted = |dy: &[f64], y: &[f64]| dy.iter().zip(y).map(|(a, b)| a * b).sum();
            let mut dx = vec![f64::NAN; 40];

            let dy = widen(&Draw::new(7).reals(window.output_len()));
            let norms = |x: &[f64]| {
                let mut y = vec![f64::NAN; dy.len()];
                lp::forward(context, layout, &of_window, x, &mut y);
                y
            };
            lp::backward(context, layout, &of_window, &x, &norms(&x), &dy, &mut dx);
            gradient::check(|x| weighted(&dy, &norms(x)), &x, &dx)
                .unwrap_or_else(|error| panic!("{problem}: {error}"));

            let dy = widen(&Draw::new(8).reals(bins.output_len()));
            let norms = |x: &[f64]| {
                let mut y = vec![f64::NAN; dy.len()];
                adaptive::lp::forward(context, layout, &of_bins, x, &mut y);
                y
            };
            adaptive::lp::backward(context, layout, &of_bins, &x, &norms(&x), &dy, &mut dx);
            gradient::check(|x| weighted(&dy, &norms(x)), &x, &dx)
                .unwrap_or_else(|error| panic!("{problem}: bins: {error}"));
        });
    }
}

#[test]
fn averages_and_maxima_are_adjoint_to_their_gradients() {
    for (seed, case) in pool_cases(53, 24).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let x = widen(&draw.integers(case.input_len()));
        let dy = widen(&draw.integers(case.output_len()));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        everywhere(|context, layout| {
            let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
            let mut places = vec![0; dy.len()];
            // Of integers, so ⟨dy, max(x)⟩ = ⟨dx, x⟩ exactly; a window without source is −∞.
            let max_of = geometry(case, PoolKind::Max);
            let some = Some(&mut places[..]);
            max::forward(context, layout, &max_of, &x, &mut y, some);
            max::backward(context, layout, &max_of, &dy, &places, &mut dx);
            let seen = |v: &f64| if v.is_finite() { *v } else { 0.0 };
            let maxima: Vec<f64> = y.iter().map(seen).collect();
            assert_eq!(dot(&dy, &maxima), dot(&dx, &x), "{layout} {case:?}");

            let kind = PoolKind::Average {
                count_padding: seed % 2 == 0,
            };
            let average_of = geometry(case, kind);
            average::forward(context, layout, &average_of, &x, &mut y);
            average::backward(context, layout, &average_of, &dy, &mut dx);
            let (there, back) = (dot(&dy, &y), dot(&dx, &x));
            assert!((there - back).abs() < 1e-9, "{layout} {case:?}");
        });
    }
}
