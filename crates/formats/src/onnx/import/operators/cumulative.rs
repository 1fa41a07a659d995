//! Running sums.

use geometry::{PadDesc, PadMode};
use graph::{BinaryOp, Op, RearrangeOp, ValueId};

use super::arithmetic::wrapped;
use super::one;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::Call;

/// `CumSum`: to every element what stands 1, 2, 4, … before it is added, and after log₂ n such steps each has met all
/// that come before (Hillis and Steele 1986).
pub(super) fn sums(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let shape = call.shape(x.id).to_vec();
    let Some(axis) = call.known_scalar(1)? else {
        return wrong("no axis is given");
    };
    let axis = call.axis(axis as i64, shape.len())?;
    let reverse = call.flag("reverse", false);
    let mut y = match call.flag("exclusive", false) {
        true if shape[axis] > 0 => moved(call, x.id, axis, 1, reverse)?,
        _ => x.id,
    };
    let mut step = 1;
    while step < shape[axis] {
        let before = moved(call, y, axis, step, reverse)?;
        let sum = call.binary(BinaryOp::Add, y, before)?;
        y = wrapped(call, sum, x.element)?;
        step *= 2;
    }
    Ok(one(y, x.element))
}

/// The same shape with all elements some steps further along an axis, and zeros where none come from.
fn moved(
    call: &mut Call<'_, '_>,
    x: ValueId,
    axis: usize,
    steps: usize,
    backwards: bool,
) -> Result<ValueId, Fault> {
    let mut amounts = vec![(0, 0); call.rank(x)];
    let steps = steps as i64;
    amounts[axis] = match backwards {
        true => (-steps, steps),
        false => (steps, -steps),
    };
    let desc = PadDesc::new(PadMode::Constant, &amounts);
    let value = 0.0;
    call.push(Op::Rearrange(RearrangeOp::Pad { desc, value }), vec![x])
}
