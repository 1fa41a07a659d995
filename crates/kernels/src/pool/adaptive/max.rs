//! The maximum of each bin.

use std::ops::Range;

use geometry::AdaptiveGeometry;
use tensor::Layout;

use super::{Block, LANES, check, for_each_band, planes};
use crate::blocks::for_rows;
use crate::pool::NO_SOURCE;
use crate::pool::max::{maxima_of_pixels, raise, raise_placed};
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the maximum of each bin, and where asked for, `indices` = its place in the input plane of
/// its channel, `(d·H + h)·W + w`; they lie as `y` does.
///
/// The first of equal elements wins, and a NaN wins over everything, the last one where there are
/// several (as in PyTorch).
///
/// # Panics
/// When a slice has not the size the geometry gives, or a plane is too large for the indices.
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &mut [T],
    indices: Option<&mut [u32]>,
) {
    check("adaptive max pool", geometry, x.len(), y.len());
    let planes = planes(geometry);
    let (image, pooled, channels) = (planes.image, planes.pooled, planes.channels);
    if let Some(indices) = &indices {
        assert_eq!(indices.len(), y.len(), "adaptive max pool: indices");
        planes.check_reach();
    }
    let out = Shared::new(y);
    let places = indices.map(Shared::new);
    match layout {
        Layout::Nchw => for_rows(context.team, planes.batch * channels, image, |range| {
            for plane in range {
                let x = &x[plane * image..][..image];
                // SAFETY: every plane belongs to one task.
                let y = unsafe { out.slice(plane * pooled, pooled) };
                // SAFETY: as above.
                let mut places = places.map(|p| unsafe { p.slice(plane * pooled, pooled) });
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        for (bin, y) in y.iter_mut().enumerate() {
                            let (value, place) = maximum(&Block::of(geometry, bin), x);
                            *y = value;
                            if let Some(places) = &mut places {
                                places[bin] = place as u32;
                            }
                        }
                    },
                );
            }
        }),
        Layout::Nhwc => for_each_band(context, geometry, |band| {
            let x = &x[band.image * image * channels..][..image * channels];
            // SAFETY: every band of a bin belongs to one task.
            let y = unsafe { out.slice(band.start, band.width) };
            // SAFETY: as above.
            let places = places.map(|p| unsafe { p.slice(band.start, band.width) });
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    let block = Block::of(geometry, band.bin);
                    maxima_of_pixels(&block, x, channels, band.first, y, places);
                },
            );
        }),
    }
}

/// The maximum of a block of a plane, and its place.
#[inline(always)]
fn maximum<T: Real>(block: &Block, x: &[T]) -> (T, usize) {
    let (mut best, mut place) = (T::neg_infinity(), usize::MAX);
    block.for_each_run(
        #[inline(always)]
        |run| {
            let (value, from) = maximum_of_run(x, run);
            if value > best || value.is_nan() || place == usize::MAX {
                (best, place) = (value, from);
            }
        },
    );
    (best, place)
}

/// The maximum of contiguous memory that is not empty, and its place.
#[inline(always)]
fn maximum_of_run<T: Real>(x: &[T], run: Range<usize>) -> (T, usize) {
    let start = run.start;
    let x = &x[run];
    if x.len() < LANES {
        let (mut best, mut place) = (T::neg_infinity(), NO_SOURCE);
        for (offset, &v) in x.iter().enumerate() {
            raise_placed(&mut best, &mut place, v, offset as u32);
        }
        return (best, start + place as usize);
    }
    // In lanes, without the place: this loop runs at the speed of memory. Then a search for it.
    let (chunks, tail) = x.as_chunks::<LANES>();
    let mut lanes = [T::neg_infinity(); LANES];
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            raise(lane, v);
        }
    }
    let mut best = T::neg_infinity();
    for &v in lanes.iter().chain(tail) {
        raise(&mut best, v);
    }
    let offset = if best.is_nan() {
        x.iter().rposition(|v| v.is_nan())
    } else {
        // Whole chunks first, for the search of one stops at every element.
        let chunk = chunks.iter().position(
            #[inline(always)]
            |chunk| chunk.iter().fold(false, |found, &v| found | (v == best)),
        );
        let skipped = chunk.unwrap_or(chunks.len()) * LANES;
        let found = x[skipped..].iter().position(|&v| v == best);
        found.map(|offset| skipped + offset)
    };
    let offset = offset.unwrap_or(0);
    (x[offset], start + offset)
}

/// `dx`: each bin hands its gradient to its maximum, at the place the forward pass noted in `indices`;
/// where bins overlap, the gradients add up in their order.
///
/// # Panics
/// When a slice has not the size the geometry gives, or an index lies outside the plane.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    dy: &[T],
    indices: &[u32],
    dx: &mut [T],
) {
    let planes = planes(geometry);
    planes.scatter(context, layout, dy, indices, dx, |dx, dy| *dx += dy);
}
