//! Convolutions and matrix products.

use geometry::{ConvDesc, DeformableDesc, TransposedDesc, Window};
use graph::Activation;

use super::activation::epilogue;
use super::attribute::{float, int, sizes};
use super::rearrange::padded;
use super::{Draft, ExportError};
use crate::onnx::proto::AttributeProto;

/// Extents, strides, dilations and pads of windows.
pub(super) fn windows(windows: &[Window]) -> Vec<AttributeProto> {
    vec![
        sizes("kernel_shape", windows.iter().map(|w| w.kernel)),
        sizes("strides", windows.iter().map(|w| w.stride)),
        sizes("dilations", windows.iter().map(|w| w.dilation)),
        pads(windows.iter().map(|w| (w.before, w.after))),
    ]
}

/// Pads as ONNX lists them: those before every axis, then those behind.
pub(super) fn pads(amounts: impl Iterator<Item = (usize, usize)> + Clone) -> AttributeProto {
    let (before, after) = (amounts.clone().map(|a| a.0), amounts.map(|a| a.1));
    sizes("pads", before.chain(after))
}

/// `Conv`, and what the graph computes in the same sweep. Padding other than by zeros is an operator of its own.
pub(super) fn conv(
    d: &mut Draft<'_, '_, '_>,
    desc: &ConvDesc,
    residual: bool,
    activation: Option<Activation>,
) -> Result<String, ExportError> {
    let mut geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let mut x = d.input(0)?;
    if !geometry.pads_with_zeros() {
        let amounts = geometry
            .spatial()
            .iter()
            .map(|w| (w.before as i64, w.after as i64));
        let amounts: Vec<_> = [(0, 0), (0, 0)].into_iter().chain(amounts).collect();
        x = padded(d, x, d.shape(0), &amounts, desc.padding_mode.into(), 0.0);
        geometry = geometry.padded();
    }
    let attributes = [
        windows(geometry.spatial()),
        vec![int("group", desc.groups as i64)],
    ]
    .concat();
    // A normalisation that was folded into the weights is written as what it was.
    let y = match d.fold(1)? {
        Some(fold) => {
            let inputs: Vec<_> = [&x].into_iter().chain(&fold.weights).collect();
            let inputs: Vec<_> = inputs.into_iter().map(String::as_str).collect();
            let y = d.add("Conv", &inputs, attributes);
            let inputs: Vec<_> = [&y].into_iter().chain(&fold.statistics).collect();
            let inputs: Vec<_> = inputs.into_iter().map(String::as_str).collect();
            let epsilon = vec![float("epsilon", fold.epsilon)];
            d.add("BatchNormalization", &inputs, epsilon)
        }
        None => {
            let parameters = d.inputs() - usize::from(residual);
            let mut inputs = vec![x];
            for place in 1..parameters {
                inputs.push(d.input(place)?);
            }
            let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
            d.add("Conv", &inputs, attributes)
        }
    };
    epilogue(d, y, residual, activation)
}

/// `ConvTranspose`. Its pads and output padding are written as numbers, whatever rule they follow from.
pub(super) fn transposed(
    d: &mut Draft<'_, '_, '_>,
    desc: &TransposedDesc,
    residual: bool,
    activation: Option<Activation>,
) -> Result<String, ExportError> {
    // The convolution behind the layer: its input is what the layer makes.
    let geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let extra = geometry.spatial().iter().map(Window::behind);
    let mut attributes = windows(geometry.spatial());
    attributes.push(sizes("output_padding", extra));
    attributes.push(int("group", desc.conv.groups as i64));
    let mut inputs = Vec::new();
    for place in 0..d.inputs() - usize::from(residual) {
        inputs.push(d.input(place)?);
    }
    let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
    let y = d.add("ConvTranspose", &inputs, attributes);
    epilogue(d, y, residual, activation)
}

/// `DeformConv`: X, W, offset, B, mask.
pub(super) fn deformable(
    d: &mut Draft<'_, '_, '_>,
    desc: &DeformableDesc,
    bias: bool,
) -> Result<String, ExportError> {
    d.needs(19, "DeformConv")?;
    let geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let mut attributes = windows(geometry.conv.spatial());
    attributes.push(int("group", desc.conv.groups as i64));
    attributes.push(int("offset_group", desc.offset_groups as i64));
    let (x, offset) = (d.input(0)?, d.input(1)?);
    let weight = 2 + usize::from(desc.modulated);
    let mask = match desc.modulated {
        true => d.input(2)?,
        false => String::new(),
    };
    let bias = match bias {
        true => d.input(weight + 1)?,
        false => String::new(),
    };
    let weight = d.input(weight)?;
    let mut inputs = vec![&*x, &weight, &offset, &bias, &mask];
    while inputs.last().is_some_and(|name| name.is_empty()) {
        inputs.pop();
    }
    Ok(d.add("DeformConv", &inputs, attributes))
}

/// `Gemm` by the weight turned round.
pub(super) fn linear(d: &mut Draft<'_, '_, '_>, bias: bool) -> Result<String, ExportError> {
    let (x, weight) = (d.input(0)?, d.input(1)?);
    let turned = vec![int("transB", 1)];
    match bias {
        true => {
            let bias = d.input(2)?;
            Ok(d.add("Gemm", &[&x, &weight, &bias], turned))
        }
        false => Ok(d.add("Gemm", &[&x, &weight], turned)),
    }
}
