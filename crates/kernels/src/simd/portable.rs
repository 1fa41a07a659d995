//! Eight lanes in an array, for the compiler to vectorise as the baseline allows.

use super::{Vector, Work};

/// Eight f32 in plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct F32x8Portable([f32; 8]);

impl F32x8Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl Vector for F32x8Portable {
    const LANES: usize = 8;
    const REGISTERS: usize = 8;

    #[inline(always)]
    unsafe fn apart(work: &impl Work) {
        #[inline(never)]
        unsafe fn run(work: &impl Work) {
            // SAFETY: the features of this function are those of the vector type.
            unsafe { work.run::<F32x8Portable>() }
        }
        // SAFETY: the caller runs where the family exists.
        unsafe { run(work) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight elements.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight elements.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the contract of this function.
        unsafe { self.store(to) }
    }

    #[inline(always)]
    unsafe fn fence() {}

    #[inline(always)]
    unsafe fn load_partial(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; 8];
        for (lane, value) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` elements.
            *value = unsafe { from.add(lane).read() };
        }
        Self(lanes)
    }

    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f32, count: usize) {
        for (lane, value) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` elements.
            unsafe { to.add(lane).write(*value) };
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // Two roundings: without the instruction a fused one is a slow library call.
        Self(std::array::from_fn(|l| {
            self.0[l] * factor.0[l] + addend.0[l]
        }))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn where_positive(self, test: Self) -> Self {
        self.zip(test, |a, t| if t > 0.0 { a } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn pick(self, from: &[u32; 16]) -> Self {
        Self(std::array::from_fn(|lane| self.0[from[lane] as usize]))
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}

    #[inline(always)]
    unsafe fn prefetch_write(_: *const f32) {}

    #[inline(always)]
    unsafe fn turn_block(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for row in 0..8 {
            for column in 0..8 {
                // SAFETY: the caller vouches for eight rows of eight elements on both sides.
                unsafe { *to.add(column * to_row + row) = *from.add(row * from_row + column) };
            }
        }
    }
}
