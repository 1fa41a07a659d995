//! One row of target pixels, forward or backward-data.
//!
//! A multiply-add wants two operands from memory, a source pixel's channels and a tap's weights, and
//! the processor loads two vectors while it could do two multiply-adds: alone that halves the speed.
//! So a [`Tile`] holds the sums of several pixels of a [`Run`] at once. A weight is loaded once for
//! all of them, and there are enough independent sums to hide the latency of a multiply-add.

use std::ops::Range;

use super::{GroupedPlan, Run};
use crate::conv::Epilogue;
use crate::conv::finish::Finish;
use crate::shared::Shared;
use crate::simd::Vector;
use crate::stream::{FAR, streams};

/// Computes row `task % rows` of image `task / rows`.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task writes this row.
#[inline(always)]
pub(super) unsafe fn row<V: Vector>(
    plan: &GroupedPlan,
    source: &[f32],
    packed: &[f32],
    epilogue: Epilogue<'_>,
    target: Shared<'_>,
    task: usize,
) {
    let (from, to) = plan.channels();
    let (image, row) = (task / plan.rows.target, task % plan.rows.target);
    let row = Row {
        plan,
        source: &source[image * plan.rows.source * plan.columns.source * from..],
        packed,
        row,
        finish: epilogue.into(),
        target,
        start: task * plan.columns.target * to,
        is_far: source.len() >= FAR,
        streams: plan.streams(target, V::LANES),
    };
    if let Some(slide) = &plan.slide {
        // SAFETY: a plan has a slide only of its own.
        unsafe { slide.run::<V>(&row) };
    } else {
        // SAFETY: the contract of this function.
        unsafe { row.runs::<V>() };
    }
    if row.streams {
        // SAFETY: V's instructions exist.
        unsafe { V::fence() };
    }
}

/// One row of target pixels.
pub(super) struct Row<'a> {
    pub(super) plan: &'a GroupedPlan,
    /// The image.
    pub(super) source: &'a [f32],
    pub(super) packed: &'a [f32],
    pub(super) row: usize,
    finish: Finish,
    target: Shared<'a>,
    /// The row's first element of the target.
    start: usize,
    /// The source is read from memory.
    is_far: bool,
    /// The target is written past the caches.
    streams: bool,
}

impl GroupedPlan {
    /// Whether a target is written past the caches.
    fn streams(&self, target: Shared<'_>, lanes: usize) -> bool {
        let (_, channels) = self.channels();
        let pixels = self.geometry.batch * self.rows.target * self.columns.target;
        streams(target.as_mut_ptr(), pixels * channels, channels, lanes)
    }
}

impl Row<'_> {
    /// All runs of the row.
    ///
    /// # Safety
    /// As [`row`].
    #[inline(always)]
    unsafe fn runs<V: Vector>(&self) {
        for run in &self.plan.runs {
            // SAFETY: the tiles stay within the run, which stays within the row; the lanes are the plan's.
            unsafe {
                if self.plan.lanes.are_in_place() {
                    self.run::<V, false>(run);
                } else {
                    self.run::<V, true>(run);
                }
            }
        }
    }

    /// A run, in tiles as large as the registers hold. `PICK` says that lanes read other source
    /// channels than that of their own place.
    ///
    /// # Safety
    /// The run is the plan's, and so is `PICK`.
    #[inline(always)]
    unsafe fn run<V: Vector, const PICK: bool>(&self, run: &Run) {
        let mut done = 0;
        // SAFETY: no tile has more pixels than are left.
        unsafe {
            while V::REGISTERS >= 32 && run.count - done >= 8 {
                self.tile::<V, 8, 2, PICK>(run, done);
                done += 8;
            }
            while run.count - done >= 4 {
                self.tile::<V, 4, 2, PICK>(run, done);
                done += 4;
            }
            while run.count - done >= 2 {
                self.tile::<V, 2, 4, PICK>(run, done);
                done += 2;
            }
            while run.count > done {
                self.tile::<V, 1, 4, PICK>(run, done);
                done += 1;
            }
        }
    }

    /// Pixels `done .. done + P` of a run, all channels, `NV` blocks at a time.
    ///
    /// # Safety
    /// The run has that many pixels left.
    #[inline(always)]
    unsafe fn tile<V: Vector, const P: usize, const NV: usize, const PICK: bool>(
        &self,
        run: &Run,
        done: usize,
    ) {
        let lanes = &self.plan.lanes;
        let tile = Tile { run, done };
        let mut block = 0;
        // SAFETY: blocks stay below their number.
        unsafe {
            while block + NV <= lanes.full_blocks() {
                self.block::<V, P, NV, PICK>(tile, block);
                block += NV;
            }
            while block < lanes.blocks {
                self.block::<V, P, 1, PICK>(tile, block);
                block += 1;
            }
        }
    }

    /// Asks for what the row of targets after the next reads of a source in memory and the next does not: `rows` under these
    /// columns, `NV` vectors from the channel `source` on. Rows end where the processor's own foresight ends too.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    pub(super) unsafe fn prefetch_below<V: Vector, const NV: usize>(
        &self,
        rows: usize,
        columns: Range<usize>,
        source: usize,
    ) {
        let plan = self.plan;
        let (channels, _) = plan.channels();
        let last = plan.rows.at(self.row).last();
        let Some(&(_, last)) = last.filter(|_| self.is_far) else {
            return;
        };
        for row in last + 1 + rows..=last + 2 * rows {
            for column in columns.clone() {
                let pixel = row * plan.columns.source + column;
                for v in 0..NV {
                    let element = pixel * channels + source + v * V::LANES;
                    // SAFETY: the contract of this function.
                    unsafe { V::prefetch(self.source.as_ptr().wrapping_add(element)) }
                }
            }
        }
    }

    /// `P` pixels × `NV` blocks of lanes.
    ///
    /// # Safety
    /// The pixels are in the run, the blocks in the plan; of more than one all are full.
    #[inline(always)]
    unsafe fn block<V: Vector, const P: usize, const NV: usize, const PICK: bool>(
        &self,
        tile: Tile<'_>,
        block: usize,
    ) {
        let plan = self.plan;
        let (from, _) = plan.channels();
        let (source, sources) = plan.lanes.sources(block);
        let views = if PICK { plan.lanes.source } else { 1 };
        let pitch = tile.run.shift * from;
        let block_weights = plan.block_weights();
        // From a block's channels to the next one's: a number known here keeps addresses simple.
        let step = if PICK { sources } else { V::LANES };
        // SAFETY: the contract of this function.
        unsafe {
            let load = |from: *const f32| {
                // Full blocks of a depthwise convolution are full vectors.
                if (NV > 1 && !PICK) || sources == V::LANES {
                    V::load(from)
                } else {
                    V::load_partial(from, sources)
                }
            };
            let mut sums = [[V::zero(); NV]; P];
            for &(tap_row, source_row) in plan.rows.at(self.row) {
                for &(tap_column, source_column) in plan.columns.at(tile.run.first) {
                    let column = source_column + tile.done * tile.run.shift;
                    let pixel = source_row * plan.columns.source + column;
                    let tap = tap_row * plan.geometry.windows[2].kernel + tap_column;
                    let x = self.source.as_ptr().add(pixel * from + source);
                    let w = self.packed.as_ptr();
                    let w = w.add(block * block_weights + tap * views * V::LANES);
                    for view in 0..views {
                        for v in 0..NV {
                            let weight = V::load(w.add(v * block_weights + view * V::LANES));
                            for (p, sums) in sums.iter_mut().enumerate() {
                                let x: V = load(x.add(p * pitch + v * step));
                                let x = if PICK {
                                    x.pick(plan.lanes.pick(view))
                                } else {
                                    x
                                };
                                sums[v] = x.mul_add(weight, sums[v]);
                            }
                        }
                    }
                }
            }
            let reached = plan.columns.at(tile.run.first).first();
            if let Some((_, first)) = reached.filter(|_| !PICK) {
                let shift = tile.run.shift;
                let first = first + tile.done * shift;
                self.prefetch_below::<V, NV>(shift, first..first + P * shift, source);
            }
            let column = |p: usize| tile.run.first + (tile.done + p) * tile.run.step;
            self.finish::<V, P, NV>(sums, block, column);
        }
    }

    /// Writes the sums of `P` pixels by `NV` blocks, where `column` tells the pixels.
    ///
    /// # Safety
    /// `V`'s instructions exist; the pixels are in the row, the blocks in the plan; of more than one all are full.
    #[inline(always)]
    pub(super) unsafe fn finish<V: Vector, const P: usize, const NV: usize>(
        &self,
        mut sums: [[V; NV]; P],
        block: usize,
        column: impl Fn(usize) -> usize,
    ) {
        let (_, channels) = self.plan.channels();
        let (target, targets) = self.plan.lanes.targets(block);
        let offset = |p: usize| self.start + column(p) * channels;
        let to = self.target.as_mut_ptr();
        // SAFETY: the contract of this function.
        unsafe {
            if targets == V::LANES {
                let offsets: [usize; P] = std::array::from_fn(|p| offset(p) + target);
                self.finish.at_channel(target).apply(&mut sums, &offsets);
                for (sums, &offset) in sums.iter().zip(&offsets) {
                    for (v, &sum) in sums.iter().enumerate() {
                        let to = to.add(offset + v * V::LANES);
                        match self.streams {
                            true => sum.stream(to),
                            false => sum.store(to),
                        }
                    }
                }
                return;
            }
            for (p, sums) in sums.into_iter().enumerate() {
                let offset = offset(p);
                for (v, sum) in sums.into_iter().enumerate() {
                    let at = target + v * targets;
                    self.finish.write(sum, to, offset + at, at, targets);
                }
            }
        }
    }
}

/// Pixels of a run from number `done` on.
#[derive(Clone, Copy)]
struct Tile<'a> {
    run: &'a Run,
    done: usize,
}
