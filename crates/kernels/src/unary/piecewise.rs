//! Functions of straight pieces, and of one bent one. The comparisons are the way round that lets a
//! NaN through.

use super::Point;
use crate::Real;

#[inline(always)]
pub(super) fn relu<T: Real>(x: T) -> Point<T> {
    thresholded_relu(x, T::zero())
}

#[inline(always)]
pub(super) fn thresholded_relu<T: Real>(x: T, alpha: T) -> Point<T> {
    if x <= alpha {
        (T::zero(), T::zero())
    } else {
        (x, T::one())
    }
}

#[inline(always)]
pub(super) fn leaky_relu<T: Real>(x: T, alpha: T) -> Point<T> {
    if x > T::zero() {
        (x, T::one())
    } else {
        (alpha * x, alpha)
    }
}

#[inline(always)]
pub(super) fn clip<T: Real>(x: T, min: T, max: T) -> Point<T> {
    let inside = x >= min && x <= max;
    (cut(x, min, max), if inside { T::one() } else { T::zero() })
}

#[inline(always)]
pub(super) fn hard_tanh<T: Real>(x: T, min: T, max: T) -> Point<T> {
    let outside = x <= min || x >= max;
    (cut(x, min, max), if outside { T::zero() } else { T::one() })
}

#[inline(always)]
pub(super) fn hard_sigmoid<T: Real>(x: T, alpha: T, beta: T) -> Point<T> {
    let line = alpha * x + beta;
    let inside = line > T::zero() && line < T::one();
    let slope = if inside { alpha } else { T::zero() };
    (cut(line, T::zero(), T::one()), slope)
}

#[inline(always)]
pub(super) fn hard_swish<T: Real>(x: T) -> Point<T> {
    let [three, six] = [3.0, 6.0].map(T::of);
    let gate = cut(x + three, T::zero(), six) / six;
    let bent = if x < three {
        x / three + T::of(0.5)
    } else {
        T::one()
    };
    // −∞ times 0 is not wanted.
    if x <= -three {
        (T::zero(), T::zero())
    } else {
        (x * gate, bent)
    }
}

#[inline(always)]
pub(super) fn shrink<T: Real>(x: T, bias: T, lambd: T) -> Point<T> {
    let moved = if x < -lambd { x + bias } else { x - bias };
    if x >= -lambd && x <= lambd {
        (T::zero(), T::zero())
    } else {
        (moved, T::one())
    }
}

/// `min(max(x, low), high)`
#[inline(always)]
pub(super) fn cut<T: Real>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}
