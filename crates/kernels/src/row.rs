//! A row of a strip in registers.

use crate::simd::Vector;

/// Reads one row of `N` registers. Where `PARTIAL`, the last one covers `tail` elements only.
///
/// # Safety
/// Of [`Vector`]; `from` is valid for the elements of the row.
#[inline(always)]
pub(crate) unsafe fn load<V: Vector, const N: usize, const PARTIAL: bool>(
    from: *const f32,
    tail: usize,
) -> [V; N] {
    // SAFETY: passed on to the caller; full registers lie before the partial one.
    unsafe {
        let mut row = [V::zero(); N];
        for (n, register) in row.iter_mut().enumerate() {
            let from = from.add(n * V::LANES);
            *register = if PARTIAL && n == N - 1 {
                V::load_partial(from, tail)
            } else {
                V::load(from)
            };
        }
        row
    }
}

/// Writes one row; the counterpart of [`load`].
///
/// # Safety
/// Of [`Vector`]; `to` is valid for the elements of the row.
#[inline(always)]
pub(crate) unsafe fn store<V: Vector, const N: usize, const PARTIAL: bool>(
    row: [V; N],
    to: *mut f32,
    tail: usize,
) {
    // SAFETY: passed on to the caller; full registers lie before the partial one.
    unsafe {
        for (n, register) in row.into_iter().enumerate() {
            let to = to.add(n * V::LANES);
            if PARTIAL && n == N - 1 {
                register.store_partial(to, tail);
            } else {
                register.store(to);
            }
        }
    }
}

/// Calls a kernel body for every group of at most four registers that a row of `$width` lanes takes:
/// `body::<V, N, PARTIAL>(lane, tail, …)` with `lane` the group's first lane. The number of registers
/// is a constant in the body, so that its sums stay in them.
macro_rules! for_each_group {
    ($body:ident::<$vector:ident>($width:expr; $($arg:expr),* $(,)?)) => {{
        let width = $width;
        let mut lane = 0;
        while lane < width {
            let left = width - lane;
            let tail = left % $vector::LANES;
            match (left / $vector::LANES, tail > 0) {
                (4.., _) => $body::<$vector, 4, false>(lane, tail, $($arg),*),
                (3, true) => $body::<$vector, 4, true>(lane, tail, $($arg),*),
                (3, false) => $body::<$vector, 3, false>(lane, tail, $($arg),*),
                (2, true) => $body::<$vector, 3, true>(lane, tail, $($arg),*),
                (2, false) => $body::<$vector, 2, false>(lane, tail, $($arg),*),
                (1, true) => $body::<$vector, 2, true>(lane, tail, $($arg),*),
                (1, false) => $body::<$vector, 1, false>(lane, tail, $($arg),*),
                (0, _) => $body::<$vector, 1, true>(lane, tail, $($arg),*),
            }
            lane += 4 * $vector::LANES;
        }
    }};
}

pub(crate) use for_each_group;
