//! The register tile: sums over pixels.

use crate::simd::Vector;

/// The pixels of a unit, as a tile sees them.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    /// What the first row of the tile reads under the first pixel; the other rows' elements follow it.
    pub(super) source: *const f32,
    pub(super) by_row: usize,
    pub(super) by_column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// The output channels of the tile, pixel by pixel.
    pub(super) gradient: *const f32,
}

impl Pixels {
    pub(super) const NONE: Self = Self {
        source: std::ptr::null(),
        by_row: 0,
        by_column: 0,
        rows: 0,
        columns: 0,
        gradient: std::ptr::null(),
    };
}

/// One tile over the pixels of a few units.
pub(super) struct Pass {
    /// The tile's place in the accumulator.
    pub(super) sums: *mut f32,
    pub(super) row_len: usize,
    /// Nothing has been summed there yet.
    pub(super) fresh: bool,
}

impl Pass {
    /// # Safety
    /// `V`'s instructions exist; sources, gradients and accumulator hold what the plan says.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector, const MR: usize, const NV: usize>(&self, units: &[Pixels]) {
        // SAFETY: the contract of this function.
        unsafe {
            let at = |row: usize, v: usize| self.sums.add(row * self.row_len + v * V::LANES);
            let mut sums = [[V::zero(); NV]; MR];
            if !self.fresh {
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = V::load(at(row, v));
                    }
                }
            }
            for pixels in units {
                let mut gradient = pixels.gradient;
                for row in 0..pixels.rows {
                    let mut source = pixels.source.add(row * pixels.by_row);
                    for _ in 0..pixels.columns {
                        let dy: [V; NV] =
                            std::array::from_fn(|v| V::load(gradient.add(v * V::LANES)));
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let x = V::splat(*source.add(row));
                            for (sum, dy) in sums.iter_mut().zip(dy) {
                                *sum = x.mul_add(dy, *sum);
                            }
                        }
                        source = source.wrapping_add(pixels.by_column);
                        gradient = gradient.add(NV * V::LANES);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(at(row, v));
                }
            }
        }
    }
}
