//! Asking for memory before it is read.

/// Elements of a cache line, at least: 64 bytes of f32.
const LINE: usize = 16;

/// Announces that `len` elements from place `from` of `slice` will be read soon. A hint: what lies
/// outside the slice is asked for in vain.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], from: usize, len: usize) {
    #[cfg(target_arch = "x86_64")]
    for at in (from..from.saturating_add(len)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults, wherever it points, and SSE is in every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(at).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, from, len, LINE);
}
