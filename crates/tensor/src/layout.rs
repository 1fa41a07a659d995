//! Memory layouts of feature maps.

use std::fmt;
use std::str::FromStr;

/// How a feature map lies in memory. The names mean channels first and channels last whatever the
/// number of spatial axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Layout {
    /// Channels first: one plane after the other.
    Nchw,
    /// Channels last: all channels of a pixel side by side. The natural layout on a CPU.
    #[default]
    Nhwc,
}

impl Layout {
    /// Both layouts, for tests and listings.
    pub const ALL: [Self; 2] = [Self::Nchw, Self::Nhwc];

    /// Writes `source`, `n` images of `channels` planes of `area` elements in NCHW order, into
    /// `target` in this layout. Both slices hold `n · channels · area` elements.
    ///
    /// # Panics
    /// When the slices do not hold that many elements.
    pub fn reorder_from_nchw<T: Copy>(
        self,
        source: &[T],
        target: &mut [T],
        channels: usize,
        area: usize,
    ) {
        match self {
            Self::Nchw => target.copy_from_slice(source),
            Self::Nhwc => transpose_images(source, target, channels, area),
        }
    }

    /// The inverse of [`Layout::reorder_from_nchw`].
    ///
    /// # Panics
    /// When the slices do not hold `n · channels · area` elements.
    pub fn reorder_to_nchw<T: Copy>(
        self,
        source: &[T],
        target: &mut [T],
        channels: usize,
        area: usize,
    ) {
        match self {
            Self::Nchw => target.copy_from_slice(source),
            Self::Nhwc => transpose_images(source, target, area, channels),
        }
    }
}

/// Transposes every `rows × columns` matrix of a batch. Square tiles keep the reads and the writes
/// of a tile in the first-level cache, whichever side is the long one.
fn transpose_images<T: Copy>(source: &[T], target: &mut [T], rows: usize, columns: usize) {
    const TILE: usize = 16;
    assert_eq!(source.len(), target.len(), "reorder: lengths differ");
    let size = rows * columns;
    if size == 0 {
        return;
    }
    for (source, target) in source.chunks_exact(size).zip(target.chunks_exact_mut(size)) {
        for row in (0..rows).step_by(TILE) {
            for column in (0..columns).step_by(TILE) {
                for r in row..(row + TILE).min(rows) {
                    for c in column..(column + TILE).min(columns) {
                        target[c * rows + r] = source[r * columns + c];
                    }
                }
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nchw => "nchw",
            Self::Nhwc => "nhwc",
        })
    }
}

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "nchw" => Ok(Self::Nchw),
            "nhwc" => Ok(Self::Nhwc),
            _ => Err(format!("layout '{text}' is neither nchw nor nhwc")),
        }
    }
}
