//! Quantised operators: integers, each standing for `scale · (integer − zero point)`.
//!
//! A graph computes on them as on any numbers. Sums of products are exact as long as they stay below 2²⁴, as in
//! 32-bit floats all integers up to there are.

use graph::{BinaryOp, Op, UnaryOp, ValueId};
use tensor::Unary;

use super::convolution::{convolved, descriptor};
use super::one;
use crate::onnx::Element;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::{Call, axis_of};

/// A vector of one number an entry of `axis` among `rank` axes, in the shape that broadcasts so; a single number
/// as it is.
fn along(call: &mut Call<'_, '_>, x: ValueId, axis: usize, rank: usize) -> Result<ValueId, Fault> {
    let shape = call.shape(x).to_vec();
    match shape[..] {
        [] => Ok(x),
        [1] => call.reshape(x, &[]),
        [extent] if axis < rank => {
            let mut wide = vec![1; rank];
            wide[axis] = extent;
            call.reshape(x, &wide)
        }
        _ => wrong(format!("scales or zero points of shape {shape:?}")),
    }
}

/// An input less its zero point.
fn centred(
    call: &mut Call<'_, '_>,
    place: usize,
    zero_point: usize,
    axis: usize,
) -> Result<ValueId, Fault> {
    let x = call.tensor(place)?.id;
    match call.maybe_tensor(zero_point)? {
        None => Ok(x),
        Some(zero) => {
            let zero = along(call, zero.id, axis, call.rank(x))?;
            call.binary(BinaryOp::Sub, x, zero)
        }
    }
}

/// The integers that numbers round to, halves to the even one, within the range of a type.
fn rounded(
    call: &mut Call<'_, '_>,
    x: ValueId,
    zero_point: Option<ValueId>,
    element: Element,
) -> Result<ValueId, Fault> {
    let (min, max) = match element {
        Element::U8 => (0.0, 255.0),
        Element::I8 => (-128.0, 127.0),
        Element::U16 => (0.0, 65_535.0),
        Element::I16 => (-32_768.0, 32_767.0),
        other => return unsupported(format!("a quantisation to {other}")),
    };
    let mut y = call.unary(Unary::Round, x)?;
    if let Some(zero) = zero_point {
        y = call.binary(BinaryOp::Add, y, zero)?;
    }
    call.push(Op::Unary(UnaryOp::Apply(Unary::Clip { min, max })), vec![y])
}

/// `ConvInteger`: X, W, their zero points.
pub(super) fn conv_integer(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let desc = descriptor(call, &call.shape_of(0)?, &call.shape_of(1)?)?;
    let x = centred(call, 0, 2, 1)?;
    let weight = centred(call, 1, 3, 0)?;
    Ok(one(convolved(call, desc, x, weight, None)?, Element::I32))
}

/// `QLinearConv`: X, its scale and zero point, W and those of it, scale and zero point of the result, bias.
pub(super) fn conv(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let desc = descriptor(call, &call.shape_of(0)?, &call.shape_of(3)?)?;
    let x = centred(call, 0, 2, 1)?;
    let weight = centred(call, 3, 5, 0)?;
    let bias = call.maybe_tensor(8)?.map(|bias| bias.id);
    let sum = convolved(call, desc, x, weight, bias)?;
    let rank = call.rank(sum);
    let mut scales = Vec::new();
    for place in [1, 4, 6] {
        let scale = call.tensor(place)?.id;
        scales.push(along(call, scale, 1, rank)?);
    }
    let of_sum = call.binary(BinaryOp::Mul, scales[0], scales[1])?;
    let factor = call.binary(BinaryOp::Div, of_sum, scales[2])?;
    let y = call.binary(BinaryOp::Mul, sum, factor)?;
    let zero = call.tensor(7)?;
    let at = along(call, zero.id, 1, rank)?;
    Ok(one(rounded(call, y, Some(at), zero.element)?, zero.element))
}

/// `QuantizeLinear`: X, scale, zero point.
pub(super) fn quantize(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?.id;
    let rank = call.rank(x);
    let axis = axis(call, rank)?;
    let scale = call.tensor(1)?.id;
    let scale = along(call, scale, axis, rank)?;
    let y = call.binary(BinaryOp::Div, x, scale)?;
    let (zero, element) = match call.maybe_tensor(2)? {
        Some(zero) => (Some(along(call, zero.id, axis, rank)?), zero.element),
        None => (None, Element::U8),
    };
    Ok(one(rounded(call, y, zero, element)?, element))
}

/// `DequantizeLinear`: X, scale, zero point.
pub(super) fn dequantize(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let rank = call.shape_of(0)?.len();
    let axis = axis(call, rank)?;
    let x = centred(call, 0, 2, axis)?;
    let scale = call.tensor(1)?;
    let factor = along(call, scale.id, axis, rank)?;
    Ok(one(call.binary(BinaryOp::Mul, x, factor)?, scale.element))
}

fn axis(call: &Call<'_, '_>, rank: usize) -> Result<usize, Fault> {
    if call.int("block_size", 0) != 0 {
        return unsupported("scales of blocks");
    }
    match call.shape_of(1)?.len() {
        1 if rank > 0 => axis_of(call.int("axis", 1).min(rank as i64 - 1), rank),
        _ => Ok(0),
    }
}
