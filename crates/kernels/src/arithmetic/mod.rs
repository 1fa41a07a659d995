//! Arithmetic of two tensors of unequal shapes, and sums, means and maxima over axes.
//!
//! | | forward | gradient |
//! |---|---|---|
//! | `a + b`, `a − b`, `a · b`, `a / b`, `min`, `max`, `aᵇ`, shapes broadcast | [`Arithmetic::forward`] | [`Arithmetic::backward`], summed over repeated axes |
//! | `a = b`, `a > b`, `a ≥ b` as 0 and 1 | [`Arithmetic::forward`] | none |
//! | `a` or `b` by a condition | [`Select::forward`] | [`Select::forward`] of the gradient and 0 |
//! | sum, mean, maximum over axes | [`Reduce::forward`] | [`Reduce::backward`] |
//!
//! Whatever the shapes, the inner loops run over short contiguous chunks: an operand that repeats or
//! jumps is first laid out in a buffer that stays in the first-level cache. So equal shapes, a value
//! for each channel in either layout, and a scalar all run at the speed of memory.

mod binary;
mod fold;
mod map;
mod operand;
mod reduce;
mod select;
mod term;

pub use binary::{Arithmetic, Side};
pub use reduce::{Reduce, ReduceKind};
pub use select::Select;
pub use term::Binary;
