//! The products at the points: a matrix product for each, over the tiles of a task.

use std::ops::Range;

use super::WinogradPlan;
use crate::conv::dense::{OfShape, Panel, Part, Segment, Target, Weights, of_shape, tile};
use crate::conv::finish::Finish;
use crate::simd::Vector;

impl WinogradPlan {
    /// Multiplies the sources of `tiles` tiles at every point by the weights of some panels.
    ///
    /// # Safety
    /// `V` is the vector of the plan's family and its instructions exist; the slices have the lengths
    /// of the plan.
    #[inline(always)]
    pub(super) unsafe fn multiply<V: Vector>(
        &self,
        panels: Range<usize>,
        tiles: usize,
        packed: &[f32],
        sources: &[f32],
        products: &mut [f32],
    ) {
        let (source_row, target_row) = (self.source_row(), self.target_row);
        let first = self.panels[panels.start].first;
        let weights = |point, panel| packed[self.panel_start(point, panel)..].as_ptr();
        let panels = &self.panels[panels];
        for point in 0..self.grid.points() {
            for (index, &panel) in panels.iter().enumerate() {
                let next = match panels.get(index + 1) {
                    Some(&next) => weights(point, next),
                    None => weights((point + 1) % self.grid.points(), panels[0]),
                };
                let start = point * self.tiles * target_row + (panel.first - first) * V::LANES;
                let product = Product {
                    tiles,
                    source: sources[point * self.tiles * source_row..].as_ptr(),
                    source_row,
                    sources: self.sources,
                    panel,
                    weights: weights(point, panel),
                    next,
                    target: products[start..].as_mut_ptr(),
                    target_row,
                };
                // SAFETY: the contract of this function.
                unsafe { of_shape::<V>(panel.vectors, &product) };
            }
        }
    }
}

/// The matrix product of a panel at a point.
struct Product {
    tiles: usize,
    source: *const f32,
    source_row: usize,
    sources: usize,
    panel: Panel,
    weights: *const f32,
    /// The weights of the product to come.
    next: *const f32,
    target: *mut f32,
    target_row: usize,
}

impl OfShape for Product {
    /// Tiles of the register tile's height, and of half of it for a short rest. The last is moved
    /// back to end with the tiles.
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self) {
        let mut at = 0;
        while at < self.tiles {
            let rest = self.tiles - at;
            // SAFETY: the contract of the trait.
            unsafe {
                if rest > HALF {
                    self.tile::<V, MR, NV>(at.min(self.tiles.saturating_sub(MR)));
                    at += MR;
                } else {
                    self.tile::<V, HALF, NV>(at.min(self.tiles.saturating_sub(HALF)));
                    at += HALF;
                }
            }
        }
    }
}

impl Product {
    #[inline(always)]
    unsafe fn tile<V: Vector, const MR: usize, const NV: usize>(&self, start: usize) {
        // Fewer tiles than rows: the last one is computed again.
        let row = |index: usize| (start + index).min(self.tiles - 1);
        let sources: [*const f32; MR] =
            std::array::from_fn(|index| self.source.wrapping_add(row(index) * self.source_row));
        let targets: [usize; MR] = std::array::from_fn(|index| row(index) * self.target_row);
        let segment = Segment {
            offset: 0,
            len: self.sources,
        };
        let target = Target {
            start: self.target,
            channels: self.panel.vectors * V::LANES,
            is_late: false,
        };
        let finish = Finish {
            bias: std::ptr::null(),
            residual: std::ptr::null(),
            activation: None,
        };
        // SAFETY: rows of sources and products are those of the task's tiles, the weights those of
        // the panel at the point.
        unsafe {
            let weights = Weights::new::<V, NV>(self.weights, self.next, self.sources, start / MR);
            tile::<V, MR, NV, false>(
                &sources,
                &[segment],
                weights,
                &targets,
                target,
                finish,
                Part::WHOLE,
            );
        }
    }
}
