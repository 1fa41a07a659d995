//! Writing past the caches.
//!
//! A store reads the line it writes first, a third of what passes between memory and a kernel that does little else. Where a
//! map is larger than the caches anyway, nobody finds there what was left in them, and its vectors are streamed.

/// Elements of a map that is larger than the caches: 16 MiB.
pub(crate) const FAR: usize = 4 << 20;

/// Whether a map of so many elements is to be streamed in vectors of so many `lanes`, where all that is written begins a multiple
/// of `step` elements behind `start`: an aligned vector is whole or not begun.
pub(crate) fn streams(start: *const f32, elements: usize, step: usize, lanes: usize) -> bool {
    let aligned = start.addr().is_multiple_of(lanes * size_of::<f32>());
    elements >= FAR && step.is_multiple_of(lanes) && aligned
}
