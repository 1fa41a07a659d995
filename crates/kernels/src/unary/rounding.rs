//! Functions that are constant between jumps. Their slope is 0 everywhere; but a change of precision, which stands for
//! the number itself, has 1.

use super::Point;
use crate::Real;

#[inline(always)]
pub(super) fn floor<T: Real>(x: T) -> Point<T> {
    (x.floor(), T::zero())
}

#[inline(always)]
pub(super) fn ceil<T: Real>(x: T) -> Point<T> {
    (x.ceil(), T::zero())
}

/// To the nearest integer, of two the even one.
#[inline(always)]
pub(super) fn round<T: Real>(x: T) -> Point<T> {
    // From 2²³ on (2⁵² in f64) there is nothing behind the point, and an addition that reaches up to there
    // rounds off what was.
    let whole = T::one() / T::epsilon();
    let magnitude = x.abs();
    let rounded = ((magnitude + whole) - whole).copysign(x);
    (if magnitude >= whole { x } else { rounded }, T::zero())
}

#[inline(always)]
pub(super) fn sign<T: Real>(x: T) -> Point<T> {
    let below = if x < T::zero() { -T::one() } else { x };
    (if x > T::zero() { T::one() } else { below }, T::zero())
}

/// The whole part within bounds, as an integer type has it: 0 for NaN, and no negative zero.
#[inline(always)]
pub(super) fn truncate<T: Real>(x: T, min: T, max: T) -> Point<T> {
    let above = if x > min { x } else { min };
    let within = if above < max { above } else { max };
    let whole = within.trunc() + T::zero();
    (if x.is_nan() { T::zero() } else { whole }, T::zero())
}

/// A floating-point format narrower than f32.
#[derive(Clone, Copy)]
pub(super) struct Format {
    /// Digits of a number, the leading one among them.
    digits: i64,
    /// Exponent of two of the least number above 0.
    least: i64,
    /// The largest finite number.
    largest: f64,
}

impl Format {
    pub(super) const FLOAT16: Self = Self {
        digits: 11,
        least: -24,
        largest: 65504.0,
    };
    pub(super) const BFLOAT16: Self = Self {
        digits: 8,
        least: -133,
        largest: 3.389_531_389_251_535_5e38,
    };
}

/// The nearest number of a format, of two the even one.
#[inline(always)]
pub(super) fn narrowed<T: Real>(x: T, format: Format) -> Point<T> {
    if !x.is_finite() {
        return (x, T::one());
    }
    // In f64, whose exponents reach further on both sides, everything but the rounding is exact.
    let wide = x.wide();
    let exponent = (wide.to_bits() >> 52 & 0x7ff) as i64 - 1023;
    let unit = (exponent - format.digits + 1).max(format.least);
    let unit = f64::from_bits(((unit + 1023) as u64) << 52);
    let rounded = (wide / unit).round_ties_even() * unit;
    let beyond = rounded.abs() > format.largest;
    let nearest = if beyond {
        f64::INFINITY.copysign(wide)
    } else {
        rounded
    };
    (T::of(nearest), T::one())
}
