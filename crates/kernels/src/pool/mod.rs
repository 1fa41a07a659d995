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

/// Channels of a pixel that one task of an NHWC kernel takes.
const BAND: usize = 64;

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

/// Calls `visit(first, band)` with the bands that the channels of a pixel are cut into: whole ones of
/// [`BAND`], then of 16, then what is left.
#[inline(always)]
fn for_each_band(channels: usize, mut visit: impl FnMut(usize, usize)) {
    let mut first = 0;
    while first < channels {
        let band = match channels - first {
            BAND.. => BAND,
            16.. => 16,
            left => left,
        };
        visit(first, band);
        first += band;
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
}

impl Field for Placed<'_> {
    #[inline(always)]
    fn for_each_source(&self, mut visit: impl FnMut(usize)) {
        let w = &self.geometry.windows[2];
        for_each_row(
            self.geometry,
            self.at[0],
            self.at[1],
            #[inline(always)]
            |row| {
                for column in sources(w, self.at[2]) {
                    visit(row * w.input + column);
                }
            },
        );
    }
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
