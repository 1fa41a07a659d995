//! How the positions of a walk are cut into strips, and how the source rows of a strip are fetched.

use tensor::Layout;

use super::walk::Walk;
use crate::simd::{Vector, turn};

/// A walk cut into strips of whole rows, or of pixels where it has a single row.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// Rows, or pixels of the single row, in a strip.
    strip: usize,
    /// Rows, or pixels of the single row, in all.
    units: usize,
    by_pixel: bool,
    /// Strips of an image.
    pub(super) strips: usize,
    /// Pixels of a whole strip.
    pub(super) pixels: usize,
    /// Elements between the source rows a strip is read from.
    pub(super) pitch: usize,
    /// Scratch elements for the source rows of a strip; 0 when they are read in place.
    pub(super) source_len: usize,
    in_place: bool,
}

/// The positions of a strip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// First row and the one past the last.
    pub(super) rows: (usize, usize),
    /// First column and the one past the last.
    pub(super) columns: (usize, usize),
}

impl Block {
    pub(super) fn height(&self) -> usize {
        self.rows.1 - self.rows.0
    }

    pub(super) fn width(&self) -> usize {
        self.columns.1 - self.columns.0
    }

    pub(super) fn pixels(&self) -> usize {
        self.height() * self.width()
    }
}

/// What strips are counted in, and the pixels of one.
pub(super) fn units(walk: &Walk) -> (usize, usize) {
    match walk.rows.count {
        1 => (walk.columns.count, 1),
        rows => (rows, walk.columns.count),
    }
}

impl Cut {
    /// Cuts into strips of `strip` units.
    pub(super) fn new(walk: &Walk, strip: usize) -> Self {
        let (units, per_unit) = units(walk);
        let by_pixel = walk.rows.count == 1;
        let strip = strip.clamp(1, units.max(1));
        let (rows, columns) = if by_pixel {
            (1, strip)
        } else {
            (strip, walk.columns.count)
        };
        let in_place = walk.stays_inside && walk.layout == Layout::Nhwc;
        let (source_rows, source_columns) = if walk.depth() == 0 || per_unit * units == 0 {
            (0, 0)
        } else {
            (walk.rows.span(0, rows).1, walk.columns.span(0, columns).1)
        };
        let pitch_columns = if in_place {
            walk.columns.source
        } else {
            source_columns
        };
        let pitch = pitch_columns * walk.source_channels;
        Self {
            strip,
            units,
            by_pixel,
            strips: units.div_ceil(strip),
            pixels: rows * columns,
            pitch,
            source_len: if in_place { 0 } else { source_rows * pitch },
            in_place,
        }
    }

    /// The positions of a strip.
    pub(super) fn block(&self, walk: &Walk, strip: usize) -> Block {
        let range = (
            strip * self.strip,
            ((strip + 1) * self.strip).min(self.units),
        );
        if self.by_pixel {
            Block {
                rows: (0, 1),
                columns: range,
            }
        } else {
            Block {
                rows: range,
                columns: (0, walk.columns.count),
            }
        }
    }

    /// The source rows that a block of positions of `image` reads, channels last, with zeros for
    /// what lies outside the source: in place where nothing does, otherwise copied to `scratch`.
    /// Gives the element, first channel, under the first tap of the block's first position.
    ///
    /// The copy costs one pass over the strip, small beside the sums that read every element of it
    /// `taps × target channels` times, and frees the inner loops of every case distinction, that of
    /// the layout among them.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    ///
    /// # Panics
    /// When `source` is shorter than the walk's source or `scratch` than a strip.
    #[inline(always)]
    pub(super) unsafe fn source<V: Vector>(
        &self,
        walk: &Walk,
        source: &[f32],
        image: usize,
        block: Block,
        scratch: &mut [f32],
    ) -> *const f32 {
        let channels = walk.source_channels;
        let width = walk.columns.source;
        let area = walk.rows.source * width;
        let source = &source[image * area * channels..][..area * channels];
        let (top, rows) = walk.rows.span(block.rows.0, block.rows.1);
        let (left, columns) = walk.columns.span(block.columns.0, block.columns.1);
        if rows == 0 || columns == 0 {
            // A phase without taps sums nothing and reads nothing.
            return source.as_ptr();
        }
        if self.in_place {
            return source[(top as usize * width + left as usize) * channels..].as_ptr();
        }
        let before = left.min(0).unsigned_abs().min(columns);
        let from = left.max(0) as usize;
        let inside = (columns - before).min(width.saturating_sub(from));
        for (index, target) in scratch[..rows * self.pitch]
            .chunks_exact_mut(self.pitch)
            .enumerate()
        {
            let row = top + index as isize;
            if row < 0 || row as usize >= walk.rows.source {
                target.fill(0.0);
                continue;
            }
            let row = row as usize * width + from;
            let (zeros, rest) = target.split_at_mut(before * channels);
            let (pixels, more_zeros) = rest.split_at_mut(inside * channels);
            zeros.fill(0.0);
            more_zeros.fill(0.0);
            match walk.layout {
                _ if inside == 0 => {}
                Layout::Nhwc => {
                    pixels.copy_from_slice(&source[row * channels..][..inside * channels]);
                }
                // SAFETY: `inside` pixels of this row of every plane, into as many of the strip.
                Layout::Nchw => unsafe {
                    let planes = source[row..].as_ptr();
                    turn::<V>(
                        planes,
                        area,
                        (channels, inside),
                        pixels.as_mut_ptr(),
                        channels,
                    );
                },
            }
        }
        scratch.as_ptr()
    }
}
