//! Writing past the caches.
//!
//! A store reads the line it writes first, a third of what passes between memory and a kernel that does little else. Where a
//! map is larger than the caches anyway, nobody finds there what was left in them, and its vectors are streamed.

/// Elements of a map that is larger than the caches: 16 MiB.
pub(crate) const FAR: usize = 4 << 20;

/// Elements of a line of a cache. One that is streamed in halves at different times goes to memory twice.
pub(crate) const LINE: usize = 16;

/// Whether a map of so many elements is to be streamed in whole vectors of so many `lanes`, from `start` on in rows that are `step`
/// elements apart: each begins where a vector may. Where a row ends in part of a vector, that one is stored.
pub(crate) fn streams(start: *const f32, elements: usize, step: usize, lanes: usize) -> bool {
    let aligned = start.addr().is_multiple_of(lanes * size_of::<f32>());
    elements >= FAR && step.is_multiple_of(lanes) && aligned
}
