//! Normalisations.

use graph::Affine;

use super::attribute::{float, int};
use super::{Draft, ExportError};
use crate::onnx::proto::AttributeProto;

/// `BatchNormalization` by given statistics.
pub(super) fn batch(
    d: &mut Draft<'_, '_, '_>,
    epsilon: f32,
    mut attributes: Vec<AttributeProto>,
) -> Result<String, ExportError> {
    attributes.push(float("epsilon", epsilon));
    let mut inputs = Vec::new();
    for place in 0..5 {
        inputs.push(d.input(place)?);
    }
    let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
    Ok(d.add("BatchNormalization", &inputs, attributes))
}

/// Gamma and beta; those that are not there are ones and zeros of a shape.
fn affine(
    d: &mut Draft<'_, '_, '_>,
    affine: Affine,
    shape: &[usize],
) -> Result<[String; 2], ExportError> {
    let count = affine.parameters();
    let gamma = match count {
        0 => d.filled(shape, 1.0),
        _ => d.input(1)?,
    };
    let beta = match count {
        0 | 1 => d.filled(shape, 0.0),
        _ => d.input(2)?,
    };
    Ok([gamma, beta])
}

/// `InstanceNormalization` for a group a channel, `GroupNormalization` from operator set 21 on. That of sets 18 to 20
/// had a gamma a group; there and before, groups are the channels of a map of another shape.
pub(super) fn group(
    d: &mut Draft<'_, '_, '_>,
    groups: usize,
    epsilon: f32,
    parameters: Affine,
) -> Result<String, ExportError> {
    let (x, shape, open) = (d.input(0)?, d.shape(0), d.is_open(0));
    let (channels, spatial) = (shape[1], shape.len() - 2);
    let epsilon = float("epsilon", epsilon);
    if d.opset() >= 21 && spatial > 0 {
        let [gamma, beta] = affine(d, parameters, &[channels])?;
        if groups == channels {
            return Ok(d.add("InstanceNormalization", &[&x, &gamma, &beta], vec![epsilon]));
        }
        let groups = int("num_groups", groups as i64);
        let attributes = vec![epsilon, groups];
        return Ok(d.add("GroupNormalization", &[&x, &gamma, &beta], attributes));
    }
    if groups == channels && spatial > 0 {
        let [gamma, beta] = affine(d, parameters, &[channels])?;
        return Ok(d.add("InstanceNormalization", &[&x, &gamma, &beta], vec![epsilon]));
    }
    let elements: usize = shape[1..].iter().product();
    let grouped = d.reshape(&x, &[shape[0], groups, elements / groups], open);
    let (ones, zeros) = (d.filled(&[groups], 1.0), d.filled(&[groups], 0.0));
    let y = d.add(
        "InstanceNormalization",
        &[&grouped, &ones, &zeros],
        vec![epsilon],
    );
    let y = d.reshape(&y, shape, open);
    scaled(d, y, parameters, Some((channels, spatial)))
}

/// Times gamma, plus beta, as far as there are any; those of channels are brought to maps of so many axes.
fn scaled(
    d: &mut Draft<'_, '_, '_>,
    mut y: String,
    affine: Affine,
    by_channel: Option<(usize, usize)>,
) -> Result<String, ExportError> {
    for (place, op) in [(1, "Mul"), (2, "Add")] {
        if affine.parameters() >= place {
            let mut parameter = d.input(place)?;
            if let Some((channels, spatial)) = by_channel {
                parameter = d.by_channel(&parameter, channels, spatial);
            }
            y = d.add(op, &[&y, &parameter], vec![]);
        }
    }
    Ok(y)
}

/// `LayerNormalization`, which came with operator set 17.
pub(super) fn layer(
    d: &mut Draft<'_, '_, '_>,
    axis: usize,
    epsilon: f32,
    parameters: Affine,
) -> Result<String, ExportError> {
    let (x, shape) = (d.input(0)?, d.shape(0));
    if d.opset() < 17 {
        let axes: Vec<_> = (axis..shape.len()).collect();
        let y = standardised(d, &x, &axes, epsilon);
        return scaled(d, y, parameters, None);
    }
    let [gamma, beta] = affine(d, parameters, &shape[axis..])?;
    let attributes = vec![int("axis", axis as i64), float("epsilon", epsilon)];
    Ok(match parameters {
        Affine::ScaleShift => d.add("LayerNormalization", &[&x, &gamma, &beta], attributes),
        _ => d.add("LayerNormalization", &[&x, &gamma], attributes),
    })
}

/// Over the channels of each position: no operator normalises an axis that is not the last.
pub(super) fn channel(
    d: &mut Draft<'_, '_, '_>,
    epsilon: f32,
    affine: Affine,
) -> Result<String, ExportError> {
    let (x, shape) = (d.input(0)?, d.shape(0));
    let y = standardised(d, &x, &[1], epsilon);
    scaled(d, y, affine, Some((shape[1], shape.len() - 2)))
}

/// `(x − μ)/√(σ² + ε)` over some axes.
fn standardised(d: &mut Draft<'_, '_, '_>, x: &str, axes: &[usize], epsilon: f32) -> String {
    let mean = d.reduce("ReduceMean", x, axes);
    let centred = d.add("Sub", &[x, &mean], vec![]);
    let square = d.add("Mul", &[&centred, &centred], vec![]);
    let variance = d.reduce("ReduceMean", &square, axes);
    let variance = d.with_number("Add", &variance, epsilon);
    let deviation = d.add("Sqrt", &[&variance], vec![]);
    d.add("Div", &[&centred, &deviation], vec![])
}
