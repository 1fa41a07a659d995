//! The exponential function and the linear units made of it.

use super::Point;
use crate::Real;

#[inline(always)]
pub(super) fn exp<T: Real>(x: T) -> Point<T> {
    let y = x.exponential();
    (y, y)
}

#[inline(always)]
pub(super) fn elu<T: Real>(x: T, alpha: T) -> Point<T> {
    // The slope is not taken from the value: α + α·(eˣ − 1) has lost eˣ where it is small.
    if x > T::zero() {
        (x, T::one())
    } else {
        (alpha * x.exponential_minus_one(), alpha * x.exponential())
    }
}

#[inline(always)]
pub(super) fn selu<T: Real>(x: T, alpha: T, gamma: T) -> Point<T> {
    let (value, slope) = elu(x, alpha);
    (gamma * value, gamma * slope)
}

#[inline(always)]
pub(super) fn celu<T: Real>(x: T, alpha: T) -> Point<T> {
    let scaled = x / alpha;
    if x > T::zero() {
        (x, T::one())
    } else {
        (alpha * scaled.exponential_minus_one(), scaled.exponential())
    }
}
