//! Arithmetic of two or more tensors.

use graph::{BinaryOp, ParameterKind, ValueId};
use tensor::Unary;

use super::one;
use crate::onnx::Element;
use crate::onnx::error::{Fault, unsupported, wrong};
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
    check_integers(call.op(), element)?;
    let mut y = operand(call, 0)?;
    for place in 1..call.inputs() {
        let mut next = operand(call, place)?;
        if call.opset() < 7 && call.flag("broadcast", false) {
            next = aligned(call, y, next)?;
        }
        y = call.binary(op, y, next)?;
        if !matches!(op, BinaryOp::Div | BinaryOp::Min | BinaryOp::Max) {
            y = wrapped(call, y, element)?;
        }
    }
    if call.op() == "Mean" {
        y = call.scalar(BinaryOp::Div, y, call.inputs() as f32)?;
    }
    if op == BinaryOp::Div && !element.is_float() {
        y = whole(call, y, element)?;
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

/// The whole part of numbers, within the range of an integer type.
pub(super) fn whole(
    call: &mut Call<'_, '_>,
    x: ValueId,
    element: Element,
) -> Result<ValueId, Fault> {
    let [min, max] = element.range().map(|end| end as f32);
    call.unary(Unary::Truncate { min, max }, x)
}

/// Integers as a type of 8 or 16 bits has them: `x − 2ᵇ·⌊(x − min)/2ᵇ⌋`. Wider types hold all that is computed exactly.
pub(super) fn wrapped(
    call: &mut Call<'_, '_>,
    x: ValueId,
    element: Element,
) -> Result<ValueId, Fault> {
    if !is_integer(element) || element.size() > 2 {
        return Ok(x);
    }
    let [min, max] = element.range().map(|end| end as f32);
    let period = max - min + 1.0;
    let turns = call.scalar(BinaryOp::Sub, x, min)?;
    let turns = call.scalar(BinaryOp::Div, turns, period)?;
    let turns = call.unary(Unary::Floor, turns)?;
    let turned = call.scalar(BinaryOp::Mul, turns, period)?;
    call.binary(BinaryOp::Sub, x, turned)
}

/// Refuses integers that would wrap round where 32-bit floats, in which a graph computes, cannot follow.
fn check_integers(op: &str, element: Element) -> Result<(), Fault> {
    let refused = match element {
        Element::U32 | Element::U64 => op == "Sub",
        Element::U16 | Element::I16 => matches!(op, "Mul" | "Pow"),
        Element::U8 | Element::I8 => op == "Pow",
        _ => false,
    };
    match refused {
        true => unsupported(format!(
            "{op} of {element} wraps round, which is not computed; cast to float32 before"
        )),
        false => Ok(()),
    }
}

/// A tensor whose elements are those of another one brought to integers.
pub(super) fn is_integer(element: Element) -> bool {
    !element.is_float() && element != Element::Bool
}
