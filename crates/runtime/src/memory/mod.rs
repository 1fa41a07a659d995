//! The memory of a program: one block, cut into regions that are planned before it is taken.
//!
//! ```text
//! │ parameters │ gradients │ states │ inputs │ outputs │ arena                        │
//!                                                        └ every value inside a run,
//!                                                          packed weights and scratch,
//!                                                          one over the other as they die
//! ```

mod arena;
mod block;

pub(crate) use arena::{Lifetime, plan};
pub(crate) use block::{Block, View};

/// Elements in a cache line: every buffer starts on one.
pub(crate) const LINE: usize = 16;

/// A stretch of the block, in elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// First element.
    pub(crate) start: usize,
    /// Elements.
    pub(crate) len: usize,
}

impl Span {
    /// Whether an element belongs to both.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let start = self.start.max(other.start);
        let end = (self.start + self.len).min(other.start + other.len);
        start < end
    }

    /// As a range.
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }
}

/// Lays buffers side by side, each from the start of a cache line on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    end: usize,
}

impl Row {
    /// Room for `len` more elements, or `None` past what can be addressed.
    pub(crate) fn push(&mut self, len: usize) -> Option<Span> {
        let start = self.end;
        self.end = start
            .checked_add(len)?
            .checked_next_multiple_of(LINE)
            .filter(|&end| end <= isize::MAX as usize / 8)?;
        Some(Span { start, len })
    }

    /// Where the row ends: a multiple of a cache line.
    pub(crate) fn end(self) -> usize {
        self.end
    }
}
