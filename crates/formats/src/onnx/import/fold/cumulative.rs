//! `CumSum`: running sums along an axis, which position encodings of exported networks count with.

use crate::onnx::Array;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::{Call, axis_of};

/// The running sums of `x`.
pub(super) fn sums(call: &mut Call<'_, '_>, x: &Array) -> Result<Array, Fault> {
    let shape = x.shape();
    let Some(axis) = call.known_scalar(1)? else {
        return wrong("no axis is given");
    };
    let axis = axis_of(axis as i64, shape.len())?;
    let inner: usize = shape[axis + 1..].iter().product();
    let (exclusive, reverse) = (call.flag("exclusive", false), call.flag("reverse", false));
    // The sums as numbers of 64 bits, and as elements.
    call.passing(x.len().saturating_mul(16), |_| {
        Ok(match x.element().is_float() {
            true => {
                let sums = along(x.reals(), shape[axis], inner, exclusive, reverse, |a, b| {
                    a + b
                });
                Array::from_reals(x.element(), shape, sums)?
            }
            false => {
                let add = i64::wrapping_add;
                let sums = along(x.integers(), shape[axis], inner, exclusive, reverse, add);
                Array::from_integers(x.element(), shape, sums)?
            }
        })
    })
}

/// Running sums along an axis of `extent` steps of `inner` elements each; `exclusive` ones are without the element at
/// their own place, `reverse` ones run from the end.
fn along<T: Copy + Default>(
    values: impl Iterator<Item = T>,
    extent: usize,
    inner: usize,
    exclusive: bool,
    reverse: bool,
    add: impl Fn(T, T) -> T,
) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    let block = extent * inner;
    for block in values.chunks_exact_mut(block.max(1)) {
        for column in 0..inner {
            let mut sum = T::default();
            for step in 0..extent {
                let step = if reverse { extent - 1 - step } else { step };
                let place = &mut block[step * inner + column];
                let after = add(sum, *place);
                *place = if exclusive { sum } else { after };
                sum = after;
            }
        }
    }
    values
}
