//! Weights at the points: `G g Gᵀ` of every pair of channels, once for many runs.

use super::WinogradPlan;
use super::points::MOST_TAPS;
use super::transform::{self, Taps};
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, conv::dense::Panel};

impl WinogradPlan {
    /// Elements of the packed weights.
    pub(in crate::conv) fn packed_len(&self) -> usize {
        self.grid.points() * self.vectors() * self.lanes() * self.sources
    }

    /// Where the weights of a panel at a point start.
    pub(super) fn panel_start(&self, point: usize, panel: Panel) -> usize {
        (point * self.vectors() + panel.first) * self.lanes() * self.sources
    }

    /// Packs weights `[o, c, kernel…]`: for each point panels of target channels, in a panel for each
    /// source channel its weights side by side. Channels past the last are zero.
    pub(in crate::conv) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        let plan = self;
        let packed = Shared::new(packed);
        ctx.team.for_each(self.panels.len(), |index, _| {
            let panel = self.panels[index];
            // SAFETY: the vector family exists, as the plan's `isa` proves, the slices have the
            // lengths of the plan, and a panel belongs to one task.
            dispatch!(self.isa => pack_panel(
                plan: &WinogradPlan, panel: Panel, weight: &[f32], packed: Shared<'_>,
            ));
        });
    }
}

/// Most lanes of a vector.
const LANES: usize = 16;

#[inline(always)]
unsafe fn pack_panel<V: Vector>(
    plan: &WinogradPlan,
    panel: Panel,
    weight: &[f32],
    packed: Shared<'_>,
) {
    let (rows, columns) = plan.grid.lines();
    let area = rows.taps * columns.taps;
    // Strides of the weight by target channel and by source channel, and the order of the taps.
    let backward = plan.direction == Direction::BackwardData;
    let (by_target, by_source) = match backward {
        true => (area, plan.targets * area),
        false => (plan.sources * area, area),
    };
    let row = panel.vectors * V::LANES;
    let mut taps = [0.0f32; MOST_TAPS * MOST_TAPS * LANES];
    for vector in 0..panel.vectors {
        let first = (panel.first + vector) * V::LANES;
        let used = V::LANES.min(plan.targets - first);
        if used < V::LANES {
            taps.fill(0.0);
        }
        for source in 0..plan.sources {
            let from = &weight[source * by_source + first * by_target..];
            assert!(from.len() >= (used - 1) * by_target + area, "weight length");
            // SAFETY: the kernels of the vector's targets lie in `from`; the buffers hold the taps of
            // the largest kernel and the points of the largest tile; the packed element belongs to
            // this panel.
            unsafe {
                let to = taps.as_mut_ptr();
                // A whole block, what is used of it and what is not, lies within the weights.
                if used == V::LANES
                    && area <= V::LANES
                    && (used - 1) * by_target + V::LANES <= from.len()
                {
                    V::turn_block(from.as_ptr(), by_target, to, V::LANES);
                } else {
                    turn::<V>(from.as_ptr(), by_target, (used, area), to, V::LANES);
                }
                transform::whole_tile::<Taps, V>(
                    plan.grid.lines(),
                    #[inline(always)]
                    |row, column| {
                        let tap = row * columns.taps + column;
                        let index = if backward { area - 1 - tap } else { tap };
                        V::load(taps.as_ptr().add(index * V::LANES))
                    },
                    #[inline(always)]
                    |line, point, value| {
                        let start = plan.panel_start(line * columns.inputs() + point, panel);
                        let at = start + source * row + vector * V::LANES;
                        value.store(packed.slice(at, V::LANES).as_mut_ptr());
                    },
                );
            }
        }
    }
}
