//! The error function and the Gaussian error linear unit.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::Point;
use super::piecewise::cut;
use super::sigmoid::{bounded, gated, sigmoid};
use crate::Real;

#[inline(always)]
pub(super) fn erf<T: Real>(x: T) -> Point<T> {
    (x.error_function(), T::of(FRAC_2_SQRT_PI) * x.bell())
}

/// Computed from the tail of the distribution, not from `1 + erf`, which has no digits left where the
/// result is small.
#[inline(always)]
pub(super) fn gelu<T: Real>(x: T) -> Point<T> {
    let tail = x.abs().normal_tail();
    let share = if x < T::zero() { tail } else { T::one() - tail };
    // 1/√(2π)
    let density = T::of(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * x.normal_bell();
    (gated(x, share), share + bounded(x) * density)
}

#[inline(always)]
pub(super) fn gelu_tanh<T: Real>(x: T) -> Point<T> {
    // 2·√(2/π), and the factor of x³.
    let scale = T::of(2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
    let cubic = T::of(0.044_715);
    let (gate, bend) = sigmoid(scale * x * (T::one() + cubic * x * x));
    // From ±30 on the gate is 0 or 1 to every digit.
    let far = T::of(30.0);
    let near = cut(x, -far, far);
    let inner = scale * (T::one() + T::of(3.0) * cubic * near * near);
    (gated(x, gate), gate + near * bend * inner)
}
