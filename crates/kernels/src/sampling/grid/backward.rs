//! The gradients of sampling along a grid.
//!
//! Where the weights have no slope, it is one of PyTorch's choice: on an element, that of the side
//! after it; on the edge of what padding reads, and beyond, 0.

use geometry::GridSampleGeometry;
use tensor::Layout;

use super::taps::{self, Taps, by_taps, taps};
use super::{POINTS, Run, check, for_runs};
use crate::blocks::for_rows;
use crate::sampling::blend::{add, dot};
use crate::shared::Shared;
use crate::{Context, Isa, Real};

/// Channels of a pixel that one task of the NHWC kernel takes.
const BAND: usize = 64;

/// Planes that one task of the NCHW kernel takes at most: for them all, taps are found once.
const PLANES: usize = 8;

/// Tasks wanted, so that many threads find work.
const TASKS: usize = 64;

/// `dx`: each output element hands its gradient to the elements it read, by their weights, in the
/// order of the points.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_input<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    grid: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    check("grid sample backward", g, dx.len(), grid.len(), dy.len());
    by_taps!(g => scatter::<T>(ctx, layout, g, grid, dy, dx));
}

fn scatter<T: Real, const D: usize, const A: usize, const K: usize>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    grid: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    let (input, output, channels) = (g.input_area(), g.output_area(), g.channels);
    let out = Shared::new(dx);
    let share = match layout {
        Layout::Nhwc => BAND,
        Layout::Nchw => (g.batch * channels / TASKS).clamp(1, PLANES),
    };
    let shares = channels.div_ceil(share);
    ctx.team.for_each(g.batch * shares, |task, _| {
        let (image, first) = (task / shares, task % shares * share);
        let width = share.min(channels - first);
        T::vectorised(
            ctx.isa,
            #[inline(always)]
            || match layout {
                Layout::Nhwc => {
                    let band = |place: usize| {
                        let start = (image * input + place) * channels + first;
                        // SAFETY: a band of an image's channels belongs to one task, which holds
                        // one slice of it at a time.
                        unsafe { out.slice(start, width) }
                    };
                    (0..input).for_each(|place| band(place).fill(T::zero()));
                    for point in image * output..(image + 1) * output {
                        let dy = &dy[point * channels + first..][..width];
                        let at = &grid[point * g.rank..][..g.rank];
                        let taps = taps::<T, D, A, K>(ctx.isa, g, at);
                        for (place, weight) in taps.inside() {
                            add(weight, dy, band(place));
                        }
                    }
                }
                Layout::Nchw => {
                    let start = image * channels + first;
                    // SAFETY: a group of an image's planes belongs to one task.
                    let dx = unsafe { out.slice(start * input, width * input) };
                    dx.fill(T::zero());
                    for from in (0..output).step_by(POINTS) {
                        let len = POINTS.min(output - from);
                        let run =
                            Run::<T, K>::new::<D, A>(ctx.isa, g, grid, image * output + from, len);
                        for (plane, dx) in dx.chunks_exact_mut(input).enumerate() {
                            let dy = &dy[(start + plane) * output + from..][..len];
                            for (taps, &dy) in run.taps().iter().zip(dy) {
                                for (place, weight) in taps.inside() {
                                    dx[place] += weight * dy;
                                }
                            }
                        }
                    }
                }
            },
        );
    });
}

/// `dgrid[n, p] = Σ dy[n, c, p] · slope · x[n, c, ·]` over the channels and the elements around
/// point `p`, with the slope of their weights by each coordinate.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_grid<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    x: &[T],
    grid: &[T],
    dy: &[T],
    dgrid: &mut [T],
) {
    check("grid sample backward", g, x.len(), grid.len(), dy.len());
    assert_eq!(
        dgrid.len(),
        grid.len(),
        "grid sample backward: length of dgrid"
    );
    by_taps!(g => slopes::<T>(ctx, layout, g, x, grid, dy, dgrid));
}

fn slopes<T: Real, const D: usize, const A: usize, const K: usize>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    x: &[T],
    grid: &[T],
    dy: &[T],
    dgrid: &mut [T],
) {
    let (input, output, channels) = (g.input_area(), g.output_area(), g.channels);
    let out = Shared::new(dgrid);
    match layout {
        Layout::Nhwc => for_rows(ctx.team, g.batch * output, channels * K, |range| {
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || {
                    for point in range {
                        let x = &x[point / output * input * channels..][..input * channels];
                        let dy = &dy[point * channels..][..channels];
                        let at = &grid[point * g.rank..][..g.rank];
                        let taps = taps::<T, D, A, K>(ctx.isa, g, at);
                        let mut products = [T::zero(); K];
                        for_each_inside(
                            &taps,
                            #[inline(always)]
                            |k, place| products[k] = dot(dy, &x[place * channels..][..channels]),
                        );
                        finish::<T, D, A, K>(ctx.isa, g, grid, point, &products, out);
                    }
                },
            );
        }),
        Layout::Nchw => for_runs::<T>(
            ctx,
            g,
            #[inline(always)]
            |image, points| {
                let first = image * output + points.start;
                let run = Run::<T, K>::new::<D, A>(ctx.isa, g, grid, first, points.len());
                let mut products = [[T::zero(); K]; POINTS];
                for channel in 0..channels {
                    let plane = image * channels + channel;
                    let x = &x[plane * input..][..input];
                    let dy = &dy[plane * output + points.start..][..points.len()];
                    for ((products, taps), &dy) in products.iter_mut().zip(run.taps()).zip(dy) {
                        for_each_inside(
                            taps,
                            #[inline(always)]
                            |k, place| products[k] += dy * x[place],
                        );
                    }
                }
                for (point, products) in products[..points.len()].iter().enumerate() {
                    finish::<T, D, A, K>(ctx.isa, g, grid, first + point, products, out);
                }
            },
        ),
    }
}

/// The gradient of one point: `products` has by element read the sum over the channels of what it
/// holds times the gradient; every coordinate takes the slopes of the weights by it.
#[inline(always)]
fn finish<T: Real, const D: usize, const A: usize, const K: usize>(
    isa: Isa,
    g: &GridSampleGeometry,
    grid: &[T],
    point: usize,
    products: &[T; K],
    out: Shared<'_, T>,
) {
    let slopes = taps::slopes::<T, D, A, K>(isa, g, &grid[point * g.rank..][..g.rank]);
    // SAFETY: every point belongs to one task.
    let dgrid = unsafe { out.slice(point * g.rank, g.rank) };
    for (dgrid, slopes) in dgrid.iter_mut().zip(slopes) {
        *dgrid = slopes.iter().zip(products).map(|(&s, &p)| s * p).sum();
    }
}

/// Calls `visit(k, place)` for every tap on the image.
#[inline(always)]
fn for_each_inside<T: Real, const K: usize>(
    taps: &Taps<T, K>,
    mut visit: impl FnMut(usize, usize),
) {
    for (k, place) in taps.place.into_iter().enumerate() {
        if place != super::OUTSIDE {
            visit(k, place);
        }
    }
}
