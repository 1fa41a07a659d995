//! The maximum of each window.

use geometry::PoolGeometry;
use tensor::Layout;

use super::{
    BAND, areas, check, for_each_band, for_each_source, for_each_tap, placement, zip_strided,
};
use crate::Context;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::vectorise::vectorised;

/// The index of a window that lies wholly in the padding.
pub const NO_SOURCE: u32 = u32::MAX;

/// `y` = the maximum of each window, and where asked for, `indices` = its place in the input plane
/// of its channel, `(d·H + h)·W + w`.
///
/// Padding never wins; a window wholly in it gives −∞ and [`NO_SOURCE`]. The first of equal elements
/// wins, and a NaN wins over everything, the last one where there are several (as in PyTorch).
/// `indices` lie as `y` does.
///
/// # Panics
/// When a slice has not the size the geometry gives, or a plane is too large for the indices.
pub fn forward(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[f32],
    y: &mut [f32],
    indices: Option<&mut [u32]>,
) {
    check("max pool", geometry, x.len(), y.len());
    if let Some(indices) = &indices {
        assert_eq!(indices.len(), y.len(), "max pool: length of indices");
        let (input, _) = areas(geometry);
        assert!(input < NO_SOURCE as usize, "max pool: a plane of {input}");
    }
    let y = Shared::new(y);
    let indices = indices.map(Shared::new);
    match layout {
        Layout::Nchw => planes(context, geometry, x, y, indices),
        Layout::Nhwc => pixels(context, geometry, x, y, indices),
    }
}

fn planes(
    context: &Context,
    geometry: &PoolGeometry,
    x: &[f32],
    y: Shared,
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
                    vectorised(
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
fn plane_row(
    geometry: &PoolGeometry,
    x: &[f32],
    depth: usize,
    height: usize,
    stride: usize,
    y: &mut [f32],
    places: Option<&mut [u32]>,
) {
    y.fill(f32::NEG_INFINITY);
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

fn pixels(
    context: &Context,
    geometry: &PoolGeometry,
    x: &[f32],
    y: Shared,
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
            vectorised(
                context.isa,
                #[inline(always)]
                || window_of_pixels(geometry, x, at, y, places),
            );
        }
    });
}

#[inline(always)]
fn window_of_pixels(
    geometry: &PoolGeometry,
    x: &[f32],
    at: [usize; 3],
    y: &mut [f32],
    mut places: Option<&mut [u32]>,
) {
    for_each_band(
        y.len(),
        #[inline(always)]
        |first, band| {
            let window = PixelWindow {
                geometry,
                x,
                at,
                channels: y.len(),
                first,
            };
            let y = &mut y[first..first + band];
            match (&mut places, band) {
                (None, BAND) => window.maxima::<BAND>(y),
                (None, _) => window.maxima::<16>(y),
                (Some(places), BAND) => window.places::<BAND>(y, &mut places[first..]),
                (Some(places), _) => window.places::<16>(y, &mut places[first..]),
            }
        },
    );
}

/// A band of the channels of a window. Maxima of a constant number of lanes stay in registers; the
/// last band of a pixel may be shorter.
struct PixelWindow<'a> {
    geometry: &'a PoolGeometry,
    x: &'a [f32],
    at: [usize; 3],
    channels: usize,
    first: usize,
}

impl PixelWindow<'_> {
    /// Calls `visit` with the elements of every tap and its place.
    #[inline(always)]
    fn for_each_tap<const W: usize>(&self, band: usize, mut visit: impl FnMut(&[f32], usize)) {
        for_each_source(
            self.geometry,
            self.at,
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
    fn maxima<const W: usize>(&self, y: &mut [f32]) {
        let mut best = [f32::NEG_INFINITY; W];
        self.for_each_tap::<W>(
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
    fn places<const W: usize>(&self, y: &mut [f32], places: &mut [u32]) {
        let (mut best, mut best_at) = ([f32::NEG_INFINITY; W], [NO_SOURCE; W]);
        self.for_each_tap::<W>(
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
fn raise(best: &mut f32, value: f32) {
    // A choice of values, not of stores: so the loops around it vectorise.
    let wins = (value > *best) | value.is_nan();
    *best = if wins { value } else { *best };
}

/// [`raise`], with its place. In a window full of −∞ nothing is greater than the start; the first
/// element still is the maximum.
#[inline(always)]
fn raise_placed(best: &mut f32, place: &mut u32, value: f32, from: u32) {
    let wins = (value > *best) | value.is_nan() | (*place == NO_SOURCE);
    *best = if wins { value } else { *best };
    *place = if wins { from } else { *place };
}

/// `dx`: each window hands its gradient to its maximum, at the place the forward pass noted in
/// `indices`; where windows overlap, the gradients add up in their order.
///
/// # Panics
/// When a slice has not the size the geometry gives, or an index lies outside the plane.
pub fn backward(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    dy: &[f32],
    indices: &[u32],
    dx: &mut [f32],
) {
    check("max pool backward", geometry, dx.len(), dy.len());
    assert_eq!(indices.len(), dy.len(), "max pool backward: indices");
    let (input, output) = areas(geometry);
    let channels = geometry.channels;
    let dx = Shared::new(dx);
    match layout {
        Layout::Nchw => for_rows(context.team, geometry.batch * channels, input, |range| {
            for plane in range {
                // SAFETY: every plane belongs to one task.
                let dx = unsafe { dx.slice(plane * input, input) };
                dx.fill(0.0);
                let from = plane * output..(plane + 1) * output;
                for (&place, dy) in indices[from.clone()].iter().zip(&dy[from]) {
                    if place != NO_SOURCE {
                        dx[place as usize] += dy;
                    }
                }
            }
        }),
        Layout::Nhwc => {
            let bands = channels.div_ceil(BAND);
            context.team.for_each(geometry.batch * bands, |task, _| {
                let (image, first) = (task / bands, task % bands * BAND);
                let width = BAND.min(channels - first);
                for pixel in image * input..(image + 1) * input {
                    // SAFETY: a band of an image's channels belongs to one task.
                    unsafe { dx.slice(pixel * channels + first, width) }.fill(0.0);
                }
                for pixel in image * output..(image + 1) * output {
                    for channel in first..first + width {
                        let (place, dy) = (
                            indices[pixel * channels + channel],
                            dy[pixel * channels + channel],
                        );
                        if place != NO_SOURCE {
                            let place = place as usize;
                            assert!(place < input, "max pool backward: index {place}");
                            // SAFETY: as above.
                            let dx = unsafe {
                                dx.slice((image * input + place) * channels + channel, 1)
                            };
                            dx[0] += dy;
                        }
                    }
                }
            });
        }
    }
}
