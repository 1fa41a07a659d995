//! The products at the points: a matrix product for each, over the tiles of a task.

use crate::conv::dense::{OfShape, Panel, Part, Segment, Target, Weights, of_shape, tile};
use crate::conv::finish::Finish;
use crate::simd::Vector;

/// Where the channels of tiles lie at the points: elements from a tile to the next, and from a point to the
/// next.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) row: usize,
    pub(super) by_point: usize,
}

/// The products of some tiles and panels.
pub(super) struct Products<'a> {
    pub(super) tiles: usize,
    pub(super) panels: &'a [Panel],
    /// Source channels that are multiplied.
    pub(super) sources: usize,
    /// The tiles' source channels, from the first of these on.
    pub(super) source: *const f32,
    pub(super) source_rows: Rows,
    /// Their target channels, from the first of the panels on.
    pub(super) target: *mut f32,
    pub(super) target_rows: Rows,
    /// What is there already is added to.
    pub(super) adds: bool,
}

impl Products<'_> {
    /// Multiplies the sources at every point by the weights of the panels, which `weights(point, panel)` gives.
    ///
    /// # Safety
    /// `V` is the vector of the panels' family and its instructions exist; sources and targets are valid for all
    /// tiles and points, the weights for all the channels.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector>(
        &self,
        points: usize,
        weights: impl Fn(usize, Panel) -> *const f32,
    ) {
        let first = self.panels[0].first;
        for point in 0..points {
            for (index, &panel) in self.panels.iter().enumerate() {
                let next = match self.panels.get(index + 1) {
                    Some(&next) => weights(point, next),
                    None => weights((point + 1) % points, self.panels[0]),
                };
                let start = point * self.target_rows.by_point + (panel.first - first) * V::LANES;
                let product = Product {
                    tiles: self.tiles,
                    source: self.source.wrapping_add(point * self.source_rows.by_point),
                    source_row: self.source_rows.row,
                    sources: self.sources,
                    panel,
                    weights: weights(point, panel),
                    next,
                    target: self.target.wrapping_add(start),
                    target_row: self.target_rows.row,
                    adds: self.adds,
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
    adds: bool,
}

impl OfShape for Product {
    /// Tiles of the register tile's height, and of half of it for a short rest.
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self) {
        let mut at = 0;
        while at < self.tiles {
            let rest = self.tiles - at;
            // SAFETY: the contract of the trait.
            unsafe {
                if rest > HALF {
                    self.tile::<V, MR, NV>(at);
                    at += MR;
                } else {
                    self.tile::<V, HALF, NV>(at);
                    at += HALF;
                }
            }
        }
    }
}

impl Product {
    #[inline(always)]
    unsafe fn tile<V: Vector, const MR: usize, const NV: usize>(&self, start: usize) {
        // Fewer tiles than rows: the last one is computed again, and written again with the same sums, for all
        // are made before the first is written.
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
            residual: match self.adds {
                true => self.target,
                false => std::ptr::null(),
            },
            activation: None,
        };
        // SAFETY: rows of sources and products are those of the task's tiles, the weights those of
        // the panel at the point.
        unsafe {
            let weights =
                Weights::new::<V, NV>(self.weights, self.next, None, self.sources, start / MR);
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
