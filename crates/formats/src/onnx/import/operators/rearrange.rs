//! Operators that move elements.

use geometry::{PadDesc, PadMode, PixelOrder, PixelShuffleDesc, SliceDesc};
use graph::{Op, RearrangeOp, ValueId};

use super::one;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::{Call, axis_of, sizes};
use crate::onnx::import::{Tensor, Value, fold};

/// How many operands a runtime joins at once along another axis than channels.
const MOST_JOINED: usize = 32;

/// `Concat`
pub(super) fn concat(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let mut parts = Vec::new();
    let element = call.element(0)?;
    for place in 0..call.inputs() {
        parts.push(call.tensor(place)?.id);
    }
    let rank = call.rank(parts[0]);
    // Before operator set 4 channels were the default.
    let axis = call.axis(call.int("axis", 1), rank)?;
    Ok(one(joined(call, parts, axis)?, element))
}

pub(super) fn joined(
    call: &mut Call<'_, '_>,
    mut parts: Vec<ValueId>,
    axis: usize,
) -> Result<ValueId, Fault> {
    if let [one] = parts[..] {
        return Ok(one);
    }
    if axis == 1 && (3..=5).contains(&call.rank(parts[0])) {
        return call.push(Op::Concat, parts);
    }
    while parts.len() > 1 {
        let axis = axis as i64;
        let mut next = Vec::with_capacity(parts.len().div_ceil(MOST_JOINED));
        for some in parts.chunks(MOST_JOINED) {
            next.push(match some {
                [one] => *one,
                some => call.push(Op::Rearrange(RearrangeOp::Concat { axis }), some.to_vec())?,
            });
        }
        parts = next;
    }
    Ok(parts[0])
}

/// Operators that give the same elements another shape.
pub(super) fn reshape(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let own = call.shape(x.id).to_vec();
    let shape = match call.op() {
        "Flatten" => fold::flattened(call, &own)?,
        "Reshape" => fold::reshaped(call, &own)?,
        "Squeeze" => fold::squeezed(call, &own)?,
        _ => fold::unsqueezed(call, &own)?,
    };
    Ok(one(call.reshape(x.id, &shape)?, x.element))
}

/// `Transpose`
pub(super) fn transpose(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let axes = fold::permutation(call, call.rank(x.id))?;
    Ok(one(call.permute(x.id, &axes)?, x.element))
}

/// `Expand`
pub(super) fn expand(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let shape = fold::expanded(call, call.shape(x.id))?;
    Ok(one(call.expand(x.id, &shape)?, x.element))
}

/// `Tile`: repeats for each axis, or before operator set 6 a number of tiles along one.
pub(super) fn tile(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let rank = call.rank(x.id);
    let repeats = match call.opset() {
        ..6 => {
            let (Some(tiles), Some(axis)) = (call.known_scalar(1)?, call.known_scalar(2)?) else {
                return wrong("tiles or axis are missing");
            };
            let mut repeats = vec![1; rank];
            repeats[axis_of(axis as i64, rank)?] = tiles as usize;
            repeats
        }
        _ => sizes("repeats", &call.known_ints(1)?.unwrap_or_default())?,
    };
    if repeats.len() != rank {
        return wrong(format!("{} repeats for {rank} axes", repeats.len()));
    }
    let mut y = x.id;
    for (axis, repeat) in repeats
        .into_iter()
        .enumerate()
        .filter(|&(_, repeat)| repeat != 1)
    {
        let shape = call.shape(y).to_vec();
        let outer: usize = shape[..axis].iter().product();
        let inner: usize = shape[axis..].iter().product();
        let Some(extent) = shape[axis].checked_mul(repeat) else {
            return wrong(format!("{repeat} repeats of {shape:?}"));
        };
        let rows = call.reshape(y, &[outer, 1, inner])?;
        let rows = call.expand(rows, &[outer, repeat, inner])?;
        let mut tiled = shape;
        tiled[axis] = extent;
        y = call.reshape(rows, &tiled)?;
    }
    Ok(one(y, x.element))
}

/// Ranges of some axes: axis, start, stop and step.
pub(super) fn sliced(
    call: &mut Call<'_, '_>,
    x: ValueId,
    ranges: &[(usize, i64, i64, i64)],
) -> Result<ValueId, Fault> {
    let mut desc = SliceDesc::new();
    for &(axis, start, stop, step) in ranges {
        desc = desc.axis(axis as i64, start, stop, step);
    }
    let whole = desc.resolve(call.shape(x))?.output_shape() == call.shape(x);
    if whole && ranges.iter().all(|&(.., step)| step > 0) {
        return Ok(x);
    }
    call.push(Op::Rearrange(RearrangeOp::Slice { desc }), vec![x])
}

/// `Slice`
pub(super) fn slice(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let ranges = fold::slice_ranges(call, call.rank(x.id))?;
    Ok(one(sliced(call, x.id, &ranges)?, x.element))
}

/// `Split`
pub(super) fn split(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Tensor { id: x, element } = call.tensor(0)?;
    let axis = call.axis(call.int("axis", 0), call.rank(x))?;
    let parts = fold::split_sizes(call, call.shape(x)[axis])?;
    let (mut made, mut start) = (Vec::new(), 0);
    for (place, count) in parts.into_iter().enumerate() {
        let stop = start + count;
        // Of parts that nobody reads nothing is computed.
        let part = match call.makes(place) {
            true => sliced(call, x, &[(axis, start as i64, stop as i64, 1)])?,
            false => x,
        };
        made.extend(one(part, element));
        start = stop;
    }
    Ok(made)
}

/// `Pad`: amounts as an attribute, or from operator set 11 on as an input, of some axes from 18 on.
pub(super) fn pad(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let rank = call.rank(x.id);
    let attribute = if call.opset() < 2 { "paddings" } else { "pads" };
    let Some(pads) = call.list(1, attribute)? else {
        return wrong("pads are missing");
    };
    let axes = match call.known_ints(3)? {
        Some(axes) => axes,
        None => (0..rank as i64).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return wrong(format!("{} pads for {} axes", pads.len(), axes.len()));
    }
    let mut amounts = vec![(0, 0); rank];
    for (at, &axis) in axes.iter().enumerate() {
        amounts[axis_of(axis, rank)?] = (pads[at], pads[at + axes.len()]);
    }
    let value = match call.opset() {
        ..11 => call.float("value", 0.0),
        _ => call.known_scalar(2)?.unwrap_or(0.0) as f32,
    };
    let mode = match call.text("mode", "constant") {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Replicate,
        "wrap" => PadMode::Circular,
        other => return wrong(format!("mode is {other}")),
    };
    if amounts.iter().all(|amount| *amount == (0, 0)) {
        return Ok(one(x.id, x.element));
    }
    let desc = PadDesc::new(mode, &amounts);
    desc.resolve(call.shape(x.id))?;
    let op = Op::Rearrange(RearrangeOp::Pad { desc, value });
    Ok(one(call.push(op, vec![x.id])?, x.element))
}

/// `DepthToSpace` and `SpaceToDepth`, which before operator set 28 knows one order only.
pub(super) fn blocks(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let factor = super::window::groups(call, "blocksize")?;
    let desc = PixelShuffleDesc::new(factor);
    let desc = desc.order(match call.text("mode", "DCR") {
        "DCR" => PixelOrder::BlockMajor,
        "CRD" => PixelOrder::ChannelMajor,
        other => return wrong(format!("mode is {other}")),
    });
    let op = match call.op() {
        "SpaceToDepth" => RearrangeOp::PixelUnshuffle { desc },
        _ => RearrangeOp::PixelShuffle { desc },
    };
    Ok(one(call.push(Op::Rearrange(op), vec![x.id])?, x.element))
}
