//! One panel of channels over the pixels of a task, tile by tile.

use super::chunk::Chunk;
use super::panels::Panel;
use super::slide::{Source, pixels, slide};
use super::sweep::{Operands, Sweep};
use super::tile::{OfShape, Part, Target, Weights, tile};
use crate::conv::finish::Finish;
use crate::simd::Vector;

/// The pixels of a task: a block of rows and columns, and where they lie in source and target.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    pub(super) columns: usize,
    pub(super) count: usize,
    pub(super) source_by_row: usize,
    pub(super) source_by_column: usize,
    pub(super) target_origin: usize,
    pub(super) target_by_row: usize,
    pub(super) target_by_column: usize,
}

impl Pixels {
    /// Elements from past the end of a row to the start of the next, which may lie before.
    #[inline(always)]
    fn source_to_next_row(&self) -> usize {
        self.source_by_row
            .wrapping_sub(self.columns * self.source_by_column)
    }
}

/// What a task's target offsets count from.
#[derive(Clone, Copy)]
pub(super) struct Bases {
    pub(super) target: *mut f32,
    pub(super) residual: *const f32,
}

/// One panel over the pixels of a task.
pub(super) struct Pass<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) operands: Operands<'a>,
    pub(super) bases: Bases,
    pub(super) origin: *const f32,
    pub(super) group: usize,
    pub(super) panel: Panel,
    pub(super) chunk: &'a Chunk,
    /// The panel's weights for the chunk, and those to come.
    pub(super) weights: *const f32,
    pub(super) next: *const f32,
    pub(super) pixels: Pixels,
    pub(super) part: Part,
    /// What the next block reads, where it is asked for.
    pub(super) ahead: Option<*const f32>,
}

impl OfShape for Pass<'_> {
    /// # Safety
    /// As [`Pass::tiles`].
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self) {
        // SAFETY: as this function's.
        unsafe { self.tiles::<V, MR, HALF, NV, false>() }
    }
}

/// A pass over a chunk of sums that have several.
pub(super) struct InParts<'a>(pub(super) Pass<'a>);

impl OfShape for InParts<'_> {
    /// # Safety
    /// As [`Pass::tiles`].
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self) {
        // SAFETY: as this function's.
        unsafe { self.0.tiles::<V, MR, HALF, NV, true>() }
    }
}

impl Pass<'_> {
    /// Cuts the pixels into tiles of `MR`, and of `HALF` for a short rest. The last tile is moved
    /// back to end with the pixels: writing a pixel twice is cheaper than a tile for every rest.
    ///
    /// # Safety
    /// `V`'s instructions exist; the operands have the plan's lengths.
    #[inline(always)]
    unsafe fn tiles<
        V: Vector,
        const MR: usize,
        const HALF: usize,
        const NV: usize,
        const PARTS: bool,
    >(
        &self,
    ) {
        let slides = NV == 1 && !PARTS && self.sweep.slides;
        if let Some(pixels) = pixels::<V>(self.pixels.columns).filter(|_| slides) {
            // SAFETY: as this function's; the pixels are those of a block's rows.
            return unsafe {
                match pixels {
                    16 => self.slides::<V, 16>(),
                    14 => self.slides::<V, 14>(),
                    8 => self.slides::<V, 8>(),
                    _ => self.slides::<V, 7>(),
                }
            };
        }
        let mut at = 0;
        while at < self.pixels.count {
            let rest = self.pixels.count - at;
            // SAFETY: as this function's.
            unsafe {
                if rest > HALF {
                    self.tile::<V, MR, NV, PARTS>(at.min(self.pixels.count.saturating_sub(MR)), at);
                    at += MR;
                } else {
                    self.tile::<V, HALF, NV, PARTS>(
                        at.min(self.pixels.count.saturating_sub(HALF)),
                        at,
                    );
                    at += HALF;
                }
            }
        }
    }

    /// Where the panel's sums go, and what becomes of them on the way, from the first pixel's on.
    #[inline(always)]
    fn ends<V: Vector, const NV: usize>(&self) -> (Target, Finish) {
        let per_group = self.sweep.walk.target_channels_per_group();
        let first = self.panel.first * self.sweep.panels.lanes;
        let channel = self.group * per_group + first;
        let origin = self.pixels.target_origin + channel;
        let bias = self.operands.bias;
        let residual = match self.bases.residual {
            none if none.is_null() => none,
            residual => residual.wrapping_add(origin),
        };
        let target = Target {
            start: self.bases.target.wrapping_add(origin),
            channels: (per_group - first).min(NV * V::LANES),
            is_late: self.sweep.is_late,
        };
        let finish = Finish {
            bias: bias.map_or(std::ptr::null(), |bias| bias[channel..].as_ptr()),
            residual,
            activation: self.operands.activation,
        };
        (target, finish)
    }

    /// Cuts each row of the pixels into tiles of `P` that a kernel slides over.
    ///
    /// # Safety
    /// As [`Self::tiles`]; rows have at least as many pixels.
    #[inline(always)]
    unsafe fn slides<V: Vector, const P: usize>(&self) {
        let pixels = &self.pixels;
        let (target, finish) = self.ends::<V, 1>();
        for row in 0..pixels.count / pixels.columns {
            for column in (0..pixels.columns).step_by(P) {
                let first = column.min(pixels.columns - P);
                let at = row * pixels.target_by_row + first * pixels.target_by_column;
                let targets = std::array::from_fn(|p| at + p * pixels.target_by_column);
                let start = row * pixels.source_by_row + first * pixels.source_by_column;
                let source = Source {
                    start: self.origin.wrapping_add(start),
                    channels: self.sweep.walk.source_channels,
                    segments: &self.chunk.segments,
                    weights: self.weights,
                    ahead: self.ahead.map(|ahead| {
                        let pixel = row * pixels.columns + first;
                        ahead.wrapping_add(pixel * self.sweep.walk.source_channels)
                    }),
                };
                // SAFETY: as of any tile.
                unsafe { slide::<V, P>(source, &targets, target, finish) }
            }
        }
    }

    /// Where the pixels of a tile lie in source and target that goes over the end of a row, from its first on, which is
    /// in a `column` of it. If there are only so many pixels `left`, the last one stands for the rest.
    #[inline(always)]
    fn places<const MR: usize>(
        &self,
        mut source: *const f32,
        mut target: usize,
        mut column: usize,
        left: usize,
    ) -> ([*const f32; MR], [usize; MR]) {
        let pixels = &self.pixels;
        let (mut sources, mut targets) = ([source; MR], [target; MR]);
        for index in 1..MR {
            if index < left {
                column += 1;
                source = source.wrapping_add(pixels.source_by_column);
                target += pixels.target_by_column;
                if column == pixels.columns {
                    column = 0;
                    source = source.wrapping_add(pixels.source_to_next_row());
                    target =
                        target + pixels.target_by_row - pixels.columns * pixels.target_by_column;
                }
            }
            (sources[index], targets[index]) = (source, target);
        }
        (sources, targets)
    }

    /// The tile from pixel `start` on; the tiles before it have `before` rows.
    #[inline(always)]
    unsafe fn tile<V: Vector, const MR: usize, const NV: usize, const PARTS: bool>(
        &self,
        start: usize,
        before: usize,
    ) {
        let pixels = &self.pixels;
        let (row, column) = (start / pixels.columns, start % pixels.columns);
        let source = row * pixels.source_by_row + column * pixels.source_by_column;
        let source = self.origin.wrapping_add(source);
        let target = row * pixels.target_by_row + column * pixels.target_by_column;
        let (sources, targets) = if column + MR <= pixels.columns {
            // All in one row, as most are.
            (
                std::array::from_fn(|p| source.wrapping_add(p * pixels.source_by_column)),
                std::array::from_fn(|p| target + p * pixels.target_by_column),
            )
        } else {
            self.places(source, target, column, pixels.count - start)
        };
        let (target, finish) = self.ends::<V, NV>();
        // SAFETY: sources lie in the strip, targets in the target tensor, the panel in the packed
        // weights; all by construction of the walk.
        unsafe {
            tile::<V, MR, NV, PARTS>(
                &sources,
                &self.chunk.segments,
                Weights::new::<V, NV>(
                    self.weights,
                    self.next,
                    self.ahead,
                    self.chunk.len,
                    before / MR,
                ),
                &targets,
                target,
                finish,
                Part {
                    sums: self.part.sums.wrapping_add(before * NV * V::LANES),
                    ..self.part
                },
            );
        }
    }
}
