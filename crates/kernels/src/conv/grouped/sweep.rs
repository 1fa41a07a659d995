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
use crate::simd::{Vector, Work};
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
    let image = image * plan.rows.source * plan.columns.source * from;
    let row = Row {
        plan,
        source: source[image..].as_ptr(),
        packed: packed.as_ptr(),
        taps: plan.rows.at(row),
        from,
        to,
        by_block: plan.block_weights(),
        finish: epilogue.into(),
        target: target.as_mut_ptr(),
        start: task * plan.columns.target * to,
        is_far: source.len() >= FAR,
        streams: plan.streams(target, V::LANES),
    };
    // A family of fewer registers has no slide (`GroupedPlan::new`): this spares the compiler its shapes.
    match &plan.slide {
        Some(slide) => {
            if V::HOLDS_16 {
                // SAFETY: a plan has a slide only of its own.
                unsafe { slide.run::<V>(&row) };
            }
        }
        // SAFETY: the contract of this function.
        None => unsafe { row.runs::<V>() },
    }
    if row.streams {
        // SAFETY: V's instructions exist.
        unsafe { V::fence() };
    }
}

/// One row of target pixels, and what all its tiles need.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) plan: &'a GroupedPlan,
    /// The image.
    pub(super) source: *const f32,
    pub(super) packed: *const f32,
    /// The rows of taps that reach it, and the source rows that they read.
    pub(super) taps: &'a [(usize, usize)],
    /// Channels of a source pixel and of a target.
    pub(super) from: usize,
    to: usize,
    /// From the weights of a block to those of the next.
    pub(super) by_block: usize,
    finish: Finish,
    target: *mut f32,
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
        let plan = self.plan;
        let by_tap = plan.lanes.source * V::LANES;
        for &run in &plan.runs {
            let strip = Strip {
                row: *self,
                run,
                columns: plan.columns.at(run.first),
                by_row: (
                    plan.geometry.windows[2].kernel * by_tap,
                    plan.columns.source * self.from,
                ),
                by_column: (by_tap, self.from),
            };
            // SAFETY: the contract of this function; the lanes are the plan's.
            unsafe {
                if plan.lanes.are_in_place() {
                    strip.tiles::<V, false>();
                } else {
                    strip.tiles::<V, true>();
                }
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
        let last = self.taps.last().filter(|_| self.is_far);
        let Some(&(_, last)) = last else {
            return;
        };
        for row in last + 1 + rows..=last + 2 * rows {
            for column in columns.clone() {
                let pixel = row * self.plan.columns.source + column;
                for v in 0..NV {
                    let element = pixel * self.from + source + v * V::LANES;
                    // SAFETY: the contract of this function.
                    unsafe { V::prefetch(self.source.wrapping_add(element)) }
                }
            }
        }
    }

    /// Writes the sums of `P` pixels by `NV` blocks: of the target `first` of the row, and of those `step` further on each.
    ///
    /// # Safety
    /// `V`'s instructions exist; the pixels are in the row, the blocks in the plan; of more than one all are full.
    #[inline(always)]
    pub(super) unsafe fn finish<V: Vector, const P: usize, const NV: usize>(
        &self,
        mut sums: [[V; NV]; P],
        block: usize,
        first: usize,
        step: usize,
    ) {
        let (target, targets) = self.plan.lanes.targets(block);
        // Addresses are multiples of one number: a list of them the compiler would make in vectors, and take apart again.
        let (start, pitch) = (self.start + first * self.to, step * self.to);
        let to = self.target;
        // SAFETY: the contract of this function.
        unsafe {
            if targets == V::LANES {
                let start = start + target;
                let finish = self.finish.at_channel(target);
                finish.apply(&mut sums, |p| start + p * pitch);
                let to = to.add(start);
                for (p, sums) in sums.iter().enumerate() {
                    for (v, &sum) in sums.iter().enumerate() {
                        let to = to.add(p * pitch + v * V::LANES);
                        match self.streams {
                            true => sum.stream(to),
                            false => sum.store(to),
                        }
                    }
                }
                return;
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let at = target + v * targets;
                    let offset = start + p * pitch + at;
                    self.finish.write(sum, to, offset, at, targets);
                }
            }
        }
    }
}

/// A run of a row. Its tiles are functions of their own: one for all shapes has more numbers than registers, and a frame so
/// large that each of those left over has a cache line to itself.
#[derive(Clone, Copy)]
struct Strip<'a> {
    row: Row<'a>,
    run: Run,
    /// The columns of taps that reach it, and the source pixels that they read.
    columns: &'a [(usize, usize)],
    /// From a row of taps to the next, in the weights and in the source, and from a column to the next.
    by_row: (usize, usize),
    by_column: (usize, usize),
}

impl Strip<'_> {
    /// The run in tiles as large as the registers hold. `PICK` says that lanes read other source
    /// channels than that of their own place.
    ///
    /// # Safety
    /// `V`'s instructions exist; the run is the plan's, and so is `PICK`.
    #[inline(always)]
    unsafe fn tiles<V: Vector, const PICK: bool>(&self) {
        let mut done = 0;
        // SAFETY: no tile has more pixels than are left.
        unsafe {
            if V::HOLDS_32 {
                done = self.tiles_of::<V, 8, 2, PICK>(done);
            }
            done = self.tiles_of::<V, 4, 2, PICK>(done);
            if V::HOLDS_16 {
                done = self.tiles_of::<V, 2, 4, PICK>(done);
            }
            self.tiles_of::<V, 1, 4, PICK>(done);
        }
    }

    /// What is left of the run from pixel `done` on, as far as tiles of `P` go; returns how far that is.
    ///
    /// # Safety
    /// As [`Self::tiles`].
    #[inline(always)]
    unsafe fn tiles_of<V: Vector, const P: usize, const NV: usize, const PICK: bool>(
        &self,
        done: usize,
    ) -> usize {
        let end = done + (self.run.count - done) / P * P;
        if end > done {
            // SAFETY: the contract of this function; so many tiles are left.
            unsafe { V::apart(&Tiles::<P, NV, PICK>(self, done, end)) };
        }
        end
    }

    /// Pixels `done .. done + P` of the run, all channels, `NV` blocks at a time.
    ///
    /// # Safety
    /// The run has that many pixels left.
    #[inline(always)]
    unsafe fn tile<V: Vector, const P: usize, const NV: usize, const PICK: bool>(
        &self,
        done: usize,
    ) {
        let lanes = &self.row.plan.lanes;
        let mut block = 0;
        // SAFETY: blocks stay below their number.
        unsafe {
            while block + NV <= lanes.full_blocks() {
                self.block::<V, P, NV, PICK>(done, block);
                block += NV;
            }
            while block < lanes.blocks {
                self.block::<V, P, 1, PICK>(done, block);
                block += 1;
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
        done: usize,
        block: usize,
    ) {
        let Self { row, run, .. } = self;
        let lanes = &row.plan.lanes;
        let (source, sources) = lanes.sources(block);
        // A pixel is seen as often as a group has source channels, and as it is where each lane has its own.
        let picks = lanes.picks();
        let picks = if PICK { picks } else { &picks[..1] };
        let pitch = run.shift * self.by_column.1;
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
            let x = row.source.wrapping_add(done * pitch + source);
            let w = row.packed.add(block * row.by_block);
            let mut sums = [[V::zero(); NV]; P];
            for &(tap, from) in row.taps {
                let (w, x) = (
                    w.add(tap * self.by_row.0),
                    x.wrapping_add(from * self.by_row.1),
                );
                for &(tap, from) in self.columns {
                    let (w, x) = (
                        w.add(tap * self.by_column.0),
                        x.wrapping_add(from * self.by_column.1),
                    );
                    for (view, pick) in picks.iter().enumerate() {
                        for v in 0..NV {
                            let weight = V::load(w.add(v * row.by_block + view * V::LANES));
                            for (p, sums) in sums.iter_mut().enumerate() {
                                let x: V = load(x.wrapping_add(p * pitch + v * step));
                                let x = match PICK {
                                    true => x.pick(pick),
                                    false => x,
                                };
                                sums[v] = x.mul_add(weight, sums[v]);
                            }
                        }
                    }
                }
            }
            let reached = self.columns.first();
            if let Some((_, first)) = reached.filter(|_| !PICK) {
                let first = first + done * run.shift;
                row.prefetch_below::<V, NV>(run.shift, first..first + P * run.shift, source);
            }
            row.finish::<V, P, NV>(sums, block, run.first + done * run.step, run.step);
        }
    }
}

/// Tiles of `P` pixels of a strip, from a pixel to another.
struct Tiles<'a, const P: usize, const NV: usize, const PICK: bool>(&'a Strip<'a>, usize, usize);

impl<const P: usize, const NV: usize, const PICK: bool> Work for Tiles<'_, P, NV, PICK> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        // Copied, so that no sum that is stored can have changed them.
        let (strip, first, end) = (*self.0, self.1, self.2);
        for done in (first..end).step_by(P) {
            // SAFETY: the contract of `Strip::tiles`.
            unsafe { strip.tile::<V, P, NV, PICK>(done) };
        }
    }
}
