//! The sums at the points: outer products of the channels of both maps, over the tiles of a round.

use super::{GradientPlan, Piece};
use crate::conv::dense::{Ask, Pass, Pixels};
use crate::simd::Vector;

/// A round of a task.
pub(super) struct Product {
    pub(super) tiles: usize,
    /// First vectors of the source channels and of the target channels that the task brought to the points.
    pub(super) first: [usize; 2],
    /// Nothing has been summed yet.
    pub(super) fresh: bool,
}

impl Product {
    /// Adds the round to the sums of a piece. A point's target channels stay in the first-level cache while
    /// the source channels pass over them.
    ///
    /// # Safety
    /// `V` is the vector of the plan's family and its instructions exist; the slices have the
    /// lengths of the plan.
    #[inline(always)]
    pub(super) unsafe fn add<V: Vector>(
        &self,
        plan: &GradientPlan,
        piece: Piece,
        sources: &[f32],
        targets: &[f32],
        sums: &mut [f32],
    ) {
        let row_len = piece.vectors * V::LANES;
        let rows = tile_rows::<V>(piece.vectors);
        let by_source = sources.len() / plan.grid.points();
        let by_target = targets.len() / plan.grid.points();
        let target = (piece.first - self.first[1]) * plan.round * V::LANES;
        // Channels that only fill the last vector are left out.
        let channels = plan.channels(piece);
        let sums = sums.chunks_exact_mut(plan.sums_at_point(piece));
        for (point, sums) in sums.enumerate() {
            let targets = &targets[point * by_target + target..];
            for channel in (0..channels.len()).step_by(rows) {
                let (vector, lane) = (piece.block + channel / V::LANES, channel % V::LANES);
                let source = (vector - self.first[0]) * plan.round * V::LANES;
                let source = point * by_source + source + lane;
                let pixels = Pixels {
                    source: sources[source..].as_ptr(),
                    by_row: 0,
                    by_column: V::LANES,
                    rows: 1,
                    columns: self.tiles,
                    gradient: targets.as_ptr(),
                    by_pixel: piece.vectors * V::LANES,
                };
                let pass = Pass {
                    sums: sums[channel * row_len..].as_mut_ptr(),
                    row_len,
                    fresh: self.fresh,
                    ask: Ask::nothing(targets.as_ptr()),
                };
                // SAFETY: the contract of this function; `rows` divide a vector, and are those of `tile_rows`.
                unsafe {
                    if V::HOLDS_32 {
                        match piece.vectors {
                            1 => pass.run::<V, 16, 1>(&[pixels]),
                            2 => pass.run::<V, 8, 2>(&[pixels]),
                            _ => pass.run::<V, 8, 3>(&[pixels]),
                        }
                    } else if V::HOLDS_16 {
                        match piece.vectors {
                            1 => pass.run::<V, 8, 1>(&[pixels]),
                            2 => pass.run::<V, 4, 2>(&[pixels]),
                            _ => pass.run::<V, 4, 3>(&[pixels]),
                        }
                    } else {
                        pass.run::<V, 4, 1>(&[pixels]);
                    }
                }
            }
        }
    }
}

/// Source channels that the registers hold beside so many vectors of target channels: a part of a vector.
#[inline(always)]
fn tile_rows<V: Vector>(vectors: usize) -> usize {
    match (V::REGISTERS, vectors) {
        (32, 1) => 16,
        (32, _) => 8,
        (16, 1) => 8,
        _ => 4,
    }
}
