//! Where a deformable convolution samples: the one place that knows how an offset becomes four pixels
//! and their weights.

use geometry::{DeformableGeometry, Window};
use tensor::Layout;

use super::Sources;
use crate::Real;

/// In place of a pixel: the corner lies off the map and counts as 0.
pub(super) const OUTSIDE: usize = usize::MAX;

/// A sampling point: the four pixels around it, and how much each of them counts.
///
/// Corners go above left, above right, below left, below right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<T> {
    /// Row-major places in the map, or [`OUTSIDE`].
    pub(super) corners: [usize; 4],
    /// Bilinear weights; all 0 for a point that has no value.
    pub(super) weights: [T; 4],
    /// Distance below the upper corners.
    below: T,
    /// Distance right of the left corners.
    right: T,
    /// The point lies exactly one pixel above or left of the map: its value is 0 whatever the map
    /// holds, yet the value changes as the point moves inwards.
    rim: bool,
}

impl<T: Real> Sample<T> {
    fn off_the_map() -> Self {
        Self {
            corners: [OUTSIDE; 4],
            weights: [T::zero(); 4],
            below: T::zero(),
            right: T::zero(),
            rim: false,
        }
    }

    /// The corners that the value is made of.
    #[inline(always)]
    pub(super) fn value_corners(&self) -> [usize; 4] {
        if self.rim { [OUTSIDE; 4] } else { self.corners }
    }

    /// What a loss gains from the sampled value, and from moving the point down and right, where
    /// `dots[k]` is what it gains from corner `k` counting 1. At pixels, where the slope jumps, it is
    /// that below and to the right.
    #[inline(always)]
    pub(super) fn gains(&self, dots: [T; 4]) -> [T; 3] {
        let (one, [a, b, c, d]) = (T::one(), dots);
        let value =
            self.weights[0] * a + self.weights[1] * b + self.weights[2] * c + self.weights[3] * d;
        let down = (one - self.right) * (c - a) + self.right * (d - b);
        let across = (one - self.below) * (b - a) + self.below * (d - c);
        [value, down, across]
    }
}

/// The extent of a map, as integers and as coordinates.
#[derive(Clone, Copy, Debug)]
struct Extent<T> {
    height: usize,
    width: usize,
    bottom: T,
    far: T,
}

impl<T: Real> Extent<T> {
    /// The sample at row `y` and column `x`. A point a whole pixel or more off the map has no corner
    /// on it; nor has NaN.
    #[inline(always)]
    fn sample(&self, y: T, x: T) -> Sample<T> {
        let one = T::one();
        // NaN fails these as it does every comparison.
        if !(y >= -one && y < self.bottom && x >= -one && x < self.far) {
            return Sample::off_the_map();
        }
        let (upper, left) = (y.floor(), x.floor());
        let (below, right) = (y - upper, x - left);
        let (above, before) = (one - below, one - right);
        let (row, column) = (upper.wide() as isize, left.wide() as isize);
        // −1 turns into a number past every extent.
        let corner = |row: isize, column: isize| {
            if (row as usize) < self.height && (column as usize) < self.width {
                row as usize * self.width + column as usize
            } else {
                OUTSIDE
            }
        };
        let rim = y == -one || x == -one;
        Sample {
            corners: [
                corner(row, column),
                corner(row, column + 1),
                corner(row + 1, column),
                corner(row + 1, column + 1),
            ],
            weights: if rim {
                [T::zero(); 4]
            } else {
                [above * before, above * right, below * before, below * right]
            },
            below,
            right,
            rim,
        }
    }
}

/// Where element (image, channel, pixel) of a map lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    image: usize,
    channel: usize,
    pixel: usize,
    area: usize,
}

impl Map {
    pub(super) fn new(layout: Layout, channels: usize, area: usize) -> Self {
        let (channel, pixel) = match layout {
            Layout::Nchw => (area, 1),
            Layout::Nhwc => (1, channels),
        };
        Self {
            image: channels * area,
            channel,
            pixel,
            area,
        }
    }

    /// The first channel of a pixel counted through all images.
    #[inline(always)]
    fn pixel(&self, pixel: usize) -> usize {
        pixel / self.area * self.image + pixel % self.area * self.pixel
    }

    /// A channel of a pixel counted through all images.
    #[inline(always)]
    pub(super) fn at(&self, pixel: usize, channel: usize) -> usize {
        self.pixel(pixel) + channel * self.channel
    }
}

/// The maps of offsets and masks of a problem, and their gradients: everything there is one of for each
/// tap, offset group and output pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleMaps {
    pub(super) offset: Map,
    pub(super) mask: Map,
}

impl SampleMaps {
    pub(super) fn new(geometry: &DeformableGeometry, layout: Layout) -> Self {
        let (samples, area) = (geometry.samples(), geometry.conv.output_area());
        Self {
            offset: Map::new(layout, 2 * samples, area),
            mask: Map::new(layout, samples, area),
        }
    }
}

/// Walks over the samples of output pixels.
pub(super) struct Sampler<'a, T> {
    rows: Window,
    columns: Window,
    groups: usize,
    extent: Extent<T>,
    maps: SampleMaps,
    offset: &'a [T],
    mask: Option<&'a [T]>,
}

impl<'a, T: Real> Sampler<'a, T> {
    pub(super) fn new(
        geometry: &DeformableGeometry,
        layout: Layout,
        sources: &Sources<'a, T>,
    ) -> Self {
        let [_, rows, columns] = geometry.conv.windows;
        Self {
            rows,
            columns,
            groups: geometry.offset_groups,
            extent: Extent {
                height: rows.input,
                width: columns.input,
                bottom: T::of(rows.input as f64),
                far: T::of(columns.input as f64),
            },
            maps: SampleMaps::new(geometry, layout),
            offset: sources.offset,
            mask: sources.mask,
        }
    }

    /// Calls `visit(group, tap, sample, mask)` for every offset group and tap of an output pixel counted
    /// through all images.
    #[inline(always)]
    pub(super) fn for_each(&self, pixel: usize, mut visit: impl FnMut(usize, usize, Sample<T>, T)) {
        for group in 0..self.groups {
            self.for_group(
                pixel,
                group,
                #[inline(always)]
                |tap, sample, mask| visit(group, tap, sample, mask),
            );
        }
    }

    /// Calls `visit(tap, sample, mask)` for every tap of one offset group.
    #[inline(always)]
    pub(super) fn for_group(
        &self,
        pixel: usize,
        group: usize,
        mut visit: impl FnMut(usize, Sample<T>, T),
    ) {
        let place = pixel % (self.rows.output * self.columns.output);
        let top = start(&self.rows, place / self.columns.output);
        let left = start(&self.columns, place % self.columns.output);
        let first = group * self.rows.kernel * self.columns.kernel;
        let (offsets, masks) = (&self.maps.offset, &self.maps.mask);
        let (down, mask) = (offsets.pixel(pixel), masks.pixel(pixel));
        let across = down + offsets.channel;
        for row in 0..self.rows.kernel {
            let y = T::of((top + (row * self.rows.dilation) as isize) as f64);
            for column in 0..self.columns.kernel {
                let x = T::of((left + (column * self.columns.dilation) as isize) as f64);
                let tap = row * self.columns.kernel + column;
                let at = 2 * (first + tap) * offsets.channel;
                let sample = self
                    .extent
                    .sample(y + self.offset[down + at], x + self.offset[across + at]);
                let factor = self.mask.map_or(T::one(), |values| {
                    values[mask + (first + tap) * masks.channel]
                });
                visit(tap, sample, factor);
            }
        }
    }
}

/// The element, perhaps in the padding, under the first tap of a placement.
fn start(window: &Window, placement: usize) -> isize {
    (placement * window.stride) as isize - window.before as isize
}
