//! The arithmetic of one order p of the norm `(Σ|x|ᵖ)^(1/p)`.

use num_traits::Float;

use super::Field;
use crate::Real;

/// An order, as kernels over elements `T` need it.
pub(super) trait Order<T>: Copy + Sync {
    /// What powers are added up in.
    type Sum: Real;

    /// `|x|ᵖ`
    fn term(self, x: T) -> Self::Sum;

    /// `sum^(1/p)`
    fn root<R: Real>(self, sum: R) -> R;

    /// What [`Order::slope`] needs of the norm `y`.
    fn prepare(self, y: T) -> Self::Sum;

    /// `∂y/∂x = sign(x)·(|x|/y)^(p−1)`. Where the norm is 0 it has no slope; of its subgradients this
    /// is 0, as in PyTorch's `vector_norm`.
    fn slope(self, x: T, prepared: Self::Sum) -> T;
}

/// p = 1: no power, no root.
#[derive(Clone, Copy)]
pub(super) struct One;

impl<T: Real> Order<T> for One {
    type Sum = T;

    #[inline(always)]
    fn term(self, x: T) -> T {
        x.abs()
    }

    #[inline(always)]
    fn root<R: Real>(self, sum: R) -> R {
        sum
    }

    #[inline(always)]
    fn prepare(self, y: T) -> T {
        y
    }

    #[inline(always)]
    fn slope(self, x: T, _: T) -> T {
        // Zero and NaN stay what they are.
        let (plus, minus) = (x > T::zero(), x < T::zero());
        let positive = if plus { T::one() } else { x };
        if minus { -T::one() } else { positive }
    }
}

/// p = 2
#[derive(Clone, Copy)]
pub(super) struct Two;

impl<T: Real> Order<T> for Two {
    type Sum = T;

    #[inline(always)]
    fn term(self, x: T) -> T {
        x * x
    }

    #[inline(always)]
    fn root<R: Real>(self, sum: R) -> R {
        sum.sqrt()
    }

    #[inline(always)]
    fn prepare(self, y: T) -> T {
        inverse(y)
    }

    #[inline(always)]
    fn slope(self, x: T, inverse: T) -> T {
        x * inverse
    }
}

/// p = 3
#[derive(Clone, Copy)]
pub(super) struct Three;

impl<T: Real> Order<T> for Three {
    type Sum = T;

    #[inline(always)]
    fn term(self, x: T) -> T {
        x * x * x.abs()
    }

    #[inline(always)]
    fn root<R: Real>(self, sum: R) -> R {
        sum.cbrt()
    }

    #[inline(always)]
    fn prepare(self, y: T) -> T {
        inverse(y)
    }

    #[inline(always)]
    fn slope(self, x: T, inverse: T) -> T {
        let ratio = x * inverse;
        ratio * ratio.abs()
    }
}

/// Any p > 1. Powers of a large order pass the range of f32 soon, so they are added up in f64.
#[derive(Clone, Copy)]
pub(super) struct Any(pub(super) f64);

impl<T: Real> Order<T> for Any {
    type Sum = f64;

    #[inline(always)]
    fn term(self, x: T) -> f64 {
        x.wide().abs().powf(self.0)
    }

    #[inline(always)]
    fn root<R: Real>(self, sum: R) -> R {
        R::of(sum.wide().powf(1.0 / self.0))
    }

    #[inline(always)]
    fn prepare(self, y: T) -> f64 {
        y.wide()
    }

    #[inline(always)]
    fn slope(self, x: T, y: f64) -> T {
        let ratio = if y == 0.0 { 0.0 } else { x.wide().abs() / y };
        T::of(ratio.powf(self.0 - 1.0).copysign(x.wide()))
    }
}

/// `1/y`, and 0 of 0.
#[inline(always)]
fn inverse<T: Real>(y: T) -> T {
    if y == T::zero() { T::zero() } else { y.recip() }
}

/// One plane of a map: the element at place `p` is `x[p·step + first]`.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a, T> {
    pub(super) x: &'a [T],
    pub(super) step: usize,
    pub(super) first: usize,
}

/// The norm of a field from the sum of its powers.
///
/// Powers of elements that are in range themselves may not be: in f32 the square of 3e20 is infinite and that of 3e-25
/// is 0. Only where the sum tells of it are they added up again, of elements divided by the largest magnitude (as
/// BLAS's `nrm2` does), which the norm is then multiplied with.
#[inline(always)]
pub(super) fn norm<T: Real, O: Order<T>>(
    order: O,
    sum: O::Sum,
    field: &impl Field,
    plane: Plane<'_, T>,
) -> T {
    match sum.is_normal() {
        true => T::of(order.root(sum).wide()),
        false => scaled_norm(order, field, plane),
    }
}

#[cold]
#[inline(never)]
fn scaled_norm<T: Real, O: Order<T>>(order: O, field: &impl Field, plane: Plane<'_, T>) -> T {
    let at = |place: usize| plane.x[place * plane.step + plane.first];
    let mut largest = T::zero();
    field.for_each_source(|place| {
        let size = at(place).abs();
        // A NaN stays the largest.
        if size > largest || size.is_nan() {
            largest = size;
        }
    });
    if largest == T::zero() || !largest.is_finite() {
        return largest;
    }
    let mut sum = 0.0;
    field.for_each_source(|place| sum += order.term(at(place) / largest).wide());
    let root: f64 = order.root(sum);
    T::of(root * largest.wide())
}

/// Evaluates `$work` for a [`NormOrder`](geometry::NormOrder), compiled for each [`Order`] apart.
macro_rules! for_order {
    ($given:expr, |$order:ident| $work:expr) => {
        match $given.millionths() {
            1_000_000 => {
                let $order = $crate::pool::order::One;
                $work
            }
            2_000_000 => {
                let $order = $crate::pool::order::Two;
                $work
            }
            3_000_000 => {
                let $order = $crate::pool::order::Three;
                $work
            }
            millionths => {
                let $order = $crate::pool::order::Any(millionths as f64 / 1e6);
                $work
            }
        }
    };
}

pub(super) use for_order;
