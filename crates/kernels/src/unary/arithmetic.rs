//! Plain arithmetic.

use super::Point;
use crate::Real;

#[inline(always)]
pub(super) fn log<T: Real>(x: T) -> Point<T> {
    (x.logarithm(), T::one() / x)
}

#[inline(always)]
pub(super) fn sqrt<T: Real>(x: T) -> Point<T> {
    let root = x.sqrt();
    (root, T::of(0.5) / root)
}

#[inline(always)]
pub(super) fn neg<T: Real>(x: T) -> Point<T> {
    (-x, -T::one())
}

#[inline(always)]
pub(super) fn abs<T: Real>(x: T) -> Point<T> {
    let slope = if x < T::zero() { -T::one() } else { T::zero() };
    (x.abs(), if x > T::zero() { T::one() } else { slope })
}

#[inline(always)]
pub(super) fn reciprocal<T: Real>(x: T) -> Point<T> {
    let y = T::one() / x;
    (y, -(y * y))
}
