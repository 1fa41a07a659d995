//! The maximum of each window.

mod backward;

use geometry::PoolGeometry;
use tensor::Layout;

pub use self::backward::backward;
pub use super::NO_SOURCE;
use super::places::Planes;
use super::{
    BAND, Field, HALF_BAND, OfBand, areas, check, for_each_band, for_each_placed, for_each_tap,
    zip_strided,
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
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                for_each_placed(
                    geometry,
                    range,
                    #[inline(always)]
                    |pixel, image, window| {
                        let x = &x[image * input * channels..][..input * channels];
                        // SAFETY: every pixel belongs to one task.
                        let y = unsafe { y.slice(pixel * channels, channels) };
                        // SAFETY: as above.
                        let places =
                            indices.map(|i| unsafe { i.slice(pixel * channels, channels) });
                        window.prefetch_below(x, channels);
                        maxima_of_pixels(window, x, channels, 0, y, places);
                    },
                );
            },
        );
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
    places: Option<&mut [u32]>,
) {
    let pixels = Pixels {
        field,
        x: &x[first..],
        channels,
        y,
    };
    match places {
        None => for_each_band(pixels.y.len(), &mut Maxima(pixels)),
        Some(places) => for_each_band(pixels.y.len(), &mut Places { pixels, places }),
    }
}

/// Some channels of a field, and their maxima.
struct Pixels<'a, T, F> {
    field: &'a F,
    /// From the first of the channels on.
    x: &'a [T],
    /// Channels of a pixel.
    channels: usize,
    y: &'a mut [T],
}

/// Finds maxima.
struct Maxima<'a, T, F>(Pixels<'a, T, F>);

impl<T: Real, F: Field> OfBand for Maxima<'_, T, F> {
    const WIDEST: usize = HALF_BAND;

    #[inline(always)]
    fn of_band<const W: usize>(&mut self, first: usize) {
        let Pixels {
            field,
            x,
            channels,
            y,
        } = &mut self.0;
        let mut best = [T::neg_infinity(); W];
        field.for_each_source(
            #[inline(always)]
            |from| {
                for (best, &v) in best.iter_mut().zip(&x[from * *channels + first..][..W]) {
                    raise(best, v);
                }
            },
        );
        // Element by element: what is copied as a whole is kept in memory all along.
        for (y, &best) in y[first..first + W].iter_mut().zip(&best) {
            *y = best;
        }
    }
}

/// Finds maxima and their places.
struct Places<'a, T, F> {
    pixels: Pixels<'a, T, F>,
    places: &'a mut [u32],
}

impl<T: Real, F: Field> OfBand for Places<'_, T, F> {
    const WIDEST: usize = BAND;

    #[inline(always)]
    fn of_band<const W: usize>(&mut self, first: usize) {
        let Pixels {
            field,
            x,
            channels,
            y,
        } = &mut self.pixels;
        let (mut best, mut best_at) = ([T::neg_infinity(); W], [NO_SOURCE; W]);
        field.for_each_source(
            #[inline(always)]
            |from| {
                let x = &x[from * *channels + first..][..W];
                for ((best, place), &v) in best.iter_mut().zip(&mut best_at).zip(x) {
                    raise_placed(best, place, v, from as u32);
                }
            },
        );
        let places = &mut self.places[first..first + W];
        for ((y, place), (&best, &at)) in y[first..first + W]
            .iter_mut()
            .zip(places)
            .zip(best.iter().zip(&best_at))
        {
            (*y, *place) = (best, at);
        }
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
