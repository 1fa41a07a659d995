//! Pooling over regions, and the operators of this system's own domain.

use geometry::RegionsDesc;
use graph::{AlignSettings, Op, RearrangeOp, RegionOp};

use super::one;
use super::window::groups;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::Call;

/// `RoiAlign`: X, regions `[r, 4]` and the images they lie on, `[r]`.
pub(super) fn align(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    match call.text("mode", "avg") {
        "avg" => {}
        other => return unsupported(format!("mode is {other}")),
    }
    // Before operator set 16 coordinates were those of pixels' centres.
    let coordinates = match call.opset() {
        ..16 => "output_half_pixel",
        _ => call.text("coordinate_transformation_mode", "half_pixel"),
    };
    let aligned = match coordinates {
        "half_pixel" => true,
        "output_half_pixel" => false,
        other => return wrong(format!("coordinate_transformation_mode is {other}")),
    };
    let settings = AlignSettings {
        scale: call.float("spatial_scale", 1.0).into(),
        sampling: sampling(call, "sampling_ratio")?,
        aligned,
        gamma: None,
    };
    let bins = [
        groups(call, "output_height")?,
        groups(call, "output_width")?,
    ];
    let (x, corners, images) = (call.tensor(0)?, call.tensor(1)?, call.tensor(2)?);
    let &[count, 4] = call.shape(corners.id) else {
        return wrong(format!("regions of shape {:?}", call.shape(corners.id)));
    };
    if call.shape(images.id) != [count] {
        let given = call.shape(images.id);
        return wrong(format!("images of shape {given:?} for {count} regions"));
    }
    let images = call.reshape(images.id, &[count, 1])?;
    let regions = Op::Rearrange(RearrangeOp::Concat { axis: 1 });
    let regions = call.push(regions, vec![images, corners.id])?;
    let desc = RegionsDesc::new(bins);
    let op = Op::Region(RegionOp::Align { desc, settings });
    Ok(one(call.push(op, vec![x.id, regions])?, x.element))
}

fn sampling(call: &Call<'_, '_>, name: &str) -> Result<usize, Fault> {
    let given = call.int(name, 0);
    usize::try_from(given).or_else(|_| wrong(format!("{name} is {given}")))
}

/// `MaxRoiPool`: X, regions `[r, 5]`.
pub(super) fn max(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Some(bins) = call.sizes("pooled_shape")? else {
        return wrong("pooled_shape is missing");
    };
    let op = RegionOp::Max {
        desc: RegionsDesc::new(bins),
        scale: call.float("spatial_scale", 1.0).into(),
    };
    pooled(call, op)
}

/// The operators of domain `convolve`, as they are written by [`Export`](crate::onnx::Export); nothing where the name
/// is not known.
pub(super) fn own(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    let Some(bins) = call.sizes("bins")? else {
        return wrong("bins are missing");
    };
    let own_channels = call.flag("position_sensitive", false);
    let desc = RegionsDesc::new(bins).position_sensitive(own_channels);
    let scale = call.float("scale", 1.0).into();
    Ok(Some(match call.op() {
        "RegionAlign" => {
            let gamma = match call.given(2) {
                true => Some(call.float("gamma", 0.1).into()),
                false => None,
            };
            let settings = AlignSettings {
                scale,
                sampling: sampling(call, "sampling")?,
                aligned: call.flag("aligned", true),
                gamma,
            };
            pooled(call, RegionOp::Align { desc, settings })?
        }
        "RegionMaxPool" => pooled(call, RegionOp::Max { desc, scale })?,
        "RegionAveragePool" => pooled(call, RegionOp::Average { desc, scale })?,
        _ => return Ok(None),
    }))
}

fn pooled(call: &mut Call<'_, '_>, op: RegionOp) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let mut inputs = vec![x.id];
    for place in 1..call.inputs() {
        inputs.push(call.tensor(place)?.id);
    }
    Ok(one(call.push(Op::Region(op), inputs)?, x.element))
}
