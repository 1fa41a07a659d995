//! Reductions of axes.

use graph::{ArithmeticOp, BinaryOp, Op, ReduceOp};
use tensor::Unary;

use super::arithmetic::whole;
use super::one;
use super::rearrange::{joined, sliced};
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::Call;
use crate::onnx::import::parameters::Purpose;
use crate::onnx::import::{Origin, Value, fold};
use crate::onnx::{Array, Element};

/// `ReduceSum`, `ReduceMean` and what can be made of them.
pub(super) fn reduce(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    let op = call.op();
    let sum = match op {
        "ReduceProd" => return Ok(Some(product(call)?)),
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
    let of_nothing = axes.iter().any(|&axis| call.shape(x.id)[axis] == 0);
    let after = match (op, x.element) {
        // Of no truths none is true.
        ("ReduceMax", Element::Bool) if of_nothing => call.fill(&shape, 0.0)?,
        _ => after,
    };
    Ok(Some(one(call.reshape(after, &shape)?, x.element)))
}

/// `ReduceProd`: of each axis one half is multiplied with the other until one element is left. So every gradient is the
/// product of the others, where some are 0 too.
fn product(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let whole = call.shape(x.id).to_vec();
    let (axes, keeps) = fold::reduced_axes(call, whole.len())?;
    let mut y = x.id;
    for &axis in &axes {
        let mut count = whole[axis];
        while count > 1 {
            let half = count.div_ceil(2);
            let part = |call: &mut Call<'_, '_>, start: usize, stop: usize| {
                sliced(call, y, &[(axis, start as i64, stop as i64, 1)])
            };
            let (first, second) = (part(call, 0, count / 2)?, part(call, half, count)?);
            let pairs = call.binary(BinaryOp::Mul, first, second)?;
            y = match half - count / 2 {
                0 => pairs,
                _ => {
                    let odd = part(call, count / 2, half)?;
                    joined(call, vec![pairs, odd], axis)?
                }
            };
            count = half;
        }
    }
    let made = fold::reduced(&whole, &axes, keeps);
    // The product of nothing is 1.
    let y = match axes.iter().any(|&axis| whole[axis] == 0) {
        true => call.fill(&made, 1.0)?,
        false => call.reshape(y, &made)?,
    };
    Ok(one(y, x.element))
}

/// Whether a reduction is the mean of whole planes, as networks end in: in that form it need not leave the layout.
fn is_global_mean(op: ReduceOp, axes: &[usize], shape: &[usize]) -> bool {
    let planes = (3..=5).contains(&shape.len()) && axes.iter().copied().eq(2..shape.len());
    op == ReduceOp::Mean && planes && !shape.contains(&0)
}

/// `ArgMax` and `ArgMin`: the place of the extreme along an axis, the first one or, if asked for, the last. A NaN
/// anywhere on the way makes that place the end of the axis it would be looked for from.
pub(super) fn place(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?.id;
    let shape = call.shape(x).to_vec();
    let axis = call.axis(call.int("axis", 0), shape.len())?;
    let x = match call.op() {
        "ArgMin" => call.unary(Unary::Neg, x)?,
        _ => x,
    };
    if shape[axis] == 0 || shape[axis] > EXACT {
        return wrong(format!("places along an axis of {} elements", shape[axis]));
    }
    let mut along = vec![1; shape.len() - axis];
    along[0] = shape[axis];
    call.book(shape[axis].saturating_mul(Element::F32.size()))?;
    let numbers = (0..shape[axis]).map(|place| place as f64);
    let numbers = Array::from_reals(Element::F32, &along, numbers)?;
    let numbers = call.parameter(&numbers.into(), &Origin::default(), Purpose::Fixed)?;
    // Of the places where nothing larger is, the last one; or the first, as the largest of the negated.
    let largest = call.reduce(ReduceOp::Max, x, &[axis])?;
    let beaten = call.binary(BinaryOp::Greater, largest, x)?;
    let last = call.flag("select_last_index", false);
    let (numbers, none) = match last {
        true => (numbers, -1.0),
        false => (call.unary(Unary::Neg, numbers)?, -(shape[axis] as f32)),
    };
    let none = call.fill(&[], none)?;
    let select = Op::Arithmetic(ArithmeticOp::Select);
    let places = call.push(select, vec![beaten, none, numbers])?;
    let mut place = call.reduce(ReduceOp::Max, places, &[axis])?;
    if !last {
        place = call.unary(Unary::Neg, place)?;
        // −0 is no integer.
        place = whole(call, place, Element::I64)?;
    }
    let made = fold::reduced(&shape, &[axis], call.flag("keepdims", true));
    Ok(one(call.reshape(place, &made)?, Element::I64))
}

/// Integers up to here are all held by 32-bit floats.
const EXACT: usize = 1 << 24;
