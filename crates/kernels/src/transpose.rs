//! Conversion between layouts.

use tensor::Layout;

use crate::Context;
use crate::shared::Shared;
use crate::vectorise::vectorised;

/// Writes `x`, a feature map in layout `from`, to `y` in layout `to`.
///
/// # Panics
/// When a slice does not hold `batch · channels · area` elements.
pub fn reorder(
    context: &Context,
    from: Layout,
    to: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    x: &[f32],
    y: &mut [f32],
) {
    let len = batch * channels * area;
    assert_eq!(x.len(), len, "reorder: length of x");
    assert_eq!(y.len(), len, "reorder: length of y");
    if len == 0 {
        return;
    }
    match (from, to) {
        (Layout::Nchw, Layout::Nhwc) => transpose(context, batch, channels, area, x, y),
        (Layout::Nhwc, Layout::Nchw) => transpose(context, batch, area, channels, x, y),
        _ => copy(context, x, y),
    }
}

fn copy(context: &Context, x: &[f32], y: &mut [f32]) {
    let out = Shared::new(y);
    crate::blocks::for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        unsafe { out.slice(range.start, range.len()) }.copy_from_slice(&x[range]);
    });
}

/// Transposes `batch` matrices of `rows × columns`.
///
/// A task takes a band of columns of one matrix, which is a band of rows of the result. Within it
/// square tiles of one cache line a side are turned over: all lines of a tile stay in the first
/// cache, so each is read and written once, whichever side is the long one.
fn transpose(
    context: &Context,
    batch: usize,
    rows: usize,
    columns: usize,
    x: &[f32],
    y: &mut [f32],
) {
    const TILE: usize = 16;
    let band = (crate::blocks::BLOCK / rows).max(1).next_multiple_of(TILE);
    let bands = columns.div_ceil(band);
    let out = Shared::new(y);
    context.team.for_each(batch * bands, |index, _| {
        let (image, first) = (index / bands, index % bands * band);
        let end = (first + band).min(columns);
        let x = &x[image * rows * columns..][..rows * columns];
        // SAFETY: a band of rows of the result belongs to one task.
        let y = unsafe { out.slice((image * columns + first) * rows, (end - first) * rows) };
        vectorised(
            context.isa,
            #[inline(always)]
            || {
                for column in (first..end).step_by(TILE) {
                    let width = TILE.min(end - column);
                    for row in (0..rows).step_by(TILE) {
                        let height = TILE.min(rows - row);
                        let x = &x[row * columns + column..];
                        let y = &mut y[(column - first) * rows + row..];
                        if (height, width) == (TILE, TILE) {
                            turn(x, columns, y, rows, TILE, TILE);
                        } else {
                            turn(x, columns, y, rows, height, width);
                        }
                    }
                }
            },
        );
    });
}

/// `y[c, r] = x[r, c]` for `r < height`, `c < width`, in matrices of row lengths `x_row` and `y_row`.
#[inline(always)]
fn turn(x: &[f32], x_row: usize, y: &mut [f32], y_row: usize, height: usize, width: usize) {
    for c in 0..width {
        let y = &mut y[c * y_row..][..height];
        for (r, y) in y.iter_mut().enumerate() {
            *y = x[r * x_row + c];
        }
    }
}
