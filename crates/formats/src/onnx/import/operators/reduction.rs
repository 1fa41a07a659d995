//! Reductions of axes.

use graph::{BinaryOp, ReduceOp};
use tensor::Unary;

use super::one;
use crate::onnx::error::Fault;
use crate::onnx::import::call::Call;
use crate::onnx::import::{Value, fold};

/// `ReduceSum`, `ReduceMean` and what can be made of them.
pub(super) fn reduce(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    let op = call.op();
    let sum = match op {
        "ReduceMean" => ReduceOp::Mean,
        "ReduceMax" | "ReduceMin" | "ReduceLogSumExp" => ReduceOp::Max,
        "ReduceSum" | "ReduceL1" | "ReduceL2" | "ReduceSumSquare" | "ReduceLogSum" => ReduceOp::Sum,
        _ => return Ok(None),
    };
    let x = call.tensor(0)?;
    let (axes, keeps) = fold::reduced_axes(call, call.rank(x.id))?;
    let before = match op {
        "ReduceL1" => call.unary(Unary::Abs, x.id)?,
        "ReduceL2" | "ReduceSumSquare" => call.binary(BinaryOp::Mul, x.id, x.id)?,
        // The minimum is the maximum of the other sign.
        "ReduceMin" => call.unary(Unary::Neg, x.id)?,
        _ => x.id,
    };
    let reduced = call.reduce(sum, before, &axes)?;
    let after = match op {
        "ReduceL2" => call.unary(Unary::Sqrt, reduced)?,
        "ReduceMin" => call.unary(Unary::Neg, reduced)?,
        "ReduceLogSum" => call.unary(Unary::Log, reduced)?,
        // m + log Σ exp(x − m) with the maximum m, which keeps the powers in range.
        "ReduceLogSumExp" => {
            let shifted = call.binary(BinaryOp::Sub, x.id, reduced)?;
            let powers = call.unary(Unary::Exp, shifted)?;
            let sum = call.reduce(ReduceOp::Sum, powers, &axes)?;
            let log = call.unary(Unary::Log, sum)?;
            call.binary(BinaryOp::Add, reduced, log)?
        }
        _ => reduced,
    };
    let shape = fold::reduced(call.shape(x.id), &axes, keeps);
    Ok(Some(one(call.reshape(after, &shape)?, x.element)))
}
