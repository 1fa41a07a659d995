//! Channels-first (NCHW) and channels-last (NHWC) orders of the same values.

/// `[batch, channels, …spatial]` reordered to `[batch, …spatial, channels]`.
///
/// ```
/// let nchw = [1, 2, 3, 10, 20, 30]; // two channels of three positions
/// assert_eq!(testkit::layout::channels_last(&nchw, 1, 2), [1, 10, 2, 20, 3, 30]);
/// ```
#[must_use]
pub fn channels_last<T: Copy>(values: &[T], batch: usize, channels: usize) -> Vec<T> {
    let spatial = positions(values.len(), batch, channels);
    transpose(values, batch, channels, spatial)
}

/// `[batch, …spatial, channels]` reordered to `[batch, channels, …spatial]`.
#[must_use]
pub fn channels_first<T: Copy>(values: &[T], batch: usize, channels: usize) -> Vec<T> {
    let spatial = positions(values.len(), batch, channels);
    transpose(values, batch, spatial, channels)
}

fn positions(len: usize, batch: usize, channels: usize) -> usize {
    let rows = (batch * channels).max(1);
    assert!(
        len.is_multiple_of(rows),
        "{len} values are not {batch} images of {channels} channels"
    );
    len / rows
}

/// Each of `batch` matrices `[rows, columns]` transposed.
fn transpose<T: Copy>(values: &[T], batch: usize, rows: usize, columns: usize) -> Vec<T> {
    let mut turned = Vec::with_capacity(values.len());
    for n in 0..batch {
        for column in 0..columns {
            for row in 0..rows {
                turned.push(values[(n * rows + row) * columns + column]);
            }
        }
    }
    turned
}
