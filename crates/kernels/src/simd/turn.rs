//! Transposition of matrices in memory.

use super::Vector;

/// `to[c · to_row + r] = from[r · from_row + c]` for `r < rows`, `c < columns`.
///
/// Whole blocks of `LANES × LANES` are turned in registers: a strided element costs a cache access
/// of its own, a shuffle moves a whole vector.
///
/// # Safety
/// `V`'s instructions exist, and both matrices are valid for the elements named above.
#[inline(always)]
pub(crate) unsafe fn turn<V: Vector>(
    from: *const f32,
    from_row: usize,
    (rows, columns): (usize, usize),
    to: *mut f32,
    to_row: usize,
) {
    let (whole_rows, whole_columns) = (rows / V::LANES * V::LANES, columns / V::LANES * V::LANES);
    // SAFETY: every address is of a row and a column in range.
    unsafe {
        for row in (0..whole_rows).step_by(V::LANES) {
            for column in (0..whole_columns).step_by(V::LANES) {
                let from = from.add(row * from_row + column);
                V::turn_block(from, from_row, to.add(column * to_row + row), to_row);
            }
        }
        for row in 0..rows {
            let first = if row < whole_rows { whole_columns } else { 0 };
            for column in first..columns {
                *to.add(column * to_row + row) = *from.add(row * from_row + column);
            }
        }
    }
}
