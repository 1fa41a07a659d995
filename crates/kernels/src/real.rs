//! The element types kernels compute in.

use std::iter::Sum;
use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

use num_traits::Float;

use crate::Isa;
use crate::elementary::Elementary;
use crate::vectorise::vectorised;

/// A floating-point element: f32, in which everything is quick, or f64, which serves gradient checks.
///
/// Kernels written over it exist once for both types.
pub trait Real:
    Float
    + Elementary
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + Default
    + Send
    + Sync
    + 'static
{
    /// The nearest element to a number.
    fn of(value: f64) -> Self;

    /// The element as an f64, exactly.
    fn wide(self) -> f64;

    /// Runs `body`, a plain loop over slices: in f32 compiled with the instructions of `isa`, in f64,
    /// where right is enough, for any processor. `body` is a closure marked `#[inline(always)]`.
    #[doc(hidden)]
    fn vectorised<R>(isa: Isa, body: impl FnOnce() -> R) -> R;
}

impl Real for f32 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn vectorised<R>(isa: Isa, body: impl FnOnce() -> R) -> R {
        vectorised(isa, body)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn vectorised<R>(_: Isa, body: impl FnOnce() -> R) -> R {
        body()
    }
}
