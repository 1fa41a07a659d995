//! Weights in the order the register tile reads them.
//!
//! The target channels of a group are cut into panels of one to three vectors. A panel holds, for
//! every tap and source channel in the order of the summation, the weights of its target channels
//! side by side, so that the inner loop reads it front to back. Channels past the last are zero.

use geometry::ConvGeometry;

use super::walk::Walk;
use crate::conv::Direction;
use crate::shared::Shared;
use crate::{Context, Isa};

/// Vectors of target channels that share one pass over the pixels.
#[derive(Clone, Copy, Debug)]
pub(in crate::conv) struct Panel {
    /// First vector within the group.
    pub(in crate::conv) first: usize,
    /// Vectors, the `NV` of the tile.
    pub(in crate::conv) vectors: usize,
}

/// Cuts the vectors of target channels of a group into panels; each sum has `depth` products.
pub(in crate::conv) fn cut_panels(isa: Isa, depth: usize, vectors: usize) -> Vec<Panel> {
    let (mut panels, mut first) = (Vec::new(), 0);
    while first < vectors {
        let vectors = panel_vectors(isa, depth, vectors - first);
        panels.push(Panel { first, vectors });
        first += vectors;
    }
    panels
}

/// The panels of every group of a walk, and how they are packed.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    pub(super) lanes: usize,
    /// Vectors of one group.
    vectors: usize,
    /// Panels of one group.
    pub(super) per_group: Vec<Panel>,
    /// Products summed for one target element.
    depth: usize,
    groups: usize,
}

impl Panels {
    pub(super) fn new(walk: &Walk, isa: Isa) -> Self {
        let lanes = isa.lanes();
        let vectors = walk.target_channels_per_group().div_ceil(lanes);
        let depth = walk.depth();
        Self {
            lanes,
            vectors,
            per_group: cut_panels(isa, depth, vectors),
            depth,
            groups: walk.groups,
        }
    }

    /// Elements of the packed weights.
    pub(super) fn len(&self) -> usize {
        self.groups * self.depth * self.vectors * self.lanes
    }

    /// Where a panel starts in the packed weights.
    pub(super) fn start(&self, group: usize, panel: Panel) -> usize {
        (group * self.vectors + panel.first) * self.depth * self.lanes
    }

    /// Packs weights `[o, c/g, kernel…]` for a walk of the given direction. The taps of the walk say
    /// which kernel elements it has and in which order.
    pub(super) fn pack(
        &self,
        ctx: &Context<'_>,
        walk: &Walk,
        geometry: &ConvGeometry,
        direction: Direction,
        weight: &[f32],
        packed: &mut [f32],
    ) {
        let [_, height, width] = geometry.windows;
        let area = geometry.kernel_area();
        let (o, c) = (
            geometry.out_channels_per_group(),
            geometry.in_channels_per_group(),
        );
        // Strides of the weight by target channel and by source channel of a group.
        let (by_target, by_source, targets, sources) = match direction {
            Direction::BackwardData => (area, c * area, c, o),
            _ => (c * area, area, o, c),
        };
        let tasks = self.groups * self.per_group.len();
        let shared = Shared::new(packed);
        ctx.team.for_each(tasks, |task, _| {
            let (group, panel) = (
                task / self.per_group.len(),
                self.per_group[task % self.per_group.len()],
            );
            let row = panel.vectors * self.lanes;
            let first = panel.first * self.lanes;
            let used = row.min(targets - first);
            // SAFETY: panels do not overlap.
            let packed = unsafe { shared.slice(self.start(group, panel), self.depth * row) };
            let mut rows = packed.chunks_exact_mut(row);
            let weight = &weight[group * o * c * area..][..o * c * area];
            for tap in walk.kernel_taps(height.kernel, width.kernel) {
                for (source, out) in (0..sources).zip(&mut rows) {
                    let start = first * by_target + source * by_source + tap;
                    let (out, unused) = out.split_at_mut(used);
                    for (target, out) in out.iter_mut().enumerate() {
                        *out = weight[start + target * by_target];
                    }
                    unused.fill(0.0);
                }
            }
        });
    }
}

/// Products up to which a panel of four vectors stays in a first-level cache: 16 KiB of weights.
const SHALLOW: usize = 64;

/// Vectors of the next panel when `rest` are left to a group. Two or three leave room for tall tiles;
/// odd numbers get one panel of three, so that none is left with the poor single one. Four make one
/// pass over the pixels instead of two, which pays where the sums are short and the weights near.
fn panel_vectors(isa: Isa, depth: usize, rest: usize) -> usize {
    match (isa, rest) {
        (Isa::Portable, _) => 1,
        (Isa::Avx512, rest) if rest % 4 == 0 && depth <= SHALLOW => 4,
        (_, rest) if rest < 2 => rest,
        (_, rest) if rest % 2 == 1 => 3,
        _ => 2,
    }
}
