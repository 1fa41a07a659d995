//! The inner loop: a few target channels of some vectors of pixels.
//!
//! ```text
//! for each tap
//!     for each source channel
//!         load NV vectors of its plane, under the tap
//!         for each of MR target channels
//!             broadcast its weight, multiply, add to its NV accumulators
//! ```
//!
//! `MR·NV` accumulators live in registers for the whole sum. Loads a multiply-add are `1/MR + 1/NV`, and most of a
//! plane's are cut by the end of a cache line, which counts twice: 3×7 has 0.81.

use crate::simd::Vector;

/// Vectors of the widest tile.
pub(super) const WIDEST: usize = 7;

/// A row of positions, to be summed for a few target channels.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// What the first position reads of the first channel.
    pub(super) strip: *const f32,
    /// Where the taps lie from there.
    pub(super) taps: &'a [usize],
    pub(super) sources: usize,
    /// Elements between the planes of the channels.
    pub(super) pitch: usize,
    /// `[tap][source][target]`
    pub(super) weights: *const f32,
    /// Where the sums go: `[target][position]`, rows `sums_row` apart.
    pub(super) sums: *mut f32,
    pub(super) sums_row: usize,
}

impl Row<'_> {
    /// Sums `count` positions for `targets` channels.
    ///
    /// # Safety
    /// `V`'s instructions exist; the strip is readable under every tap and channel, and the sums are writable, for whole
    /// vectors of positions.
    #[inline(always)]
    pub(super) unsafe fn sum<V: Vector>(self, targets: usize, count: usize) {
        // SAFETY: the contract of this function.
        unsafe {
            match targets {
                1 => self.tiles::<V, 1>(count),
                2 => self.tiles::<V, 2>(count),
                3 => self.tiles::<V, 3>(count),
                _ => self.tiles::<V, 4>(count),
            }
        }
    }

    #[inline(always)]
    unsafe fn tiles<V: Vector, const MR: usize>(self, count: usize) {
        let most = match (V::REGISTERS, MR) {
            (32, 4) => 4,
            (32, _) => WIDEST,
            (16, _) => 3,
            _ => 1,
        };
        let (mut first, mut rest) = (0, count.div_ceil(V::LANES));
        while rest > 0 {
            // The widest that does not leave a single vector behind.
            let fits = |&&vectors: &&usize| {
                vectors <= most.min(rest) && (rest - vectors != 1 || vectors == 1)
            };
            let vectors = [WIDEST, 4, 3, 2, 1].iter().find(fits).map_or(1, |&v| v);
            // SAFETY: the contract of [`Row::sum`].
            unsafe {
                match vectors {
                    7 => self.tile::<V, MR, 7>(first),
                    4 => self.tile::<V, MR, 4>(first),
                    3 => self.tile::<V, MR, 3>(first),
                    2 => self.tile::<V, MR, 2>(first),
                    _ => self.tile::<V, MR, 1>(first),
                }
            }
            first += vectors * V::LANES;
            rest -= vectors;
        }
    }

    /// One tile, from position `first` on.
    #[inline(always)]
    unsafe fn tile<V: Vector, const MR: usize, const NV: usize>(self, first: usize) {
        // SAFETY: the contract of [`Row::sum`].
        unsafe {
            let mut sums = [[V::zero(); NV]; MR];
            let mut weights = self.weights;
            for &tap in self.taps {
                let mut plane = self.strip.add(tap + first);
                for _ in 0..self.sources {
                    let x: [V; NV] = std::array::from_fn(
                        #[inline(always)]
                        |v| V::load(plane.add(v * V::LANES)),
                    );
                    for (m, sums) in sums.iter_mut().enumerate() {
                        let w = V::splat(*weights.add(m));
                        for (sum, x) in sums.iter_mut().zip(x) {
                            *sum = w.mul_add(x, *sum);
                        }
                    }
                    plane = plane.wrapping_add(self.pitch);
                    weights = weights.add(MR);
                }
            }
            for (m, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(self.sums.add(m * self.sums_row + first + v * V::LANES));
                }
            }
        }
    }
}
