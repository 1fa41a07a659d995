//! How the rows of the gradient, (tap, channel), are cut into what the registers hold.

use super::blocks::{Blocks, ChannelBlock};
use crate::Isa;
use crate::conv::dense::cut::Cut;
use crate::conv::dense::walk::{Segment, Walk};

/// Neighbouring rows of the gradient, (tap, channel) in the order of the summation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First row.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
    /// Rows before them in the order of the tiles, in which sums are kept.
    pub(super) before: usize,
    /// Place of the source element of the first row under the first position of a unit, in what was
    /// fetched of the unit; those of the other rows follow it.
    pub(super) source: usize,
    /// Elements from there to that of the position below.
    pub(super) by_row: usize,
    /// Elements to that of the position beside.
    pub(super) by_column: usize,
}

/// The rows of a group, where a position's source elements are read in the strip.
pub(super) fn in_strip(walk: &Walk, cut: &Cut, isa: Isa, wide: usize) -> Vec<Rows> {
    let (by_row, by_column) = (cut.by_row(walk), cut.by_column(walk));
    let mut rows = Vec::new();
    let mut first = 0;
    for Segment { offset, len } in cut.segments(walk) {
        rows.extend(pieces(isa, wide, len).map(|(at, count)| Rows {
            first: first + at,
            count,
            before: first + at,
            source: offset + at,
            by_row,
            by_column,
        }));
        first += len;
    }
    rows
}

/// The rows of a group, where a position's source elements are read in blocks of channels: block by block, all taps of
/// each, while it is at hand.
pub(super) fn in_blocks(blocks: &Blocks) -> Vec<Rows> {
    let of_block = |block: &ChannelBlock| {
        let block = *block;
        let each_tap = move |(tap, shift): (usize, &usize)| Rows {
            first: tap * blocks.channels + block.channel,
            count: block.count,
            before: block.channel * blocks.shifts.len() + tap * block.count,
            source: block.start + shift * block.count,
            by_row: blocks.steps.0 * block.count,
            by_column: blocks.steps.1 * block.count,
        };
        blocks.shifts.iter().enumerate().map(each_tap)
    };
    blocks.blocks.iter().flat_map(of_block).collect()
}

/// Cuts `len` rows into tiles of the fewest instructions, tall ones first: the first row of each and how many.
pub(super) fn pieces(isa: Isa, wide: usize, len: usize) -> impl Iterator<Item = (usize, usize)> {
    let heights = heights(isa, wide);
    let tallest = heights[0];
    // Many rows are for the most part tallest tiles. For so many of the rest: the instructions of a pixel, and the tallest tile.
    let certain = len.saturating_sub(tallest * tallest) / tallest * tallest;
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for rows in 1..=len - certain {
        let cuts = heights.iter().filter(|&&height| height <= rows);
        let cost = |height: usize| best[rows - height].0 + instructions(height, wide);
        best.extend(
            cuts.map(|&height| (cost(height), height))
                .min_by_key(|cut| cut.0),
        );
    }
    let mut at = 0;
    std::iter::from_fn(move || {
        let count = match at < certain {
            true => tallest,
            false => best[len - at].1,
        };
        at += count;
        (count > 0).then_some((at - count, count))
    })
}

/// Of a pixel of a tile: its sums, what they are made of, and those that walk on.
fn instructions(height: usize, wide: usize) -> usize {
    height * wide + height + wide + 4
}

/// Vectors of output channels of a tile, dividing them evenly where possible.
pub(in crate::conv) fn tile_width(isa: Isa, vectors: usize) -> usize {
    match vectors {
        _ if isa == Isa::Portable => 1,
        0 | 1 => 1,
        v if v % 2 == 0 => 2,
        v if v % 3 == 0 => 3,
        _ => 2,
    }
}

/// The tiles the registers hold, by their rows, the tallest first. Odd ones are those of kernels over images of three channels.
fn heights(isa: Isa, vectors: usize) -> &'static [usize] {
    match (isa, vectors) {
        (Isa::Avx512, 1) => &[24, 16, 12, 9, 8, 4, 3, 1],
        (Isa::Avx512, 2) => &[12, 9, 8, 4, 3, 1],
        (Isa::Avx512, _) => &[9, 8, 4, 3, 1],
        (Isa::Avx2, 1) => &[12, 9, 8, 4, 3, 1],
        (Isa::Avx2, 2) => &[6, 4, 3, 1],
        _ => &[4, 3, 1],
    }
}
