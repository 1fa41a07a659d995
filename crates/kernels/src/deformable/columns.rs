//! Columns: what a deformable convolution samples, laid out for a matrix product.
//!
//! A row of the columns holds all samples of one output pixel, weight group by weight group, tap by tap,
//! channels side by side. So the samples of a tap are copied with vectors over channels, and each weight
//! group finds its products in one stretch.
//!
//! A *band* is a part of the channels of every weight group. Bands share nothing but the samples'
//! places, so that the gradient of the input can be cut into them.

use std::ops::Range;

use geometry::DeformableGeometry;

use super::sample::{OUTSIDE, Sample, Sampler};
use crate::Real;
use crate::bilinear::Channels;
use crate::bilinear::{dots, interpolate, spread};
use crate::shared::Shared;

/// Channels that belong to one weight group, one offset group and one band.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// First channel.
    channel: usize,
    /// Its place in a row of the columns, under the first tap.
    column: usize,
    len: usize,
}

/// The columns of a band.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Runs of every offset group: group `f` owns `runs[starts[f] .. starts[f + 1]]`.
    runs: Vec<Run>,
    starts: Vec<usize>,
    /// Channels of the band in one weight group: the distance between the taps of a row.
    band: usize,
    /// Elements of a row.
    row: usize,
    /// Channels of the map, bands and groups together.
    channels: usize,
    input_area: usize,
    output_area: usize,
}

impl Columns {
    /// Band `index` of `bands`, which divide the channels of a weight group.
    pub(super) fn new(geometry: &DeformableGeometry, index: usize, bands: usize) -> Self {
        let conv = &geometry.conv;
        let (per_group, taps) = (conv.in_channels_per_group(), conv.kernel_area());
        let per_offset_group = geometry.channels_per_offset_group();
        let band = per_group / bands;
        let (mut runs, mut starts) = (Vec::new(), vec![0]);
        for offset_group in 0..geometry.offset_groups {
            let end = (offset_group + 1) * per_offset_group;
            let mut channel = offset_group * per_offset_group;
            while channel < end {
                let group = channel / per_group;
                let first = group * per_group + index * band;
                let from = channel.max(first);
                let to = end.min(first + band);
                if from < to {
                    runs.push(Run {
                        channel: from,
                        column: group * taps * band + (from - first),
                        len: to - from,
                    });
                }
                channel = (group + 1) * per_group;
            }
            starts.push(runs.len());
        }
        Self {
            runs,
            starts,
            band,
            row: conv.groups * taps * band,
            channels: conv.in_channels,
            input_area: conv.input_area(),
            output_area: conv.output_area(),
        }
    }

    /// Elements of the row of a pixel.
    pub(super) fn row_len(&self) -> usize {
        self.row
    }

    /// The longest run, for which [`Columns::gather`] wants zeros.
    pub(super) fn longest_run(&self) -> usize {
        self.runs.iter().map(|run| run.len).max().unwrap_or(0)
    }

    #[inline(always)]
    fn runs(&self, offset_group: usize) -> &[Run] {
        &self.runs[self.starts[offset_group]..self.starts[offset_group + 1]]
    }

    /// Samples `x`, channels last, at every tap of `pixels` (counted through all images) into rows of
    /// columns. `zeros` stand for pixels off the map.
    #[inline(always)]
    pub(super) fn gather<T: Real>(
        &self,
        sampler: &Sampler<'_, T>,
        x: &[T],
        pixels: Range<usize>,
        zeros: &[T],
        columns: &mut [T],
    ) {
        for (pixel, row) in pixels.zip(columns.chunks_exact_mut(self.row)) {
            let x = self.image(x, pixel);
            sampler.for_each(
                pixel,
                #[inline(always)]
                |group, tap, sample, mask| {
                    let corners = sample.value_corners();
                    for run in self.runs(group) {
                        let corners = self.corners(x, run, corners, zeros);
                        let row = &mut row[run.column + tap * self.band..][..run.len];
                        interpolate(row, corners, sample.weights, mask);
                    }
                },
            );
        }
    }

    /// Hands the gradient of the columns of `pixels` on to the samples: adds to `dx`, channels last, the
    /// shares of the corners, and calls `visit(pixel, group, tap, gains)` with the gradients of the mask
    /// and of the offset down and across, as far as this band's channels make them.
    ///
    /// # Safety
    /// No other task touches this band of `dx` in the images of `pixels`.
    #[inline(always)]
    pub(super) unsafe fn scatter<T: Real>(
        &self,
        sampler: &Sampler<'_, T>,
        x: &[T],
        pixels: Range<usize>,
        zeros: &[T],
        columns: &[T],
        dx: Shared<'_, T>,
        mut visit: impl FnMut(usize, usize, usize, [T; 3]),
    ) {
        for (pixel, row) in pixels.zip(columns.chunks_exact(self.row)) {
            let base = pixel / self.output_area * self.input_area * self.channels;
            let x = self.image(x, pixel);
            sampler.for_each(
                pixel,
                #[inline(always)]
                |group, tap, sample, mask| {
                    let mut sums = [T::zero(); 4];
                    for run in self.runs(group) {
                        let dy = &row[run.column + tap * self.band..][..run.len];
                        let corners = self.corners(x, run, sample.corners, zeros);
                        for (sum, dot) in sums.iter_mut().zip(dots(dy, corners)) {
                            *sum += dot;
                        }
                        let first = base + run.channel;
                        // SAFETY: the caller's promise: the run is of this band.
                        unsafe { self.spread(&sample, mask, dy, dx, first) };
                    }
                    let [value, down, across] = sample.gains(sums);
                    visit(pixel, group, tap, [value, mask * down, mask * across]);
                },
            );
        }
    }

    /// Adds the shares of a sample's corners to the channels of `dx` that start at `first` of pixel 0.
    ///
    /// # Safety
    /// No other task touches these channels.
    #[inline(always)]
    unsafe fn spread<T: Real>(
        &self,
        sample: &Sample<T>,
        mask: T,
        dy: &[T],
        dx: Shared<'_, T>,
        first: usize,
    ) {
        let channels = |first| Channels {
            first,
            step: 1,
            count: dy.len(),
        };
        for (&corner, &weight) in sample.corners.iter().zip(&sample.weights) {
            // A corner that counts nothing must not pass on an infinite gradient as NaN.
            if corner != OUTSIDE && weight != T::zero() {
                let pixel = channels(first + corner * self.channels);
                // SAFETY: the caller's promise.
                unsafe { spread(dx, pixel, mask * weight, dy, channels(0)) };
            }
        }
    }

    /// Sets this band of `dx` to 0 in an image.
    ///
    /// # Safety
    /// No other task touches this band of the image.
    pub(super) unsafe fn clear<T: Real>(&self, image: usize, dx: Shared<'_, T>) {
        for pixel in image * self.input_area..(image + 1) * self.input_area {
            for run in &self.runs {
                // SAFETY: the caller's promise.
                unsafe { dx.slice(pixel * self.channels + run.channel, run.len) }.fill(T::zero());
            }
        }
    }

    /// The image of an output pixel.
    #[inline(always)]
    fn image<'a, T>(&self, x: &'a [T], pixel: usize) -> &'a [T] {
        let len = self.input_area * self.channels;
        &x[pixel / self.output_area * len..][..len]
    }

    #[inline(always)]
    fn corners<'a, T>(
        &self,
        image: &'a [T],
        run: &Run,
        corners: [usize; 4],
        zeros: &'a [T],
    ) -> [&'a [T]; 4] {
        corners.map(
            #[inline(always)]
            |corner| {
                if corner == OUTSIDE {
                    &zeros[..run.len]
                } else {
                    &image[corner * self.channels + run.channel..][..run.len]
                }
            },
        )
    }
}
