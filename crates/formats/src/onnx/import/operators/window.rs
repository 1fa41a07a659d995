//! The attributes that all operators over windows have.

use geometry::Padding;

use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::Call;

/// Stride, dilation and padding of a node on maps of `rank` axes.
pub(super) struct Windows {
    pub(super) strides: Vec<usize>,
    pub(super) dilations: Vec<usize>,
    pub(super) padding: Padding,
}

impl Windows {
    pub(super) fn read(call: &Call<'_, '_>, rank: usize) -> Result<Self, Fault> {
        let axes = |name: &str| -> Result<Vec<usize>, Fault> {
            let given = call.sizes(name)?.unwrap_or_else(|| vec![1; rank]);
            match given.len() == rank {
                true => Ok(given),
                false => wrong(format!("{name} {given:?} for {rank} axes of space")),
            }
        };
        Ok(Self {
            strides: axes("strides")?,
            dilations: axes("dilations")?,
            padding: match call.text("auto_pad", "NOTSET") {
                "NOTSET" => match call.sizes("pads")? {
                    Some(pads) => explicit(&pads, rank)?,
                    None => Padding::Valid,
                },
                "VALID" => Padding::Valid,
                "SAME_UPPER" => Padding::Same,
                "SAME_LOWER" => Padding::SameLower,
                other => return wrong(format!("auto_pad is {other}")),
            },
        })
    }
}

/// Pads as ONNX lists them: those before every axis, then those behind.
pub(super) fn explicit(pads: &[usize], rank: usize) -> Result<Padding, Fault> {
    if pads.len() != 2 * rank {
        return wrong(format!("pads {pads:?} for {rank} axes of space"));
    }
    let (before, after) = pads.split_at(rank);
    let pairs = before.iter().zip(after);
    Ok(Padding::Explicit(pairs.map(|(&b, &a)| (b, a)).collect()))
}

/// How many axes of space a map has.
pub(super) fn spatial(shape: &[usize]) -> Result<usize, Fault> {
    match shape.len() {
        3..=5 => Ok(shape.len() - 2),
        _ => wrong(format!(
            "shape {shape:?} is no map of one to three axes of space"
        )),
    }
}

/// The extents of the kernel: as given, or as the weight has them.
pub(super) fn kernel(call: &Call<'_, '_>, weight: &[usize]) -> Result<Vec<usize>, Fault> {
    let own = weight.get(2..).unwrap_or_default();
    match call.sizes("kernel_shape")? {
        Some(given) if given != own => wrong(format!(
            "kernel_shape {given:?} for a weight of shape {weight:?}"
        )),
        _ => Ok(own.to_vec()),
    }
}

/// A number of groups.
pub(super) fn groups(call: &Call<'_, '_>, name: &str) -> Result<usize, Fault> {
    let given = call.int(name, 1);
    match usize::try_from(given) {
        Ok(groups) if groups > 0 => Ok(groups),
        _ => wrong(format!("{name} is {given}")),
    }
}
