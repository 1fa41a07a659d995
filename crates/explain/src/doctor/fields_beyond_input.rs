//! Layers that widen a field which covers the image already.
//!
//! What such a layer's window adds is padding, or what every position sees anyway. The *shortest* path to a layer
//! decides: as long as one path sees less than the image, the layer still has something to relate (Richter et al. 2021,
//! who call the first such layer the border layer).

use std::collections::HashMap;

use geometry::Rational;
use graph::{AxisField, Graph, Node, Op, ReceptiveFields, ValueId};

use super::{Check, Finding, Severity};

pub(super) fn check(network: &Graph, fields: &ReceptiveFields) -> Vec<Finding> {
    let rows = fields.layers.iter();
    let made = network.nodes.iter().zip(rows).filter_map(|(node, row)| {
        let output = *node.outputs.first()?;
        Some((output, row.axes.as_slice()))
    });
    let seen: HashMap<ValueId, &[AxisField]> = made.collect();
    let convolutions: Vec<&Node> = network.nodes.iter().filter(|node| widens(node)).collect();
    let beyond: Vec<(&Node, f64)> = (convolutions.iter())
        .filter_map(|node| {
            let axes = seen.get(node.inputs.first()?)?;
            Some((*node, covered(axes, &fields.input)?))
        })
        .collect();
    let Some(&(first, field)) = beyond.first() else {
        return Vec::new();
    };
    let extents: Vec<String> = fields.input.iter().map(usize::to_string).collect();
    let (count, all) = (beyond.len(), convolutions.len());
    let evidence = format!(
        "{count} of {all} convolutions with a window, from {} on, read maps whose every element sees {field} pixels \
         even on the shortest path, of an input of {}",
        first.layer,
        extents.join("×")
    );
    vec![Finding {
        check: Check::FieldsBeyondInput,
        severity: Severity::Warning,
        layer: Some(first.layer.clone()),
        channels: Vec::new(),
        evidence,
        numbers: vec![
            ("layers", count as f64),
            ("convolutions", all as f64),
            ("field", field),
        ],
        advice: "Use larger images, a stem with less stride, or fewer layers: those add parameters and see nothing new",
    }]
}

/// Whether it is a convolution whose window is larger than one element along every axis of space.
fn widens(node: &Node) -> bool {
    match &node.op {
        Op::Conv { desc, .. } => desc.kernel.as_slice().iter().any(|&extent| extent > 1),
        _ => false,
    }
}

/// The least field along the axes, if the shortest path covers the input along all of them.
fn covered(axes: &[AxisField], input: &[usize]) -> Option<f64> {
    let mut least = f64::INFINITY;
    for (axis, &extent) in axes.iter().zip(input) {
        let size = axis.local.as_ref()?.shortest.size();
        if size < Rational::whole(extent as i128).ok()? {
            return None;
        }
        least = least.min(size.numerator() as f64 / size.denominator() as f64);
    }
    (least.is_finite()).then_some(least)
}
