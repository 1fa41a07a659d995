//! One row of output pixels, forward or backward-data.

use super::DepthwisePlan;
use crate::conv::Epilogue;
use crate::conv::finish::Finish;
use crate::shared::Shared;
use crate::simd::Vector;

/// Computes row `task % rows` of image `task / rows`.
///
/// Four vectors of channels at a time: enough independent sums to hide the latency of a
/// multiply-add, and enough work to pay for finding a tap's addresses.
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
    let source = &source[image * plan.rows.source * plan.columns.source * channels..];
    for column in 0..plan.columns.target {
        let pixel = Pixel {
            plan,
            source,
            packed,
            row,
            column,
        };
        let offset = (task * plan.columns.target + column) * channels;
        let finish = Finish {
            bias: epilogue.bias.map_or(std::ptr::null(), <[f32]>::as_ptr),
            residual: epilogue.residual.map_or(std::ptr::null(), <[f32]>::as_ptr),
            activation: epilogue.activation,
        };
        let mut channel = 0;
        // SAFETY: channels stay below the channel count, so reads and writes stay in the pixel.
        unsafe {
            while channel < channels {
                let rest = channels - channel;
                let to = target.as_mut_ptr();
                if rest >= 4 * V::LANES {
                    let sums = pixel.sums::<V, 4>(channel);
                    for (v, sum) in sums.into_iter().enumerate() {
                        let at = channel + v * V::LANES;
                        finish.write(sum, to, offset + at, at, V::LANES);
                    }
                    channel += 4 * V::LANES;
                } else if rest >= V::LANES {
                    let [sum] = pixel.sums::<V, 1>(channel);
                    finish.write(sum, to, offset + channel, channel, V::LANES);
                    channel += V::LANES;
                } else {
                    let sum = pixel.partial_sum::<V>(channel, rest);
                    finish.write(sum, to, offset + channel, channel, rest);
                    channel += rest;
                }
            }
        }
    }
}

/// One target pixel.
struct Pixel<'a> {
    plan: &'a DepthwisePlan,
    /// The image.
    source: &'a [f32],
    packed: &'a [f32],
    row: usize,
    column: usize,
}

impl Pixel<'_> {
    /// Calls `visit` with the source pixel and the weights of every tap that reaches this pixel.
    #[inline(always)]
    fn taps(&self, mut visit: impl FnMut(*const f32, *const f32)) {
        let channels = self.plan.geometry.in_channels;
        let width = self.plan.geometry.windows[2].kernel;
        for &(tap_row, source_row) in self.plan.rows.at(self.row) {
            for &(tap_column, source_column) in self.plan.columns.at(self.column) {
                let pixel = source_row * self.plan.columns.source + source_column;
                let tap = tap_row * width + tap_column;
                visit(
                    self.source.as_ptr().wrapping_add(pixel * channels),
                    self.packed.as_ptr().wrapping_add(tap * channels),
                );
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<V: Vector, const NV: usize>(&self, channel: usize) -> [V; NV] {
        // SAFETY: the caller has NV vectors of channels left in every pixel.
        unsafe {
            let mut sums = [V::zero(); NV];
            self.taps(|x, w| {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let at = channel + v * V::LANES;
                    *sum = V::load(x.add(at)).mul_add(V::load(w.add(at)), *sum);
                }
            });
            sums
        }
    }

    #[inline(always)]
    unsafe fn partial_sum<V: Vector>(&self, channel: usize, count: usize) -> V {
        // SAFETY: the caller has `count` channels left in every pixel.
        unsafe {
            let mut sum = V::zero();
            self.taps(|x, w| {
                let w = V::load_partial(w.add(channel), count);
                sum = V::load_partial(x.add(channel), count).mul_add(w, sum);
            });
            sum
        }
    }
}
