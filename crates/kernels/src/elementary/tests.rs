//! The f32 bodies against f64, over dense ranges.

use super::Elementary;

/// The largest error of `f` against `want` in units in the last place of the result, over `steps`
/// numbers from `from` to `to`. A unit is never less than the smallest denormal number.
fn worst(
    from: f32,
    to: f32,
    steps: u32,
    f: impl Fn(f32) -> f32,
    want: impl Fn(f64) -> f64,
) -> (f64, f32) {
    let mut worst = (0.0, from);
    for step in 0..=steps {
        let part = f64::from(step) / f64::from(steps);
        let x = (f64::from(from) + (f64::from(to) - f64::from(from)) * part) as f32;
        let error = units(f(x), want(f64::from(x)));
        if error.is_nan() || error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

fn units(got: f32, want: f64) -> f64 {
    if f64::from(got) == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if got.is_infinite() && (want as f32).is_infinite() {
        return 0.0;
    }
    let exponent = want.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (f64::from(got) - want).abs() / 2f64.powf(exponent - 23.0)
}

#[track_caller]
fn assert_within(
    name: &str,
    ranges: &[(f32, f32)],
    limit: f64,
    f: impl Fn(f32) -> f32,
    want: impl Fn(f64) -> f64,
) {
    for &(from, to) in ranges {
        let (error, at) = worst(from, to, 400_000, &f, &want);
        assert!(error <= limit, "{name}({at:e}) is off by {error} units");
    }
}

#[test]
fn exponentials() {
    let ranges = [(-105.0, 90.0), (-1.0, 1.0), (-1e-3, 1e-3), (-104.0, -87.0)];
    assert_within("exp", &ranges, 2.0, f32::exponential, f64::exp);
    assert_eq!(f32::exponential(0.0), 1.0);
    assert_eq!(f32::exponential(f32::NEG_INFINITY), 0.0);
    assert_eq!(f32::exponential(f32::INFINITY), f32::INFINITY);
    assert_eq!(f32::exponential(-1e30), 0.0);
    assert_eq!(f32::exponential(1e30), f32::INFINITY);
    assert!(f32::exponential(f32::NAN).is_nan());

    let ranges = [(-40.0, 0.0), (-1.0, 0.0), (-1e-3, 0.0), (-1e-30, 0.0)];
    let f = f32::exponential_minus_one;
    assert_within("expm1", &ranges, 3.0, f, f64::exp_m1);
    assert_eq!(f(-1e-45), -1e-45);
    assert_eq!((f(0.0), f(f32::NEG_INFINITY)), (0.0, -1.0));
    assert!(f(f32::NAN).is_nan());
}

#[test]
fn logarithms() {
    let ranges = [
        (1e-45, 1e-37),
        (1e-38, 1e-3),
        (1e-3, 0.5),
        (0.5, 2.0),
        (0.999, 1.001),
        (2.0, 1e6),
        (1e6, f32::MAX),
    ];
    assert_within("ln", &ranges, 3.0, f32::logarithm, f64::ln);
    assert_eq!(f32::logarithm(1.0), 0.0);
    assert_eq!(f32::logarithm(0.0), f32::NEG_INFINITY);
    assert_eq!(f32::logarithm(-0.0), f32::NEG_INFINITY);
    assert_eq!(f32::logarithm(f32::INFINITY), f32::INFINITY);
    for x in [-1e-45, -1.0, f32::NEG_INFINITY, f32::NAN] {
        assert!(f32::logarithm(x).is_nan(), "ln({x})");
    }

    let ranges = [(0.0, 1.0), (0.0, 1e-3), (0.0, 1e-30)];
    let f = f32::logarithm_of_one_plus;
    assert_within("ln(1 + x)", &ranges, 3.0, f, f64::ln_1p);
    assert!(f(f32::NAN).is_nan());
}

#[test]
fn fourth_roots() {
    let ranges = [
        (f32::MIN_POSITIVE, 1e-37),
        (1e-30, 1e-29),
        (0.5, 1.0),
        (1.0, 4.0),
        (4.0, 16.0),
        (16.0, 1e6),
        (1e6, f32::MAX),
    ];
    let f = f32::inverse_fourth_root;
    assert_within("x^(-1/4)", &ranges, 2.0, f, |x| x.powf(-0.25));
    assert_eq!(f(f32::INFINITY), 0.0);
    assert!(f(f32::NAN).is_nan());
}

#[test]
fn normal_distribution() {
    let ranges = [(-5.0, 5.0), (-1.1, 1.1), (-1e-3, 1e-3), (3.5, 4.5)];
    assert_within("erf", &ranges, 3.0, f32::error_function, libm::erf);
    assert_eq!(f32::error_function(0.0), 0.0);
    assert_eq!(f32::error_function(f32::INFINITY), 1.0);
    assert_eq!(f32::error_function(f32::NEG_INFINITY), -1.0);
    assert!(f32::error_function(f32::NAN).is_nan());

    let ranges = [(-11.0, 11.0), (-1.0, 1.0), (9.0, 10.5)];
    assert_within("exp(−x²)", &ranges, 3.0, f32::bell, |x| (-x * x).exp());
    let ranges = [(-15.0, 15.0), (-1.0, 1.0), (13.0, 14.5)];
    let want = |x: f64| (-0.5 * x * x).exp();
    assert_within("exp(−x²/2)", &ranges, 3.0, f32::normal_bell, want);
    let ranges = [(0.0, 15.0), (0.0, 1.0), (12.5, 14.5)];
    let want = |x: f64| 0.5 * libm::erfc(x / 2f64.sqrt());
    assert_within("tail", &ranges, 6.0, f32::normal_tail, want);
    for x in [20.0, 1e30, f32::INFINITY] {
        let zeros = [x.bell(), (-x).normal_bell(), x.normal_tail()];
        assert_eq!(zeros, [0.0; 3], "at {x}");
    }
    assert_eq!((0.0f32.bell(), 0.0f32.normal_bell()), (1.0, 1.0));
    assert!(f32::bell(f32::NAN).is_nan() && f32::normal_tail(f32::NAN).is_nan());
}
