//! The average of each window.
//!
//! The divisor is [`PoolGeometry::divisor`]: padding counts where the geometry says so, the overhang
//! of ceil mode never does. A window wholly off the image is 0.

use geometry::{PoolGeometry, Window};
use tensor::Layout;

use super::{
    BAND, Field, OfBand, Placed, areas, check, for_each_band, for_each_placed, for_each_tap,
    for_each_tap_of_piece, inner, placement, zip_strided,
};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the sum of each window's elements on the image, divided by its divisor.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[T],
    y: &mut [T],
) {
    check("average pool", geometry, x.len(), y.len());
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
                        || plane_row(geometry, x, row / height, row % height, y),
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
                            let average = Average {
                                window,
                                x,
                                divisor: divisor_at(geometry, window.at),
                                // SAFETY: every pixel belongs to one task.
                                y: unsafe { out.slice(pixel * channels, channels) },
                            };
                            for_each_band(channels, &mut { average });
                        },
                    );
                },
            );
        }),
    }
}

/// The average of a window, channel by channel.
struct Average<'a, T> {
    window: &'a Placed<'a>,
    x: &'a [T],
    divisor: T,
    y: &'a mut [T],
}

impl<T: Real> OfBand for Average<'_, T> {
    const WIDEST: usize = BAND;

    #[inline(always)]
    fn of_band<const W: usize>(&mut self, first: usize) {
        let channels = self.y.len();
        let mut sums = [T::zero(); W];
        self.window.for_each_source(
            #[inline(always)]
            |from| {
                let x = &self.x[from * channels + first..][..W];
                for (sum, &v) in sums.iter_mut().zip(x) {
                    *sum += v;
                }
            },
        );
        for (y, &sum) in self.y[first..first + W].iter_mut().zip(&sums) {
            *y = sum / self.divisor;
        }
    }
}

#[inline(always)]
fn add<T: Real>(sum: &mut [T], x: &[T]) {
    for (sum, &v) in sum.iter_mut().zip(x) {
        *sum += v;
    }
}

#[inline(always)]
fn plane_row<T: Real>(geometry: &PoolGeometry, x: &[T], depth: usize, height: usize, y: &mut [T]) {
    y.fill(T::zero());
    for_each_tap(
        geometry,
        depth,
        height,
        #[inline(always)]
        |at, first| {
            let stride = geometry.windows[2].stride;
            zip_strided(
                x,
                first,
                stride,
                y[at].iter_mut(),
                #[inline(always)]
                |y, v, _| *y += v,
            );
        },
    );
    divide_row(geometry, depth, height, 0, y);
}

/// The divisor of a window; 1 where nothing counts, for then the sum is 0 too.
#[inline(always)]
fn divisor_at<T: Real>(geometry: &PoolGeometry, at: [usize; 3]) -> T {
    T::of(geometry.divisor(at).max(1) as f64)
}

/// Divides outputs `from ..` of a row by their divisors. All windows that lie wholly on the image
/// have the same one.
#[inline(always)]
fn divide_row<T: Real>(
    geometry: &PoolGeometry,
    depth: usize,
    height: usize,
    from: usize,
    values: &mut [T],
) {
    let w = &geometry.windows[2];
    let (inner, to) = (inner(w), from + values.len());
    let inner_from = inner.start.clamp(from, to);
    let inner_to = inner.end.clamp(inner_from, to);
    let divisor = |column: usize| divisor_at::<T>(geometry, [depth, height, column]);
    for column in (from..inner_from).chain(inner_to..to) {
        values[column - from] /= divisor(column);
    }
    if inner_from < inner_to {
        let divisor = divisor(inner_from);
        for value in &mut values[inner_from - from..inner_to - from] {
            *value /= divisor;
        }
    }
}

/// `dx`: each window spreads its gradient, divided by its divisor, evenly over its elements on the
/// image; where windows overlap, the shares add up in their order.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    dy: &[T],
    dx: &mut [T],
) {
    check("average pool backward", geometry, dx.len(), dy.len());
    let (input, output) = areas(geometry);
    let channels = geometry.channels;
    let out = Shared::new(dx);
    match layout {
        Layout::Nchw => for_rows(context.team, geometry.batch * channels, input, |range| {
            for plane in range {
                // SAFETY: every plane belongs to one task.
                let dx = unsafe { out.slice(plane * input, input) };
                let dy = &dy[plane * output..][..output];
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || spread_plane(geometry, dy, dx),
                );
            }
        }),
        Layout::Nhwc if geometry.windows.iter().all(covers_once) => {
            spread_tiles(context, geometry, dy, out);
        }
        Layout::Nhwc => {
            let bands = channels.div_ceil(BAND);
            context.team.for_each(geometry.batch * bands, |task, _| {
                let (image, first) = (task / bands, task % bands * BAND);
                let width = BAND.min(channels - first);
                let band = |place: usize| {
                    let start = (image * input + place) * channels + first;
                    // SAFETY: a band of an image's channels belongs to one task, which holds one
                    // slice of it at a time.
                    unsafe { out.slice(start, width) }
                };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        (0..input).for_each(|place| band(place).fill(T::zero()));
                        for pixel in 0..output {
                            let at = placement(geometry, pixel);
                            let divisor = divisor_at(geometry, at);
                            let mut share = [T::zero(); BAND];
                            let dy = &dy[(image * output + pixel) * channels + first..][..width];
                            for (share, &dy) in share.iter_mut().zip(dy) {
                                *share = dy / divisor;
                            }
                            Placed::new(geometry, at).for_each_source(
                                #[inline(always)]
                                |place| {
                                    add(band(place), &share[..width]);
                                },
                            );
                        }
                    },
                );
            });
        }
    }
}

/// Whether the placements of a window lie side by side and reach over the whole axis.
fn covers_once(window: &Window) -> bool {
    window.stride == window.kernel
        && window.dilation == 1
        && window.output * window.stride >= window.input + window.before
}

/// The gradient where every element lies in one window: its share is all there is.
fn spread_tiles<T: Real>(context: &Context, geometry: &PoolGeometry, dy: &[T], out: Shared<'_, T>) {
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
                        let divisor = divisor_at::<T>(geometry, window.at);
                        let dy = &dy[pixel * channels..][..channels];
                        window.for_each_source(
                            #[inline(always)]
                            |place| {
                                let start = (image * input + place) * channels;
                                // SAFETY: an element belongs to the task of its window.
                                let dx = unsafe { out.slice(start, channels) };
                                for (dx, &dy) in dx.iter_mut().zip(dy) {
                                    *dx = dy / divisor;
                                }
                            },
                        );
                    },
                );
            },
        );
    });
}

#[inline(always)]
fn spread_plane<T: Real>(geometry: &PoolGeometry, dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    let [_, height, width] = geometry.windows.map(|w| w.output);
    let stride = geometry.windows[2].stride;
    for (row, dy) in dy.chunks_exact(width).enumerate() {
        let (depth, height) = (row / height, row % height);
        // A row in pieces, so that its shares need no memory but the stack.
        for (from, dy) in (0..).step_by(BAND).zip(dy.chunks(BAND)) {
            let mut shares = [T::zero(); BAND];
            let shares = &mut shares[..dy.len()];
            shares.copy_from_slice(dy);
            divide_row(geometry, depth, height, from, shares);
            for_each_tap_of_piece(
                geometry,
                depth,
                height,
                from..from + shares.len(),
                #[inline(always)]
                |at, first| add_strided(&mut dx[first..], stride, &shares[at]),
            );
        }
    }
}

/// Adds `shares` to every `stride`-th element of `dx`.
#[inline(always)]
fn add_strided<T: Real>(dx: &mut [T], stride: usize, shares: &[T]) {
    match stride {
        // Constants, so that the compiler can vectorise them.
        1 => add(dx, shares),
        2 => {
            let (pairs, last) = dx.as_chunks_mut::<2>();
            let count = pairs.len().min(shares.len());
            for (pair, &share) in pairs.iter_mut().zip(shares) {
                pair[0] += share;
            }
            // The last share may fall on an element without a partner.
            for (dx, &share) in last.iter_mut().zip(&shares[count..]) {
                *dx += share;
            }
        }
        _ => {
            for (dx, &share) in dx.iter_mut().step_by(stride).zip(shares) {
                *dx += share;
            }
        }
    }
}
