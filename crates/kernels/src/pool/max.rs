//! The maximum of each window.

use geometry::PoolGeometry;
use tensor::Layout;

pub use super::NO_SOURCE;
use super::places::Planes;
use super::{
    BAND, Field, Placed, areas, check, for_each_band, for_each_tap, placement, zip_strided,
};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the maximum of each window, and where asked for, `indices` = its place in the input plane
/// of its channel, `(d·H + h)·W + w`.
///
/// Padding never wins; a window wholly in it gives −∞ and [`NO_SOURCE`]. The first of equal elements
/// wins, and a NaN wins over everything, the last one where there are several (as in PyTorch).
/// `indices` lie as `y` does.
///
/// # Panics
/// When a slice has not the size the geometry gives, or a plane is too large for the indices.
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &mut [T],
    indices: Option<&mut [u32]>,
) {
    check("max pool", geometry, x.len(), y.len());
    if let Some(indices) = &indices {
        assert_eq!(indices.len(), y.len(), "max pool: length of indices");
        Planes::of(geometry).check_reach();
    }
    let y = Shared::new(y);
    let indices = indices.map(Shared::new);
    match layout {
        Layout::Nchw => planes(context, geometry, x, y, indices),
        Layout::Nhwc => pixels(context, geometry, x, y, indices),
    }
}

fn planes<T: Real>(
    context: &Context,
    geometry: &PoolGeometry,
    x: &[T],
    y: Shared<T>,
    indices: Option<Shared<u32>>,
) {
    let (input, output) = areas(geometry);
    let [depth, height, width] = geometry.windows.map(|w| w.output);
    let stride = geometry.windows[2].stride;
    for_rows(
        context.team,
        geometry.batch * geometry.channels,
        input,
        |range| {
            for plane in range {
                let x = &x[plane * input..][..input];
                for row in 0..depth * height {
                    let start = plane * output + row * width;
                    // SAFETY: every plane belongs to one task.
                    let y = unsafe { y.slice(start, width) };
                    // SAFETY: as above.
                    let places = indices.map(|i| unsafe { i.slice(start, width) });
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || plane_row(geometry, x, row / height, row % height, stride, y, places),
                    );
                }
            }
        },
    );
}

#[inline(always)]
fn plane_row<T: Real>(
    geometry: &PoolGeometry,
    x: &[T],
    depth: usize,
    height: usize,
    stride: usize,
    y: &mut [T],
    places: Option<&mut [u32]>,
) {
    y.fill(T::neg_infinity());
    match places {
        None => for_each_tap(
            geometry,
            depth,
            height,
            #[inline(always)]
            |at, first| {
                zip_strided(
                    x,
                    first,
                    stride,
                    y[at].iter_mut(),
                    #[inline(always)]
                    |y, v, _| raise(y, v),
                )
            },
        ),
        Some(places) => {
            places.fill(NO_SOURCE);
            for_each_tap(
                geometry,
                depth,
                height,
                #[inline(always)]
                |at, first| {
                    let best = y[at.clone()].iter_mut().zip(&mut places[at]);
                    zip_strided(
                        x,
                        first,
                        stride,
                        best,
                        #[inline(always)]
                        |(y, place), v, from| {
                            raise_placed(y, place, v, from as u32);
                        },
                    );
                },
            );
        }
    }
}

fn pixels<T: Real>(
    context: &Context,
    geometry: &PoolGeometry,
    x: &[T],
    y: Shared<T>,
    indices: Option<Shared<u32>>,
) {
    let (input, output) = areas(geometry);
    let channels = geometry.channels;
    for_rows(context.team, geometry.batch * output, channels, |range| {
        for pixel in range {
            let x = &x[pixel / output * input * channels..][..input * channels];
            let at = placement(geometry, pixel % output);
            // SAFETY: every pixel belongs to one task.
            let y = unsafe { y.slice(pixel * channels, channels) };
            // SAFETY: as above.
            let places = indices.map(|i| unsafe { i.slice(pixel * channels, channels) });
            T::vectorised(
                context.isa,
                #[inline(always)]
                || maxima_of_pixels(&Placed { geometry, at }, x, channels, 0, y, places),
            );
        }
    });
}

/// The maxima of a field, for the neighbouring channels from `first` on that `y` has room for.
#[inline(always)]
pub(super) fn maxima_of_pixels<T: Real>(
    field: &impl Field,
    x: &[T],
    channels: usize,
    first: usize,
    y: &mut [T],
    mut places: Option<&mut [u32]>,
) {
    for_each_band(
        y.len(),
        #[inline(always)]
        |from, band| {
            let pixels = Pixels {
                field,
                x,
                channels,
                first: first + from,
            };
            let y = &mut y[from..from + band];
            match (&mut places, band) {
                (None, BAND) => pixels.maxima::<BAND>(y),
                (None, _) => pixels.maxima::<16>(y),
                (Some(places), BAND) => pixels.places::<BAND>(y, &mut places[from..]),
                (Some(places), _) => pixels.places::<16>(y, &mut places[from..]),
            }
        },
    );
}

/// A band of the channels of a field. Maxima of a constant number of lanes stay in registers; the
/// last band of a pixel may be shorter.
struct Pixels<'a, T, F> {
    field: &'a F,
    x: &'a [T],
    channels: usize,
    first: usize,
}

impl<T: Real, F: Field> Pixels<'_, T, F> {
    /// Calls `visit` with the elements of every source and its place.
    #[inline(always)]
    fn for_each_source<const W: usize>(&self, band: usize, mut visit: impl FnMut(&[T], usize)) {
        self.field.for_each_source(
            #[inline(always)]
            |from| {
                let x = &self.x[from * self.channels + self.first..];
                // The same call twice: in the first the compiler knows the length.
                if band == W {
                    visit(&x[..W], from);
                } else {
                    visit(&x[..band], from);
                }
            },
        );
    }

    #[inline(always)]
    fn maxima<const W: usize>(&self, y: &mut [T]) {
        let mut best = [T::neg_infinity(); W];
        self.for_each_source::<W>(
            y.len(),
            #[inline(always)]
            |x, _| {
                for (best, &v) in best.iter_mut().zip(x) {
                    raise(best, v);
                }
            },
        );
        y.copy_from_slice(&best[..y.len()]);
    }

    #[inline(always)]
    fn places<const W: usize>(&self, y: &mut [T], places: &mut [u32]) {
        let (mut best, mut best_at) = ([T::neg_infinity(); W], [NO_SOURCE; W]);
        self.for_each_source::<W>(
            y.len(),
            #[inline(always)]
            |x, from| {
                for ((best, place), &v) in best.iter_mut().zip(&mut best_at).zip(x) {
                    raise_placed(best, place, v, from as u32);
                }
            },
        );
        y.copy_from_slice(&best[..y.len()]);
        places[..y.len()].copy_from_slice(&best_at[..y.len()]);
    }
}

#[inline(always)]
pub(super) fn raise<T: Real>(best: &mut T, value: T) {
    // A choice of values, not of stores: so the loops around it vectorise.
    let wins = (value > *best) | value.is_nan();
    *best = if wins { value } else { *best };
}

/// [`raise`], with its place. In a window full of −∞ nothing is greater than the start; the first
/// element still is the maximum.
#[inline(always)]
pub(super) fn raise_placed<T: Real>(best: &mut T, place: &mut u32, value: T, from: u32) {
    let wins = (value > *best) | value.is_nan() | (*place == NO_SOURCE);
    *best = if wins { value } else { *best };
    *place = if wins { from } else { *place };
}

/// `dx`: each window hands its gradient to its maximum, at the place the forward pass noted in
/// `indices`; where windows overlap, the gradients add up in their order.
///
/// # Panics
/// When a slice has not the size the geometry gives, or an index lies outside the plane.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    dy: &[T],
    indices: &[u32],
    dx: &mut [T],
) {
    let planes = Planes::of(geometry);
    planes.scatter(context, layout, dy, indices, dx, |dx, dy| *dx += dy);
}
