//! Rows of the source in planes, padded.

use super::span;
use crate::conv::dense::Walk;
use crate::simd::{Vector, turn};

/// Source rows as planes: `[row][channel][phase][position]`.
///
/// Positions that are neighbours read elements a stride apart. So a row is taken apart into as many *phases* as the
/// stride is long, in which what neighbours read lies side by side.
#[derive(Clone, Debug)]
pub(super) struct Strip {
    /// Rows and columns of the source.
    pub(super) source: (usize, usize),
    channels: usize,
    /// Source rows and columns between neighbouring positions.
    steps: (usize, usize),
    /// The nearest and the farthest source row and column that a tap reads, from a position.
    rows: (isize, isize),
    columns: (isize, isize),
    /// Elements of a phase.
    phase: usize,
    /// Elements between channels: an odd number of cache lines, for those a power of two apart would share a set.
    pub(super) pitch: usize,
    /// Elements of a row of the strip.
    pub(super) row_len: usize,
}

impl Strip {
    /// The strips of walks that read the same source in the same steps, `columns` positions wide.
    pub(super) fn new(walks: &[Walk], columns: usize, channels: usize) -> Self {
        let first = walks.first();
        let rows = span(walks.iter().flat_map(|walk| &walk.rows.taps));
        let reach = span(walks.iter().flat_map(|walk| &walk.columns.taps));
        let steps = first.map_or((1, 1), |walk| {
            (walk.rows.source_step, walk.columns.source_step)
        });
        let phase = columns.saturating_add((reach.1 - reach.0) as usize / steps.1);
        let lines = phase.saturating_mul(steps.1).div_ceil(16) | 1;
        let pitch = lines.saturating_mul(16);
        Self {
            source: first.map_or((0, 0), |walk| (walk.rows.source, walk.columns.source)),
            channels,
            steps,
            rows,
            columns: reach,
            phase,
            pitch,
            row_len: pitch.saturating_mul(channels),
        }
    }

    /// Rows that so many rows of positions read.
    pub(super) fn rows(&self, positions: usize) -> usize {
        (positions - 1) * self.steps.0 + (self.rows.1 - self.rows.0) as usize + 1
    }

    /// Elements of a strip for so many rows of positions.
    pub(super) fn len(&self, positions: usize) -> u128 {
        self.rows(positions) as u128 * self.row_len as u128
    }

    /// Rows of positions whose strip has no more than `elements`, and one at least.
    pub(super) fn rows_within(&self, elements: usize) -> usize {
        let rows = elements / self.row_len.max(1);
        rows.saturating_sub(self.rows(1)) / self.steps.0 + 1
    }

    /// Elements from what a position reads to what the one below it reads.
    pub(super) fn by_position(&self) -> usize {
        self.steps.0 * self.row_len
    }

    /// Where in the strip the taps of a walk lie, of the first channel, from its first position.
    pub(super) fn taps(&self, walk: &Walk) -> Vec<usize> {
        let rows = walk.rows.taps.iter().map(|tap| tap.offset - self.rows.0);
        rows.flat_map(|row| {
            walk.columns.taps.iter().map(move |tap| {
                let column = (tap.offset - self.columns.0) as usize;
                let (phase, position) = (column % self.steps.1, column / self.steps.1);
                row as usize * self.row_len + phase * self.phase + position
            })
        })
        .collect()
    }

    /// Fills the strip with what a block of positions reads, of which `first` is the first, of an image channels last;
    /// with zeros where that lies outside.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    pub(super) unsafe fn fetch<V: Vector>(
        &self,
        image: &[f32],
        first: (usize, usize),
        strip: &mut [f32],
    ) {
        let (height, width) = self.source;
        let top = (first.0 * self.steps.0) as isize + self.rows.0;
        let left = (first.1 * self.steps.1) as isize + self.columns.0;
        for (index, row) in strip.chunks_exact_mut(self.row_len.max(1)).enumerate() {
            let from = top + index as isize;
            if from < 0 || from as usize >= height {
                row.fill(0.0);
                continue;
            }
            let pixels = &image[from as usize * width * self.channels..][..width * self.channels];
            for phase in 0..self.steps.1 {
                let left = left + phase as isize;
                // The positions whose elements lie inside.
                let steps_to = |column: usize| {
                    let distance = (column as isize - left).max(0) as usize;
                    distance.div_ceil(self.steps.1).min(self.phase)
                };
                let (start, end) = (steps_to(0), steps_to(width));
                let at = phase * self.phase;
                for plane in row.chunks_exact_mut(self.pitch) {
                    plane[at..at + start].fill(0.0);
                    plane[at + end..at + self.phase].fill(0.0);
                }
                if start == end {
                    continue;
                }
                let column = (left + (start * self.steps.1) as isize) as usize;
                // SAFETY: `end − start` pixels of the row, a step apart, into as many of every plane.
                unsafe {
                    turn::<V>(
                        pixels[column * self.channels..].as_ptr(),
                        self.steps.1 * self.channels,
                        (end - start, self.channels),
                        row[at + start..].as_mut_ptr(),
                        self.pitch,
                    );
                }
            }
        }
    }
}
