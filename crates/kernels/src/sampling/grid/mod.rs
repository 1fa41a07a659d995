//! Sampling a feature map along a grid (Jaderberg et al. 2015, "Spatial transformer networks"), as
//! PyTorch `grid_sample` and ONNX GridSample do it.
//!
//! A grid holds a point for every output pixel, `(x, y)` or `(x, y, z)` from −1 to 1 over the image,
//! in the order of its shape `[n, (d,) h, w, axes]`, whatever the layout of the maps. A map may be
//! anything of shape `[n, c, …]`: features, or the kernels `[o, c, h, w]` of a convolution.
//!
//! A coordinate that is not a number lies outside: with zeros there it reads nothing; with the other
//! paddings it reads the first element, as does an infinite one under reflection. Its gradient is 0.

mod axis;
mod backward;
mod taps;

pub use backward::{backward_grid, backward_input};

use geometry::GridSampleGeometry;
use tensor::Layout;

use self::axis::OUTSIDE;
use self::taps::{Taps, by_taps, taps};
use super::blend::blend;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Isa, Real};

/// Points whose taps are found before the channels of an NCHW map are gone through.
const POINTS: usize = 64;

/// `y[n, c, p] = Σ weight · x[n, c, ·]` over the elements around point `p` of the grid of image `n`.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    x: &[T],
    grid: &[T],
    y: &mut [T],
) {
    check("grid sample", g, x.len(), grid.len(), y.len());
    by_taps!(g => sample::<T>(ctx, layout, g, x, grid, y));
}

fn sample<T: Real, const D: usize, const A: usize, const K: usize>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &GridSampleGeometry,
    x: &[T],
    grid: &[T],
    y: &mut [T],
) {
    let (input, output, channels) = (g.input_area(), g.output_area(), g.channels);
    let out = Shared::new(y);
    match layout {
        Layout::Nhwc => for_rows(ctx.team, g.batch * output, channels * K, |range| {
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || {
                    for point in range {
                        let x = &x[point / output * input * channels..][..input * channels];
                        let at = &grid[point * g.rank..][..g.rank];
                        let taps = taps::<T, D, A, K>(ctx.isa, g, at);
                        // SAFETY: every pixel belongs to one task.
                        let y = unsafe { out.slice(point * channels, channels) };
                        let terms = taps.inside();
                        let terms = terms.map(|(place, weight)| (weight, &x[place * channels..]));
                        blend(terms, y);
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
                for channel in 0..channels {
                    let plane = image * channels + channel;
                    let x = &x[plane * input..][..input];
                    // SAFETY: every run of points belongs to one task.
                    let y = unsafe { out.slice(plane * output + points.start, points.len()) };
                    for (y, taps) in y.iter_mut().zip(run.taps()) {
                        *y = gather(taps, x);
                    }
                }
            },
        ),
    }
}

/// The taps of a run of points.
struct Run<T, const K: usize> {
    taps: [Taps<T, K>; POINTS],
    len: usize,
}

impl<T: Real, const K: usize> Run<T, K> {
    /// Those of `len` points from `first`, counted through images.
    #[inline(always)]
    fn new<const D: usize, const A: usize>(
        isa: Isa,
        g: &GridSampleGeometry,
        grid: &[T],
        first: usize,
        len: usize,
    ) -> Self {
        let mut run = Self {
            taps: [Taps {
                place: [OUTSIDE; K],
                weight: [T::zero(); K],
            }; POINTS],
            len,
        };
        let points = grid[first * g.rank..][..len * g.rank].chunks_exact(g.rank);
        for (found, point) in run.taps.iter_mut().zip(points) {
            *found = taps::<T, D, A, K>(isa, g, point);
        }
        run
    }

    #[inline(always)]
    fn taps(&self) -> &[Taps<T, K>] {
        &self.taps[..self.len]
    }
}

/// The weighted sum of what a point reads of a plane.
#[inline(always)]
fn gather<T: Real, const K: usize>(taps: &Taps<T, K>, x: &[T]) -> T {
    let mut sum = T::zero();
    for (place, weight) in taps.inside() {
        sum += weight * x[place];
    }
    sum
}

/// Runs `task(image, points)` for runs of at most [`POINTS`] points of every image.
fn for_runs<T: Real>(
    ctx: &Context<'_>,
    g: &GridSampleGeometry,
    task: impl Fn(usize, std::ops::Range<usize>) + Sync,
) {
    let points = g.output_area();
    let runs = points.div_ceil(POINTS);
    let width = POINTS * g.channels.max(1);
    for_rows(ctx.team, g.batch * runs, width, |range| {
        for run in range {
            let first = run % runs * POINTS;
            let points = first..(first + POINTS).min(points);
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || task(run / runs, points),
            );
        }
    });
}

fn check(what: &str, g: &GridSampleGeometry, x: usize, grid: usize, y: usize) {
    let planes = g.batch * g.channels;
    let points = g.batch * g.output_area();
    assert_eq!(
        x,
        planes * g.input_area(),
        "{what}: length of the input's map"
    );
    assert_eq!(
        y,
        planes * g.output_area(),
        "{what}: length of the output's map"
    );
    assert_eq!(grid, points * g.rank, "{what}: length of the grid");
}
