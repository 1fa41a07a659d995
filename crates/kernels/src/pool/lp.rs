//! The norm `(Σ|x|ᵖ)^(1/p)` of each window, for any p ≥ 1.
//!
//! This is ONNX's `LpPool`: magnitudes are raised, so the result is a norm for every p, and padding
//! counts as zeros. PyTorch's `lp_pool` raises the signed element; the two agree for even p, and for
//! odd p on elements ≥ 0. (PyTorch also scales up windows that ceil mode lets hang over; a norm has
//! nothing to scale.)

use geometry::{NormOrder, PoolGeometry, PoolKind};
use num_traits::Zero;
use tensor::Layout;

use super::order::{Order, Plane, for_order, norm};
use super::{
    BAND, Field, OfBand, Placed, areas, check, for_each_band, for_each_placed,
    for_each_tap_of_piece, placement, zip_strided,
};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the norm of each window's elements on the image; 0 where there are none.
///
/// # Panics
/// When a slice has not the size the geometry gives, or its kind is another than
/// [`PoolKind::Lp`].
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &mut [T],
) {
    check("Lp pool", geometry, x.len(), y.len());
    for_order!(order_of(geometry), |order| norms(
        order, context, layout, geometry, x, y
    ));
}

fn order_of(geometry: &PoolGeometry) -> NormOrder {
    match geometry.kind {
        PoolKind::Lp { order } => order,
        kind => panic!("Lp pool: a pool of kind {kind:?}"),
    }
}

fn norms<T: Real, O: Order<T>>(
    order: O,
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &mut [T],
) {
    let (input, output) = areas(geometry);
    let [depth, height, width] = geometry.windows.map(|w| w.output);
    let (batch, channels) = (geometry.batch, geometry.channels);
    let out = Shared::new(y);
    match layout {
        Layout::Nchw => for_rows(context.team, batch * channels, input, |range| {
            for plane in range {
                let x = &x[plane * input..][..input];
                for row in 0..depth * height {
                    // SAFETY: every plane belongs to one task.
                    let y = unsafe { out.slice(plane * output + row * width, width) };
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || plane_row(order, geometry, x, row / height, row % height, y),
                    );
                }
            }
        }),
        Layout::Nhwc => for_rows(context.team, batch * output, channels, |range| {
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
                            window.prefetch_below(x, channels);
                            // SAFETY: every pixel belongs to one task.
                            let y = unsafe { out.slice(pixel * channels, channels) };
                            for_each_band(
                                channels,
                                &mut Norms {
                                    order,
                                    window,
                                    x,
                                    y,
                                },
                            );
                        },
                    );
                },
            );
        }),
    }
}

#[inline(always)]
fn plane_row<T: Real, O: Order<T>>(
    order: O,
    geometry: &PoolGeometry,
    x: &[T],
    depth: usize,
    height: usize,
    y: &mut [T],
) {
    let stride = geometry.windows[2].stride;
    // A row in pieces, so that its sums need no memory but the stack.
    for (from, y) in (0..).step_by(BAND).zip(y.chunks_mut(BAND)) {
        let mut sums = [O::Sum::zero(); BAND];
        for_each_tap_of_piece(
            geometry,
            depth,
            height,
            from..from + y.len(),
            #[inline(always)]
            |at, first| {
                zip_strided(
                    x,
                    first,
                    stride,
                    sums[at].iter_mut(),
                    #[inline(always)]
                    |sum, v, _| *sum += order.term(v),
                );
            },
        );
        let plane = Plane {
            x,
            step: 1,
            first: 0,
        };
        for (column, (y, &sum)) in (from..).zip(y.iter_mut().zip(&sums)) {
            let at = [depth, height, column];
            *y = norm(order, sum, &Placed::new(geometry, at), plane);
        }
    }
}

/// The norm of a window, channel by channel.
struct Norms<'a, T, O> {
    order: O,
    window: &'a Placed<'a>,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real, O: Order<T>> OfBand for Norms<'_, T, O> {
    const WIDEST: usize = BAND;

    #[inline(always)]
    fn of_band<const W: usize>(&mut self, first: usize) {
        let channels = self.y.len();
        let mut sums = [O::Sum::zero(); W];
        self.window.for_each_source(
            #[inline(always)]
            |from| {
                add_terms(
                    self.order,
                    &mut sums,
                    &self.x[from * channels + first..][..W],
                )
            },
        );
        for (channel, &sum) in (first..first + W).zip(&sums) {
            let plane = Plane {
                x: self.x,
                step: channels,
                first: channel,
            };
            self.y[channel] = norm(self.order, sum, self.window, plane);
        }
    }
}

#[inline(always)]
fn add_terms<T: Real, O: Order<T>>(order: O, sums: &mut [O::Sum], x: &[T]) {
    for (sum, &v) in sums.iter_mut().zip(x) {
        *sum += order.term(v);
    }
}

/// `dx = Σ dy·sign(x)·(|x|/y)^(p−1)` over the windows an element is in, in their order; `y` is the
/// output of the forward pass. A window of norm 0 hands on nothing.
///
/// # Panics
/// As [`forward`].
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    check("Lp pool backward", geometry, dx.len(), dy.len());
    check("Lp pool backward", geometry, x.len(), y.len());
    for_order!(order_of(geometry), |order| slopes(
        order, context, layout, geometry, x, y, dy, dx
    ));
}

fn slopes<T: Real, O: Order<T>>(
    order: O,
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    let (input, output) = areas(geometry);
    let channels = geometry.channels;
    let out = Shared::new(dx);
    match layout {
        Layout::Nchw => for_rows(context.team, geometry.batch * channels, input, |range| {
            for plane in range {
                // SAFETY: every plane belongs to one task.
                let dx = unsafe { out.slice(plane * input, input) };
                let x = &x[plane * input..][..input];
                let own = plane * output..(plane + 1) * output;
                let (y, dy) = (&y[own.clone()], &dy[own]);
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || spread_plane(order, geometry, x, y, dy, dx),
                );
            }
        }),
        Layout::Nhwc => {
            let bands = channels.div_ceil(BAND);
            context.team.for_each(geometry.batch * bands, |task, _| {
                let (image, first) = (task / bands, task % bands * BAND);
                let width = BAND.min(channels - first);
                let start = |place: usize| (image * input + place) * channels + first;
                let band = |place: usize| {
                    // SAFETY: a band of an image's channels belongs to one task, which holds one
                    // slice of it at a time.
                    unsafe { out.slice(start(place), width) }
                };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        (0..input).for_each(|place| band(place).fill(T::zero()));
                        for pixel in 0..output {
                            let from = (image * output + pixel) * channels + first;
                            let window = Placed::new(geometry, placement(geometry, pixel));
                            let prepared = prepare(order, &y[from..][..width]);
                            let dy = &dy[from..][..width];
                            window.for_each_source(
                                #[inline(always)]
                                |place| {
                                    let x = &x[start(place)..][..width];
                                    add_slopes(order, x, &prepared, dy, band(place));
                                },
                            );
                        }
                    },
                );
            });
        }
    }
}

#[inline(always)]
fn spread_plane<T: Real, O: Order<T>>(
    order: O,
    geometry: &PoolGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    dx.fill(T::zero());
    let [_, height, width] = geometry.windows.map(|w| w.output);
    let stride = geometry.windows[2].stride;
    let rows = y.chunks_exact(width).zip(dy.chunks_exact(width));
    for (row, (y, dy)) in rows.enumerate() {
        let pieces = y.chunks(BAND).zip(dy.chunks(BAND));
        for (from, (y, dy)) in (0..).step_by(BAND).zip(pieces) {
            let prepared = prepare(order, y);
            for_each_tap_of_piece(
                geometry,
                row / height,
                row % height,
                from..from + y.len(),
                #[inline(always)]
                |at, first| {
                    let (prepared, dy) = (&prepared[at.clone()], &dy[at]);
                    let (x, dx) = (&x[first..], &mut dx[first..]);
                    if stride == 1 {
                        add_slopes(order, x, prepared, dy, dx);
                    } else {
                        let x = x.iter().step_by(stride);
                        let dx = dx.iter_mut().step_by(stride);
                        let norms = prepared.iter().zip(dy);
                        for ((&x, dx), (&prepared, &dy)) in x.zip(dx).zip(norms) {
                            *dx += dy * order.slope(x, prepared);
                        }
                    }
                },
            );
        }
    }
}

/// What at most [`BAND`] norms are prepared to.
#[inline(always)]
pub(super) fn prepare<T: Real, O: Order<T>>(order: O, y: &[T]) -> [O::Sum; BAND] {
    let mut prepared = [O::Sum::zero(); BAND];
    for (prepared, &y) in prepared.iter_mut().zip(y) {
        *prepared = order.prepare(y);
    }
    prepared
}

/// Adds the gradient of a row of norms to the elements that each of them has in a row of the input.
#[inline(always)]
pub(super) fn add_slopes<T: Real, O: Order<T>>(
    order: O,
    x: &[T],
    prepared: &[O::Sum],
    dy: &[T],
    dx: &mut [T],
) {
    let norms = prepared.iter().zip(dy);
    for ((&x, dx), (&prepared, &dy)) in x.iter().zip(dx).zip(norms) {
        *dx += dy * order.slope(x, prepared);
    }
}
