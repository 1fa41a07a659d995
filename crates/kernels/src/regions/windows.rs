//! The whole pixels that the bins of a region cover.

use std::ops::Range;

use geometry::RegionsGeometry;

use super::Region;
use crate::Real;

/// A region in whole pixels, and how its bins are cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows<T> {
    pub(super) image: usize,
    rows: Axis<T>,
    columns: Axis<T>,
    bins_across: usize,
    width: usize,
}

/// Which pixels a region covers along an axis.
#[derive(Clone, Copy, Debug)]
struct Axis<T> {
    start: i64,
    /// Extent of a bin; neighbouring bins share a pixel where it is no whole number.
    bin: T,
    /// Pixels are cut off from here on.
    limit: usize,
}

/// How region's ends become pixels.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// The last row and column belong to the region (Girshick 2015).
    Included,
    /// They do not, and bins stop short of the last row and column of the map, as in torchvision's
    /// `ps_roi_pool`.
    Excluded,
}

impl<T: Real> Axis<T> {
    fn new(ends: [T; 2], scale: T, bins: usize, extent: usize, rule: Ends) -> Self {
        // Far beyond any map, yet sums of two still fit.
        const FAR: f64 = (1u64 << 60) as f64;
        let [start, end] = ends.map(|end| (end * scale).round().wide().clamp(-FAR, FAR) as i64);
        let (last, limit) = match rule {
            Ends::Included => (1, extent),
            Ends::Excluded => (0, extent - 1),
        };
        let length = (end - start + last).max(1);
        Self {
            start,
            bin: T::of(length as f64) / T::of(bins as f64),
            limit,
        }
    }

    fn pixels(&self, bin: usize) -> Range<usize> {
        let from = (T::of(bin as f64) * self.bin).floor().wide() as i64;
        let to = (T::of((bin + 1) as f64) * self.bin).ceil().wide() as i64;
        let clip = |at: i64| {
            let at = self.start.saturating_add(at).max(0);
            (at as usize).min(self.limit)
        };
        clip(from)..clip(to)
    }
}

impl<T: Real> Windows<T> {
    pub(super) fn new(
        geometry: &RegionsGeometry,
        scale: f64,
        regions: &[T],
        index: usize,
        rule: Ends,
    ) -> Option<Self> {
        let region = Region::read(regions, index, geometry.batch)?;
        let (scale, bins) = (T::of(scale), geometry.bins);
        Some(Self {
            image: region.image,
            rows: Axis::new(region.rows, scale, bins[0], geometry.height, rule),
            columns: Axis::new(region.columns, scale, bins[1], geometry.width, rule),
            bins_across: bins[1],
            width: geometry.width,
        })
    }

    /// Pixels that a bin covers on the map.
    pub(super) fn area(&self, bin: usize) -> usize {
        let (rows, columns) = self.extent(bin);
        rows.len() * columns.len()
    }

    /// Calls `visit` with every pixel of a bin, row by row.
    #[inline(always)]
    pub(super) fn for_each(&self, bin: usize, mut visit: impl FnMut(usize)) {
        let (rows, columns) = self.extent(bin);
        for row in rows {
            for column in columns.clone() {
                visit(row * self.width + column);
            }
        }
    }

    fn extent(&self, bin: usize) -> (Range<usize>, Range<usize>) {
        (
            self.rows.pixels(bin / self.bins_across),
            self.columns.pixels(bin % self.bins_across),
        )
    }
}
