//! The average of a whole plane: `[n, c, spatial…]` to `[n, c]`, the same in both layouts.

use tensor::Layout;

use super::BAND;
use crate::Context;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::sum::sum_of;
use crate::vectorise::vectorised;

/// Pixels whose sum is kept in f32.
const PIXELS: usize = 64;

/// `y[n, c] = Σ x[n, c, ·] / area`. The rounding error does not grow with the area.
///
/// # Panics
/// When `x` does not hold `batch · channels · area` elements, or `y` not `batch · channels`.
pub fn forward(
    context: &Context,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    x: &[f32],
    y: &mut [f32],
) {
    check(batch, channels, area, x.len(), y.len());
    let out = Shared::new(y);
    match layout {
        Layout::Nchw => for_rows(context.team, batch * channels, area, |range| {
            for plane in range {
                let sum = sum_of(context.isa, &x[plane * area..][..area], |v| v);
                // SAFETY: every plane belongs to one task.
                let y = unsafe { out.slice(plane, 1) };
                y[0] = (sum / area as f64) as f32;
            }
        }),
        Layout::Nhwc => {
            let bands = channels.div_ceil(BAND);
            context.team.for_each(batch * bands, |task, _| {
                let (image, first) = (task / bands, task % bands * BAND);
                let width = BAND.min(channels - first);
                // SAFETY: a band of an image's channels belongs to one task.
                let y = unsafe { out.slice(image * channels + first, width) };
                let x = &x[image * area * channels..][..area * channels];
                vectorised(
                    context.isa,
                    #[inline(always)]
                    || mean_of_pixels(x, channels, first, area, y),
                );
            });
        }
    }
}

#[inline(always)]
fn mean_of_pixels(x: &[f32], channels: usize, first: usize, area: usize, y: &mut [f32]) {
    let mut total = [0.0f64; BAND];
    for part in x.chunks(PIXELS * channels) {
        let mut recent = [0.0f32; BAND];
        for pixel in part.chunks_exact(channels) {
            for (sum, v) in recent.iter_mut().zip(&pixel[first..first + y.len()]) {
                *sum += v;
            }
        }
        for (total, recent) in total.iter_mut().zip(recent) {
            *total += f64::from(recent);
        }
    }
    for (y, total) in y.iter_mut().zip(total) {
        *y = (total / area as f64) as f32;
    }
}

/// `dx[n, c, ·] = dy[n, c] / area`
///
/// # Panics
/// When `dx` does not hold `batch · channels · area` elements, or `dy` not `batch · channels`.
pub fn backward(
    context: &Context,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    dy: &[f32],
    dx: &mut [f32],
) {
    check(batch, channels, area, dx.len(), dy.len());
    let divisor = area as f32;
    let out = Shared::new(dx);
    match layout {
        Layout::Nchw => for_rows(context.team, batch * channels, area, |range| {
            for plane in range {
                // SAFETY: every plane belongs to one task.
                unsafe { out.slice(plane * area, area) }.fill(dy[plane] / divisor);
            }
        }),
        Layout::Nhwc => for_rows(context.team, batch * area, channels, |range| {
            for pixel in range {
                // SAFETY: every pixel belongs to one task.
                let dx = unsafe { out.slice(pixel * channels, channels) };
                let dy = &dy[pixel / area * channels..][..channels];
                for (dx, dy) in dx.iter_mut().zip(dy) {
                    *dx = dy / divisor;
                }
            }
        }),
    }
}

fn check(batch: usize, channels: usize, area: usize, x: usize, y: usize) {
    assert_eq!(x, batch * channels * area, "global pool: length of the map");
    assert_eq!(y, batch * channels, "global pool: length of the means");
}
