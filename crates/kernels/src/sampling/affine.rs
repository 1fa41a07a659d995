//! Affine grids: where the points of a regular grid go under a matrix (Jaderberg et al. 2015).
//!
//! `grid[n, d, h, w] = theta[n] · (x, y, z, 1)`, with `x`, `y` (and `z`) from −1 to 1 over the width,
//! the height (and the depth). As PyTorch `affine_grid` and ONNX AffineGrid. Grids and matrices lie
//! in the order of their shapes, whatever the layout of feature maps.

use std::ops::Range;

use geometry::AffineGridGeometry;

use crate::blocks::{BLOCK, for_rows};
use crate::shared::Shared;
use crate::{Context, Real};

/// The most columns of a matrix.
const COLUMNS: usize = 4;

/// `grid`, `[n, (d,) h, w, axes]`, of `theta`, `[n, axes, axes + 1]`.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(ctx: &Context<'_>, g: &AffineGridGeometry, theta: &[T], grid: &mut [T]) {
    check(g, theta, grid);
    let ([depth, height, width], rank) = (g.output, g.rank);
    let out = Shared::new(grid);
    for_rows(ctx.team, g.batch * depth * height, width * rank, |range| {
        for row in range {
            let theta = matrix(g, theta, row / (depth * height));
            // SAFETY: every row belongs to one task.
            let points = unsafe { out.slice(row * width * rank, width * rank) };
            let (y, z) = row_coordinates::<T>(g, row);
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || {
                    for (column, point) in points.chunks_exact_mut(rank).enumerate() {
                        let x = coordinate::<T>(column, width, g.align_corners);
                        for (at, t) in point.iter_mut().zip(theta.chunks_exact(rank + 1)) {
                            *at = match *t {
                                [tx, ty, shift] => x * tx + y * ty + shift,
                                [tx, ty, tz, shift] => x * tx + y * ty + z * tz + shift,
                                _ => unreachable!("a matrix has three or four columns"),
                            };
                        }
                    }
                },
            );
        }
    });
}

/// Elements of `scratch` that [`backward`] needs.
pub fn scratch_len(g: &AffineGridGeometry) -> usize {
    g.batch * chunks(g) * g.rank * (g.rank + 1)
}

/// `dtheta[n] = Σ dgrid[n, ·] (x, y, z, 1)ᵀ`. The rounding error does not grow with the number of
/// points: sums are kept in f64.
///
/// # Panics
/// When a slice has not the size the geometry gives, or `scratch` is shorter than [`scratch_len`].
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    g: &AffineGridGeometry,
    dgrid: &[T],
    dtheta: &mut [T],
    scratch: &mut [T],
) {
    check(g, dtheta, dgrid);
    let (chunks, elements) = (chunks(g), g.rank * (g.rank + 1));
    let partial = &mut scratch[..g.batch * chunks * elements];
    let out = Shared::new(partial);
    let rows = g.output[0] * g.output[1];
    ctx.team.for_each(g.batch * chunks, |task, _| {
        let (image, chunk) = (task / chunks, task % chunks);
        let step = rows_of_chunk(g);
        let first = image * rows + chunk * step;
        let last = (first + step).min((image + 1) * rows);
        // SAFETY: every chunk has sums of its own.
        let sums = unsafe { out.slice(task * elements, elements) };
        T::vectorised(
            ctx.isa,
            #[inline(always)]
            || sum_rows(g, dgrid, first..last, sums),
        );
    });
    for (image, dtheta) in dtheta.chunks_exact_mut(elements).enumerate() {
        let partial = &partial[image * chunks * elements..][..chunks * elements];
        for (element, sum) in dtheta.iter_mut().enumerate() {
            let parts = partial.iter().skip(element).step_by(elements);
            *sum = T::of(parts.map(|part| part.wide()).sum());
        }
    }
}

/// `sums[axis, column]` over all points of `rows`.
#[inline(always)]
fn sum_rows<T: Real>(g: &AffineGridGeometry, dgrid: &[T], rows: Range<usize>, sums: &mut [T]) {
    let (width, rank) = (g.output[2], g.rank);
    let mut total = [[0.0f64; COLUMNS]; COLUMNS];
    for row in rows {
        // The other coordinates are the same all along a row.
        let (mut plain, mut by_x) = ([0.0f64; COLUMNS], [0.0f64; COLUMNS]);
        let points = &dgrid[row * width * rank..][..width * rank];
        for (column, point) in points.chunks_exact(rank).enumerate() {
            let x = coordinate::<T>(column, width, g.align_corners).wide();
            for (axis, slope) in point.iter().enumerate() {
                plain[axis] += slope.wide();
                by_x[axis] += slope.wide() * x;
            }
        }
        let (y, z) = row_coordinates::<T>(g, row);
        for axis in 0..rank {
            let columns = [by_x[axis], plain[axis] * y.wide(), plain[axis] * z.wide()];
            for (total, part) in total[axis].iter_mut().zip(&columns[..rank]) {
                *total += part;
            }
            total[axis][rank] += plain[axis];
        }
    }
    for (sums, total) in sums.chunks_exact_mut(rank + 1).zip(total) {
        for (sum, total) in sums.iter_mut().zip(total) {
            *sum = T::of(total);
        }
    }
}

/// Coordinate of point `index` of `size`: from −1 to 1, at the middles of the points with
/// `align_corners`, else at the outer edges of the first and the last. A single point lies at 0.
#[inline(always)]
fn coordinate<T: Real>(index: usize, size: usize, align_corners: bool) -> T {
    // One rounding: both numbers are whole.
    let twice = 2.0 * index as f64 + 1.0 - size as f64;
    match (align_corners, size) {
        (_, 1) => T::zero(),
        (true, _) => T::of(twice / (size as f64 - 1.0)),
        (false, _) => T::of(twice / size as f64),
    }
}

/// `y` and `z` of a row, counted through images and depth.
#[inline(always)]
fn row_coordinates<T: Real>(g: &AffineGridGeometry, row: usize) -> (T, T) {
    let [depth, height, _] = g.output;
    (
        coordinate(row % height, height, g.align_corners),
        coordinate(row / height % depth, depth, g.align_corners),
    )
}

fn matrix<'a, T>(g: &AffineGridGeometry, theta: &'a [T], image: usize) -> &'a [T] {
    let len = g.rank * (g.rank + 1);
    &theta[image * len..][..len]
}

/// Rows that one task sums up.
fn rows_of_chunk(g: &AffineGridGeometry) -> usize {
    (BLOCK / (g.output[2] * g.rank).max(1)).max(1)
}

fn chunks(g: &AffineGridGeometry) -> usize {
    (g.output[0] * g.output[1]).div_ceil(rows_of_chunk(g))
}

fn check<T>(g: &AffineGridGeometry, theta: &[T], grid: &[T]) {
    let matrices = g.batch * g.rank * (g.rank + 1);
    assert_eq!(theta.len(), matrices, "affine grid: length of theta");
    let points = g.batch * g.area();
    assert_eq!(
        grid.len(),
        points * g.rank,
        "affine grid: length of the grid"
    );
}
