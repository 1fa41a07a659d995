//! Weights at the points: `G g Gᵀ` of every pair of channels, once for many runs.

use std::ops::Range;

use super::WinogradPlan;
use super::points::MOST_TAPS;
use super::transform::{self, Taps};
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, conv::dense::Panel};

impl WinogradPlan {
    /// Elements of the weights as a run wants them.
    pub(in crate::conv) fn packed_len(&self) -> usize {
        match self.fresh {
            Some(_) => self.weight_len(),
            None => self.points_len(),
        }
    }

    /// Elements of the weights as they lie.
    pub(super) fn weight_len(&self) -> usize {
        let (rows, columns) = self.grid.lines();
        self.sources * self.targets * rows.taps * columns.taps
    }

    /// Elements of the weights at the points.
    pub(super) fn points_len(&self) -> usize {
        self.grid.points() * self.vectors() * self.lanes() * self.sources
    }

    /// Where the weights of a panel at a point start.
    pub(super) fn panel_start(&self, point: usize, panel: Panel) -> usize {
        (point * self.vectors() + panel.first) * self.lanes() * self.sources
    }

    /// Packs weights `[o, c, kernel…]`: for each point panels of target channels, in a panel for each
    /// source channel its weights side by side. Channels past the last are zero.
    pub(in crate::conv) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        if self.fresh.is_some() {
            return packed.copy_from_slice(weight);
        }
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
/// Elements at the points that are made before they are put into place: most of a first-level cache.
const GATHERED: usize = 8 * 1024;

/// Packs a panel.
///
/// The weights at a point lie far from those at the next, often by a power of two: written as they are made,
/// one line here and one there, each would wait for memory, and all would fall into the same few sets of the
/// caches. So some source channels are made in a buffer, and put into place point by point as runs of lines.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; weight and packed have the lengths of the
/// plan; no other task has the panel.
#[inline(always)]
unsafe fn pack_panel<V: Vector>(
    plan: &WinogradPlan,
    panel: Panel,
    weight: &[f32],
    packed: Shared<'_>,
) {
    let row = panel.vectors * V::LANES;
    let points = plan.grid.points();
    // A line more than the channels: points a power of two apart would share a set here too.
    let at_once = (GATHERED / points - LANES) / row;
    let by_point = at_once * row + LANES;
    let mut gathered = [0.0f32; GATHERED];
    assert!(points * by_point <= GATHERED, "points of a source channel");
    for first in (0..plan.sources).step_by(at_once) {
        let some = at_once.min(plan.sources - first);
        // SAFETY: the contract of this function; so many source channels of every point fill the buffer.
        unsafe {
            let sources = first..first + some;
            to_points::<V>(
                plan,
                panel,
                sources,
                weight,
                gathered.as_mut_ptr(),
                by_point,
            );
        }
        for point in 0..points {
            let start = plan.panel_start(point, panel) + first * row;
            // SAFETY: these elements belong to this panel.
            let to = unsafe { packed.slice(start, some * row) };
            to.copy_from_slice(&gathered[point * by_point..][..some * row]);
        }
    }
}

/// Brings the weights from some source channels to a panel to the points, `by_point` elements apart: for each source
/// channel the panel's weights side by side.
///
/// # Safety
/// As [`pack_panel`]; `to` is valid for them at every point.
#[inline(always)]
pub(super) unsafe fn to_points<V: Vector>(
    plan: &WinogradPlan,
    panel: Panel,
    sources: Range<usize>,
    weight: &[f32],
    to: *mut f32,
    by_point: usize,
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
        let target = (panel.first + vector) * V::LANES;
        let used = V::LANES.min(plan.targets - target);
        // Lanes past the last target channel stay zero.
        taps.fill(0.0);
        for (index, source) in sources.clone().enumerate() {
            let from = &weight[source * by_source + target * by_target..];
            assert!(from.len() >= (used - 1) * by_target + area, "weight length");
            // SAFETY: the kernels of the vector's targets lie in `from`; the buffer holds the taps of the
            // largest kernel; the contract of this function.
            unsafe {
                ask_ahead::<V>(from.as_ptr(), backward, by_source, (used, by_target));
                let kernels = taps.as_mut_ptr();
                // A whole block, what is used of it and what is not, lies within the weights.
                if used == V::LANES
                    && area <= V::LANES
                    && (used - 1) * by_target + V::LANES <= from.len()
                {
                    V::turn_block(from.as_ptr(), by_target, kernels, V::LANES);
                } else {
                    turn::<V>(from.as_ptr(), by_target, (used, area), kernels, V::LANES);
                }
                let to = to.wrapping_add(index * row + vector * V::LANES);
                transform::whole_tile::<Taps, V>(
                    plan.grid.lines(),
                    #[inline(always)]
                    |row, column| {
                        let tap = row * columns.taps + column;
                        let index = if backward { area - 1 - tap } else { tap };
                        V::load(kernels.add(index * V::LANES))
                    },
                    #[inline(always)]
                    |line, point, value| {
                        value.store(to.add((line * columns.inputs() + point) * by_point))
                    },
                );
            }
        }
    }
}

/// Asks for the kernels of source channels to come: of those some kernels further on where a target channel's kernels
/// lie in a row, of the next but one where a source channel's do. The processor follows either badly: there are a vector's
/// lanes of rows, or each is short.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn ask_ahead<V: Vector>(
    from: *const f32,
    backward: bool,
    by_source: usize,
    (used, by_target): (usize, usize),
) {
    let line = 64 / size_of::<f32>();
    let (ahead, apart, lines) = match backward {
        true => (2 * by_source, line, (used * by_target).div_ceil(line)),
        false => (ROW_AHEAD, by_target, used),
    };
    for index in 0..lines {
        // SAFETY: a hint.
        unsafe { V::prefetch(from.wrapping_add(ahead + index * apart)) };
    }
}

/// Elements that are asked for ahead in a row of kernels.
const ROW_AHEAD: usize = 128;
