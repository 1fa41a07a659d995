//! Sums along contiguous memory.

use crate::Isa;
use crate::vectorise::vectorised;

/// Independent chains of a reduction: enough for the widest vectors and the latency of an addition.
pub(crate) const LANES: usize = 32;

/// `Σ term(value)` over a row, in a fixed order: lanes of f32 over at most 64 chunks, then f64, so
/// that the rounding error does not grow with the length.
#[inline(always)]
pub(crate) fn sum_of(isa: Isa, row: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    vectorised(
        isa,
        #[inline(always)]
        || {
            let mut total = 0.0;
            for part in row.chunks(64 * LANES) {
                let mut lanes = [0.0f32; LANES];
                let (body, tail) = part.as_chunks::<LANES>();
                for chunk in body {
                    for (lane, &value) in lanes.iter_mut().zip(chunk) {
                        *lane += term(value);
                    }
                }
                total += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
                total += tail.iter().map(|&v| f64::from(term(v))).sum::<f64>();
            }
            total
        },
    )
}
