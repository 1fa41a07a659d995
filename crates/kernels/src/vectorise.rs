//! Plain loops compiled for a family of vector instructions.

use crate::Isa;

/// Runs `body`, a plain loop over slices, compiled with the instructions of `isa`.
///
/// The compiler vectorises such a loop by itself where its iterations are independent; only kernels
/// that keep sums in registers need [`Vector`](crate::simd::Vector). `body` has to be a closure
/// marked `#[inline(always)]`, or it would be compiled for the baseline and merely called. As no
/// loop here asks for fused multiply-add, its results are the same for every family. The widest has no code of its own: such
/// loops wait for memory, and each would be compiled once more.
#[inline(always)]
pub(crate) fn vectorised<R>(isa: Isa, body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2<R>(body: impl FnOnce() -> R) -> R {
        body()
    }
    match isa.min(Isa::best()) {
        // SAFETY: the family is at most the best one this processor has.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::Avx512 => unsafe { avx2(body) },
        _ => body(),
    }
}
