//! One small vector of f32, in three bodies.
//!
//! A kernel is written once, generic over [`Vector`] and `#[inline(always)]`; [`dispatch`] makes an
//! entry for each [`Isa`](crate::Isa) in which the generic body is compiled with that family's
//! instructions switched on.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod turn;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::F32x8;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::F32x16;
pub(crate) use portable::F32x8Portable;
pub(crate) use turn::turn;

/// A register of `LANES` f32.
///
/// # Safety
/// Every method may only run where the family's instructions are known to exist: inside a function
/// reached through [`dispatch`] with an [`Isa`](crate::Isa) the processor has. Pointers must be
/// valid for the lanes they are said to cover; no alignment is needed.
pub(crate) trait Vector: Copy {
    /// Lanes of f32.
    const LANES: usize;
    /// How many of these vectors the processor can hold in registers.
    const REGISTERS: usize;
    /// There are sixteen registers at least, or thirty-two. What stands under `if V::HOLDS_32` is left out of the other
    /// families before the compiler gets to it, where a comparison would first be compiled on either side.
    const HOLDS_16: bool = Self::REGISTERS >= 16;
    const HOLDS_32: bool = Self::REGISTERS >= 32;

    /// All lanes `value`.
    unsafe fn splat(value: f32) -> Self;
    /// Reads `LANES` elements.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `LANES` elements.
    unsafe fn store(self, to: *mut f32);
    /// Writes `LANES` elements past the caches, where a store would first read the line it writes. `to` is a multiple of
    /// a vector's size, and [`Vector::fence`] has to follow before another thread reads them.
    unsafe fn stream(self, to: *mut f32);
    /// Ends what was streamed.
    unsafe fn fence();
    /// Reads the first `count ≤ LANES` elements and touches no others; the other lanes are 0.
    unsafe fn load_partial(from: *const f32, count: usize) -> Self;
    /// Writes the first `count ≤ LANES` elements and touches no others.
    unsafe fn store_partial(self, to: *mut f32, count: usize);
    /// `self · factor + addend`, in one rounding where the family can.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    /// Exactly `if self > other { self } else { other }`.
    unsafe fn max(self, other: Self) -> Self;
    /// Exactly `if self < other { self } else { other }`.
    unsafe fn min(self, other: Self) -> Self;
    /// `self` where `test > 0`, elsewhere 0.
    unsafe fn where_positive(self, test: Self) -> Self;
    /// In each lane the lane that `from` names there; all of them below `LANES`.
    unsafe fn pick(self, from: &[u32; 16]) -> Self;

    /// Asks for the cache line at `at` to be brought to the second-level cache. A hint: any address is
    /// allowed.
    unsafe fn prefetch(at: *const f32);
    /// Announces that the cache line at `at` will be written. A hint: any address is allowed.
    unsafe fn prefetch_write(at: *const f32);
    /// Transposes a block of `LANES` rows, `from_row` elements apart, of `LANES` elements into rows
    /// `to_row` elements apart.
    unsafe fn turn_block(from: *const f32, from_row: usize, to: *mut f32, to_row: usize);

    /// Does some work in a function of its own, with the family's instructions: what the work keeps on the stack lies close
    /// together there, where the frame of a large kernel would spread it over many cache lines.
    ///
    /// # Safety
    /// As of the work, besides the family.
    unsafe fn apart(work: &impl Work);

    /// All lanes 0.
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller runs where the family exists.
        unsafe { Self::splat(0.0) }
    }

    /// The lanes added up, in a fixed order.
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let mut lanes = [0.0f32; 16];
        // SAFETY: no family has more than 16 lanes.
        unsafe { self.store(lanes.as_mut_ptr()) };
        // Halving keeps the order the same for every family of the same width.
        let mut width = Self::LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

/// A part of a kernel.
pub(crate) trait Work {
    /// Must be `#[inline(always)]`, as any body.
    ///
    /// # Safety
    /// `V`'s instructions exist, and whatever the work itself needs.
    unsafe fn run<V: Vector>(&self);
}

/// Calls a generic kernel body with the vector type of an [`Isa`](crate::Isa).
///
/// `dispatch!(isa => body(a: A, b: B))` expands to one function per family, in which `body::<V>` is
/// compiled with that family's instructions, and a call of the one that `isa` names. The body must
/// be `#[inline(always)]`, or its intrinsics would be calls.
macro_rules! dispatch {
    ($isa:expr => $($body:ident)::+ ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        unsafe fn avx512($($arg: $ty),*) $(-> $ret)? {
            // SAFETY: the features of this function are those of the vector type.
            unsafe { $($body)::+::<crate::simd::F32x16>($($arg),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2($($arg: $ty),*) $(-> $ret)? {
            // SAFETY: the features of this function are those of the vector type.
            unsafe { $($body)::+::<crate::simd::F32x8>($($arg),*) }
        }
        unsafe fn portable($($arg: $ty),*) $(-> $ret)? {
            // SAFETY: needs nothing beyond the baseline.
            unsafe { $($body)::+::<crate::simd::F32x8Portable>($($arg),*) }
        }
        // Anybody can name a family; only one that the processor has is entered.
        match $isa.min(crate::Isa::best()) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has the family, and the rest is the contract of the body, which
            // the caller upholds. So for the other families.
            crate::Isa::Avx512 => unsafe { avx512($($arg),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            crate::Isa::Avx2 => unsafe { avx2($($arg),*) },
            // SAFETY: as above.
            _ => unsafe { portable($($arg),*) },
        }
    }};
}

pub(crate) use dispatch;
