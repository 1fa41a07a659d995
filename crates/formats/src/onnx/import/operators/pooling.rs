//! Pooling.

use geometry::{
    AdaptiveDesc, NormOrder, PadDesc, PadMode, Padding, PoolDesc, PoolKind, UnpoolDesc,
};
use graph::{Op, PoolingOp, RearrangeOp};

use super::one;
use super::window::{Windows, spatial};
use crate::onnx::edge::Numbering;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::call::{Call, sizes};
use crate::onnx::import::{Places, Value};

fn descriptor(call: &Call<'_, '_>, kind: PoolKind) -> Result<PoolDesc, Fault> {
    let x = call.shape_of(0)?;
    let windows = Windows::read(call, spatial(&x)?)?;
    let Some(kernel) = call.sizes("kernel_shape")? else {
        return wrong("kernel_shape is missing");
    };
    check_same(&windows, &kernel, &x[2..])?;
    let desc = PoolDesc {
        kind,
        ..PoolDesc::max(kernel)
    };
    let desc = desc
        .stride(windows.strides)
        .dilation(windows.dilations)
        .padding(windows.padding)
        .ceil(call.flag("ceil_mode", false));
    desc.resolve(&x)?;
    Ok(desc)
}

/// Refuses `auto_pad = SAME_*` where windows are so far apart that the formula of the specification,
/// `(⌈n/s⌉ − 1)·s + k − n` with the dilated kernel, gives a padding below zero: it does not say which elements are then
/// left out, and engines differ.
fn check_same(windows: &Windows, kernel: &[usize], plane: &[usize]) -> Result<(), Fault> {
    if !matches!(windows.padding, Padding::Same | Padding::SameLower) {
        return Ok(());
    }
    let steps = windows.strides.iter().zip(&windows.dilations);
    let axes = plane.iter().zip(kernel).zip(steps);
    for (axis, ((&n, &kernel), (&stride, &dilation))) in axes.enumerate() {
        let reach = dilation
            .saturating_mul(kernel.saturating_sub(1))
            .saturating_add(1);
        // Elements from the first of the last window on; a stride of 0 is refused later.
        let left = n - n.div_ceil(stride.max(1)).saturating_sub(1) * stride;
        if reach < left {
            return unsupported(format!(
                "auto_pad asks for a padding of -{} along axis {axis} of space ({n} elements, kernel {kernel}, \
                 stride {stride}); write it as pads",
                left - reach
            ));
        }
    }
    Ok(())
}

/// `MaxPool`: values, and the places they were found at.
pub(super) fn max(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let desc = descriptor(call, PoolKind::Max)?;
    let x = call.tensor(0)?;
    let indices = call.makes(1);
    let made = call.push_all(Op::Pool { desc, indices }, vec![x.id])?;
    let mut values = one(made[0], x.element);
    if indices {
        let numbering = Numbering {
            plane: call.shape(x.id)[2..].to_vec(),
            column_major: call.flag("storage_order", false),
        };
        let id = made[1];
        values.push(Value::Places(Box::new(Places { id, numbering })));
    }
    Ok(values)
}

/// `AveragePool`
pub(super) fn average(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let count_padding = call.flag("count_include_pad", false);
    let desc = descriptor(call, PoolKind::Average { count_padding })?;
    pooled(call, desc)
}

/// `LpPool`
pub(super) fn lp(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let order = order(call)?;
    let desc = descriptor(call, PoolKind::Lp { order })?;
    pooled(call, desc)
}

fn pooled(call: &mut Call<'_, '_>, desc: PoolDesc) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let indices = false;
    Ok(one(
        call.push(Op::Pool { desc, indices }, vec![x.id])?,
        x.element,
    ))
}

/// The order of a norm, which was a float in the first operator set.
fn order(call: &Call<'_, '_>) -> Result<NormOrder, Fault> {
    let order = match call.int("p", 0) {
        0 if call.has("p") => call.float("p", 0.0).into(),
        0 => 2.0,
        p => p as f64,
    };
    match (order * 1e6).round() {
        millionths if (1e6..1e18).contains(&millionths) => {
            Ok(NormOrder::from_millionths(millionths as u64)?)
        }
        _ => wrong(format!("a norm of order {order}")),
    }
}

/// Pooling of whole planes.
pub(super) fn global(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    spatial(&call.shape_of(0)?)?;
    let x = call.tensor(0)?;
    let adaptive = |desc| PoolingOp::Adaptive {
        desc,
        indices: false,
    };
    let op = match call.op() {
        "GlobalAveragePool" => Op::GlobalAveragePool,
        "GlobalMaxPool" => Op::Pooling(adaptive(AdaptiveDesc::max(1))),
        _ => Op::Pooling(adaptive(AdaptiveDesc::lp(order(call)?, 1))),
    };
    Ok(one(call.push(op, vec![x.id])?, x.element))
}

/// `MaxUnpool`: X, places, output shape.
pub(super) fn unpool(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let shape = call.shape_of(0)?;
    let rank = spatial(&shape)?;
    let windows = Windows::read(call, rank)?;
    let Some(kernel) = call.sizes("kernel_shape")? else {
        return wrong("kernel_shape is missing");
    };
    let mut desc = UnpoolDesc::new(kernel)
        .stride(windows.strides)
        .padding(windows.padding);
    let wanted = match call.known_ints(2)? {
        Some(wanted) => Some(sizes("output_shape", &wanted)?),
        None => None,
    };
    // Places that a pool of this model found are those of its own map. Others are, as the specification has
    // it, those of the map that follows from the windows, which the output continues with zeros.
    let own = call.plane_of(1).map(<[usize]>::to_vec);
    if let Some(own) = own {
        desc = desc.output(own);
    }
    let output = desc.resolve(&shape)?.output_shape();
    let x = call.tensor(0)?;
    let places = call.places(1, &output[2..])?;
    let y = call.push(
        Op::Pooling(PoolingOp::MaxUnpool { desc }),
        vec![x.id, places],
    )?;
    let Some(wanted) = wanted else {
        return Ok(one(y, x.element));
    };
    if wanted.len() != output.len() || wanted.iter().zip(&output).any(|(w, o)| w < o) {
        return wrong(format!("output_shape {wanted:?} of a map {output:?}"));
    }
    let rest = wanted
        .iter()
        .zip(&output)
        .map(|(&w, &o)| (0, (w - o) as i64));
    let amounts: Vec<_> = rest.collect();
    if amounts.iter().all(|amount| *amount == (0, 0)) {
        return Ok(one(y, x.element));
    }
    let desc = PadDesc::new(PadMode::Constant, &amounts);
    desc.resolve(&output)?;
    let op = Op::Rearrange(RearrangeOp::Pad { desc, value: 0.0 });
    Ok(one(call.push(op, vec![y])?, x.element))
}
