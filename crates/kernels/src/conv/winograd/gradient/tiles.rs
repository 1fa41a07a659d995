//! Tiles of both maps, brought to the points.

use std::marker::PhantomData;
use std::ops::Range;

use super::{BLOCKS, GradientPlan, Maps, Part};
use crate::conv::winograd::grid::Each;
use crate::conv::winograd::points::Line;
use crate::conv::winograd::transform::{self, Gradients, Inputs, Step};
use crate::simd::Vector;

/// Brings tiles to the points: a part's channels of the source and of the target.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; the slices have the lengths
/// of the plan.
#[inline(always)]
pub(super) unsafe fn to_points<V: Vector>(
    plan: &GradientPlan,
    maps: Maps<'_>,
    tiles: Range<usize>,
    part: &Part,
    sources: &mut [f32],
    targets: &mut [f32],
) {
    let points = plan.grid.points();
    let blocks = part.pieces.start * BLOCKS..(part.pieces.end * BLOCKS).min(plan.source_vectors());
    let read = blocks.start * V::LANES..(blocks.end * V::LANES).min(plan.sources);
    let first = part.panels.start * plan.wide;
    let vectors = (part.panels.end * plan.wide).min(plan.target_vectors());
    let channels = first * V::LANES..(vectors * V::LANES).min(plan.targets);
    for (index, tile) in tiles.enumerate() {
        let source = plan.grid.source(maps.x, plan.sources, tile);
        let target = plan.grid.target(maps.dy, plan.targets, tile);
        let of_source = Values {
            lines: plan.grid.lines(),
            to: sources.as_mut_ptr(),
            by_point: sources.len() / points,
            round: plan.round,
            first: blocks.start,
            wide: 1,
            vectors: blocks.end,
            index,
            step: PhantomData::<Inputs>,
        };
        let of_target = Values {
            lines: plan.grid.lines(),
            to: targets.as_mut_ptr(),
            by_point: targets.len() / points,
            round: plan.round,
            first,
            wide: plan.wide,
            vectors,
            index,
            step: PhantomData::<Gradients>,
        };
        // SAFETY: the contract of this function.
        unsafe {
            source.each_vector::<V>(read.clone(), of_source);
            target.each_vector::<V>(channels.clone(), of_target);
        }
    }
}

/// Where the values of a tile go: `[point][panel][tile][lanes of the panel]`.
struct Values<'a, S> {
    lines: (&'a Line, &'a Line),
    to: *mut f32,
    by_point: usize,
    round: usize,
    /// The first vector.
    first: usize,
    /// Vectors of a panel; the last may have fewer.
    wide: usize,
    /// The end of the vectors.
    vectors: usize,
    /// The tile.
    index: usize,
    step: PhantomData<S>,
}

impl<V: Vector, S: Step> Each<V> for Values<'_, S> {
    #[inline(always)]
    unsafe fn tile(&mut self, channel: usize, read: impl Fn(usize, usize) -> V) {
        let vector = channel / V::LANES;
        let first = vector / self.wide * self.wide;
        let row = self.wide.min(self.vectors - first);
        let at = (first - self.first) * self.round + self.index * row + vector - first;
        let width = self.lines.1.inputs();
        // SAFETY: the contract of the trait; the values have a row for every tile of a round.
        unsafe {
            let to = self.to.add(at * V::LANES);
            transform::whole_tile::<S, V>(
                self.lines,
                read,
                #[inline(always)]
                |row, column, value| value.store(to.add((row * width + column) * self.by_point)),
            );
        }
    }
}
