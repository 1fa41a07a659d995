//! Sums of vectors that tasks have left in scratch memory.

use crate::shared::Shared;
use crate::{Context, Real};

/// Elements that are added up at a time.
const BAND: usize = 64;

/// `sum[i] = Σ vectors[starts(k) + i]` over `k < count`, in this order and in f64.
pub(crate) fn add_vectors<T: Real>(
    context: &Context<'_>,
    vectors: &[T],
    count: usize,
    starts: impl Fn(usize) -> usize + Sync,
    sum: &mut [T],
) {
    let len = sum.len();
    let out = Shared::new(sum);
    context.team.for_each(len.div_ceil(BAND), |band, _| {
        let first = band * BAND;
        let width = BAND.min(len - first);
        // SAFETY: every band belongs to one task.
        let sum = unsafe { out.slice(first, width) };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let mut totals = [0.0; BAND];
                for k in 0..count {
                    let vector = &vectors[starts(k) + first..][..width];
                    for (total, value) in totals.iter_mut().zip(vector) {
                        *total += value.wide();
                    }
                }
                for (sum, total) in sum.iter_mut().zip(totals) {
                    *sum = T::of(total);
                }
            },
        );
    });
}
