//! Resizing and spatial transformers.

use geometry::{
    AffineGridDesc, CubicCoefficient, GridInterpolation, GridPadding, GridSampleDesc, MAX_RANK,
    NearestRounding, ResizeCoordinates, ResizeFilter,
};
use graph::{Resizing, SamplingOp};

use super::attribute::{flag, float, int, sizes, text};
use super::{Draft, ExportError};
use crate::onnx::proto::AttributeProto;

pub(super) fn sampling(d: &mut Draft<'_, '_, '_>, op: &SamplingOp) -> Result<String, ExportError> {
    match op {
        SamplingOp::AffineGrid { desc } => affine_grid(d, desc),
        SamplingOp::GridSample { desc } => grid_sample(d, desc),
        SamplingOp::Resize { resizing } => resize(d, resizing),
        _ => d.training(),
    }
}

/// `Resize`: X, box, scales, sizes.
fn resize(d: &mut Draft<'_, '_, '_>, resizing: &Resizing) -> Result<String, ExportError> {
    let (x, shape) = (d.input(0)?, d.shape(0));
    let mut attributes = filter(d, resizing.desc.filter)?;
    let coordinates = resizing.desc.coordinates;
    let mode = match coordinates {
        ResizeCoordinates::HalfPixel => "half_pixel",
        ResizeCoordinates::HalfPixelSymmetric => {
            d.needs(19, "half_pixel_symmetric")?;
            "half_pixel_symmetric"
        }
        ResizeCoordinates::PytorchHalfPixel => "pytorch_half_pixel",
        ResizeCoordinates::AlignCorners => "align_corners",
        ResizeCoordinates::Asymmetric => "asymmetric",
        ResizeCoordinates::CropAndResize => "tf_crop_and_resize",
    };
    attributes.push(text("coordinate_transformation_mode", mode));
    attributes.push(flag("exclude_outside", resizing.desc.exclude_outside));
    // Sizes of some axes alone, so that the batch need not be said, came with operator set 18.
    let spatial_only = resizing.scales.is_none() && d.opset() >= 18;
    let lead = if spatial_only { 0 } else { 2 };
    let mut given_box = String::new();
    if coordinates == ResizeCoordinates::CropAndResize {
        let extrapolation = resizing.extrapolation as f32;
        attributes.push(float("extrapolation_value", extrapolation));
        let whole = vec![(0.0, 1.0); shape.len() - 2];
        let crop = resizing.crop.as_ref().unwrap_or(&whole);
        let ends = [vec![(0.0, 1.0); lead], crop.clone()].concat();
        let starts = ends.iter().map(|end| end.0 as f32);
        let stops = ends.iter().map(|end| end.1 as f32);
        let ends: Vec<_> = starts.chain(stops).collect();
        given_box = d.numbers(&[ends.len()], &ends);
    }
    if let Some(scales) = &resizing.scales {
        let scales: Vec<_> = [1.0, 1.0]
            .into_iter()
            .chain(scales.iter().map(|&scale| scale as f32))
            .collect();
        let reached = |(at, &scale): (usize, &f32)| {
            (shape[at] as f32 * scale).floor() as usize == d.made()[at]
        };
        if !scales.iter().enumerate().all(reached) {
            return d.unsupported(format!(
                "scales {scales:?} that as 32-bit floats do not lead from {shape:?} to {:?}",
                d.made()
            ));
        }
        let scales = d.numbers(&[scales.len()], &scales);
        return Ok(d.add("Resize", &[&x, &given_box, &scales], attributes));
    }
    let made: Vec<_> = d.made().iter().map(|&extent| extent as i64).collect();
    let extents = if spatial_only {
        attributes.push(sizes("axes", 2..shape.len()));
        d.ints(&made[2..])
    } else if d.is_open(0) {
        let own = d.add("Shape", &[&x], vec![]);
        let batch = d.slice(&own, &[[0, 0, 1, 1]]);
        let rest = d.ints(&made[1..]);
        d.concat(&[batch, rest], 0)
    } else {
        d.ints(&made)
    };
    Ok(d.add("Resize", &[&x, &given_box, "", &extents], attributes))
}

fn filter(d: &Draft<'_, '_, '_>, filter: ResizeFilter) -> Result<Vec<AttributeProto>, ExportError> {
    let (mut attributes, antialias) = match filter {
        ResizeFilter::Nearest(rounding) => {
            let rounding = match rounding {
                NearestRounding::HalfDown => "round_prefer_floor",
                NearestRounding::HalfUp => "round_prefer_ceil",
                NearestRounding::Floor => "floor",
                NearestRounding::Ceil => "ceil",
            };
            let attributes = vec![text("mode", "nearest"), text("nearest_mode", rounding)];
            (attributes, false)
        }
        ResizeFilter::Linear { antialias } => (vec![text("mode", "linear")], antialias),
        ResizeFilter::Cubic {
            coefficient,
            antialias,
        } => {
            let coefficient = match coefficient {
                CubicCoefficient::MinusHalf => -0.5,
                CubicCoefficient::MinusThreeQuarters => -0.75,
            };
            let coefficient = float("cubic_coeff_a", coefficient);
            (vec![text("mode", "cubic"), coefficient], antialias)
        }
    };
    if antialias {
        d.needs(18, "antialias")?;
        attributes.push(int("antialias", 1));
    }
    Ok(attributes)
}

/// `GridSample`: of images from operator set 16 on, of volumes from 20 on.
fn grid_sample(d: &mut Draft<'_, '_, '_>, desc: &GridSampleDesc) -> Result<String, ExportError> {
    match d.shape(0).len() {
        4 => d.needs(16, "GridSample")?,
        _ => d.needs(20, "GridSample of volumes")?,
    }
    let old = d.opset() < 20;
    let mode = match desc.interpolation {
        GridInterpolation::Nearest => "nearest",
        GridInterpolation::Linear if old => "bilinear",
        GridInterpolation::Linear => "linear",
        GridInterpolation::Cubic if old => "bicubic",
        GridInterpolation::Cubic => "cubic",
    };
    let padding = match desc.padding {
        GridPadding::Zeros => "zeros",
        GridPadding::Border => "border",
        GridPadding::Reflection => "reflection",
    };
    let attributes = vec![
        text("mode", mode),
        text("padding_mode", padding),
        flag("align_corners", desc.align_corners),
    ];
    let (x, grid) = (d.input(0)?, d.input(1)?);
    Ok(d.add("GridSample", &[&x, &grid], attributes))
}

/// `AffineGrid` from operator set 20 on. It wants the batch as a number; where that is open, and before, the points of
/// the regular grid are multiplied by the matrices.
fn affine_grid(d: &mut Draft<'_, '_, '_>, desc: &AffineGridDesc) -> Result<String, ExportError> {
    let geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let (theta, open) = (d.input(0)?, d.is_open(0));
    let size = &geometry.output[MAX_RANK - geometry.rank..];
    if d.opset() >= 20 && !open {
        let size: Vec<_> = [geometry.batch, 1]
            .iter()
            .chain(size)
            .map(|&n| n as i64)
            .collect();
        let size = d.ints(&size);
        let corners = flag("align_corners", desc.align_corners);
        return Ok(d.add("AffineGrid", &[&theta, &size], vec![corners]));
    }
    let (area, axes) = (geometry.area(), geometry.rank);
    let mut points = Vec::with_capacity(area * (axes + 1));
    for point in 0..area {
        let mut rest = point;
        // Across first, then down.
        for &extent in size.iter().rev() {
            points.push(coordinate(rest % extent, extent, desc.align_corners));
            rest /= extent;
        }
        points.push(1.0);
    }
    let points = d.numbers(&[area, axes + 1], &points);
    let turned = d.transpose(&theta, &[0, 2, 1]);
    let grid = d.add("MatMul", &[&points, &turned], vec![]);
    Ok(d.reshape(&grid, &geometry.grid_shape(), open))
}

/// Where point `index` of `extent` lies between −1 and 1; a single one at 0.
fn coordinate(index: usize, extent: usize, align_corners: bool) -> f32 {
    let twice = (2 * index + 1) as f32 - extent as f32;
    match (align_corners, extent) {
        (_, 1) => 0.0,
        (true, _) => twice / (extent - 1) as f32,
        (false, _) => twice / extent as f32,
    }
}
