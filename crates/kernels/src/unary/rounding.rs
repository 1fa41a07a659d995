//! Functions that are constant between jumps; their slope is 0 everywhere.

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
