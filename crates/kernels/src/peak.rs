//! How many multiply-accumulates the processor can do: the yardstick of every kernel.

use std::hint::black_box;

use crate::Isa;
use crate::simd::{Vector, dispatch};

/// Accumulators that do not wait for each other.
///
/// A fused multiply-add takes 4 cycles (5 on older processors) and two can start in each, so 10 must
/// be in flight. Twelve are, and with both factors they still fit the 16 registers of AVX2.
const ACCUMULATORS: usize = 12;

/// Multiplies and adds on registers alone, `rounds` times in every accumulator, and returns how many
/// multiply-accumulates that were. Nothing is read from or written to memory.
///
/// ```
/// use kernels::{Isa, peak};
/// assert_eq!(peak::multiply_accumulates(Isa::best(), 1000) % 1000, 0);
/// ```
pub fn multiply_accumulates(isa: Isa, rounds: usize) -> u64 {
    let isa = isa.min(Isa::best());
    let sum = dispatch!(isa => burst(rounds: usize) -> f32);
    black_box(sum);
    rounds as u64 * ACCUMULATORS as u64 * isa.lanes() as u64
}

/// Halving and adding one leads to 2 from any start: no overflow, no denormal to slow it down.
///
/// # Safety
/// As of [`Vector`].
#[inline(always)]
unsafe fn burst<V: Vector>(rounds: usize) -> f32 {
    // SAFETY: the caller runs where the family exists; no memory is touched.
    unsafe {
        let (half, one) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
        // From different starts, or the compiler would find twelve equal sums and keep one.
        let mut sums = [V::zero(); ACCUMULATORS];
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum = V::splat(black_box(index as f32));
        }
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(half, one);
            }
        }
        let mut total = V::zero();
        for sum in sums {
            total = total.add(sum);
        }
        total.sum()
    }
}
