//! The grid of sampling points that the bins of a region lay over a map.

use std::ops::Range;

use super::align::AlignOptions;
use crate::Real;

/// One axis of a region's grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis<T> {
    /// Where the first bin starts, in pixels of the map.
    pub(super) start: T,
    /// Extent of the region.
    pub(super) length: T,
    /// Extent of a bin.
    bin: T,
    /// Samples of a bin: a whole number, and not above 0 where there are none.
    samples: T,
    /// Pixels of the map.
    extent: usize,
    /// As many samples as a bin has pixels.
    adaptive: bool,
}

/// A place on an axis: two neighbouring pixels and their weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<T> {
    pub(super) low: usize,
    pub(super) high: usize,
    pub(super) low_weight: T,
    pub(super) high_weight: T,
    /// The value changes with the place: it does not before the first pixel.
    pub(super) moves: bool,
}

impl<T: Real> Axis<T> {
    pub(super) fn new(ends: [T; 2], bins: usize, extent: usize, options: AlignOptions) -> Self {
        let scale = T::of(options.scale);
        let half = T::of(if options.aligned { 0.5 } else { 0.0 });
        let start = ends[0] * scale - half;
        let length = ends[1] * scale - half - start;
        // Of old, a region had at least a pixel.
        let length = if options.aligned {
            length
        } else {
            length.max(T::one())
        };
        let bin = length / T::of(bins as f64);
        let adaptive = options.sampling == 0;
        let samples = if adaptive {
            bin.ceil()
        } else {
            T::of(options.sampling as f64)
        };
        Self {
            start,
            length,
            bin,
            samples,
            extent,
            adaptive,
        }
    }

    /// Samples of a bin, as a divisor.
    pub(super) fn count(&self) -> T {
        self.samples.max(T::zero())
    }

    /// The samples of a bin that may lie on the map. An adaptive grid has about one sample a pixel, so
    /// that there are no more of these than pixels, however large the region.
    pub(super) fn samples(&self, bin_start: T) -> Range<usize> {
        let samples = self.samples.wide();
        if !self.adaptive {
            return 0..samples as usize;
        }
        let (start, step) = (bin_start.wide(), self.bin.wide() / samples);
        if !(samples >= 1.0 && start.is_finite() && step.is_finite()) {
            return 0..0;
        }
        // One more on either side than the exact bounds, −1 and the extent.
        let first = ((-1.0 - start) / step - 1.5).floor().clamp(0.0, samples);
        let last = ((self.extent as f64 - start) / step + 1.5).ceil();
        first as usize..last.clamp(first, samples) as usize
    }

    /// Where bin `bin` starts.
    pub(super) fn bin_start(&self, moved: T, bin: usize) -> T {
        self.start + moved + T::of(bin as f64) * self.bin
    }

    /// Where a sample of a bin lies, unless it is more than a pixel off the map or NaN. Before the first
    /// pixel the map goes on as that pixel, and so behind the last.
    pub(super) fn place(&self, bin_start: T, sample: usize) -> Option<Place<T>> {
        let at = bin_start + T::of(sample as f64 + 0.5) * self.bin / self.samples;
        if !(at >= -T::one() && at <= T::of(self.extent as f64)) {
            return None;
        }
        let inside = at.max(T::zero());
        let (low, last) = (inside.wide() as usize, self.extent - 1);
        Some(if low >= last {
            Place {
                low: last,
                high: last,
                low_weight: T::one(),
                high_weight: T::zero(),
                moves: false,
            }
        } else {
            let high_weight = inside - T::of(low as f64);
            Place {
                low,
                high: low + 1,
                low_weight: T::one() - high_weight,
                high_weight,
                moves: at >= T::zero(),
            }
        })
    }
}
