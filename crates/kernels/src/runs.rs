//! Sums over runs of contiguous memory, in either element type.
//!
//! As [`sum_of`](crate::sum::sum_of) does: lanes of the element type over at most [`DEPTH`] chunks, then
//! f64, in an order fixed by the length; so the rounding error does not grow with it.

use crate::Real;

/// Independent chains of a sum: enough for the widest vectors and the latency of an addition.
pub(crate) const LANES: usize = 32;

/// Most terms that one lane adds up.
pub(crate) const DEPTH: usize = 64;

/// `Σ term(a, b, …)` over the elements side by side of `K` runs of equal length, for terms of `N`
/// numbers. To be called where the loop is [vectorised](crate::vectorise::vectorised).
///
/// # Panics
/// When the runs differ in length.
#[inline(always)]
pub(crate) fn sums<T: Real, const K: usize, const N: usize>(
    runs: [&[T]; K],
    term: impl Fn([T; K]) -> [T; N],
) -> [f64; N] {
    let len = runs[0].len();
    let mut totals = [0.0; N];
    let mut from = 0;
    while from < len {
        let to = len.min(from + DEPTH * LANES);
        let parts = runs.map(
            #[inline(always)]
            |run| run[from..to].as_chunks::<LANES>(),
        );
        let mut lanes = [[T::zero(); LANES]; N];
        for at in 0..parts[0].0.len() {
            let chunks = parts.map(
                #[inline(always)]
                |(body, _)| &body[at],
            );
            for lane in 0..LANES {
                let terms = term(chunks.map(
                    #[inline(always)]
                    |chunk| chunk[lane],
                ));
                for n in 0..N {
                    lanes[n][lane] += terms[n];
                }
            }
        }
        let tails = parts.map(
            #[inline(always)]
            |(_, tail)| tail,
        );
        if !tails[0].is_empty() {
            // Apart from the others: lanes counted at run time cannot stay in registers.
            let mut rest = [[T::zero(); LANES]; N];
            for lane in 0..tails[0].len() {
                let terms = term(tails.map(
                    #[inline(always)]
                    |tail| tail[lane],
                ));
                for n in 0..N {
                    rest[n][lane] = terms[n];
                }
            }
            for n in 0..N {
                for lane in 0..LANES {
                    lanes[n][lane] += rest[n][lane];
                }
            }
        }
        for n in 0..N {
            totals[n] += joined(&lanes[n]);
        }
        from = to;
    }
    totals
}

/// The lanes added up by halves: in the element type, the last eight in f64.
///
/// A function of its own, as sums side by side would be shuffled into each other's vectors.
#[inline(never)]
fn joined<T: Real>(lanes: &[T; LANES]) -> f64 {
    let mut lanes = *lanes;
    for width in [16, 8] {
        for lane in 0..width {
            let other = lanes[lane + width];
            lanes[lane] += other;
        }
    }
    let mut wide = [0.0; 8];
    for lane in 0..8 {
        wide[lane] = lanes[lane].wide();
    }
    for width in [4, 2, 1] {
        for lane in 0..width {
            wide[lane] += wide[lane + width];
        }
    }
    wide[0]
}
