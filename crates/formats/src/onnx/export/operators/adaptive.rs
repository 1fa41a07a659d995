//! Adaptive pooling: global operators for a single bin, windows where bins are equal, and otherwise bin by bin.

use geometry::{AdaptiveDesc, AdaptiveKind, Bins, MAX_RANK};

use super::attribute::{int, sizes};
use super::pooling::{powers, root, whole_order};
use super::{Draft, ExportError};

/// An adaptive pooling. The places of its maxima are for a backward pass alone.
pub(super) fn pool(d: &mut Draft<'_, '_, '_>, desc: &AdaptiveDesc) -> Result<String, ExportError> {
    if d.is_read(1) {
        return d.unsupported("places of the maxima of bins");
    }
    let geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let bins = &geometry.bins[MAX_RANK - geometry.rank..];
    let x = d.input(0)?;
    let direct = match desc.kind {
        AdaptiveKind::Max => Some(("MaxPool", None)),
        AdaptiveKind::Average => Some(("AveragePool", None)),
        AdaptiveKind::Lp(order) => whole_order(order).map(|p| ("LpPool", Some(int("p", p)))),
    };
    if let Some((op, order)) = direct {
        let mut attributes: Vec<_> = order.into_iter().collect();
        if bins.iter().all(|bins| bins.output == 1) {
            return Ok(d.add(&format!("Global{op}"), &[&x], attributes));
        }
        if bins.iter().all(Bins::are_disjoint) {
            let window = || bins.iter().map(|bins| bins.input / bins.output);
            attributes.push(sizes("kernel_shape", window()));
            attributes.push(sizes("strides", window()));
            return Ok(d.add(op, &[&x], attributes));
        }
    }
    // A bin is a product of intervals, so axis after axis can be brought down.
    Ok(match desc.kind {
        AdaptiveKind::Max => binned(d, x, bins, "ReduceMax"),
        AdaptiveKind::Average => binned(d, x, bins, "ReduceMean"),
        AdaptiveKind::Lp(order) => {
            let powers = powers(d, &x, order);
            let sums = binned(d, powers, bins, "ReduceSum");
            root(d, &sums, order)
        }
    })
}

/// Every bin of every axis, sliced and brought down to one element.
fn binned(d: &mut Draft<'_, '_, '_>, mut x: String, bins: &[Bins], op: &str) -> String {
    for (axis, bins) in bins.iter().enumerate() {
        let axis = axis + 2;
        if bins.input == bins.output {
            continue;
        }
        let mut parts = Vec::with_capacity(bins.output);
        for bin in 0..bins.output {
            let sources = bins.sources(bin);
            let range = [axis as i64, sources.start as i64, sources.end as i64, 1];
            let part = d.slice(&x, &[range]);
            parts.push(d.reduce(op, &part, &[axis]));
        }
        x = match parts.len() {
            1 => parts.remove(0),
            _ => d.concat(&parts, axis as i64),
        };
    }
    x
}
