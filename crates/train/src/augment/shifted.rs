//! A window in a picture with a border, and its mirror image.

/// Fills `to` with what a window of the plane's own size shows when its upper left corner stands at `shift`
/// (rows, columns) of the plane; zeros outside. `mirrored` reverses the window's rows from left to right.
pub(super) fn copy(
    from: &[f32],
    to: &mut [f32],
    width: usize,
    shift: (isize, isize),
    mirrored: bool,
) {
    let height = from.len() / width;
    let (down, right) = shift;
    // Columns of the window that show the plane.
    let first = (-right).clamp(0, width as isize) as usize;
    let last = (width as isize - right).clamp(0, width as isize) as usize;
    for (row, to) in to.chunks_exact_mut(width).enumerate() {
        to.fill(0.0);
        let source = row as isize + down;
        if (0..height as isize).contains(&source) && first < last {
            let start = source as usize * width + first.wrapping_add_signed(right);
            to[first..last].copy_from_slice(&from[start..start + last - first]);
        }
        if mirrored {
            to.reverse();
        }
    }
}
