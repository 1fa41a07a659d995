//! Resizing and spatial transformers.

use geometry::{
    AffineGridDesc, CubicCoefficient, GridInterpolation, GridPadding, GridSampleDesc,
    NearestRounding, ResizeCoordinates, ResizeDesc, ResizeFilter,
};
use graph::{Op, Resizing, SamplingOp};

use super::one;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::{Call, axis_of, sizes};

/// `Resize`: X, box, scales, sizes; before operator set 11 X and scales, as `Upsample`.
///
/// With `align_corners` and scales the resized length is `n · scale` as it is, not its whole part: the specification
/// has `x_original = x_resized · (length_original − 1) / (length_resized − 1)`, and its reference takes
/// `length_resized` so. ONNX Runtime takes the number of elements made, which differs where that product is no integer.
pub(super) fn resize(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let shape = call.shape(x.id).to_vec();
    let rank = shape.len();
    let axes = match call.ints("axes")? {
        Some(axes) => axes
            .into_iter()
            .map(|axis| axis_of(axis, rank))
            .collect::<Result<_, _>>()?,
        None => (0..rank).collect::<Vec<_>>(),
    };
    let (scales, sizes) = wanted(call, &axes)?;
    let mut size = shape.clone();
    let mut scale = vec![1.0; rank];
    match (&scales, &sizes) {
        (Some(scales), _) => {
            for (&axis, &factor) in axes.iter().zip(scales) {
                scale[axis] = factor;
                size[axis] = scaled(shape[axis], factor)?;
            }
        }
        (None, Some(sizes)) => {
            for (&axis, &extent) in axes.iter().zip(sizes) {
                size[axis] = extent;
            }
            kept_aspect(call, &axes, &shape, &mut size)?;
        }
        (None, None) => return wrong("neither scales nor sizes are given"),
    }
    let filter = filter(call)?;
    let (coordinates, given_box) = (coordinates(call)?, crop(call, &axes, rank)?);
    // The axes that change stand last in a map of one to three of them.
    let first = (0..rank).find(|&axis| {
        size[axis] != shape[axis] || scale[axis] != 1.0 || given_box[axis] != (0.0, 1.0)
    });
    let Some(first) = first else {
        return Ok(one(x.id, x.element));
    };
    // Those before them, however many, become batch and channels. Where these are the first two, the axes of space stay
    // together, whichever of them change: they are followed from layer to layer.
    let most = rank.saturating_sub(3);
    let lead = first.clamp(most, most.max(2));
    if first < lead || rank == 0 {
        return unsupported(format!(
            "resizing shape {shape:?} to {size:?}: axis {first} is resized, and only the last three can be"
        ));
    }
    let lead = lead.min(first);
    let (batch, channels) = match lead {
        2 => (shape[0], shape[1]),
        _ => (1, shape[..lead].iter().product()),
    };
    let map = [&[batch, channels], &shape[lead..]].concat();
    let resizing = Resizing {
        desc: ResizeDesc {
            filter,
            coordinates,
            exclude_outside: call.flag("exclude_outside", false),
            size: size[lead..].to_vec().into(),
        },
        scales: scales.map(|_| scale[lead..].to_vec()),
        crop: Some(given_box[lead..].to_vec()),
        extrapolation: call.float("extrapolation_value", 0.0).into(),
    };
    let y = call.reshape(x.id, &map)?;
    let y = call.push(Op::Sampling(SamplingOp::Resize { resizing }), vec![y])?;
    Ok(one(call.reshape(y, &size)?, x.element))
}

/// Scales or sizes, one of them, one for each axis.
#[expect(clippy::type_complexity)]
fn wanted(
    call: &Call<'_, '_>,
    axes: &[usize],
) -> Result<(Option<Vec<f64>>, Option<Vec<usize>>), Fault> {
    let old = call.opset() < 11 || call.op() == "Upsample";
    let (scales, sizes) = match (old, call.floats("scales")?) {
        (true, Some(scales)) => (Some(scales.into_iter().map(f64::from).collect()), None),
        (true, None) if call.has("height_scale") => {
            let across = [
                call.float("height_scale", 1.0),
                call.float("width_scale", 1.0),
            ];
            (
                Some([1.0, 1.0, across[0].into(), across[1].into()].to_vec()),
                None,
            )
        }
        (true, None) => (call.known_reals(1)?, None),
        (false, _) => {
            let scales = call.known_reals(2)?.filter(|scales| !scales.is_empty());
            let given = call.known_ints(3)?.filter(|given| !given.is_empty());
            (
                scales,
                given.map(|given| sizes("sizes", &given)).transpose()?,
            )
        }
    };
    let count = match (&scales, &sizes) {
        (Some(scales), None) => scales.len(),
        (None, Some(sizes)) => sizes.len(),
        (None, None) => axes.len(),
        (Some(_), Some(_)) => return wrong("both scales and sizes are given"),
    };
    match count == axes.len() {
        true => Ok((scales, sizes)),
        false => wrong(format!("{count} scales or sizes for {} axes", axes.len())),
    }
}

/// `floor(n · scale)`
fn scaled(extent: usize, scale: f64) -> Result<usize, Fault> {
    if !(scale.is_finite() && scale > 0.0) {
        return wrong(format!("a scale of {scale}"));
    }
    let size = (extent as f64 * scale).floor();
    match size < isize::MAX as f64 {
        true => Ok(size as usize),
        false => wrong(format!("{extent} elements times {scale} overflows")),
    }
}

/// Sizes brought to one scale for all axes: the least that is asked for, or the largest.
fn kept_aspect(
    call: &Call<'_, '_>,
    axes: &[usize],
    shape: &[usize],
    size: &mut [usize],
) -> Result<(), Fault> {
    let scales = axes
        .iter()
        .map(|&axis| size[axis] as f64 / shape[axis] as f64);
    let scale = match call.text("keep_aspect_ratio_policy", "stretch") {
        "stretch" => return Ok(()),
        "not_larger" => scales.fold(f64::INFINITY, f64::min),
        "not_smaller" => scales.fold(0.0, f64::max),
        other => return wrong(format!("keep_aspect_ratio_policy is {other}")),
    };
    for &axis in axes {
        // Halves go up.
        size[axis] = (scale * shape[axis] as f64 + 0.5).floor() as usize;
    }
    Ok(())
}

fn filter(call: &Call<'_, '_>) -> Result<ResizeFilter, Fault> {
    let antialias = call.flag("antialias", false);
    Ok(match call.text("mode", "nearest") {
        "nearest" if call.opset() < 11 || call.op() == "Upsample" => {
            ResizeFilter::Nearest(NearestRounding::Floor)
        }
        "nearest" => ResizeFilter::Nearest(match call.text("nearest_mode", "round_prefer_floor") {
            "round_prefer_floor" => NearestRounding::HalfDown,
            "round_prefer_ceil" => NearestRounding::HalfUp,
            "floor" => NearestRounding::Floor,
            "ceil" => NearestRounding::Ceil,
            other => return wrong(format!("nearest_mode is {other}")),
        }),
        "linear" | "bilinear" => ResizeFilter::Linear { antialias },
        "cubic" => ResizeFilter::Cubic {
            coefficient: match call.float("cubic_coeff_a", -0.75) {
                -0.75 => CubicCoefficient::MinusThreeQuarters,
                -0.5 => CubicCoefficient::MinusHalf,
                other => return unsupported(format!("cubic_coeff_a {other}")),
            },
            antialias,
        },
        other => return wrong(format!("mode is {other}")),
    })
}

fn coordinates(call: &Call<'_, '_>) -> Result<ResizeCoordinates, Fault> {
    if call.opset() < 11 || call.op() == "Upsample" {
        return Ok(ResizeCoordinates::Asymmetric);
    }
    Ok(
        match call.text("coordinate_transformation_mode", "half_pixel") {
            "half_pixel" => ResizeCoordinates::HalfPixel,
            "half_pixel_symmetric" => ResizeCoordinates::HalfPixelSymmetric,
            "pytorch_half_pixel" => ResizeCoordinates::PytorchHalfPixel,
            "align_corners" => ResizeCoordinates::AlignCorners,
            "asymmetric" => ResizeCoordinates::Asymmetric,
            "tf_crop_and_resize" => ResizeCoordinates::CropAndResize,
            other => return unsupported(format!("coordinate_transformation_mode {other}")),
        },
    )
}

/// Start and end of the box along every axis: all starts first, then all ends.
fn crop(call: &Call<'_, '_>, axes: &[usize], rank: usize) -> Result<Vec<(f64, f64)>, Fault> {
    let mut crop = vec![(0.0, 1.0); rank];
    if call.text("coordinate_transformation_mode", "") != "tf_crop_and_resize" {
        return Ok(crop);
    }
    let Some(ends) = call.known_reals(1)? else {
        return wrong("the box is missing");
    };
    if ends.len() != 2 * axes.len() {
        return wrong(format!(
            "a box of {} numbers for {} axes",
            ends.len(),
            axes.len()
        ));
    }
    for (at, &axis) in axes.iter().enumerate() {
        crop[axis] = (ends[at], ends[at + axes.len()]);
    }
    Ok(crop)
}

/// `GridSample`: X, grid.
pub(super) fn grid_sample(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let interpolation = match call.text("mode", "linear") {
        "nearest" => GridInterpolation::Nearest,
        "linear" | "bilinear" => GridInterpolation::Linear,
        "cubic" | "bicubic" => GridInterpolation::Cubic,
        other => return wrong(format!("mode is {other}")),
    };
    let padding = match call.text("padding_mode", "zeros") {
        "zeros" => GridPadding::Zeros,
        "border" => GridPadding::Border,
        "reflection" => GridPadding::Reflection,
        other => return wrong(format!("padding_mode is {other}")),
    };
    let desc = GridSampleDesc::new(interpolation)
        .padding(padding)
        .align_corners(call.flag("align_corners", false));
    let (x, grid) = (call.tensor(0)?, call.tensor(1)?);
    let op = SamplingOp::GridSample { desc };
    Ok(one(
        call.push(Op::Sampling(op), vec![x.id, grid.id])?,
        x.element,
    ))
}

/// `AffineGrid`: theta, the extents of the image.
pub(super) fn affine_grid(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Some(size) = call.known_ints(1)? else {
        return wrong("the size is missing");
    };
    let size = sizes("size", &size)?;
    let Some((_, [_, spatial @ ..])) = size.split_first() else {
        return wrong(format!("size is {size:?}"));
    };
    let theta = call.tensor(0)?;
    let desc = AffineGridDesc::new(spatial).align_corners(call.flag("align_corners", false));
    let op = SamplingOp::AffineGrid { desc };
    Ok(one(
        call.push(Op::Sampling(op), vec![theta.id])?,
        theta.element,
    ))
}
