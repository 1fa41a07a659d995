//! A column of pixels with their channels side by side, cut into rows of lanes and chunks of rows.
//!
//! Lane `l` of every row belongs to channel `l mod channels`, so numbers that go with the channels are
//! vectors of as many lanes, and a loop over a row runs over contiguous memory. Few channels are
//! folded: several pixels make one row of up to [`LANES`] lanes. A chunk has so few rows that a lane's
//! sum over them can be kept in the element type; it is what a task works on, and lies in the second
//! cache.

use std::ops::Range;

use crate::blocks::{BLOCK, for_rows};
use crate::{Context, Real};

/// Lanes that folded channels fill, as far as they can: so many that to begin a row costs little beside it,
/// and that a sum kept in memory has been stored long before it is loaded for the next row.
pub(crate) const LANES: usize = 256;

/// Fewest and most rows of a chunk.
const ROWS: (usize, usize) = (16, 64);

/// `pixels` pixels of `channels` channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixels {
    channels: usize,
    pixels: usize,
    /// Pixels of a row.
    fold: usize,
    /// Rows of a chunk.
    rows: usize,
}

impl Pixels {
    pub(crate) fn new(channels: usize, pixels: usize) -> Self {
        let fold = (LANES / channels.max(1)).clamp(1, pixels.max(1));
        let rows = BLOCK / (fold * channels).max(1);
        Self {
            channels,
            pixels,
            fold,
            rows: rows.clamp(ROWS.0, ROWS.1),
        }
    }

    /// Lanes of a row.
    pub(crate) fn width(&self) -> usize {
        self.channels * self.fold
    }

    /// Pixels of a row.
    pub(crate) fn fold(&self) -> usize {
        self.fold
    }

    /// Chunks of the column.
    pub(crate) fn chunks(&self) -> usize {
        if self.channels == 0 {
            return 0;
        }
        self.pixels.div_ceil(self.rows * self.fold)
    }

    /// Elements of the column that a chunk covers; its last row may be a part of one.
    pub(crate) fn elements(&self, chunk: usize) -> Range<usize> {
        let step = self.rows * self.width();
        chunk * step..((chunk + 1) * step).min(self.pixels * self.channels)
    }

    /// Pixels of a chunk that the `place`-th part of its rows covers: of as many rows as there are.
    pub(crate) fn count(&self, chunk: usize, place: usize) -> usize {
        let pixels = self.elements(chunk).len() / self.channels.max(1);
        pixels / self.fold + usize::from(place < pixels % self.fold)
    }

    /// Runs `task(unit, chunk)` for every chunk of `units` such columns.
    pub(crate) fn for_each_chunk(
        &self,
        context: &Context<'_>,
        units: usize,
        task: impl Fn(usize, usize) + Sync,
    ) {
        let chunks = self.chunks();
        for_rows(
            context.team,
            units * chunks,
            self.rows * self.width(),
            |range| {
                for index in range {
                    task(index / chunks, index % chunks);
                }
            },
        );
    }

    /// Fills a row of lanes with `value(channel)`.
    pub(crate) fn fill<T: Real>(&self, lanes: &mut [T], value: impl Fn(usize) -> T) {
        let (first, copies) = lanes.split_at_mut(self.channels);
        for (channel, lane) in first.iter_mut().enumerate() {
            *lane = value(channel);
        }
        for copy in copies.chunks_exact_mut(self.channels) {
            copy.copy_from_slice(first);
        }
    }

    /// A vector over the channels as a row of lanes: itself, or folded into `store`.
    pub(crate) fn lanes<'a, T: Real>(&self, vector: &'a [T], store: &'a mut [T; LANES]) -> &'a [T] {
        if self.fold == 1 {
            return vector;
        }
        let lanes = &mut store[..self.width()];
        self.fill(lanes, |channel| vector[channel]);
        lanes
    }
}
