//! Pooling over regions.
//!
//! What ONNX has no operator for becomes one of [`DOMAIN`](crate::onnx::DOMAIN).

use geometry::RegionsDesc;
use graph::AlignSettings;

use super::attribute::{flag, float, int, sizes, text};
use super::{Draft, ExportError};
use crate::onnx::proto::AttributeProto;
use crate::onnx::proto::tensor_proto::DataType;

/// What every operator of the own domain says.
fn settings(d: &Draft<'_, '_, '_>, desc: &RegionsDesc, scale: f64) -> Vec<AttributeProto> {
    vec![
        sizes("bins", d.made()[2..].iter().copied()),
        float("scale", scale as f32),
        flag("position_sensitive", desc.position_sensitive),
    ]
}

/// `RoiAlign`: X, regions without their images, their images.
pub(super) fn align(
    d: &mut Draft<'_, '_, '_>,
    desc: &RegionsDesc,
    align: &AlignSettings,
) -> Result<String, ExportError> {
    let (x, regions) = (d.input(0)?, d.input(1)?);
    if desc.position_sensitive || align.gamma.is_some() {
        let mut attributes = settings(d, desc, align.scale);
        attributes.push(int("sampling", align.sampling as i64));
        attributes.push(flag("aligned", align.aligned));
        let Some(gamma) = align.gamma else {
            return Ok(d.add_custom("RegionAlign", &[&x, &regions], attributes));
        };
        attributes.push(float("gamma", gamma as f32));
        let offset = d.input(2)?;
        return Ok(d.add_custom("RegionAlign", &[&x, &regions, &offset], attributes));
    }
    let mut attributes = vec![
        int("output_height", d.made()[2] as i64),
        int("output_width", d.made()[3] as i64),
        int("sampling_ratio", align.sampling as i64),
        float("spatial_scale", align.scale as f32),
        text("mode", "avg"),
    ];
    if d.opset() >= 16 {
        let mode = match align.aligned {
            true => "half_pixel",
            false => "output_half_pixel",
        };
        attributes.push(text("coordinate_transformation_mode", mode));
    } else if align.aligned {
        // Before, coordinates were those of pixels' centres.
        d.needs(16, "coordinates of pixels' corners")?;
    }
    let corners = d.slice(&regions, &[[1, 1, 5, 1]]);
    let images = d.slice(&regions, &[[1, 0, 1, 1]]);
    let last = d.ints(&[1]);
    let images = d.add("Squeeze", &[&images, &last], vec![]);
    let images = d.cast(&images, DataType::Int64);
    Ok(d.add("RoiAlign", &[&x, &corners, &images], attributes))
}

/// `MaxRoiPool`
pub(super) fn max(
    d: &mut Draft<'_, '_, '_>,
    desc: &RegionsDesc,
    scale: f64,
) -> Result<String, ExportError> {
    if d.is_read(1) {
        return d.unsupported("places of the maxima of regions");
    }
    let (x, regions) = (d.input(0)?, d.input(1)?);
    if desc.position_sensitive {
        let attributes = settings(d, desc, scale);
        return Ok(d.add_custom("RegionMaxPool", &[&x, &regions], attributes));
    }
    let attributes = vec![
        sizes("pooled_shape", d.made()[2..].iter().copied()),
        float("spatial_scale", scale as f32),
    ];
    Ok(d.add("MaxRoiPool", &[&x, &regions], attributes))
}

/// The mean over whole pixels, which ONNX does not have.
pub(super) fn average(
    d: &mut Draft<'_, '_, '_>,
    desc: &RegionsDesc,
    scale: f64,
) -> Result<String, ExportError> {
    let (x, regions) = (d.input(0)?, d.input(1)?);
    let attributes = settings(d, desc, scale);
    Ok(d.add_custom("RegionAveragePool", &[&x, &regions], attributes))
}
