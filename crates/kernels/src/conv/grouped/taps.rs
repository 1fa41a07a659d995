//! Which taps reach a target element along an axis, and which neighbours of a row have the same.

use geometry::Window;

use crate::conv::Direction;

/// For each target index along an axis, the taps that reach it.
#[derive(Clone, Debug)]
pub(super) struct AxisTaps {
    pub(super) source: usize,
    pub(super) target: usize,
    /// `starts[i] .. starts[i + 1]` of `taps` belong to target index `i`.
    starts: Vec<usize>,
    /// (tap of the kernel, source index), by ascending source index: what is fetched next is behind the last.
    taps: Vec<(usize, usize)>,
}

impl AxisTaps {
    pub(super) fn new(window: &Window, direction: Direction) -> Self {
        let backward = direction == Direction::BackwardData;
        let (source, target) = if backward {
            (window.output, window.input)
        } else {
            (window.input, window.output)
        };
        let mut starts = vec![0];
        let mut taps = Vec::new();
        for index in 0..target {
            // A later tap of a backward pass reads an earlier placement.
            let last = window.kernel - 1;
            let ascending = (0..window.kernel).map(|tap| if backward { last - tap } else { tap });
            taps.extend(ascending.filter_map(|tap| {
                let from = if backward {
                    window.target(index, tap)
                } else {
                    window.source(index, tap)
                };
                from.map(|from| (tap, from))
            }));
            starts.push(taps.len());
        }
        Self {
            source,
            target,
            starts,
            taps,
        }
    }

    /// This axis and the next inner one, of kernel `inner`, as a single one: the rows of all slices.
    pub(super) fn of_rows(&self, rows: &Self, inner: &Window) -> Self {
        let mut starts = vec![0];
        let mut taps = Vec::new();
        for (slice, row) in (0..self.target).flat_map(|s| (0..rows.target).map(move |r| (s, r))) {
            for &(tap, from) in self.at(slice) {
                let row = rows.at(row).iter();
                taps.extend(row.map(|&(tap_row, from_row)| {
                    (tap * inner.kernel + tap_row, from * rows.source + from_row)
                }));
            }
            starts.push(taps.len());
        }
        Self {
            source: self.source * rows.source,
            target: self.target * rows.target,
            starts,
            taps,
        }
    }

    /// The target indices in runs. A phase of a backward pass has a stride between its targets, and
    /// they read neighbouring elements; forward it is the other way round.
    pub(super) fn runs(&self, window: &Window, direction: Direction) -> Vec<Run> {
        let (step, shift) = match direction {
            Direction::BackwardData => (window.stride, 1),
            Direction::Forward | Direction::BackwardWeights => (1, window.stride),
        };
        let mut runs = Vec::new();
        for phase in 0..step.min(self.target) {
            let mut first = phase;
            while first < self.target {
                let mut count = 1;
                while self.follows(first, first + count * step, count * shift) {
                    count += 1;
                }
                runs.push(Run {
                    first,
                    step,
                    count,
                    shift,
                });
                first += count * step;
            }
        }
        runs
    }

    /// Whether target `index` exists and has the taps of `first`, each `shift` elements further on.
    fn follows(&self, first: usize, index: usize, shift: usize) -> bool {
        index < self.target && {
            let shifted = self
                .at(first)
                .iter()
                .map(|&(tap, from)| (tap, from + shift));
            shifted.eq(self.at(index).iter().copied())
        }
    }

    pub(super) fn at(&self, index: usize) -> &[(usize, usize)] {
        &self.taps[self.starts[index]..self.starts[index + 1]]
    }
}

/// Targets of a row that one tile can walk over: `first`, `first + step`, …, `count` of them. All have
/// the taps of the first, and each reads `shift` source elements behind the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
    pub(super) shift: usize,
}

impl Run {
    /// What of a run of neighbours lies at a target index or behind it.
    pub(super) fn behind(self, target: usize) -> Option<Self> {
        let skipped = target.saturating_sub(self.first);
        let count = self.count.checked_sub(skipped).filter(|&count| count > 0)?;
        Some(Self {
            first: self.first + skipped,
            count,
            ..self
        })
    }

    /// The run in pieces of at most `most` targets, each with the taps of the run's first moved on.
    pub(super) fn pieces(self, most: usize) -> impl Iterator<Item = Self> {
        (0..self.count).step_by(most.max(1)).map(move |done| Self {
            first: self.first + done * self.step,
            count: most.min(self.count - done),
            ..self
        })
    }
}
