//! Arithmetic of two or more tensors.

use graph::{BinaryOp, ParameterKind, ValueId};
use tensor::Unary;

use super::one;
use crate::onnx::Element;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::Call;
use crate::onnx::import::parameters::Purpose;

/// An operator of two operands, or of more, one after the other.
pub(super) fn binary(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let op = match call.op() {
        "Sub" => BinaryOp::Sub,
        "Mul" => BinaryOp::Mul,
        "Div" => BinaryOp::Div,
        "Pow" => BinaryOp::Pow,
        "Min" => BinaryOp::Min,
        "Max" => BinaryOp::Max,
        _ => BinaryOp::Add,
    };
    let element = call.element(0)?;
    let mut y = operand(call, 0)?;
    for place in 1..call.inputs() {
        let mut next = operand(call, place)?;
        if call.opset() < 7 && call.flag("broadcast", false) {
            next = aligned(call, y, next)?;
        }
        y = call.binary(op, y, next)?;
    }
    if call.op() == "Mean" {
        y = call.scalar(BinaryOp::Div, y, call.inputs() as f32)?;
    }
    if op == BinaryOp::Div && !element.is_float() {
        y = whole(call, y)?;
    }
    Ok(one(y, element))
}

/// An operand. A vector that is added or multiplied learns, as the bias or scale of the layer before; a single
/// number is part of a formula.
fn operand(call: &mut Call<'_, '_>, place: usize) -> Result<ValueId, Fault> {
    let learns = call
        .constant(place)
        .is_some_and(|array| array.len() > 1 && array.element().is_float());
    let purpose = match (learns, call.op()) {
        (true, "Add") => Purpose::Learned(ParameterKind::Bias),
        (true, "Mul") => Purpose::Learned(ParameterKind::Norm),
        _ => Purpose::Fixed,
    };
    Ok(call.tensor_for(place, purpose)?.id)
}

/// The second operand as operator sets before 7 broadcast it: its axes stand under those of the first from
/// `axis` on, or under the last ones.
fn aligned(call: &mut Call<'_, '_>, first: ValueId, second: ValueId) -> Result<ValueId, Fault> {
    let (rank, own) = (call.rank(first), call.shape(second).to_vec());
    if !call.has("axis") || own.len() > rank {
        return Ok(second);
    }
    let axis = call.axis(call.int("axis", 0), rank)?;
    if axis + own.len() > rank {
        return wrong(format!("shape {own:?} from axis {axis} of {rank} on"));
    }
    let behind = vec![1; rank - axis - own.len()];
    call.reshape(second, &[own, behind].concat())
}

/// The whole part of numbers: integers divide towards zero.
pub(super) fn whole(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, Fault> {
    let magnitude = call.unary(Unary::Abs, x)?;
    let magnitude = call.unary(Unary::Floor, magnitude)?;
    let sign = call.unary(Unary::Sign, x)?;
    call.binary(BinaryOp::Mul, sign, magnitude)
}

/// A tensor whose elements are those of another one brought to integers.
pub(super) fn is_integer(element: Element) -> bool {
    !element.is_float() && element != Element::Bool
}
