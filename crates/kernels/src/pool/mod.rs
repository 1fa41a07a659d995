//! Pooling over windows and over whole planes, in one, two or three spatial axes.
//!
//! | | forward | backward |
//! |---|---|---|
//! | maximum | [`max::forward`] | [`max::backward`] |
//! | average | [`average::forward`] | [`average::backward`] |
//! | Lp norm | [`lp::forward`] | [`lp::backward`] |
//! | of a whole plane | [`global`] | |
//! | to a given number of bins | [`adaptive`] | |
//! | max pooling undone | [`unpool::forward`] | [`unpool::backward`] |
//!
//! Every kernel is written over [`Real`], and so serves f32 and f64.
//!
//! In NHWC the inner loop runs over the channels of a pixel, in NCHW over the placements of a row.
//! Either way a kernel walks over the taps of a window in the order in which they lie in a plane.
//! The walks are closures inside closures, all of them inlined by force: one that is called instead
//! would be compiled for the baseline's instructions.

pub mod adaptive;
pub mod average;
pub mod global;
pub mod lp;
pub mod max;
mod order;
mod places;
pub mod unpool;

use std::ops::Range;

use geometry::{PoolGeometry, Window};

pub use self::places::NO_SOURCE;
use crate::Real;
use crate::prefetch::prefetch;

/// Channels of a pixel that one task of an NHWC kernel takes.
const BAND: usize = 64;
/// Half of them.
const HALF_BAND: usize = 32;
/// Elements of an image that is read from the nearer caches: 512 KiB of f32.
const NEAR: usize = 128 * 1024;

/// Elements of an input plane and of an output plane.
fn areas(geometry: &PoolGeometry) -> (usize, usize) {
    let area = |extent: fn(&Window) -> usize| geometry.windows.iter().map(extent).product();
    (area(|w| w.input), area(|w| w.output))
}

/// Asserts that `x` and `y` are maps of the sizes the geometry gives.
fn check(what: &str, geometry: &PoolGeometry, x: usize, y: usize) {
    let (input, output) = areas(geometry);
    let planes = geometry.batch * geometry.channels;
    assert_eq!(x, planes * input, "{what}: length of the input's map");
    assert_eq!(y, planes * output, "{what}: length of the output's map");
}

/// Depth, height and width of an output element.
#[inline]
fn placement(geometry: &PoolGeometry, index: usize) -> [usize; 3] {
    let [_, height, width] = geometry.windows.map(|w| w.output);
    [
        index / (height * width),
        index / width % height,
        index % width,
    ]
}

/// Something done with neighbouring channels of a pixel. Their number is a constant, so that what is kept of
/// each stays in registers.
trait OfBand {
    /// Channels of which registers hold what is kept: [`BAND`] or [`HALF_BAND`].
    const WIDEST: usize;

    fn of_band<const W: usize>(&mut self, first: usize);
}

/// Does `work` with all channels of a pixel. The last band is moved back to end with them, so that some
/// channels may come twice.
#[inline(always)]
fn for_each_band<B: OfBand>(channels: usize, work: &mut B) {
    let mut first = 0;
    while first < channels {
        if channels - first >= B::WIDEST {
            match B::WIDEST {
                BAND => work.of_band::<BAND>(first),
                _ => work.of_band::<HALF_BAND>(first),
            }
            first += B::WIDEST;
            continue;
        }
        let width = [16, 8, 4].into_iter().find(|&width| width <= channels);
        let width = width.unwrap_or(1);
        let start = first.min(channels - width);
        match width {
            16 => work.of_band::<16>(start),
            8 => work.of_band::<8>(start),
            4 => work.of_band::<4>(start),
            _ => work.of_band::<1>(start),
        }
        first = start + width;
    }
}

/// The elements of a plane that one output is made of.
trait Field {
    /// Calls `visit` with their places, in the order in which they lie in the plane.
    fn for_each_source(&self, visit: impl FnMut(usize));
}

/// A window put down at one placement: its taps that are on the image.
struct Placed<'a> {
    geometry: &'a PoolGeometry,
    at: [usize; 3],
    /// Taps of each axis that are on the image.
    taps: [Range<usize>; 3],
}

impl<'a> Placed<'a> {
    #[inline(always)]
    fn new(geometry: &'a PoolGeometry, at: [usize; 3]) -> Self {
        let [d, h, w] = &geometry.windows;
        let taps = [
            d.taps_inside(at[0]),
            h.taps_inside(at[1]),
            w.taps_inside(at[2]),
        ];
        Self { geometry, at, taps }
    }

    /// Asks for the pixels that the window one row below reads before all others there do. A row of
    /// windows ends on another page of memory than the next begins on, and there the processor's own
    /// foresight ends. An image that the second-level cache holds needs none.
    #[inline(always)]
    fn prefetch_below<T>(&self, x: &[T], channels: usize) {
        if x.len() >= NEAR {
            self.prefetch_far(x, channels);
        }
    }

    /// A call of its own: inlined it would take registers from the loop over the channels.
    #[inline(never)]
    fn prefetch_far<T>(&self, x: &[T], channels: usize) {
        let [_, rows, columns] = &self.geometry.windows;
        let top = self.at[1] * rows.stride + (rows.kernel - 1) * rows.dilation + 1;
        let left = self.at[2] * columns.stride;
        for row in top..top + rows.stride.min(rows.kernel) {
            let Some(row) = row.checked_sub(rows.before) else {
                continue;
            };
            let pixel = row * columns.input + left;
            let pixels = columns.stride.min(columns.kernel);
            prefetch(x, pixel * channels, pixels * channels);
        }
    }
}

impl Field for Placed<'_> {
    #[inline(always)]
    fn for_each_source(&self, mut visit: impl FnMut(usize)) {
        let [d, h, w] = &self.geometry.windows;
        let [planes, rows, columns] = &self.taps;
        let source =
            |w: &Window, at: usize, tap: usize| at * w.stride + tap * w.dilation - w.before;
        if columns.is_empty() {
            return;
        }
        let first = source(w, self.at[2], columns.start);
        for plane in planes.clone() {
            let plane = source(d, self.at[0], plane) * h.input;
            for row in rows.clone() {
                let mut place = (plane + source(h, self.at[1], row)) * w.input + first;
                for _ in columns.clone() {
                    visit(place);
                    place += w.dilation;
                }
            }
        }
    }
}

/// Calls `visit(output, image, window)` with the windows of neighbouring outputs, counted over all
/// images. Their taps are found by division at the edges of a row alone.
#[inline(always)]
fn for_each_placed<'a>(
    geometry: &'a PoolGeometry,
    outputs: Range<usize>,
    mut visit: impl FnMut(usize, usize, &Placed<'a>),
) {
    let w = &geometry.windows[2];
    let inner = inner(w);
    let (_, area) = areas(geometry);
    let mut output = outputs.start;
    while output < outputs.end {
        let image = output / area;
        let mut placed = Placed::new(geometry, placement(geometry, output % area));
        let last = outputs.end.min(output + w.output - placed.at[2]);
        let first = placed.at[2];
        for column in first..first + (last - output) {
            placed.at[2] = column;
            placed.taps[2] = match inner.contains(&column) {
                true => 0..w.kernel,
                false => w.taps_inside(column),
            };
            visit(output + (column - first), image, &placed);
        }
        output = last;
    }
}

/// Placements all of whose taps are on the image; they are neighbours.
#[inline]
fn inner(window: &Window) -> Range<usize> {
    let (first, last) = (reach(window, 0), reach(window, window.kernel - 1));
    first.start.max(last.start)..first.end.min(last.end)
}

/// Calls `visit(placements, first)` for every tap of the windows of an output row: `placements` of
/// the row find the tap on the image, the first of them at place `first` of the input plane, each
/// further one a stride behind.
#[inline(always)]
fn for_each_tap(
    geometry: &PoolGeometry,
    depth: usize,
    height: usize,
    mut visit: impl FnMut(Range<usize>, usize),
) {
    let w = &geometry.windows[2];
    for_each_row(
        geometry,
        depth,
        height,
        #[inline(always)]
        |row| {
            // A later placement has earlier taps on the image. Where no stride is wider than the image the taps of
            // all placements are neighbours; else those between the placements' own touch nothing.
            let neighbours = w.stride <= w.input;
            let mut done = 0;
            for placement in (0..if neighbours { 1 } else { w.output }).rev() {
                let latest = if neighbours { w.output - 1 } else { placement };
                let from = w.taps_inside(latest).start.max(done);
                done = w.taps_inside(placement).end.max(from);
                for tap in from..done {
                    let reach = reach(w, tap);
                    if !reach.is_empty() {
                        let column = reach.start * w.stride + tap * w.dilation - w.before;
                        visit(reach, row * w.input + column);
                    }
                }
            }
        },
    );
}

/// [`for_each_tap`] for a piece of an output row: `visit` gets the placements counted from the start
/// of the piece.
#[inline(always)]
fn for_each_tap_of_piece(
    geometry: &PoolGeometry,
    depth: usize,
    height: usize,
    piece: Range<usize>,
    mut visit: impl FnMut(Range<usize>, usize),
) {
    let stride = geometry.windows[2].stride;
    for_each_tap(
        geometry,
        depth,
        height,
        #[inline(always)]
        |at, first| {
            let start = at.start.max(piece.start);
            let end = at.end.min(piece.end);
            if start < end {
                visit(
                    start - piece.start..end - piece.start,
                    first + (start - at.start) * stride,
                );
            }
        },
    );
}

/// Calls `visit` with every input row (counted through depth and height) that windows at output
/// depth `depth` and height `height` touch.
#[inline(always)]
fn for_each_row(
    geometry: &PoolGeometry,
    depth: usize,
    height: usize,
    mut visit: impl FnMut(usize),
) {
    let [d, h, _] = &geometry.windows;
    for plane in sources(d, depth) {
        for row in sources(h, height) {
            visit(plane * h.input + row);
        }
    }
}

/// The input elements under the taps of a placement.
#[inline(always)]
fn sources(window: &Window, output: usize) -> impl Iterator<Item = usize> + use<> {
    let Window {
        stride,
        dilation,
        before,
        ..
    } = *window;
    let taps = window.taps_inside(output);
    taps.map(move |tap| output * stride + tap * dilation - before)
}

/// The placements that put a tap on the image; they are neighbours.
#[inline]
fn reach(window: &Window, tap: usize) -> Range<usize> {
    let offset = tap * window.dilation;
    // o·stride + offset − before ≥ 0, and < input.
    let from = window.before.saturating_sub(offset).div_ceil(window.stride);
    let to = (window.input + window.before)
        .saturating_sub(offset)
        .div_ceil(window.stride)
        .min(window.output);
    from.min(to)..to
}

/// Calls `f(target, value, place)` for every target in turn, the first with `x[first]`, each further
/// one with the element a stride behind.
#[inline(always)]
fn zip_strided<T: Real, R>(
    x: &[T],
    first: usize,
    stride: usize,
    targets: impl ExactSizeIterator<Item = R>,
    mut f: impl FnMut(R, T, usize),
) {
    let count = targets.len();
    if count == 0 {
        return;
    }
    let x = &x[first..=first + (count - 1) * stride];
    // The common strides as constants, so that the compiler can vectorise them.
    match stride {
        1 => {
            for (i, (target, &value)) in targets.zip(x).enumerate() {
                f(target, value, first + i);
            }
        }
        2 => {
            for (i, target) in targets.enumerate() {
                // SAFETY: the slice was cut to reach the last target's element.
                f(target, unsafe { *x.get_unchecked(2 * i) }, first + 2 * i);
            }
        }
        _ => {
            for (i, target) in targets.enumerate() {
                f(target, x[i * stride], first + i * stride);
            }
        }
    }
}
