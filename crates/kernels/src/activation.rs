//! Elementwise non-linearities.

use crate::blocks::for_blocks;
use crate::shared::Shared;
use crate::simd::Vector;
use crate::{Context, Real};

/// An elementwise non-linearity whose slope can be read off its output, so that the input need not
/// be kept for the backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)` (Nair & Hinton 2010).
    Relu,
    /// `min(max(x, 0), 6)` (Howard et al. 2017).
    Relu6,
}

impl Activation {
    /// The value at `x`. NaN stays NaN, as in PyTorch.
    #[inline(always)]
    pub fn apply<T: Real>(self, x: T) -> T {
        let (zero, six) = (T::zero(), T::of(6.0));
        // `max` and `min` of the standard library would drop a NaN.
        let positive = if zero > x { zero } else { x };
        match self {
            Self::Relu => positive,
            Self::Relu6 if six < positive => six,
            Self::Relu6 => positive,
        }
    }

    /// Whether the slope is 1 where the output is `y`: `y > 0`, and `y < 6` for ReLU6. At the kinks
    /// it is 0, as in PyTorch; where the output is NaN it is 0 too.
    #[inline(always)]
    pub fn passes<T: Real>(self, y: T) -> bool {
        match self {
            Self::Relu => y > T::zero(),
            Self::Relu6 => y > T::zero() && y < T::of(6.0),
        }
    }
}

impl Activation {
    /// [`Activation::apply`] for a vector.
    ///
    /// # Safety
    /// Of [`Vector`].
    #[inline(always)]
    pub(crate) unsafe fn apply_vector<V: Vector>(self, x: V) -> V {
        // SAFETY: passed on to the caller.
        unsafe {
            // The operands' order matters: these keep a NaN that stands on the right.
            let positive = V::zero().max(x);
            match self {
                Self::Relu => positive,
                Self::Relu6 => V::splat(6.0).min(positive),
            }
        }
    }

    /// `dy` where the output or the pre-activation `y` [passes](Activation::passes), elsewhere 0.
    ///
    /// # Safety
    /// Of [`Vector`].
    #[inline(always)]
    pub(crate) unsafe fn gate_vector<V: Vector>(self, dy: V, y: V) -> V {
        // SAFETY: passed on to the caller.
        unsafe {
            let positive = dy.where_positive(y);
            match self {
                Self::Relu => positive,
                Self::Relu6 => positive.where_positive(V::splat(6.0).sub(y)),
            }
        }
    }
}

/// `y = activation(x)`, element by element.
///
/// # Panics
/// When the slices differ in length.
pub fn forward<T: Real>(context: &Context, activation: Activation, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "activation: x and y differ in length");
    let out = Shared::new(y);
    for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let x = &x[range];
        T::vectorised(
            context.isa,
            #[inline(always)]
            || match activation {
                Activation::Relu => map(x, y, |x| Activation::Relu.apply(x)),
                Activation::Relu6 => map(x, y, |x| Activation::Relu6.apply(x)),
            },
        );
    });
}

/// `x = activation(x)`, element by element.
pub fn forward_in_place<T: Real>(context: &Context, activation: Activation, x: &mut [T]) {
    let len = x.len();
    let out = Shared::new(x);
    for_blocks(context.team, len, |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let x = unsafe { out.slice(range.start, range.len()) };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || match activation {
                Activation::Relu => x.iter_mut().for_each(|x| *x = Activation::Relu.apply(*x)),
                Activation::Relu6 => x.iter_mut().for_each(|x| *x = Activation::Relu6.apply(*x)),
            },
        );
    });
}

/// `dx = dy` where the slope is 1, elsewhere 0; `y` is the output of the forward pass. See
/// [`Activation::passes`] for the kinks.
///
/// # Panics
/// When the slices differ in length.
pub fn backward<T: Real>(
    context: &Context,
    activation: Activation,
    dy: &[T],
    y: &[T],
    dx: &mut [T],
) {
    assert_eq!(dy.len(), y.len(), "activation: dy and y differ in length");
    assert_eq!(dy.len(), dx.len(), "activation: dy and dx differ in length");
    let out = Shared::new(dx);
    for_blocks(context.team, dy.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let dx = unsafe { out.slice(range.start, range.len()) };
        let (dy, y) = (&dy[range.clone()], &y[range]);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || match activation {
                Activation::Relu => gate(dy, y, dx, |y| Activation::Relu.passes(y)),
                Activation::Relu6 => gate(dy, y, dx, |y| Activation::Relu6.passes(y)),
            },
        );
    });
}

#[inline(always)]
fn map<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x);
    }
}

#[inline(always)]
fn gate<T: Real>(dy: &[T], y: &[T], dx: &mut [T], passes: impl Fn(T) -> bool) {
    for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
        *dx = if passes(*y) { *dy } else { T::zero() };
    }
}
