//! The matrix of columns (im2col): a row for every pixel, holding what every tap reads.
//!
//! Row `p` is `x[p under tap 0], x[p under tap 1], …`, all channels of each, so that a convolution is
//! the product of this matrix and the weights (Chellapilla, Puri and Simard, *High Performance
//! Convolutional Neural Networks for Document Processing*, 2006). It is made block by block, and a
//! block is used up by the product before the next one is made: scratch memory holds one block a
//! worker, never the whole matrix. The taps of one depth are copied from a strip of source rows,
//! channels last and padded, so that columns know neither layouts nor borders; one depth after
//! another uses the same strip.
//!
//! What it costs is a copy of every source element for every tap that reads it. What it buys is a
//! summation in one stretch that any number of axes can be unfolded into, and rows that do not evict each other.

use super::walk::{Segment, Walk};
use crate::simd::Vector;

/// Elements of a cache line, and of a way of a first-level cache of 64 sets: lines so far apart share a set.
pub(super) const LINE: usize = 16;
const WAY: usize = 64 * LINE;

/// Whether pixels so many elements apart evict each other from a first-level cache. A tile reads a line of each of its
/// fourteen pixels at a time, a set has eight places or twelve.
pub(super) fn evicts(step: usize) -> bool {
    step > 0 && step.is_multiple_of(WAY)
}

/// Where a row of the matrix takes its elements from.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Elements of a row: taps × source channels of all groups, and a line between rows that would share a set.
    pub(super) row: usize,
    /// Elements of a row that come from one slice of the source.
    per_slice: usize,
    /// Where these lie in the strip, one stretch after another, from the pixel's first tap.
    segments: Vec<Segment>,
}

impl Columns {
    /// The matrix of a walk whose strips have rows `pitch` elements apart.
    pub(super) fn new(walk: &Walk, pitch: usize) -> Self {
        let per_slice = walk.rows.taps.len() * walk.columns.taps.len() * walk.source_channels;
        let row = walk.slices.taps.len() * per_slice;
        Self {
            row: row + if evicts(row) { LINE } else { 0 },
            per_slice,
            segments: walk.segments((pitch, walk.source_channels), walk.source_channels),
        }
    }

    /// Zeros for what depth tap `tap` reads.
    pub(super) fn clear(&self, tap: usize, columns: &mut [f32]) {
        for row in columns.chunks_exact_mut(self.row) {
            row[tap * self.per_slice..][..self.per_slice].fill(0.0);
        }
    }

    /// Copies what depth tap `tap` reads, for a block `width` pixels wide: `from` points under the
    /// first tap of the first pixel, neighbours lie `steps` (by row, by column) apart.
    ///
    /// # Safety
    /// `V`'s instructions exist; every segment of every pixel of the block is readable.
    #[inline(always)]
    pub(super) unsafe fn copy<V: Vector>(
        &self,
        tap: usize,
        from: *const f32,
        steps: (usize, usize),
        width: usize,
        columns: &mut [f32],
    ) {
        for (pixel, row) in columns.chunks_exact_mut(self.row).enumerate() {
            let pixel = pixel / width * steps.0 + pixel % width * steps.1;
            let mut to = row[tap * self.per_slice..][..self.per_slice].as_mut_ptr();
            for segment in &self.segments {
                // SAFETY: the caller's contract for the source; the segments fill the part of the
                // row that was just bounded.
                unsafe {
                    copy::<V>(from.add(pixel + segment.offset), to, segment.len);
                    to = to.add(segment.len);
                }
            }
        }
    }
}

/// Copies `len` elements, which are often too few to be worth a call.
///
/// # Safety
/// `V`'s instructions exist; both sides are valid for `len` elements and do not overlap.
#[inline(always)]
unsafe fn copy<V: Vector>(from: *const f32, to: *mut f32, len: usize) {
    let mut at = 0;
    // SAFETY: reads and writes stay below `len`.
    unsafe {
        while at + V::LANES <= len {
            V::load(from.add(at)).store(to.add(at));
            at += V::LANES;
        }
        if at < len {
            V::load_partial(from.add(at), len - at).store_partial(to.add(at), len - at);
        }
    }
}
