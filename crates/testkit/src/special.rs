//! The error function, by its series and its continued fraction.

use std::f64::consts::PI;

/// `erf x = 2/√π · ∫₀ˣ exp(−t²) dt`: `2/√π · exp(−x²) · Σ 2ⁿ·x²ⁿ⁺¹/(2n + 1)!!` (Abramowitz & Stegun 7.1.6), no term of
/// which has another sign, up to 2; beyond, one minus [`erfc`].
#[must_use]
pub fn erf(x: f64) -> f64 {
    if x.abs() > 2.0 {
        return x.signum() * (1.0 - erfc(x.abs()));
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..100 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// `1 − erf x`, without cancellation where it is small: the continued fraction `exp(−x²)/√π · 1/(x + ½/(x + 1/(x +
/// 3/2/(x + …))))` (Abramowitz & Stegun 7.1.14) beyond 2.
#[must_use]
pub fn erfc(x: f64) -> f64 {
    if x < 2.0 {
        return if x < -2.0 {
            2.0 - erfc(-x)
        } else {
            1.0 - erf(x)
        };
    }
    if x > 30.0 {
        return 0.0;
    }
    let mut fraction = x;
    for n in (1..200).rev() {
        fraction = x + 0.5 * f64::from(n) / fraction;
    }
    (-x * x).exp() / (PI.sqrt() * fraction)
}
