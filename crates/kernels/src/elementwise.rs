//! Sums and multiples of whole tensors, element by element; any shape, any layout.

use crate::blocks::for_blocks;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y = a + b`
///
/// # Panics
/// When the slices differ in length.
pub fn add<T: Real>(context: &Context, a: &[T], b: &[T], y: &mut [T]) {
    assert_eq!(a.len(), b.len(), "add: a and b differ in length");
    assert_eq!(a.len(), y.len(), "add: a and y differ in length");
    let out = Shared::new(y);
    for_blocks(context.team, a.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let (a, b) = (&a[range.clone()], &b[range]);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                    *y = *a + *b;
                }
            },
        );
    });
}

/// `y += b`: the gradient of a tensor that is used more than once, summed use by use.
///
/// # Panics
/// When the slices differ in length.
pub fn add_assign<T: Real>(context: &Context, y: &mut [T], b: &[T]) {
    assert_eq!(y.len(), b.len(), "add_assign: y and b differ in length");
    let out = Shared::new(y);
    for_blocks(context.team, b.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let b = &b[range];
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                for (y, b) in y.iter_mut().zip(b) {
                    *y += *b;
                }
            },
        );
    });
}

/// `y = factor · x`
///
/// # Panics
/// When the slices differ in length.
pub fn scale<T: Real>(context: &Context, x: &[T], factor: T, y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "scale: x and y differ in length");
    let out = Shared::new(y);
    for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let x = &x[range];
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = factor * *x;
                }
            },
        );
    });
}

/// `y = value` everywhere.
pub fn fill<T: Real>(context: &Context, y: &mut [T], value: T) {
    let len = y.len();
    let out = Shared::new(y);
    for_blocks(context.team, len, |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        unsafe { out.slice(range.start, range.len()) }.fill(value);
    });
}
