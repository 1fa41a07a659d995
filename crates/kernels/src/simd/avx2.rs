//! Eight lanes in a ymm register. FMA is part of this family.

use std::arch::x86_64::*;

use super::{Vector, Work};

/// A ymm register.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(__m256);

/// A mask of the first `count` lanes, read out of a sliding window over ones and zeros.
#[inline(always)]
unsafe fn first_lanes(count: usize) -> __m256i {
    const WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: count ≤ 8, so the eight elements read start at 0 or later and end within sixteen.
    unsafe { _mm256_loadu_si256(WINDOW.as_ptr().add(8 - count).cast()) }
}

impl Vector for F32x8 {
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn apart(work: &impl Work) {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn run(work: &impl Work) {
            // SAFETY: the features of this function are those of the vector type.
            unsafe { work.run::<F32x8>() }
        }
        // SAFETY: the caller runs where the family exists.
        unsafe { run(work) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller runs where AVX2 exists; so for every method below.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight elements.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight elements.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the caller vouches for the elements and their alignment.
        unsafe { _mm256_stream_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn fence() {
        // SAFETY: every processor of this family has it.
        unsafe { _mm_sfence() }
    }

    #[inline(always)]
    unsafe fn load_partial(from: *const f32, count: usize) -> Self {
        // SAFETY: masked lanes are not touched.
        Self(unsafe { _mm256_maskload_ps(from, first_lanes(count)) })
    }

    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f32, count: usize) {
        // SAFETY: masked lanes are not touched.
        unsafe { _mm256_maskstore_ps(to, first_lanes(count), self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: FMA is part of the family.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn where_positive(self, test: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe {
            let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(test.0, _mm256_setzero_ps());
            _mm256_and_ps(self.0, positive)
        })
    }

    #[inline(always)]
    unsafe fn pick(self, from: &[u32; 16]) -> Self {
        // SAFETY: as above; of the indices the first eight are read.
        Self(unsafe { _mm256_permutevar8x32_ps(self.0, _mm256_loadu_si256(from.as_ptr().cast())) })
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn prefetch_write(at: *const f32) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(at.cast()) }
    }

    /// Three rounds of shuffles: pairs of rows interleave their elements, then their pairs of
    /// elements, then their halves.
    #[inline(always)]
    unsafe fn turn_block(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the caller vouches for eight rows of eight elements on both sides.
        unsafe {
            let r: [__m256; 8] = std::array::from_fn(|i| _mm256_loadu_ps(from.add(i * from_row)));
            let singles: [__m256; 8] = std::array::from_fn(|i| {
                let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
                if i % 2 == 0 {
                    _mm256_unpacklo_ps(a, b)
                } else {
                    _mm256_unpackhi_ps(a, b)
                }
            });
            let pairs: [__m256; 8] = std::array::from_fn(|i| {
                let (half, column) = (i / 4 * 4, i % 4);
                let (a, b) = (singles[half + column / 2], singles[half + column / 2 + 2]);
                if column % 2 == 0 {
                    _mm256_shuffle_ps::<0x44>(a, b)
                } else {
                    _mm256_shuffle_ps::<0xee>(a, b)
                }
            });
            for i in 0..4 {
                let (a, b) = (pairs[i], pairs[i + 4]);
                _mm256_storeu_ps(to.add(i * to_row), _mm256_permute2f128_ps::<0x20>(a, b));
                let high = _mm256_permute2f128_ps::<0x31>(a, b);
                _mm256_storeu_ps(to.add((i + 4) * to_row), high);
            }
        }
    }
}
