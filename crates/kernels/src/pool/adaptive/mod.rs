//! Pooling to a given number of bins, and with a single bin, of whole planes.
//!
//! | | forward | backward |
//! |---|---|---|
//! | maximum | [`max::forward`] | [`max::backward`] |
//! | average | [`average::forward`] | [`average::backward`] |
//! | Lp norm | [`lp::forward`] | [`lp::backward`] |
//!
//! A bin is a `Block` of neighbouring elements (see [`geometry::Bins`]). In NCHW it is read in
//! runs of contiguous memory, of which a whole plane is a single one; in NHWC a band of channels
//! after the other. Backwards in NHWC every pixel collects from the bins it is in.

pub mod average;
pub mod lp;
pub mod max;

use std::ops::Range;

use geometry::{AdaptiveGeometry, Bins};
use tensor::Layout;

use super::order::Plane;
use super::places::Planes;
use super::{BAND, Field};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// Terms of a sum that are added up in the type of the elements; such sums are added up in f64, so
/// that the rounding error does not grow with the size of a bin.
const TERMS: usize = 64;

/// Independent chains of a sum or a maximum over a run: enough for the widest vectors and the latency
/// of an addition.
const LANES: usize = 32;

/// A box of neighbouring elements of a plane of `size`.
struct Block {
    size: [usize; 3],
    ranges: [Range<usize>; 3],
}

impl Block {
    /// Bin `index` of an adaptive pooling.
    #[inline]
    fn of(geometry: &AdaptiveGeometry, index: usize) -> Self {
        let bins = &geometry.bins;
        let [_, height, width] = bins.map(|b| b.output);
        let at = [
            index / (height * width),
            index / width % height,
            index % width,
        ];
        Self {
            size: bins.map(|b| b.input),
            ranges: std::array::from_fn(|axis| bins[axis].sources(at[axis])),
        }
    }

    #[inline]
    fn volume(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).product()
    }

    /// Calls `visit` with the ranges of places that lie side by side, in order.
    #[inline(always)]
    fn for_each_run(&self, mut visit: impl FnMut(Range<usize>)) {
        let [_, height, width] = self.size;
        let [d, h, w] = &self.ranges;
        if w.len() < width {
            for depth in d.clone() {
                for row in h.clone() {
                    let start = (depth * height + row) * width;
                    visit(start + w.start..start + w.end);
                }
            }
        } else if h.len() < height {
            for depth in d.clone() {
                let start = depth * height;
                visit((start + h.start) * width..(start + h.end) * width);
            }
        } else {
            visit(d.start * height * width..d.end * height * width);
        }
    }
}

impl Field for Block {
    #[inline(always)]
    fn for_each_source(&self, mut visit: impl FnMut(usize)) {
        self.for_each_run(
            #[inline(always)]
            |run| run.for_each(&mut visit),
        );
    }
}

/// The planes of an adaptive pooling.
fn planes(geometry: &AdaptiveGeometry) -> Planes {
    let area = |extent: fn(&Bins) -> usize| geometry.bins.iter().map(extent).product();
    Planes {
        batch: geometry.batch,
        channels: geometry.channels,
        image: area(|bins| bins.input),
        pooled: area(|bins| bins.output),
    }
}

/// Asserts that `x` and `y` are maps of the sizes the geometry gives.
fn check(what: &str, geometry: &AdaptiveGeometry, x: usize, y: usize) {
    let planes = planes(geometry);
    let count = planes.batch * planes.channels;
    assert_eq!(x, count * planes.image, "{what}: length of the input's map");
    assert_eq!(
        y,
        count * planes.pooled,
        "{what}: length of the output's map"
    );
}

/// Some neighbouring channels of one bin of an image.
struct Band {
    /// Which image.
    image: usize,
    /// Which bin.
    bin: usize,
    /// First channel.
    first: usize,
    /// Channels, at most [`BAND`].
    width: usize,
    /// Where their outputs begin.
    start: usize,
}

/// Runs `task` for every band of every bin of an NHWC map.
fn for_each_band(context: &Context, geometry: &AdaptiveGeometry, task: impl Fn(Band) + Sync) {
    let Planes {
        batch,
        channels,
        image,
        pooled,
    } = planes(geometry);
    let bands = channels.div_ceil(BAND);
    let work = image.div_ceil(pooled.max(1)) * BAND.min(channels);
    for_rows(context.team, batch * pooled * bands, work, |range| {
        for item in range {
            let (pixel, first) = (item / bands, item % bands * BAND);
            task(Band {
                image: pixel / pooled,
                bin: pixel % pooled,
                first,
                width: BAND.min(channels - first),
                start: pixel * channels + first,
            });
        }
    });
}

/// `y = finish(Σ term(x), bin, plane)` for every bin and the plane it is in.
fn reduce<T: Real, S: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &mut [T],
    term: impl Fn(T) -> S + Copy + Sync,
    finish: impl Fn(f64, &Block, Plane<'_, T>) -> T + Copy + Sync,
) {
    let Planes {
        batch,
        channels,
        image,
        pooled,
    } = planes(geometry);
    let out = Shared::new(y);
    match layout {
        Layout::Nchw => for_rows(context.team, batch * channels, image, |range| {
            for plane in range {
                let x = &x[plane * image..][..image];
                // SAFETY: every plane belongs to one task.
                let y = unsafe { out.slice(plane * pooled, pooled) };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        for (bin, y) in y.iter_mut().enumerate() {
                            let block = Block::of(geometry, bin);
                            let mut total = 0.0;
                            block.for_each_run(
                                #[inline(always)]
                                |run| total += sum_of_run(&x[run], term),
                            );
                            let plane = Plane {
                                x,
                                step: 1,
                                first: 0,
                            };
                            *y = finish(total, &block, plane);
                        }
                    },
                );
            }
        }),
        Layout::Nhwc => for_each_band(context, geometry, |band| {
            let x = &x[band.image * image * channels..][..image * channels];
            // SAFETY: every band of a bin belongs to one task.
            let y = unsafe { out.slice(band.start, band.width) };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    let block = Block::of(geometry, band.bin);
                    let totals = sums_of_pixels(&block, x, channels, band.first, band.width, term);
                    for (lane, (y, total)) in y.iter_mut().zip(totals).enumerate() {
                        let plane = Plane {
                            x,
                            step: channels,
                            first: band.first + lane,
                        };
                        *y = finish(total, &block, plane);
                    }
                },
            );
        }),
    }
}

/// `Σ term(x)` over contiguous memory, in a fixed order.
#[inline(always)]
fn sum_of_run<T: Real, S: Real>(run: &[T], term: impl Fn(T) -> S) -> f64 {
    let mut total = 0.0;
    let (chunks, tail) = run.as_chunks::<LANES>();
    for chunks in chunks.chunks(TERMS) {
        let mut lanes = [S::zero(); LANES];
        for chunk in chunks {
            for (lane, &v) in lanes.iter_mut().zip(chunk) {
                *lane += term(v);
            }
        }
        total += lanes.iter().map(|lane| lane.wide()).sum::<f64>();
    }
    total + tail.iter().map(|&v| term(v).wide()).sum::<f64>()
}

/// `Σ term(x)` over the pixels of a block, for `width` channels from `first` on.
#[inline(always)]
fn sums_of_pixels<T: Real, S: Real>(
    block: &Block,
    x: &[T],
    channels: usize,
    first: usize,
    width: usize,
    term: impl Fn(T) -> S,
) -> [f64; BAND] {
    let mut totals = [0.0; BAND];
    let mut recent = [S::zero(); BAND];
    let mut terms = 0;
    block.for_each_source(
        #[inline(always)]
        |from| {
            let x = &x[from * channels + first..][..width];
            // The same call twice: in the first the compiler knows the length.
            if width == BAND {
                add_terms(&mut recent, &x[..BAND], &term);
            } else {
                add_terms(&mut recent, x, &term);
            }
            terms += 1;
            if terms == TERMS {
                settle(&mut totals, &mut recent);
                terms = 0;
            }
        },
    );
    settle(&mut totals, &mut recent);
    totals
}

#[inline(always)]
fn add_terms<T: Real, S: Real>(sums: &mut [S], x: &[T], term: impl Fn(T) -> S) {
    for (sum, &v) in sums.iter_mut().zip(x) {
        *sum += term(v);
    }
}

/// Moves sums into their totals.
#[inline(always)]
fn settle<S: Real>(totals: &mut [f64], sums: &mut [S]) {
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total += sum.wide();
        *sum = S::zero();
    }
}

/// Writes every pixel of an NHWC map: `add(dx, pixel, bin, elements of the bin)` for each bin the
/// pixel is in, ascending; pixel and bin are counted through the images, and `dx` begins as zeros.
fn collect<T: Real>(
    context: &Context,
    geometry: &AdaptiveGeometry,
    dx: &mut [T],
    add: impl Fn(&mut [T], usize, usize, usize) + Sync,
) {
    let Planes {
        batch,
        channels,
        image,
        pooled,
    } = planes(geometry);
    let [d, h, w] = &geometry.bins;
    let out = Shared::new(dx);
    for_rows(context.team, batch * image, channels, |range| {
        let mut row = None;
        for pixel in range {
            let (index, column) = (pixel / w.input, pixel % w.input);
            // The bins along depth and height are those of the whole row.
            let (depths, heights) = match &row {
                Some((known, bins)) if *known == index => bins,
                _ => {
                    let depths = d.targets(index / h.input % d.input);
                    let bins = (depths, h.targets(index % h.input));
                    &row.insert((index, bins)).1
                }
            };
            // SAFETY: every pixel belongs to one task.
            let dx = unsafe { out.slice(pixel * channels, channels) };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    dx.fill(T::zero());
                    for depth in depths.clone() {
                        for height in heights.clone() {
                            let slab = d.sources(depth).len() * h.sources(height).len();
                            let first =
                                pixel / image * pooled + (depth * h.output + height) * w.output;
                            for width in w.targets(column) {
                                let volume = slab * w.sources(width).len();
                                add(dx, pixel, first + width, volume);
                            }
                        }
                    }
                },
            );
        }
    });
}
