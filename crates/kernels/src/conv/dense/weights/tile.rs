//! The register tile: sums over pixels.

use super::ahead::Ask;
use crate::simd::Vector;

/// The pixels of a unit, as a tile sees them.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Pixels {
    /// What the first row of the tile reads under the first pixel; the other rows' elements follow it.
    pub(in crate::conv) source: *const f32,
    pub(in crate::conv) by_row: usize,
    pub(in crate::conv) by_column: usize,
    pub(in crate::conv) rows: usize,
    pub(in crate::conv) columns: usize,
    /// The output channels of the tile under the first pixel, and how far it is to those under the next.
    pub(in crate::conv) gradient: *const f32,
    pub(in crate::conv) by_pixel: usize,
}

impl Pixels {
    pub(in crate::conv) const NONE: Self = Self {
        source: std::ptr::null(),
        by_row: 0,
        by_column: 0,
        rows: 0,
        columns: 0,
        gradient: std::ptr::null(),
        by_pixel: 0,
    };
}

/// One tile over the pixels of a few units.
pub(in crate::conv) struct Pass {
    /// The tile's place in the accumulator.
    pub(in crate::conv) sums: *mut f32,
    pub(in crate::conv) row_len: usize,
    /// Nothing has been summed there yet.
    pub(in crate::conv) fresh: bool,
    /// What is asked for meanwhile.
    pub(in crate::conv) ask: Ask,
}

impl Pass {
    /// Runs the tile of so many rows and vectors, which fits the registers.
    ///
    /// # Safety
    /// `V`'s instructions exist; sources, gradients and accumulator hold what the plan says.
    #[inline(always)]
    pub(in crate::conv) unsafe fn of_shape<V: Vector>(
        &self,
        rows: usize,
        vectors: usize,
        units: &[Pixels],
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if V::HOLDS_32 {
                match (vectors, rows) {
                    (1, 24) => self.run::<V, 24, 1>(units),
                    (1, 16) => self.run::<V, 16, 1>(units),
                    (1, 12) => self.run::<V, 12, 1>(units),
                    (2, 12) => self.run::<V, 12, 2>(units),
                    (1, 9) => self.run::<V, 9, 1>(units),
                    (2, 9) => self.run::<V, 9, 2>(units),
                    (3, 9) => self.run::<V, 9, 3>(units),
                    (1, 8) => self.run::<V, 8, 1>(units),
                    (2, 8) => self.run::<V, 8, 2>(units),
                    (3, 8) => self.run::<V, 8, 3>(units),
                    _ => self.of_few_rows::<V>(rows, vectors, units),
                }
            } else if V::HOLDS_16 {
                match (vectors, rows) {
                    (1, 12) => self.run::<V, 12, 1>(units),
                    (1, 9) => self.run::<V, 9, 1>(units),
                    (1, 8) => self.run::<V, 8, 1>(units),
                    (1, 6) => self.run::<V, 6, 1>(units),
                    (2, 6) => self.run::<V, 6, 2>(units),
                    _ => self.of_few_rows::<V>(rows, vectors, units),
                }
            } else {
                match rows {
                    4 => self.run::<V, 4, 1>(units),
                    3 => self.run::<V, 3, 1>(units),
                    1 => self.run::<V, 1, 1>(units),
                    _ => unreachable!("a tile of {rows} rows"),
                }
            }
        }
    }

    /// The tiles that every family of more than a few registers has.
    ///
    /// # Safety
    /// As [`Self::of_shape`].
    #[inline(always)]
    unsafe fn of_few_rows<V: Vector>(&self, rows: usize, vectors: usize, units: &[Pixels]) {
        // SAFETY: the contract of this function.
        unsafe {
            match (vectors, rows) {
                (1, 4) => self.run::<V, 4, 1>(units),
                (2, 4) => self.run::<V, 4, 2>(units),
                (3, 4) => self.run::<V, 4, 3>(units),
                (1, 3) => self.run::<V, 3, 1>(units),
                (2, 3) => self.run::<V, 3, 2>(units),
                (3, 3) => self.run::<V, 3, 3>(units),
                (1, 1) => self.run::<V, 1, 1>(units),
                (2, 1) => self.run::<V, 1, 2>(units),
                (3, 1) => self.run::<V, 1, 3>(units),
                _ => unreachable!("a tile of {rows} rows by {vectors} vectors"),
            }
        }
    }

    /// # Safety
    /// `V`'s instructions exist; sources, gradients and accumulator hold what the plan says.
    #[inline(always)]
    pub(in crate::conv) unsafe fn run<V: Vector, const MR: usize, const NV: usize>(
        &self,
        units: &[Pixels],
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            let at = |row: usize, v: usize| self.sums.add(row * self.row_len + v * V::LANES);
            let mut sums = [[V::zero(); NV]; MR];
            let mut asked = self.ask.from;
            for pixels in units {
                let mut gradient = pixels.gradient;
                for row in 0..pixels.rows {
                    let mut source = pixels.source.add(row * pixels.by_row);
                    for _ in 0..pixels.columns {
                        V::prefetch(asked);
                        asked = asked.wrapping_add(self.ask.step);
                        let dy: [V; NV] =
                            std::array::from_fn(|v| V::load(gradient.add(v * V::LANES)));
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let x = V::splat(*source.add(row));
                            for (sum, dy) in sums.iter_mut().zip(dy) {
                                *sum = x.mul_add(dy, *sum);
                            }
                        }
                        source = source.wrapping_add(pixels.by_column);
                        gradient = gradient.wrapping_add(pixels.by_pixel);
                    }
                }
            }
            // Sums of sums: one sum of all would lose more to rounding.
            for (row, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let sum = if self.fresh {
                        sum
                    } else {
                        V::load(at(row, v)).add(sum)
                    };
                    sum.store(at(row, v));
                }
            }
        }
    }
}
