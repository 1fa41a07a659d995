//! Truths: comparisons, logic, choices, and changes of element type. In a graph a truth is 0 or 1.

use graph::{BinaryOp, ValueId};
use tensor::Unary;

use super::arithmetic::{is_integer, whole};
use super::one;
use crate::onnx::Element;
use crate::onnx::error::Fault;
use crate::onnx::import::call::Call;
use crate::onnx::import::{Value, fold};

/// `Cast`. Among floats nothing changes: a graph computes all of them in its own precision.
pub(super) fn cast(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let to = fold::target(call)?;
    let x = call.tensor(0)?;
    let y = match (x.element, to) {
        (from, Element::Bool) if from != Element::Bool => {
            let sign = call.unary(Unary::Sign, x.id)?;
            call.unary(Unary::Abs, sign)?
        }
        (from, to) if from.is_float() && is_integer(to) => whole(call, x.id)?,
        _ => x.id,
    };
    Ok(one(y, to))
}

/// 1 where the number is above 0, else 0.
fn positive(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, Fault> {
    let sign = call.unary(Unary::Sign, x)?;
    call.unary(Unary::Relu, sign)
}

/// `1 − x`
fn negated(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, Fault> {
    let one = call.fill(&[], 1.0)?;
    call.binary(BinaryOp::Sub, one, x)
}

/// Comparisons of finite numbers.
pub(super) fn compare(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let (a, b) = (call.tensor(0)?.id, call.tensor(1)?.id);
    let (a, b) = match call.op() {
        "Less" | "GreaterOrEqual" => (b, a),
        _ => (a, b),
    };
    let difference = call.binary(BinaryOp::Sub, a, b)?;
    let y = match call.op() {
        "Equal" => {
            let sign = call.unary(Unary::Sign, difference)?;
            let differs = call.unary(Unary::Abs, sign)?;
            negated(call, differs)?
        }
        "Less" | "Greater" => positive(call, difference)?,
        // a ≥ b: not a < b, the operands turned round above.
        _ => {
            let above = positive(call, difference)?;
            negated(call, above)?
        }
    };
    Ok(one(y, Element::Bool))
}

/// `Not`, `And`, `Or`, `Xor`
pub(super) fn logic(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let a = call.tensor(0)?.id;
    let y = match call.op() {
        "Not" => negated(call, a)?,
        op => {
            let b = call.tensor(1)?.id;
            match op {
                "And" => call.binary(BinaryOp::Mul, a, b)?,
                "Or" => call.binary(BinaryOp::Max, a, b)?,
                _ => {
                    let difference = call.binary(BinaryOp::Sub, a, b)?;
                    call.unary(Unary::Abs, difference)?
                }
            }
        }
    };
    Ok(one(y, Element::Bool))
}

/// `Where`: condition, what holds where it is true, what elsewhere.
///
/// The operand that is not chosen is brought to −∞ by a minimum, so that the maximum of both is the other one;
/// unlike a sum of products that is exact for infinities too.
pub(super) fn select(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let condition = call.tensor(0)?.id;
    let (yes, no) = (call.tensor(1)?, call.tensor(2)?);
    // 1 and 0 become ∞ and −∞.
    let signed = call.scalar(BinaryOp::Sub, condition, 0.5)?;
    let above = call.scalar(BinaryOp::Mul, signed, f32::INFINITY)?;
    let below = call.unary(Unary::Neg, above)?;
    let chosen = call.binary(BinaryOp::Min, yes.id, above)?;
    let other = call.binary(BinaryOp::Min, no.id, below)?;
    Ok(one(call.binary(BinaryOp::Max, chosen, other)?, yes.element))
}
