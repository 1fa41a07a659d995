//! Convolutions.

use geometry::{ConvDesc, DeformableDesc, Padding, TransposedDesc};
use graph::{DeformableOp, Op, ParameterKind, TransposedOp, ValueId};

use super::one;
use super::window::{self, Windows, groups, kernel, spatial};
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::{Call, sizes};
use crate::onnx::import::parameters::Purpose;
use crate::onnx::import::{Origin, Value};
use crate::onnx::{Array, Element};

/// The descriptor of a convolution of `x` by a weight `[o, c/g, kernel…]`.
pub(super) fn descriptor(
    call: &Call<'_, '_>,
    x: &[usize],
    weight: &[usize],
) -> Result<ConvDesc, Fault> {
    let rank = spatial(x)?;
    let windows = Windows::read(call, rank)?;
    let kernel = kernel(call, weight)?;
    let desc = ConvDesc::new(weight.first().copied().unwrap_or(0), kernel)
        .stride(windows.strides)
        .dilation(windows.dilations)
        .padding(windows.padding)
        .groups(groups(call, "group")?);
    desc.resolve(x)?;
    Ok(desc)
}

/// Adds a convolution.
pub(super) fn convolved(
    call: &mut Call<'_, '_>,
    desc: ConvDesc,
    x: ValueId,
    weight: ValueId,
    bias: Option<ValueId>,
) -> Result<ValueId, Fault> {
    let op = Op::Conv {
        desc,
        bias: bias.is_some(),
        residual: false,
        activation: None,
    };
    let mut inputs = vec![x, weight];
    inputs.extend(bias);
    call.push(op, inputs)
}

/// `Conv`: X, W, B. Where `auto_pad` would give a padding below zero, windows begin at the first element, as in the
/// specification's reference and in TensorFlow.
pub(super) fn conv(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let desc = descriptor(call, &call.shape_of(0)?, &call.shape_of(1)?)?;
    let x = call.tensor(0)?;
    let weight = call.learned(1, ParameterKind::Weight)?;
    let bias = bias(call, 2)?;
    Ok(one(convolved(call, desc, x.id, weight, bias)?, x.element))
}

fn bias(call: &mut Call<'_, '_>, place: usize) -> Result<Option<ValueId>, Fault> {
    match call.given(place) {
        true => Ok(Some(call.learned(place, ParameterKind::Bias)?)),
        false => Ok(None),
    }
}

/// `ConvTranspose`: X, W `[c, o/g, kernel…]`, B.
pub(super) fn transposed(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let (x, weight) = (call.shape_of(0)?, call.shape_of(1)?);
    let rank = spatial(&x)?;
    let windows = Windows::read(call, rank)?;
    let groups = groups(call, "group")?;
    let channels = weight.get(1).copied().unwrap_or(0).checked_mul(groups);
    let kernel = kernel(call, &weight)?;
    let extra = call
        .sizes("output_padding")?
        .unwrap_or_else(|| vec![0; rank]);
    let desc = ConvDesc::new(channels.unwrap_or(usize::MAX), kernel)
        .stride(windows.strides)
        .dilation(windows.dilations)
        .padding(windows.padding)
        .groups(groups);
    let mut desc = TransposedDesc::new(desc).output_padding(extra);
    if let Some(output) = call.sizes("output_shape")? {
        // Old models name batch and channels too.
        let output = output[output.len().saturating_sub(rank)..].to_vec();
        desc = desc.for_output(&x, &output)?;
    }
    desc.resolve(&x)?;
    let x = call.tensor(0)?;
    let mut inputs = vec![x.id, call.learned(1, ParameterKind::Weight)?];
    let bias = bias(call, 2)?;
    inputs.extend(bias);
    let op = TransposedOp::Conv {
        desc,
        bias: bias.is_some(),
        residual: false,
        activation: None,
    };
    Ok(one(call.push(Op::Transposed(op), inputs)?, x.element))
}

/// `DeformConv`: X, W, offset, B, mask.
pub(super) fn deformable(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let desc = descriptor(call, &call.shape_of(0)?, &call.shape_of(1)?)?;
    let modulated = call.given(4);
    let desc = DeformableDesc::new(desc)
        .offset_groups(groups(call, "offset_group")?)
        .modulated(modulated);
    let x = call.tensor(0)?;
    let mut inputs = vec![x.id, call.tensor(2)?.id];
    if modulated {
        inputs.push(call.tensor(4)?.id);
    }
    inputs.push(call.learned(1, ParameterKind::Weight)?);
    let bias = bias(call, 3)?;
    inputs.extend(bias);
    let op = DeformableOp::Conv {
        desc,
        bias: bias.is_some(),
    };
    Ok(one(call.push(Op::Deformable(op), inputs)?, x.element))
}

/// `Col2Im`: columns `[n, c·taps, placements]`, the image's extents, the window's.
///
/// The sum of all taps at their places is a transposed convolution whose channels, one for each tap, have a
/// single 1 at that tap.
pub(super) fn col2im(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let (Some(image), Some(block)) = (call.known_ints(1)?, call.known_ints(2)?) else {
        return wrong("the extents of the image or of the window are missing");
    };
    let (image, block) = (sizes("image_shape", &image)?, sizes("block_shape", &block)?);
    let columns = call.shape_of(0)?;
    let rank = image.len();
    let taps = block
        .iter()
        .try_fold(1_usize, |taps, &k| taps.checked_mul(k));
    let (&[batch, deep, placements], Some(taps @ 1..)) = (&columns[..], taps) else {
        return wrong(format!("columns {columns:?} of windows {block:?}"));
    };
    if !(1..=3).contains(&rank) || block.len() != rank || deep % taps != 0 {
        return wrong(format!(
            "columns {columns:?} of windows {block:?} on an image {image:?}"
        ));
    }
    let channels = deep / taps;
    let windows = Windows::read(call, rank)?;
    let pads = match windows.padding {
        Padding::Valid => window::explicit(&vec![0; 2 * rank], rank)?,
        padding @ Padding::Explicit(_) => padding,
        _ => return wrong("auto_pad of columns"),
    };
    // How often the window fits, and what of the image it leaves at the far side.
    let forward = ConvDesc::new(1, block.clone())
        .stride(windows.strides.clone())
        .dilation(windows.dilations.clone())
        .padding(pads);
    let placed = forward
        .resolve(&[&[1, 1], &*image].concat())?
        .output_shape();
    let grid = &placed[2..];
    if grid.iter().product::<usize>() != placements {
        return wrong(format!("{placements} placements for {grid:?} of them"));
    }
    let settings = ConvDesc {
        out_channels: channels,
        groups: channels,
        ..forward
    };
    let plain = TransposedDesc::new(settings.clone());
    let map = [&[batch, deep], grid].concat();
    let covered = plain.resolve(&map)?.input_shape();
    let rest: Vec<_> = image
        .iter()
        .zip(&covered[2..])
        .map(|(n, m)| n - m)
        .collect();
    let desc = TransposedDesc::new(settings).output_padding(rest);
    let weight_shape = [&[deep, 1], &*block].concat();
    call.book(deep.saturating_mul(taps).saturating_mul(4))?;
    let ones = (0..deep * taps).map(|at| f64::from(u8::from(at / taps % taps == at % taps)));
    let weight = Array::from_reals(Element::F32, &weight_shape, ones)?;
    let weight = call.parameter(&weight.into(), &Origin::default(), Purpose::Fixed)?;
    let x = call.tensor(0)?;
    let map = call.reshape(x.id, &map)?;
    let op = TransposedOp::Conv {
        desc,
        bias: false,
        residual: false,
        activation: None,
    };
    Ok(one(
        call.push(Op::Transposed(op), vec![map, weight])?,
        x.element,
    ))
}
