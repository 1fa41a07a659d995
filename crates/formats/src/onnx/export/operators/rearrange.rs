//! Operators that move elements.

use geometry::PadMode;
use graph::RearrangeOp;

use super::attribute::text;
use super::shuffle;
use super::{Draft, ExportError};

pub(super) fn rearrange(
    d: &mut Draft<'_, '_, '_>,
    op: &RearrangeOp,
) -> Result<String, ExportError> {
    let (shape, open) = (d.shape(0), d.is_open(0));
    if let RearrangeOp::Concat { axis } = op {
        return concat(d, *axis);
    }
    let x = d.input(0)?;
    Ok(match op {
        RearrangeOp::Pad { desc, value } => padded(d, x, shape, &desc.amounts, desc.mode, *value),
        RearrangeOp::Slice { desc } => {
            let ranges = desc.ranges.iter();
            let ranges: Vec<_> = ranges
                .map(|range| [range.axis, range.start, range.stop, range.step])
                .collect();
            match ranges.is_empty() {
                true => x,
                false => d.slice(&x, &ranges),
            }
        }
        RearrangeOp::Permute { axes } => d.transpose(&x, axes),
        RearrangeOp::PixelShuffle { desc } => shuffle::widened(d, &x, desc)?,
        RearrangeOp::PixelUnshuffle { desc } => shuffle::deepened(d, &x, desc)?,
        RearrangeOp::ChannelShuffle { groups } => shuffle::channels(d, &x, *groups),
        RearrangeOp::Reshape { shape } => d.reshape(&x, shape, open),
        _ => return d.training(),
    })
}

/// Inputs side by side.
pub(super) fn concat(d: &mut Draft<'_, '_, '_>, axis: i64) -> Result<String, ExportError> {
    let mut parts = Vec::with_capacity(d.inputs());
    for place in 0..d.inputs() {
        parts.push(d.input(place)?);
    }
    Ok(d.concat(&parts, axis))
}

/// A padding of `x`, of this shape; where amounts are negative, elements are taken off first.
pub(super) fn padded(
    d: &mut Draft<'_, '_, '_>,
    mut x: String,
    shape: &[usize],
    amounts: &[(i64, i64)],
    mode: PadMode,
    value: f32,
) -> String {
    let mut kept: Vec<_> = shape.iter().map(|&extent| extent as i64).collect();
    let mut cuts = Vec::new();
    for (axis, (extent, &(before, after))) in kept.iter_mut().zip(amounts).enumerate() {
        if before < 0 || after < 0 {
            let (start, stop) = (-before.min(0), *extent + after.min(0));
            cuts.push([axis as i64, start, stop, 1]);
            *extent = stop - start;
        }
    }
    if !cuts.is_empty() {
        x = d.slice(&x, &cuts);
    }
    let amounts: Vec<_> = amounts.iter().map(|&(b, a)| (b.max(0), a.max(0))).collect();
    if amounts.iter().all(|amount| *amount == (0, 0)) {
        return x;
    }
    match mode {
        PadMode::Constant => d.padded_with(&x, &amounts, value),
        PadMode::Reflect => by_mode(d, &x, &amounts, "reflect"),
        PadMode::Replicate => by_mode(d, &x, &amounts, "edge"),
        PadMode::Circular if d.opset() >= 19 => by_mode(d, &x, &amounts, "wrap"),
        PadMode::Circular => {
            for (axis, &(before, after)) in amounts.iter().enumerate() {
                if (before, after) != (0, 0) {
                    x = wrapped(d, &x, axis, kept[axis], before, after);
                }
            }
            x
        }
    }
}

fn by_mode(d: &mut Draft<'_, '_, '_>, x: &str, amounts: &[(i64, i64)], mode: &str) -> String {
    let amounts = d.pads(amounts);
    d.add("Pad", &[x, &amounts], vec![text("mode", mode)])
}

/// The other end of an axis of `extent` elements, put before and behind it.
fn wrapped(
    d: &mut Draft<'_, '_, '_>,
    x: &str,
    axis: usize,
    extent: i64,
    before: i64,
    after: i64,
) -> String {
    let at = axis as i64;
    let mut parts = Vec::new();
    if before > 0 {
        parts.push(d.slice(x, &[[at, extent - before, extent, 1]]));
    }
    parts.push(x.to_owned());
    if after > 0 {
        parts.push(d.slice(x, &[[at, 0, after, 1]]));
    }
    d.concat(&parts, at)
}

impl Draft<'_, '_, '_> {
    /// Pads as `Pad` lists them: those before every axis, then those behind.
    fn pads(&mut self, amounts: &[(i64, i64)]) -> String {
        let before = amounts.iter().map(|amount| amount.0);
        let after = amounts.iter().map(|amount| amount.1);
        self.ints(&before.chain(after).collect::<Vec<_>>())
    }

    /// `Pad` by one value.
    pub(super) fn padded_with(&mut self, x: &str, amounts: &[(i64, i64)], value: f32) -> String {
        let amounts = self.pads(amounts);
        let value = self.number(value);
        self.add("Pad", &[x, &amounts, &value], vec![])
    }
}
