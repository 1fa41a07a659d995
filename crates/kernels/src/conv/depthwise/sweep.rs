//! One row of target pixels, forward or backward-data.
//!
//! A multiply-add wants two operands from memory, a source pixel's channels and a tap's weights, and
//! the processor loads two vectors while it could do two multiply-adds: alone that halves the speed.
//! So a [`Tile`] holds the sums of several pixels of a [`Run`] at once. A weight is loaded once for
//! all of them, and there are enough independent sums to hide the latency of a multiply-add.

use super::{DepthwisePlan, Run};
use crate::conv::Epilogue;
use crate::conv::finish::Finish;
use crate::shared::Shared;
use crate::simd::Vector;

/// Computes row `task % rows` of image `task / rows`.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task writes this row.
#[inline(always)]
pub(super) unsafe fn row<V: Vector>(
    plan: &DepthwisePlan,
    source: &[f32],
    packed: &[f32],
    epilogue: Epilogue<'_>,
    target: Shared<'_>,
    task: usize,
) {
    let channels = plan.geometry.in_channels;
    let (image, row) = (task / plan.rows.target, task % plan.rows.target);
    let row = Row {
        plan,
        source: &source[image * plan.rows.source * plan.columns.source * channels..],
        packed,
        row,
        finish: Finish {
            bias: epilogue.bias.map_or(std::ptr::null(), <[f32]>::as_ptr),
            residual: epilogue.residual.map_or(std::ptr::null(), <[f32]>::as_ptr),
            activation: epilogue.activation,
        },
        target,
        start: task * plan.columns.target * channels,
    };
    for run in &plan.runs {
        let mut done = 0;
        // SAFETY: the tiles stay within the run, which stays within the row.
        unsafe {
            while V::REGISTERS >= 32 && run.count - done >= 8 {
                row.tile::<V, 8, 2>(run, done);
                done += 8;
            }
            while run.count - done >= 4 {
                row.tile::<V, 4, 2>(run, done);
                done += 4;
            }
            while run.count - done >= 2 {
                row.tile::<V, 2, 4>(run, done);
                done += 2;
            }
            while run.count > done {
                row.tile::<V, 1, 4>(run, done);
                done += 1;
            }
        }
    }
}

/// One row of target pixels.
struct Row<'a> {
    plan: &'a DepthwisePlan,
    /// The image.
    source: &'a [f32],
    packed: &'a [f32],
    row: usize,
    finish: Finish,
    target: Shared<'a>,
    /// The row's first element of the target.
    start: usize,
}

impl Row<'_> {
    /// Pixels `done .. done + P` of a run, all channels, `NV` vectors at a time.
    ///
    /// # Safety
    /// The run has that many pixels left.
    #[inline(always)]
    unsafe fn tile<V: Vector, const P: usize, const NV: usize>(&self, run: &Run, done: usize) {
        let channels = self.plan.geometry.in_channels;
        let tile = Tile { run, done };
        let mut channel = 0;
        // SAFETY: channels stay below the channel count, so reads and writes stay in their pixels.
        unsafe {
            while channel < channels {
                let left = channels - channel;
                if left >= NV * V::LANES {
                    self.block::<V, P, NV>(tile, channel, V::LANES);
                    channel += NV * V::LANES;
                } else {
                    self.block::<V, P, 1>(tile, channel, left.min(V::LANES));
                    channel += left.min(V::LANES);
                }
            }
        }
    }

    /// `P` pixels × `NV` vectors of channels; `count` channels of the last vector.
    ///
    /// # Safety
    /// The pixels are in the run, the channels in the pixels.
    #[inline(always)]
    unsafe fn block<V: Vector, const P: usize, const NV: usize>(
        &self,
        tile: Tile<'_>,
        channel: usize,
        count: usize,
    ) {
        let plan = self.plan;
        let channels = plan.geometry.in_channels;
        let pitch = tile.run.shift * channels;
        // SAFETY: the contract of this function.
        unsafe {
            let load = |from: *const f32| {
                if NV > 1 || count == V::LANES {
                    V::load(from)
                } else {
                    V::load_partial(from, count)
                }
            };
            let mut sums = [[V::zero(); NV]; P];
            for &(tap_row, source_row) in plan.rows.at(self.row) {
                for &(tap_column, source_column) in plan.columns.at(tile.run.first) {
                    let column = source_column + tile.done * tile.run.shift;
                    let pixel = source_row * plan.columns.source + column;
                    let tap = tap_row * plan.geometry.windows[2].kernel + tap_column;
                    let x = self.source.as_ptr().add(pixel * channels + channel);
                    let w = self.packed.as_ptr().add(tap * channels + channel);
                    for v in 0..NV {
                        let weight: V = load(w.add(v * V::LANES));
                        for (p, sums) in sums.iter_mut().enumerate() {
                            let x = load(x.add(p * pitch + v * V::LANES));
                            sums[v] = x.mul_add(weight, sums[v]);
                        }
                    }
                }
            }
            for (p, sums) in sums.into_iter().enumerate() {
                let pixel = tile.run.first + (tile.done + p) * tile.run.step;
                let offset = self.start + pixel * channels;
                for (v, sum) in sums.into_iter().enumerate() {
                    let at = channel + v * V::LANES;
                    let to = self.target.as_mut_ptr();
                    self.finish.write(sum, to, offset + at, at, count);
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
