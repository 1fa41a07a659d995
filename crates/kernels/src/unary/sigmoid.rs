//! The logistic function, and what is made of it.
//!
//! All are written in `e = exp(−|x|)`, which does not overflow, and without differences of nearly equal
//! numbers, so that the tails keep their digits too.

use super::Point;
use super::piecewise::cut;
use crate::Real;

#[inline(always)]
pub(super) fn sigmoid<T: Real>(x: T) -> Point<T> {
    let e = (-x.abs()).exponential();
    let above = T::one() / (T::one() + e);
    let below = e * above;
    (if x < T::zero() { below } else { above }, below * above)
}

#[inline(always)]
pub(super) fn tanh<T: Real>(x: T) -> Point<T> {
    let [two, four] = [2.0, 4.0].map(T::of);
    let twice = -two * x.abs();
    let less = twice.exponential_minus_one();
    let e = twice.exponential();
    let sum = T::one() + e;
    ((-less / (less + two)).copysign(x), four * e / (sum * sum))
}

#[inline(always)]
pub(super) fn softplus<T: Real>(x: T) -> Point<T> {
    let e = (-x.abs()).exponential();
    let positive = if x > T::zero() { x } else { T::zero() };
    (positive + e.logarithm_of_one_plus(), sigmoid(x).0)
}

#[inline(always)]
pub(super) fn softsign<T: Real>(x: T) -> Point<T> {
    let sum = T::one() + x.abs();
    let share = T::one() / sum;
    let value = if sum == T::infinity() {
        T::one().copysign(x)
    } else {
        x / sum
    };
    (value, share * share)
}

#[inline(always)]
pub(super) fn swish<T: Real>(x: T, alpha: T) -> Point<T> {
    let (gate, bend) = sigmoid(alpha * x);
    (gated(x, gate), gate + bounded(alpha * x) * bend)
}

/// `tanh(ln(1 + eˣ)) = n/d` with `n = (1 + eˣ)² − 1` and `d = (1 + eˣ)² + 1`, above 0 both divided by
/// `e²ˣ`.
#[inline(always)]
pub(super) fn mish<T: Real>(x: T) -> Point<T> {
    let two = T::of(2.0);
    let e = (-x.abs()).exponential();
    // The numerator, and the denominator's distance from it.
    let (numerator, apart) = if x < T::zero() {
        (e * (e + two), two)
    } else {
        (T::one() + two * e, two * e * e)
    };
    let denominator = numerator + apart;
    let gate = numerator / denominator;
    // 1 − gate²
    let bend = apart * (numerator + denominator) / (denominator * denominator);
    let slope = gate + bounded(x) * bend * sigmoid(x).0;
    (gated(x, gate), slope)
}

/// `x·gate`, and 0 where the gate is shut, also to −∞.
#[inline(always)]
pub(super) fn gated<T: Real>(x: T, gate: T) -> T {
    if gate == T::zero() {
        T::zero()
    } else {
        x * gate
    }
}

/// `x`, brought so near to 0 that its product with an exponential that has vanished is 0.
#[inline(always)]
pub(super) fn bounded<T: Real>(x: T) -> T {
    let far = T::of(1000.0);
    cut(x, -far, far)
}
