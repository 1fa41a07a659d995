//! Reductions of axes.

use graph::{BinaryOp, Op, ReduceOp};
use tensor::Unary;

use super::arithmetic::whole;
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
    let reduced = match is_global_mean(sum, &axes, call.shape(before)) {
        true => call.push(Op::GlobalAveragePool, vec![before])?,
        false => call.reduce(sum, before, &axes)?,
    };
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
        "ReduceMean" if !x.element.is_float() => whole(call, reduced, x.element)?,
        _ => reduced,
    };
    let shape = fold::reduced(call.shape(x.id), &axes, keeps);
    Ok(Some(one(call.reshape(after, &shape)?, x.element)))
}

/// Whether a reduction is the mean of whole planes, as networks end in: in that form it need not leave the layout.
fn is_global_mean(op: ReduceOp, axes: &[usize], shape: &[usize]) -> bool {
    let planes = (3..=5).contains(&shape.len()) && axes.iter().copied().eq(2..shape.len());
    op == ReduceOp::Mean && planes && !shape.contains(&0)
}
