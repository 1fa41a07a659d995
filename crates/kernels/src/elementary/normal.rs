//! The normal distribution and the error function in f32.

use super::exponential::exponential;
use super::polynomial;

/// `e^(−factor·x²)`; the factor is a power of two.
///
/// Rounding `x²` would cost as many units as the exponent is large, so the square is taken in two
/// parts: that of the leading twelve bits is exact, and what it leaves is small.
#[inline(always)]
pub(super) fn bell(x: f32, factor: f32) -> f32 {
    // The result is 0 from 15 on, and the square must not overflow.
    let x = x.abs();
    let x = if x > 15.0 { 15.0 } else { x };
    let leading = f32::from_bits(x.to_bits() & 0xffff_f000);
    let rest = (x - leading) * (x + leading);
    exponential(-factor * (leading * leading), -factor * rest)
}

/// The share of a normal distribution above `x ≥ 0`, `e^(−x²/2)·p(t)/(x + 3)`.
///
/// `t = (x − 3)/(x + 3)` maps the half-line to −1 … 1, where the quotient is so smooth (Shepherd &
/// Laframboise 1981 do the same for erfc) that a polynomial is within 2⁻²⁹ of it; minimax.
#[inline(always)]
pub(super) fn tail(x: f32) -> f32 {
    let bell = bell(x, 0.5);
    let x = if x > 15.0 { 15.0 } else { x };
    let scale = 1.0 / (x + 3.0);
    let t = (x - 3.0) * scale;
    let p = polynomial(
        t,
        [
            0.729_083_7,
            -0.509_332,
            0.230_017_7,
            -0.047_262_687,
            -0.010_462_519,
            0.006_969_304_3,
            0.001_024_776_6,
            -0.001_032_536_2,
            -2.447_485_5e-4,
            1.312_726_7e-4,
            5.446_344e-5,
        ],
    );
    bell * (scale * p)
}

/// `erf x`: up to 1 it is `x·(1 + p(x²))`, beyond one minus both tails, which are small there and may be
/// coarse. `p` is minimax for the relative error of the whole, 2⁻²⁹; its constant term is kept apart from
/// the 1 because f32 has no good `2/√π`.
#[inline(always)]
pub(super) fn error_function(x: f32) -> f32 {
    let distance = x.abs();
    let square = x * x;
    let p = polynomial(
        square,
        [
            0.128_379_14,
            -0.376_126_23,
            0.112_835_65,
            -0.026_852_882,
            0.005_186_383_6,
            -7.991_617_3e-4,
            7.787_698e-5,
        ],
    );
    let beyond = 1.0 - 2.0 * tail(distance * std::f32::consts::SQRT_2);
    if distance > 1.0 {
        beyond.copysign(x)
    } else {
        x + x * p
    }
}
