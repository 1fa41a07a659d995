//! Channels turned into pixels and back, and channels mixed between groups.

use geometry::{MAX_RANK, PixelOrder, PixelShuffleDesc, PixelShuffleGeometry};

use super::attribute::{int, text};
use super::{Draft, ExportError};

/// The extent of a block where ONNX has an operator for it: square blocks of images.
fn square(geometry: &PixelShuffleGeometry) -> Option<i64> {
    let [_, down, across] = geometry.factors;
    (geometry.rank == 2 && down == across).then_some(down as i64)
}

/// The axes of a map whose pixels are taken apart: channels, block, coarse pixels.
struct Parts {
    /// Extents with the block's axes beside the channels, and where those and the channels' axis are.
    deep: Vec<usize>,
    block: Vec<usize>,
    channel: usize,
    /// Extents with each of them beside its axis of pixels.
    wide: Vec<usize>,
}

impl Parts {
    fn of(geometry: &PixelShuffleGeometry) -> Self {
        let rank = geometry.rank;
        let factors = &geometry.factors[MAX_RANK - rank..];
        let coarse = &geometry.coarse[MAX_RANK - rank..];
        let channels = [geometry.channels];
        let (front, channel, first) = match geometry.order {
            PixelOrder::ChannelMajor => ([&channels, factors].concat(), 1, 2),
            PixelOrder::BlockMajor => ([factors, &channels].concat(), 1 + rank, 1),
        };
        let pairs = coarse.iter().zip(factors).flat_map(|(&n, &f)| [n, f]);
        Self {
            deep: [&[geometry.batch], &*front, coarse].concat(),
            block: (first..first + rank).collect(),
            channel,
            wide: [geometry.batch, geometry.channels]
                .into_iter()
                .chain(pairs)
                .collect(),
        }
    }

    /// The order of the deep axes in the wide map.
    fn order(&self) -> Vec<usize> {
        let rank = self.block.len();
        let pixels = (0..rank).flat_map(|axis| [2 + rank + axis, self.block[axis]]);
        [0, self.channel].into_iter().chain(pixels).collect()
    }
}

/// `DepthToSpace`
pub(super) fn widened(
    d: &mut Draft<'_, '_, '_>,
    x: &str,
    desc: &PixelShuffleDesc,
) -> Result<String, ExportError> {
    let geometry = d.resolved(desc.resolve_deep(d.shape(0)))?;
    let open = d.is_open(0);
    if let Some(block) = square(&geometry) {
        let mode = match desc.order {
            PixelOrder::ChannelMajor => "CRD",
            PixelOrder::BlockMajor => "DCR",
        };
        let attributes = vec![int("blocksize", block), text("mode", mode)];
        return Ok(d.add("DepthToSpace", &[x], attributes));
    }
    let parts = Parts::of(&geometry);
    let apart = d.reshape(x, &parts.deep, open);
    let turned = d.transpose(&apart, &parts.order());
    Ok(d.reshape(&turned, &geometry.wide_shape(), open))
}

/// `SpaceToDepth`, which numbers by places of the block first.
pub(super) fn deepened(
    d: &mut Draft<'_, '_, '_>,
    x: &str,
    desc: &PixelShuffleDesc,
) -> Result<String, ExportError> {
    let geometry = d.resolved(desc.resolve_wide(d.shape(0)))?;
    let open = d.is_open(0);
    if let Some(block) = square(&geometry).filter(|_| desc.order == PixelOrder::BlockMajor) {
        return Ok(d.add("SpaceToDepth", &[x], vec![int("blocksize", block)]));
    }
    let parts = Parts::of(&geometry);
    let order = parts.order();
    let mut back = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        back[from] = to;
    }
    let apart = d.reshape(x, &parts.wide, open);
    let turned = d.transpose(&apart, &back);
    Ok(d.reshape(&turned, &geometry.deep_shape(), open))
}

/// A channel shuffle: a matrix of groups and their channels, turned round.
pub(super) fn channels(d: &mut Draft<'_, '_, '_>, x: &str, groups: usize) -> String {
    let (shape, open) = (d.shape(0), d.is_open(0));
    let spatial = &shape[2..];
    let matrix = [&[shape[0], groups, shape[1] / groups], spatial].concat();
    let apart = d.reshape(x, &matrix, open);
    let mut axes: Vec<_> = (0..matrix.len()).collect();
    axes.swap(1, 2);
    let turned = d.transpose(&apart, &axes);
    d.reshape(&turned, shape, open)
}
