//! The element types kernels compute in.

use std::iter::Sum;
use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

use num_traits::Float;

use crate::elementary::Elementary;

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
}
