//! Conversion between layouts. [`mod@reference`] is for f64 too.

pub mod reference;

use tensor::Layout;

use crate::Context;
use crate::shared::Shared;
use crate::simd::{dispatch, turn};

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
/// A task takes a band of columns of one matrix, which is a band of rows of the result.
fn transpose(
    context: &Context,
    batch: usize,
    rows: usize,
    columns: usize,
    x: &[f32],
    y: &mut [f32],
) {
    /// Columns of a band come in whole vectors of any family.
    const LANES: usize = 16;
    let band = (crate::blocks::BLOCK / rows).max(1).next_multiple_of(LANES);
    let bands = columns.div_ceil(band);
    let out = Shared::new(y);
    context.team.for_each(batch * bands, |index, _| {
        let (image, first) = (index / bands, index % bands * band);
        let width = band.min(columns - first);
        let x = x[image * rows * columns + first..].as_ptr();
        // SAFETY: a band of rows of the result belongs to one task.
        let y = unsafe { out.slice((image * columns + first) * rows, width * rows) }.as_mut_ptr();
        let size = (rows, width);
        // SAFETY: `isa` proves the family; the band lies within both matrices.
        dispatch!(context.isa => turn(
            x: *const f32, columns: usize, size: (usize, usize), y: *mut f32, rows: usize,
        ));
    });
}
