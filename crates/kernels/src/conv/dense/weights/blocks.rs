//! The source of a unit in blocks of channels.
//!
//! A tile reads a few channels of every pixel. In a strip, all channels of a pixel lie between one pixel and the
//! next, often a power of two of them, so that what a tile reads falls on a few sets of the
//! first-level cache and evicts itself. So its rows are rewritten, block by block of as many
//! channels as a tile has rows: `[block, row, column, channel]`. All taps read the same blocks, each from
//! its own first pixel on, and a tile walks through memory without a gap.

use std::ops::Range;

use super::rows::pieces;
use crate::Isa;
use crate::conv::dense::cut::{Block, Cut};
use crate::conv::dense::walk::{AxisWalk, Walk};

/// Pixels of which a block is written at once: whole lines of most. Each is read from its first channel to its last, which the
/// processor foresees; more of them, often a multiple of 4 KiB apart, would evict each other.
const SIDE_BY_SIDE: usize = 4;

/// Neighbouring channels of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelBlock {
    /// First channel within the group.
    pub(super) channel: usize,
    /// How many.
    pub(super) count: usize,
    /// Where the group's block starts, in elements.
    pub(super) start: usize,
}

/// How the source of a unit is blocked.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// The blocks of a group.
    pub(super) blocks: Vec<ChannelBlock>,
    /// Channels of a group under one tap.
    pub(super) channels: usize,
    /// Blocked pixels from what a position reads to what the positions below and beside it read.
    pub(super) steps: (usize, usize),
    /// Blocked pixels from what the first tap reads to what each reads.
    pub(super) shifts: Vec<usize>,
    rows: Axis,
    columns: Axis,
    groups: usize,
    /// Blocked pixels of a whole unit.
    pixels: usize,
    /// Elements between pixels of what is blocked.
    pixel: usize,
}

/// The blocked pixels along an axis.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// Blocked pixels between neighbouring positions.
    step: usize,
    /// Pixels of the strip from one that is blocked to the next.
    stride: usize,
    /// More blocked pixels than positions times steps.
    overlap: usize,
}

impl Axis {
    /// Where there is a single tap, only what it reads is blocked.
    fn new(axis: &AxisWalk) -> Self {
        match axis.taps.len() {
            1 => Self {
                step: 1,
                stride: axis.source_step,
                overlap: 0,
            },
            _ => Self {
                step: axis.source_step,
                stride: 1,
                overlap: axis.span(0, 1).1,
            },
        }
    }

    /// Blocked pixels that so many positions read.
    fn extent(self, positions: usize) -> usize {
        match (self.overlap, positions) {
            (0, _) | (_, 0) => positions,
            _ => (positions - 1) * self.step + self.overlap,
        }
    }
}

impl Blocks {
    /// Blocks for tiles `wide` vectors wide, of units that are blocks of `cut`.
    pub(super) fn new(walk: &Walk, cut: &Cut, isa: Isa, wide: usize) -> Self {
        let per_group = walk.source_channels_per_group();
        let plain = Axis {
            step: 1,
            stride: 1,
            overlap: 0,
        };
        let (rows, columns, channels) = match cut.is_matrix() {
            // What a pixel reads lies in its row of the matrix, tap after tap.
            true => (plain, plain, walk.taps() * per_group),
            false => (Axis::new(&walk.rows), Axis::new(&walk.columns), per_group),
        };
        let (height, width) = cut.size();
        let width = columns.extent(width);
        let pixels = rows.extent(height) * width;
        let offsets = |axis: &AxisWalk| -> Vec<usize> {
            let first = axis.taps.first().map_or(0, |tap| tap.offset);
            let from_first = axis.taps.iter().map(|tap| (tap.offset - first) as usize);
            from_first.collect()
        };
        let shifts = match cut.is_matrix() {
            true => vec![0],
            false => (offsets(&walk.rows).into_iter())
                .flat_map(|row| {
                    let columns = offsets(&walk.columns).into_iter();
                    columns.map(move |column| row * width + column)
                })
                .collect(),
        };
        let blocks = pieces(isa, wide, channels).map(|(channel, count)| ChannelBlock {
            channel,
            count,
            start: channel * pixels,
        });
        Self {
            blocks: blocks.collect(),
            channels,
            steps: (rows.step * width, columns.step),
            shifts,
            rows,
            columns,
            groups: walk.groups,
            pixels,
            pixel: cut.steps().1,
        }
    }

    /// Elements of the blocks of a group.
    pub(super) fn group_len(&self) -> usize {
        self.channels * self.pixels
    }

    /// Elements of all blocks.
    pub(super) fn len(&self) -> usize {
        self.groups * self.group_len()
    }

    /// Blocks what a unit reads, some blocks of some groups. `source` points at the first pixel of a row of
    /// the strip, or of the matrix.
    ///
    /// # Safety
    /// All that the positions of `unit` read of that row is readable until the next is asked for; `to` is writable for
    /// [`Blocks::len`] elements.
    #[inline(always)]
    pub(super) unsafe fn pack(
        &self,
        mut source: impl FnMut(usize) -> *const f32,
        unit: Block,
        (groups, blocks): (Range<usize>, Range<usize>),
        to: *mut f32,
    ) {
        let (height, width) = (
            self.rows.extent(unit.height()),
            self.columns.extent(unit.width()),
        );
        let by_column = self.columns.stride * self.pixel;
        let row_len = self.steps.0 / self.rows.step;
        for row in 0..height {
            let source = source(row * self.rows.stride);
            for first in (0..width).step_by(SIDE_BY_SIDE) {
                let pixels = SIDE_BY_SIDE.min(width - first);
                let source = source.wrapping_add(first * by_column);
                for group in groups.clone() {
                    for block in &self.blocks[blocks.clone()] {
                        let start = group * self.group_len()
                            + block.start
                            + (row * row_len + first) * block.count;
                        let from = source.wrapping_add(group * self.channels + block.channel);
                        // SAFETY: the contract of this function. Of known length, a copy is a few instructions.
                        unsafe {
                            let to = to.add(start);
                            match block.count {
                                24 => copy::<24>(from, by_column, pixels, to),
                                16 => copy::<16>(from, by_column, pixels, to),
                                12 => copy::<12>(from, by_column, pixels, to),
                                9 => copy::<9>(from, by_column, pixels, to),
                                8 => copy::<8>(from, by_column, pixels, to),
                                6 => copy::<6>(from, by_column, pixels, to),
                                4 => copy::<4>(from, by_column, pixels, to),
                                3 => copy::<3>(from, by_column, pixels, to),
                                1 => copy::<1>(from, by_column, pixels, to),
                                _ => unreachable!("tiles of so many rows"),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Copies `N` elements of every pixel side by side.
///
/// # Safety
/// They are readable, and `to` is writable for all of them.
#[inline(always)]
unsafe fn copy<const N: usize>(mut from: *const f32, step: usize, pixels: usize, mut to: *mut f32) {
    for _ in 0..pixels {
        // SAFETY: the contract of this function.
        unsafe {
            from.copy_to_nonoverlapping(to, N);
            to = to.add(N);
        }
        from = from.wrapping_add(step);
    }
}
