//! The gradient of depthwise weights: for every tap, the products of two feature maps, summed.

use super::DepthwisePlan;
use crate::simd::Vector;

/// Sums the images of one partition into `partial`, `[kh, kw, c]`.
///
/// A row of output pixels is multiplied with the source row under one kernel row. Per vector of
/// channels, up to four taps of that kernel row are summed side by side: they share the gradient and
/// give the multiply-adds something to overlap with.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths.
#[inline(always)]
pub(super) unsafe fn partition<V: Vector>(
    plan: &DepthwisePlan,
    x: &[f32],
    dy: &[f32],
    partition: usize,
    partial: &mut [f32],
) {
    partial.fill(0.0);
    let g = &plan.geometry;
    let channels = g.in_channels;
    let (input_len, output_len) = (g.input_area() * channels, g.output_area() * channels);
    let images = g.batch * partition / plan.partitions..g.batch * (partition + 1) / plan.partitions;
    for image in images {
        let x = &x[image * input_len..][..input_len];
        let dy = &dy[image * output_len..][..output_len];
        for output_row in 0..plan.rows.target {
            let dy = &dy[output_row * plan.columns.target * channels..];
            for &(tap_row, source_row) in plan.rows.at(output_row) {
                let x = &x[source_row * plan.columns.source * channels..];
                let kernel_row = tap_row * g.windows[2].kernel;
                let mut channel = 0;
                while channel < channels {
                    let count = (channels - channel).min(V::LANES);
                    let lanes = Lanes { channel, count };
                    // SAFETY: `count` channels are left in every pixel and every tap.
                    unsafe { lanes.row::<V>(plan, x, dy, &mut partial[kernel_row * channels..]) };
                    channel += count;
                }
            }
        }
    }
}

/// Channels `channel .. channel + count`, at most a vector.
#[derive(Clone, Copy)]
struct Lanes {
    channel: usize,
    count: usize,
}

impl Lanes {
    #[inline(always)]
    unsafe fn load<V: Vector>(self, from: *const f32) -> V {
        // SAFETY: the caller has `count` channels at `from`.
        unsafe {
            if self.count == V::LANES {
                V::load(from)
            } else {
                V::load_partial(from, self.count)
            }
        }
    }

    /// One kernel row over one row of pixels.
    #[inline(always)]
    unsafe fn row<V: Vector>(
        self,
        plan: &DepthwisePlan,
        x: &[f32],
        dy: &[f32],
        partial: &mut [f32],
    ) {
        const TAPS: usize = 4;
        let g = &plan.geometry;
        let (channels, window) = (g.in_channels, &g.windows[2]);
        for first in (0..window.kernel).step_by(TAPS) {
            let taps = TAPS.min(window.kernel - first);
            // SAFETY: pixels and taps are in range by `source` and the loop bounds, channels by the
            // caller.
            unsafe {
                let sums_at = |tap: usize| (first + tap) * channels + self.channel;
                let mut sums = [V::zero(); TAPS];
                for (tap, sum) in sums.iter_mut().enumerate().take(taps) {
                    *sum = self.load(partial.as_ptr().add(sums_at(tap)));
                }
                for column in 0..plan.columns.target {
                    let gradient: V = self.load(dy.as_ptr().add(column * channels + self.channel));
                    for (tap, sum) in sums.iter_mut().enumerate().take(taps) {
                        if let Some(source) = window.source(column, first + tap) {
                            let from = x.as_ptr().add(source * channels + self.channel);
                            *sum = self.load::<V>(from).mul_add(gradient, *sum);
                        }
                    }
                }
                for (tap, sum) in sums.into_iter().enumerate().take(taps) {
                    let to = partial.as_mut_ptr().add(sums_at(tap));
                    if self.count == V::LANES {
                        sum.store(to);
                    } else {
                        sum.store_partial(to, self.count);
                    }
                }
            }
        }
    }
}
