//! The gradient of grouped weights: for every tap, the products of two feature maps, summed.
//!
//! All taps of a window share a pixel's gradient. So the sums of up to nine of them are held in
//! registers while a run of pixels goes by: one load of the gradient, then a multiply-add a tap
//! straight from the source. The accumulator stays in the first-level cache between runs.

use std::ops::Range;

use super::{GroupedPlan, Run};
use crate::shared::Shared;
use crate::simd::Vector;

/// Sums the images of a partition over some blocks into that part of the accumulator
/// `[partition, block, kernel…, j, lane]`.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task has this part.
#[inline(always)]
pub(super) unsafe fn band<V: Vector>(
    plan: &GroupedPlan,
    x: &[f32],
    dy: &[f32],
    partition: usize,
    blocks: Range<usize>,
    partials: Shared<'_>,
) {
    let g = &plan.geometry;
    let len = plan.block_weights();
    let (from, to) = plan.channels();
    // SAFETY: these blocks of this accumulator are this task's alone.
    let partial = unsafe {
        let first = partition * plan.lanes.blocks + blocks.start;
        partials.slice(first * len, blocks.len() * len)
    };
    partial.fill(0.0);
    let images = g.batch * partition / plan.partitions..g.batch * (partition + 1) / plan.partitions;
    for image in images {
        let x = &x[image * g.input_area() * from..][..g.input_area() * from];
        let dy = &dy[image * g.output_area() * to..][..g.output_area() * to];
        for row in 0..plan.rows.target {
            let dy = &dy[row * plan.columns.target * to..];
            for run in &plan.runs {
                for (block, partial) in blocks.clone().zip(partial.chunks_exact_mut(len)) {
                    let (source, sources) = plan.lanes.sources(block);
                    let (target, targets) = plan.lanes.targets(block);
                    let block = Block {
                        plan,
                        x: x[source..].as_ptr(),
                        sources,
                        dy: dy[target..].as_ptr(),
                        targets,
                        partial: partial.as_mut_ptr(),
                    };
                    // SAFETY: so many channels are left in every pixel on both sides.
                    unsafe {
                        if plan.lanes.are_in_place() {
                            block.run::<V, false>(row, run, 0);
                        } else {
                            for view in 0..plan.lanes.source {
                                block.run::<V, true>(row, run, view);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The channels of one block, of one row of pixels.
struct Block<'a> {
    plan: &'a GroupedPlan,
    /// The image, from the block's first source channel.
    x: *const f32,
    sources: usize,
    /// The row of the gradient, from the block's first channel.
    dy: *const f32,
    targets: usize,
    partial: *mut f32,
}

/// Taps that are summed at once.
const MOST: usize = 9;

impl Block<'_> {
    /// All taps of a run of pixels, for source channel `view` of every group. `PICK` says that lanes
    /// read other source channels than that of their own place.
    ///
    /// # Safety
    /// The row, the run and `PICK` are the plan's; the channels exist.
    #[inline(always)]
    unsafe fn run<V: Vector, const PICK: bool>(&self, row: usize, run: &Run, view: usize) {
        let plan = self.plan;
        let (from, _) = plan.channels();
        let width = plan.geometry.windows[2].kernel;
        // Where each tap's sum lies, and the first pixel it multiplies.
        let mut taps = [(std::ptr::null_mut(), std::ptr::null()); MOST];
        let mut filled = 0;
        for &(tap_row, source_row) in plan.rows.at(row) {
            for &(tap_column, source_column) in plan.columns.at(run.first) {
                let pixel = source_row * plan.columns.source + source_column;
                let tap = tap_row * width + tap_column;
                // SAFETY: taps and pixels are in range by the plan's lists.
                taps[filled] = unsafe {
                    let place = (tap * plan.lanes.source + view) * V::LANES;
                    (self.partial.add(place), self.x.add(pixel * from))
                };
                filled += 1;
                if filled == MOST {
                    // SAFETY: as above.
                    unsafe { self.taps::<V, MOST, PICK>(&taps, run, view) };
                    filled = 0;
                }
            }
        }
        let mut rest = &taps[..filled];
        // SAFETY: as above; each call is given as many taps as it sums.
        unsafe {
            while rest.len() >= 4 {
                self.taps::<V, 4, PICK>(rest, run, view);
                rest = &rest[4..];
            }
            while rest.len() >= 2 {
                self.taps::<V, 2, PICK>(rest, run, view);
                rest = &rest[2..];
            }
            if !rest.is_empty() {
                self.taps::<V, 1, PICK>(rest, run, view);
            }
        }
    }

    /// The first `N` taps of a run of pixels.
    ///
    /// # Safety
    /// There are that many, and their pointers are good for the whole run.
    #[inline(always)]
    unsafe fn taps<V: Vector, const N: usize, const PICK: bool>(
        &self,
        taps: &[(*mut f32, *const f32)],
        run: &Run,
        view: usize,
    ) {
        let plan = self.plan;
        let (from, to) = plan.channels();
        let pitch = run.shift * from;
        // SAFETY: the contract of this function.
        unsafe {
            let load = |from: *const f32, count: usize| -> V {
                if count == V::LANES {
                    V::load(from)
                } else {
                    V::load_partial(from, count)
                }
            };
            let taps: &[(*mut f32, *const f32); N] = &*taps.as_ptr().cast();
            let mut sums = [V::zero(); N];
            for (sum, (at, _)) in sums.iter_mut().zip(taps) {
                *sum = V::load(*at);
            }
            for p in 0..run.count {
                let gradient = load(self.dy.add((run.first + p) * to), self.targets);
                for (sum, (_, x)) in sums.iter_mut().zip(taps) {
                    let x = load(x.add(p * pitch), self.sources);
                    let x = if PICK {
                        x.pick(plan.lanes.pick(view))
                    } else {
                        x
                    };
                    *sum = x.mul_add(gradient, *sum);
                }
            }
            for (sum, (at, _)) in sums.into_iter().zip(taps) {
                sum.store(*at);
            }
        }
    }
}
