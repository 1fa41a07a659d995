//! A square hole (DeVries and Taylor 2017, arXiv:1708.04552).

use std::ops::Range;

use crate::random::Draw;

/// Rows and columns of the hole. Its centre may be any pixel, so at the border a part of it falls outside.
pub(super) fn draw(
    draw: &mut Draw,
    (height, width): (usize, usize),
    side: usize,
) -> [Range<usize>; 2] {
    [height, width].map(|extent| {
        let centre = draw.below(extent);
        let start = centre.saturating_sub(side / 2);
        start..(centre + side - side / 2).min(extent)
    })
}

/// Sets the hole to zero.
pub(super) fn clear(plane: &mut [f32], width: usize, [rows, columns]: &[Range<usize>; 2]) {
    for row in plane
        .chunks_exact_mut(width)
        .take(rows.end)
        .skip(rows.start)
    {
        row[columns.clone()].fill(0.0);
    }
}
