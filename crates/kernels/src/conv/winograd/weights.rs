//! Weights at the points: `G g Gᵀ` of every pair of channels, once for many runs.

use super::points::MOST_INPUTS;
use super::{WinogradPlan, points::Line};
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, conv::dense::Panel};

impl WinogradPlan {
    /// Elements of the packed weights.
    pub(in crate::conv) fn packed_len(&self) -> usize {
        self.points() * self.vectors() * self.lanes() * self.sources
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

/// Elements of the largest kernel, a vector each.
const MOST_TAPS: usize = 7 * 7;
const LANES: usize = 16;

#[inline(always)]
unsafe fn pack_panel<V: Vector>(
    plan: &WinogradPlan,
    panel: Panel,
    weight: &[f32],
    packed: Shared<'_>,
) {
    let (rows, columns) = (&plan.rows.line, &plan.columns.line);
    let area = rows.taps * columns.taps;
    // Strides of the weight by target channel and by source channel, and the order of the taps.
    let backward = plan.direction == Direction::BackwardData;
    let (by_target, by_source) = match backward {
        true => (area, plan.targets * area),
        false => (plan.sources * area, area),
    };
    let row = panel.vectors * V::LANES;
    let mut taps = [0.0f32; MOST_TAPS * LANES];
    let mut half = [0.0f32; MOST_INPUTS * MOST_INPUTS * LANES];
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
                turn::<V>(
                    from.as_ptr(),
                    by_target,
                    (used, area),
                    taps.as_mut_ptr(),
                    V::LANES,
                );
                // Down the columns, then along the rows.
                for column in 0..columns.taps {
                    let tap = |row: usize| {
                        let index = match backward {
                            true => area - 1 - (row * columns.taps + column),
                            false => row * columns.taps + column,
                        };
                        V::load(taps.as_ptr().add(index * V::LANES))
                    };
                    for point in 0..rows.inputs() {
                        let to = half
                            .as_mut_ptr()
                            .add((point * MOST_INPUTS + column) * V::LANES);
                        at_point(rows, point, tap).store(to);
                    }
                }
                for line in 0..rows.inputs() {
                    let tap = |column: usize| {
                        V::load(half.as_ptr().add((line * MOST_INPUTS + column) * V::LANES))
                    };
                    for point in 0..columns.inputs() {
                        let start = plan.panel_start(line * columns.inputs() + point, panel);
                        let at = start + source * row + vector * V::LANES;
                        let to = packed.slice(at, V::LANES);
                        at_point(columns, point, tap).store(to.as_mut_ptr());
                    }
                }
            }
        }
    }
}

/// A row of `G`, applied.
#[inline(always)]
unsafe fn at_point<V: Vector>(line: &Line, point: usize, tap: impl Fn(usize) -> V) -> V {
    // SAFETY: the caller runs where the family exists.
    unsafe {
        if line.pairs == 0 {
            return tap(0);
        }
        let mut sum = V::zero();
        for (power, &factor) in line.kernel[point][..line.taps].iter().enumerate() {
            if factor != 0.0 {
                sum = tap(power).mul_add(V::splat(factor), sum);
            }
        }
        sum
    }
}
