//! The gradient of depthwise weights: for every tap, the products of two feature maps, summed.
//!
//! All taps of a window share a pixel's gradient. So the sums of up to nine of them are held in
//! registers while a run of pixels goes by: one load of the gradient, then a multiply-add a tap
//! straight from the source. The accumulator stays in the first-level cache between runs.

use super::{BAND, DepthwisePlan, Run};
use crate::shared::Shared;
use crate::simd::Vector;

/// Sums the images of partition `task / bands` over the channels of band `task % bands` into that
/// part of the accumulator `[partition, kernel…, c]`.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task has this part.
#[inline(always)]
pub(super) unsafe fn band<V: Vector>(
    plan: &DepthwisePlan,
    x: &[f32],
    dy: &[f32],
    task: usize,
    partials: Shared<'_>,
) {
    let g = &plan.geometry;
    let channels = g.in_channels;
    let bands = channels.div_ceil(BAND);
    let (partition, band) = (task / bands, task % bands);
    let band = band * BAND..channels.min((band + 1) * BAND);
    // SAFETY: the accumulator of the partition lies within the scratch memory.
    let partial = unsafe {
        let len = channels * g.kernel_area();
        partials.as_mut_ptr().add(partition * len)
    };
    for tap in 0..g.kernel_area() {
        // SAFETY: these channels of this accumulator are this task's alone.
        unsafe {
            partial
                .add(tap * channels + band.start)
                .write_bytes(0, band.len());
        }
    }
    let (input_len, output_len) = (g.input_area() * channels, g.output_area() * channels);
    let images = g.batch * partition / plan.partitions..g.batch * (partition + 1) / plan.partitions;
    for image in images {
        let x = &x[image * input_len..][..input_len];
        let dy = &dy[image * output_len..][..output_len];
        for row in 0..plan.rows.target {
            let dy = &dy[row * plan.columns.target * channels..];
            for run in &plan.runs {
                for channel in band.clone().step_by(V::LANES) {
                    let lanes = Lanes {
                        plan,
                        x: x.as_ptr(),
                        dy: dy.as_ptr(),
                        partial,
                        channel,
                        count: V::LANES.min(band.end - channel),
                    };
                    // SAFETY: `count` channels are left in every pixel and every tap.
                    unsafe { lanes.run::<V>(row, run) };
                }
            }
        }
    }
}

/// Channels `channel .. channel + count`, at most a vector, of one row of pixels.
struct Lanes<'a> {
    plan: &'a DepthwisePlan,
    /// The image.
    x: *const f32,
    /// The row of the gradient.
    dy: *const f32,
    partial: *mut f32,
    channel: usize,
    count: usize,
}

/// Taps that are summed at once.
const MOST: usize = 9;

impl Lanes<'_> {
    /// All taps of a run of pixels.
    ///
    /// # Safety
    /// The row and the run are the plan's; the channels exist.
    #[inline(always)]
    unsafe fn run<V: Vector>(&self, row: usize, run: &Run) {
        let plan = self.plan;
        let channels = plan.geometry.in_channels;
        let width = plan.geometry.windows[2].kernel;
        // Where each tap's sum lies, and the first pixel it multiplies.
        let mut taps = [(std::ptr::null_mut(), std::ptr::null()); MOST];
        let mut filled = 0;
        for &(tap_row, source_row) in plan.rows.at(row) {
            for &(tap_column, source_column) in plan.columns.at(run.first) {
                let pixel = source_row * plan.columns.source + source_column;
                // SAFETY: taps and pixels are in range by the plan's lists.
                taps[filled] = unsafe {
                    (
                        self.partial
                            .add((tap_row * width + tap_column) * channels + self.channel),
                        self.x.add(pixel * channels + self.channel),
                    )
                };
                filled += 1;
                if filled == MOST {
                    // SAFETY: as above.
                    unsafe { self.taps::<V, MOST>(&taps, run) };
                    filled = 0;
                }
            }
        }
        let mut rest = &taps[..filled];
        // SAFETY: as above; each call is given as many taps as it sums.
        unsafe {
            while rest.len() >= 4 {
                self.taps::<V, 4>(rest, run);
                rest = &rest[4..];
            }
            while rest.len() >= 2 {
                self.taps::<V, 2>(rest, run);
                rest = &rest[2..];
            }
            if !rest.is_empty() {
                self.taps::<V, 1>(rest, run);
            }
        }
    }

    /// The first `N` taps of a run of pixels.
    ///
    /// # Safety
    /// There are that many, and their pointers are good for the whole run.
    #[inline(always)]
    unsafe fn taps<V: Vector, const N: usize>(&self, taps: &[(*mut f32, *const f32)], run: &Run) {
        let channels = self.plan.geometry.in_channels;
        let pitch = run.shift * channels;
        // SAFETY: the contract of this function.
        unsafe {
            let load = |from: *const f32| -> V {
                if self.count == V::LANES {
                    V::load(from)
                } else {
                    V::load_partial(from, self.count)
                }
            };
            let taps: &[(*mut f32, *const f32); N] = &*taps.as_ptr().cast();
            let mut sums = [V::zero(); N];
            for (sum, (at, _)) in sums.iter_mut().zip(taps) {
                *sum = load(*at);
            }
            for p in 0..run.count {
                let gradient = load(self.dy.add((run.first + p) * channels + self.channel));
                for (sum, (_, x)) in sums.iter_mut().zip(taps) {
                    *sum = load(x.add(p * pitch)).mul_add(gradient, *sum);
                }
            }
            for (sum, (at, _)) in sums.into_iter().zip(taps) {
                if self.count == V::LANES {
                    sum.store(*at);
                } else {
                    sum.store_partial(*at, self.count);
                }
            }
        }
    }
}
