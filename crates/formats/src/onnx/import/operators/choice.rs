//! Truths: comparisons, logic, choices, and changes of element type. In a graph a truth is 0 or 1.

use graph::{ArithmeticOp, BinaryOp, Op, ValueId};
use tensor::Unary;

use super::arithmetic::{is_integer, whole, wrapped};
use super::one;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::Call;
use crate::onnx::import::parameters::Purpose;
use crate::onnx::import::{Origin, Value, fold};
use crate::onnx::{Array, Element};

/// `Cast`. A graph computes in its own precision: a float becomes the nearest of a narrower type, its whole part
/// where an integer is wanted, the end of the type's range beyond it and 0 for NaN, as of constants. An integer wraps
/// round in types of 8 and 16 bits, as in two's complement. A truth is what is not 0.
pub(super) fn cast(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let to = fold::target(call)?;
    let x = call.tensor(0)?;
    let y = match (x.element, to) {
        (from, to) if from == to => x.id,
        (_, Element::Bool) => {
            let zero = call.scalar(BinaryOp::Equal, x.id, 0.0)?;
            negated(call, zero)?
        }
        (_, Element::F16) => call.unary(Unary::Float16, x.id)?,
        (_, Element::Bf16) => call.unary(Unary::Bfloat16, x.id)?,
        (from, to) if from.is_float() && is_integer(to) => whole(call, x.id, to)?,
        (_, to) => wrapped(call, x.id, to)?,
    };
    Ok(one(y, to))
}

/// `1 − x`
fn negated(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, Fault> {
    let one = call.fill(&[], 1.0)?;
    call.binary(BinaryOp::Sub, one, x)
}

/// Comparisons. NaN equals nothing and is neither above nor below anything.
pub(super) fn compare(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let (a, b) = (call.tensor(0)?.id, call.tensor(1)?.id);
    let (op, a, b) = match call.op() {
        "Equal" => (BinaryOp::Equal, a, b),
        "Greater" => (BinaryOp::Greater, a, b),
        "Less" => (BinaryOp::Greater, b, a),
        "GreaterOrEqual" => (BinaryOp::GreaterOrEqual, a, b),
        _ => (BinaryOp::GreaterOrEqual, b, a),
    };
    Ok(one(call.binary(op, a, b)?, Element::Bool))
}

/// `IsNaN`: what does not equal itself. `IsInf`: what equals one of the infinities asked for.
pub(super) fn classify(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?.id;
    if call.op() == "IsNaN" {
        let number = call.binary(BinaryOp::Equal, x, x)?;
        return Ok(one(negated(call, number)?, Element::Bool));
    }
    let [positive, negative] = ["detect_positive", "detect_negative"].map(|n| call.flag(n, true));
    let x = match (positive, negative) {
        (true, true) => call.unary(Unary::Abs, x)?,
        (false, true) => call.unary(Unary::Neg, x)?,
        (true, false) => x,
        // Nothing is asked for: nothing is above infinity either.
        (false, false) => {
            let y = call.scalar(BinaryOp::Greater, x, f32::INFINITY)?;
            return Ok(one(y, Element::Bool));
        }
    };
    let y = call.scalar(BinaryOp::Equal, x, f32::INFINITY)?;
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
pub(super) fn select(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let condition = call.tensor(0)?.id;
    let (yes, no) = (call.tensor(1)?, call.tensor(2)?);
    let op = Op::Arithmetic(ArithmeticOp::Select);
    let y = call.push(op, vec![condition, yes.id, no.id])?;
    Ok(one(y, yes.element))
}

/// `Trilu`: the upper or lower triangle of matrices, zeros in the other.
pub(super) fn triangle(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let &[.., rows, columns] = call.shape(x.id) else {
        return wrong(format!("a triangle of shape {:?}", call.shape(x.id)));
    };
    let diagonal = call.known_scalar(1)?.unwrap_or(0.0);
    let upper = call.flag("upper", true);
    call.book(rows.saturating_mul(columns).saturating_mul(4))?;
    let kept = (0..rows * columns).map(|at| {
        let beside = (at % columns) as f64 - (at / columns) as f64 - diagonal;
        let kept = if upper { beside >= 0.0 } else { beside <= 0.0 };
        f64::from(u8::from(kept))
    });
    let kept = Array::from_reals(Element::F32, &[rows, columns], kept)?;
    let kept = call.parameter(&kept.into(), &Origin::default(), Purpose::Fixed)?;
    let zero = call.fill(&[], 0.0)?;
    let op = Op::Arithmetic(ArithmeticOp::Select);
    Ok(one(call.push(op, vec![kept, x.id, zero])?, x.element))
}
