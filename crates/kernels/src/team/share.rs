//! The tasks that a thread has not begun yet: a range that its owner takes from the front, one by
//! one, and others from the back, by halves.

use std::sync::atomic::{AtomicU64, Ordering};

/// A range of task indices in one word, so that taking from it is one exchange. On a cache line of its
/// own: its owner writes it at every task.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct Share(AtomicU64);

/// Most tasks that shares can hold.
pub(super) const MOST: usize = u32::MAX as usize;

fn pack(start: u32, end: u32) -> u64 {
    u64::from(start) << 32 | u64::from(end)
}

fn unpack(range: u64) -> (u32, u32) {
    ((range >> 32) as u32, range as u32)
}

impl Share {
    /// Gives the owner `start .. end`. No other thread may hold tasks of the same indices.
    pub(super) fn fill(&self, start: u32, end: u32) {
        self.0.store(pack(start, end), Ordering::Relaxed);
    }

    /// The first task of the range, if there is one left.
    pub(super) fn take(&self) -> Option<u32> {
        let first = |range| {
            let (start, end) = unpack(range);
            (start < end).then(|| pack(start + 1, end))
        };
        let taken = (self.0).fetch_update(Ordering::Relaxed, Ordering::Relaxed, first);
        taken.ok().map(|range| unpack(range).0)
    }

    /// The later half of the range, rounded up.
    ///
    /// A range that comes back to a share between the reading and the exchange holds the same unbegun
    /// tasks, so that taking from it is right all the same.
    pub(super) fn split(&self) -> Option<(u32, u32)> {
        let middle = |(start, end): (u32, u32)| start + (end - start) / 2;
        let front = |range| {
            let (start, end) = unpack(range);
            (start < end).then(|| pack(start, middle((start, end))))
        };
        let taken = (self.0).fetch_update(Ordering::Relaxed, Ordering::Relaxed, front);
        taken.ok().map(|range| {
            let (start, end) = unpack(range);
            (middle((start, end)), end)
        })
    }
}
