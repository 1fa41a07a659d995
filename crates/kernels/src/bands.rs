//! Bands of neighbouring elements, each of which is summed over rows that lie apart.

use crate::Real;
use crate::runs::DEPTH;

/// Elements of a band: long enough for the prefetcher, short enough for the first cache.
pub(crate) const BAND: usize = 128;

/// Sums over the rows of a band, lane by lane: in the element type over at most [`DEPTH`] rows, then in
/// f64.
pub(crate) struct BandSums<T> {
    recent: [T; BAND],
    rows: usize,
    totals: [f64; BAND],
}

impl<T: Real> BandSums<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            recent: [T::zero(); BAND],
            rows: 0,
            totals: [0.0; BAND],
        }
    }

    /// Adds a row of terms, at most [`BAND`], one a lane.
    #[inline(always)]
    pub(crate) fn add(&mut self, terms: impl Iterator<Item = T>) {
        for (sum, term) in self.recent.iter_mut().zip(terms) {
            *sum += term;
        }
        self.rows += 1;
        if self.rows == DEPTH {
            self.settle();
        }
    }

    #[inline(always)]
    fn settle(&mut self) {
        for (total, recent) in self.totals.iter_mut().zip(&mut self.recent) {
            *total += recent.wide();
            *recent = T::zero();
        }
        self.rows = 0;
    }

    /// The sums of all lanes.
    #[inline(always)]
    pub(crate) fn totals(mut self) -> [f64; BAND] {
        self.settle();
        self.totals
    }
}
