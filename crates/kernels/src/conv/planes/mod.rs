//! Vectors over pixels, for convolutions with few target channels.
//!
//! The dense path keeps a vector of target channels in a register. Three of them, which is what an image has, leave
//! thirteen of sixteen lanes without work: the gradient of a picture, the layer of a generator that paints one, the head
//! that tells one class from the rest. Here a register holds the neighbours of a row instead, of one target channel:
//!
//! ```text
//! target[c, u .. u + lanes] = Σ_taps Σ_o w[c, tap, o] · source[o, u + tap .. u + tap + lanes]
//! ```
//!
//! For that the source has to lie in planes, a row of pixels for each channel. A task turns the rows it reads ([`strip`])
//! and then sums rows of the target out of them, all stride phases of a gradient from the same strip ([`tile`]).

mod strip;
mod tile;
mod write;

use std::ops::Range;

use geometry::{ConvGeometry, Tap, Window};
use tensor::Layout;

use self::strip::Strip;
use super::dense::{Walk, fits, leave_gaps, share_of_peak, wanted_tasks};
use super::finish::{Finish, empty_sums};
use super::{ConvOptions, Direction, Epilogue, Refusal, winograd};
use crate::share::share;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::{Context, Isa};

/// Target channels that are summed at once.
const AT_ONCE: usize = 4;
/// Elements of a strip: half of a second-level cache.
const STRIP_ELEMENTS: usize = 128 * 1024;
/// Elements that a strip may have where a single row takes more.
const MOST_ELEMENTS: u128 = 1 << 22;

/// Share of the peak that sums over pixels reach.
const EFFICIENCY: f64 = 0.7;
/// Slots of turning a vector of the source, in vector multiply-adds.
const TURN: f64 = 8.0;

/// Why vectors over pixels do not serve a problem, if so.
pub(super) fn refuse(geometry: &ConvGeometry, direction: Direction, isa: Isa) -> Option<Refusal> {
    PlanesPlan::new(geometry, direction, isa).err()
}

/// Why vectors over channels are the better way, if so. Where these are half full or more they always are.
pub(super) fn refuse_by_cost(
    geometry: &ConvGeometry,
    direction: Direction,
    options: ConvOptions,
) -> Option<Refusal> {
    let lanes = options.isa.lanes();
    let (_, targets) = direction.channels(geometry);
    if 2 * targets / geometry.groups > lanes {
        return Some(Refusal::Slower);
    }
    let plan = PlanesPlan::new(geometry, direction, options.isa).ok()?;
    let (mut own, mut others) = (0.0, 0.0);
    for walk in &plan.walks {
        let rows = (walk.batch * walk.rows.count * walk.depth()) as f64;
        let columns = walk.columns.count;
        own += rows * (columns.div_ceil(lanes) * plan.targets) as f64 / EFFICIENCY;
        others +=
            rows * (columns * geometry.groups) as f64 / share_of_peak(1, &geometry.windows[2]);
    }
    let mut turned = plan.tasks() * plan.strip.rows(plan.rows) * plan.strip.row_len;
    if options.layout == Layout::Nchw {
        // Whole maps are turned on their way in and out.
        let (inputs, outputs) = (geometry.input_area(), geometry.output_area());
        turned += geometry.batch * geometry.in_channels * inputs;
        turned += geometry.batch * geometry.out_channels * outputs;
    }
    own += (turned / lanes) as f64 * TURN;
    if let Some(short) = winograd::least_cost(geometry, direction, options) {
        others = others.min(short);
    }
    (own > others).then_some(Refusal::Slower)
}

/// Forward or backward-data with vectors over pixels, planned.
#[derive(Clone, Debug)]
pub(super) struct PlanesPlan {
    geometry: ConvGeometry,
    isa: Isa,
    /// The forward walk, or one for each stride phase of the gradient: all read the same strips.
    walks: Vec<Walk>,
    /// Of each walk where its packed weights start, and where in a strip its taps lie from a position on.
    parts: Vec<(usize, Vec<usize>)>,
    packed_len: usize,
    backward: bool,
    sources: usize,
    targets: usize,
    strip: Strip,
    /// Positions of a block along rows and columns, and blocks side by side along both.
    rows: usize,
    columns: usize,
    down: usize,
    across: usize,
    /// Some target elements belong to no walk: no tap reaches them.
    gaps: bool,
}

impl PlanesPlan {
    pub(super) fn new(
        geometry: &ConvGeometry,
        direction: Direction,
        isa: Isa,
    ) -> Result<Self, Refusal> {
        let backward = match direction {
            Direction::Forward => false,
            Direction::BackwardData => true,
            Direction::BackwardWeights => return Err(Refusal::Direction),
        };
        if geometry.windows[0] != Window::UNIT {
            return Err(Refusal::Depth);
        }
        // Walks channels first keep images apart, which a strip does too.
        let walks = Walk::all(geometry, direction, Layout::Nchw);
        if !walks.iter().all(fits) {
            return Err(Refusal::Reach);
        }
        let (sources, targets) = direction.channels(geometry);
        let count = |of: fn(&Walk) -> usize| walks.iter().map(of).max().unwrap_or(0);
        let (height, width) = (
            count(|walk| walk.rows.count),
            count(|walk| walk.columns.count),
        );
        let lanes = isa.lanes();
        let strip_of =
            |columns: usize| Strip::new(&walks, columns.next_multiple_of(lanes), sources);
        let mut columns = width.max(1);
        if strip_of(columns).len(1) > STRIP_ELEMENTS as u128 {
            columns = columns.min(tile::WIDEST * lanes);
        }
        let strip = strip_of(columns);
        if strip.len(1) > MOST_ELEMENTS {
            return Err(Refusal::Reach);
        }
        let across = width.div_ceil(columns);
        let by_cache = strip.rows_within(STRIP_ELEMENTS);
        let wanted = wanted_tasks(geometry.macs()).div_ceil((geometry.batch * across).max(1));
        // Rows that two blocks read are turned twice: few of all.
        let by_tasks = height.div_ceil(wanted).max(2 * strip.rows(1));
        let rows = by_cache.min(by_tasks).clamp(1, height.max(1));
        let mut packed_len = 0;
        let parts = walks.iter().map(|walk| {
            let start = packed_len;
            packed_len += walk.depth() * targets;
            (start, strip.taps(walk))
        });
        let parts = parts.collect();
        Ok(Self {
            gaps: leave_gaps(&walks, geometry, direction),
            geometry: *geometry,
            isa,
            parts,
            packed_len,
            backward,
            sources,
            targets,
            strip,
            rows,
            columns,
            down: height.div_ceil(rows),
            across,
            walks,
        })
    }

    pub(super) fn packed_len(&self) -> usize {
        self.packed_len
    }

    fn tasks(&self) -> usize {
        self.geometry.batch * self.down * self.across
    }

    /// Elements of a row of sums of a target channel.
    fn sums_row(&self) -> usize {
        self.columns.next_multiple_of(self.isa.lanes())
    }

    fn scratch_per_worker(&self) -> usize {
        let strip = self.strip.rows(self.rows) * self.strip.row_len;
        strip + self.targets * (self.sums_row() + self.columns)
    }

    /// Scratch elements of a run by `threads`.
    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        self.scratch_per_worker() * threads
    }

    fn targets_per_group(&self) -> usize {
        self.targets / self.geometry.groups
    }

    fn sources_per_group(&self) -> usize {
        self.sources / self.geometry.groups
    }

    /// The target channels that are summed at once, a range after the other, of each group: the group, and the channels
    /// within it.
    fn ranges(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let targets = self.targets_per_group();
        let parts = targets.div_ceil(AT_ONCE);
        let groups = 0..self.geometry.groups;
        groups
            .flat_map(move |group| (0..parts).map(move |part| (group, share(targets, part, parts))))
    }

    /// Packs weights `[o, c/g, kernel…]`: for each walk and range of target channels what the taps have for the channels
    /// of the range, source by source.
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let [_, height, width] = &self.geometry.windows;
        let area = height.kernel * width.kernel;
        let (sources, targets) = (self.sources_per_group(), self.targets_per_group());
        let (by_target, by_source) = match self.backward {
            true => (area, targets * area),
            false => (sources * area, area),
        };
        let mut packed = packed.iter_mut();
        for walk in &self.walks {
            for (group, range) in self.ranges() {
                let weight = &weight[group * sources * targets * area..];
                for tap in walk.kernel_taps(height.kernel, width.kernel) {
                    for source in 0..sources {
                        let from = source * by_source + tap;
                        let row = range.clone().zip(packed.by_ref());
                        row.for_each(|(target, to)| *to = weight[from + target * by_target]);
                    }
                }
            }
        }
    }

    /// `source` and `target` are the forward pass's input and output, or the gradients of its output and input,
    /// channels last. The caller has checked every length.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
        scratch: &mut [f32],
    ) {
        if self.gaps {
            let map = (
                self.geometry.batch,
                self.targets,
                self.geometry.input_area(),
            );
            empty_sums(ctx, Layout::Nhwc, map, epilogue, target);
        }
        let operands = Operands {
            source,
            packed,
            target: Shared::new(target),
            epilogue,
        };
        let (plan, per_worker) = (self, self.scratch_per_worker());
        let (shared, operands) = (Shared::new(scratch), &operands);
        ctx.team.for_each(self.tasks(), |task, worker| {
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { shared.slice(worker * per_worker, per_worker) };
            // SAFETY: the vector family exists, as the plan's `isa` proves; the operands have the lengths of the plan,
            // which its entry asserts; tasks write disjoint blocks.
            dispatch!(plan.isa => block(
                plan: &PlanesPlan, operands: &Operands<'_>, task: usize, scratch: &mut [f32],
            ));
        });
    }
}

/// The tensors of a run.
struct Operands<'a> {
    source: &'a [f32],
    packed: &'a [f32],
    target: Shared<'a>,
    epilogue: Epilogue<'a>,
}

/// A block of positions of every walk, from the source to the target.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; the operands and the scratch have the lengths of
/// the plan; no other task has the block.
#[inline(always)]
unsafe fn block<V: Vector>(
    plan: &PlanesPlan,
    operands: &Operands<'_>,
    task: usize,
    scratch: &mut [f32],
) {
    let (rest, across) = (task / plan.across, task % plan.across);
    let (image, down) = (rest / plan.down, rest % plan.down);
    let (first_row, first_column) = (down * plan.rows, across * plan.columns);
    let strip_len = plan.strip.rows(plan.rows) * plan.strip.row_len;
    let (strip, rest) = scratch.split_at_mut(strip_len);
    let (sums, pixels) = rest.split_at_mut(plan.targets * plan.sums_row());
    let finish = Finish::from(operands.epilogue);
    let (height, width) = plan.strip.source;
    let image_len = height * width * plan.sources;
    let map = &operands.source[image * image_len..][..image_len];
    // SAFETY: V's instructions exist.
    unsafe { plan.strip.fetch::<V>(map, (first_row, first_column), strip) };
    for (walk, (start, taps)) in plan.walks.iter().zip(&plan.parts) {
        let packed = &operands.packed[*start..][..walk.depth() * plan.targets];
        let last = (first_column + plan.columns).min(walk.columns.count);
        let count = last.saturating_sub(first_column);
        let last_row = (first_row + plan.rows).min(walk.rows.count);
        for row in first_row..last_row {
            let from = (row - first_row) * plan.strip.by_position();
            let map_row = image * walk.rows.target + walk.rows.target_of(row);
            let place = write::Place {
                first: map_row * walk.columns.target + walk.columns.target_of(first_column),
                step: walk.columns.target_step,
                count,
            };
            // SAFETY: the strip holds what the row's taps read of whole vectors of positions; the row is this task's.
            unsafe {
                let mut weights = packed.as_ptr();
                for (group, range) in plan.ranges() {
                    let target = group * plan.targets_per_group() + range.start;
                    let sums = sums[target * plan.sums_row()..].as_mut_ptr();
                    let source = group * plan.sources_per_group() * plan.strip.pitch;
                    let row = tile::Row {
                        strip: strip[from + source..].as_ptr(),
                        taps,
                        sources: plan.sources_per_group(),
                        pitch: plan.strip.pitch,
                        weights,
                        sums,
                        sums_row: plan.sums_row(),
                    };
                    row.sum::<V>(range.len(), count);
                    weights = weights.add(walk.depth() * range.len());
                }
                let to = operands.target.as_mut_ptr();
                place.write::<V>((sums, plan.sums_row()), plan.targets, pixels, finish, to);
            }
        }
    }
}

/// The nearest and the farthest element that any of some taps reads, from a position.
fn span<'a>(taps: impl Iterator<Item = &'a Tap>) -> (isize, isize) {
    let offsets = taps.map(|tap| (tap.offset, tap.offset));
    let wider = |a: (isize, isize), b: (isize, isize)| (a.0.min(b.0), a.1.max(b.1));
    offsets.reduce(wider).unwrap_or((0, 0))
}
