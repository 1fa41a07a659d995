//! Sets of places along an axis.

use std::ops::Range;

/// Places along an axis, kept as runs of neighbours: ascending, apart from each other, none empty.
///
/// ```
/// use geometry::IndexSet;
///
/// let set = IndexSet::of([4..6, 0..2, 5..8, 2..3]);
/// assert_eq!(set.runs(), [0..3, 4..8]);
/// assert_eq!(set.len(), 7);
/// # assert!(set.contains(4) && !set.contains(3));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IndexSet {
    runs: Vec<Range<usize>>,
}

impl IndexSet {
    /// The places of some runs, in any order; they may overlap and be empty.
    pub fn of(runs: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut sorted: Vec<_> = runs.into_iter().filter(|run| !run.is_empty()).collect();
        sorted.sort_by_key(|run| run.start);
        let mut runs: Vec<Range<usize>> = Vec::new();
        for run in sorted {
            match runs.last_mut() {
                Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
                _ => runs.push(run),
            }
        }
        Self { runs }
    }

    /// The runs, ascending.
    pub fn runs(&self) -> &[Range<usize>] {
        &self.runs
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.runs.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a place is among them.
    pub fn contains(&self, place: usize) -> bool {
        let at = self.runs.partition_point(|run| run.end <= place);
        self.runs.get(at).is_some_and(|run| run.contains(&place))
    }

    /// The places, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().cloned().flatten()
    }

    /// Those of the first `extent` places that are not among them.
    pub fn complement(&self, extent: usize) -> Self {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.end));
        let ends = self.runs.iter().map(|run| run.start).chain([extent]);
        Self::of(starts.zip(ends).map(|(start, end)| start..end.min(extent)))
    }

    /// From the first to the last.
    pub fn bounds(&self) -> Option<Range<usize>> {
        Some(self.runs.first()?.start..self.runs.last()?.end)
    }
}

impl From<Range<usize>> for IndexSet {
    fn from(run: Range<usize>) -> Self {
        Self::of([run])
    }
}
