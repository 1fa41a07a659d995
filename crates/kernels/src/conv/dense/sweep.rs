//! Runs a walk: tasks of a strip of pixels by a few panels of channels.
//!
//! A task reads its source rows once into a padded strip that stays in the second-level cache, then
//! passes over its pixels once for each panel, tile by tile; a panel's weights stay in the cache
//! near the registers meanwhile. Tasks are cut from the problem alone.

use super::panels::{Panel, Panels};
use super::tile::{Target, tile};
use super::walk::{Segment, Strip, Walk};
use crate::Isa;
use crate::activation::Activation;
use crate::conv::finish::Finish;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};

/// A walk, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    pub(super) walk: Walk,
    pub(super) panels: Panels,
    segments: Vec<Segment>,
    /// Position rows of a strip, or pixels of it where the walk is one long row.
    strip: usize,
    strips: usize,
    /// Panels of a task, counted over all groups.
    panels_per_task: usize,
    splits: usize,
}

/// The tensors of a run.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) source: &'a [f32],
    pub(super) packed: &'a [f32],
    pub(super) target: Shared<'a>,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) residual: Option<&'a [f32]>,
    pub(super) activation: Option<Activation>,
}

/// Source elements of a strip that leave room in a second-level cache of 512 KiB or more for the
/// target and a panel of weights.
const STRIP_ELEMENTS: usize = 24 * 1024;
/// Pixels below which a strip spends its time on the edges of tiles.
const STRIP_PIXELS: usize = 56;
/// Multiply-accumulates worth handing to another thread.
const TASK_MACS: usize = 1 << 20;
/// Tasks enough to keep a few dozen threads evenly busy.
const TASKS: usize = 64;

impl Sweep {
    pub(super) fn new(walk: Walk, isa: Isa) -> Self {
        let panels = Panels::new(&walk, isa);
        let segments = walk.segments(walk.pitch());
        let wanted = (walk.macs() / TASK_MACS).clamp(1, TASKS);
        // A walk of one row is cut along the row, any other into whole rows.
        let (units, pixels_per_unit) = walk.units();
        let unit_elements = pixels_per_unit * walk.columns.source_step * walk.source_channels;
        let by_cache = (STRIP_ELEMENTS / (unit_elements * walk.rows.source_step).max(1)).max(1);
        let by_tasks = units.div_ceil(wanted.div_ceil(walk.batch.max(1)).max(1));
        let least = STRIP_PIXELS.div_ceil(pixels_per_unit.max(1));
        let strip = by_cache.min(by_tasks).max(least).clamp(1, units.max(1));
        let strips = units.div_ceil(strip);
        let all_panels = walk.groups * panels.per_group.len();
        let splits = wanted
            .div_ceil((walk.batch * strips).max(1))
            .clamp(1, all_panels.max(1));
        let panels_per_task = all_panels.div_ceil(splits);
        Self {
            segments,
            strip,
            strips,
            splits: all_panels.div_ceil(panels_per_task.max(1)),
            panels_per_task,
            panels,
            walk,
        }
    }

    /// Independent pieces of work.
    pub(super) fn tasks(&self) -> usize {
        self.walk.batch * self.strips * self.splits
    }

    /// Scratch elements a worker needs.
    pub(super) fn scratch_len(&self) -> usize {
        self.walk.strip_len(self.strip)
    }

    /// Runs one task.
    pub(super) fn run(&self, isa: Isa, task: usize, operands: Operands<'_>, scratch: &mut [f32]) {
        let (rest, split) = (task / self.splits, task % self.splits);
        let (image, strip) = (rest / self.strips, rest % self.strips);
        let sweep = self;
        // SAFETY: the vector family exists, as `isa` proves; the operands have the lengths of the
        // plan, which the plan's entry asserts; tasks write disjoint pixels or channels.
        dispatch!(isa => task_body(
            sweep: &Sweep, operands: Operands<'_>, image: usize, strip: usize, split: usize,
            scratch: &mut [f32],
        ));
    }
}

impl Walk {
    /// What strips are counted in, and the pixels of one: pixels of a single row, else rows.
    fn units(&self) -> (usize, usize) {
        if self.rows.count == 1 && self.stays_inside {
            (self.columns.count, 1)
        } else {
            (self.rows.count, self.columns.count)
        }
    }
}

/// The pixels of a task: a block of rows and columns, and where they lie in source and target.
#[derive(Clone, Copy)]
struct Pixels {
    columns: usize,
    count: usize,
    source_by_row: usize,
    source_by_column: usize,
    target_origin: usize,
    target_by_row: usize,
    target_by_column: usize,
}

#[inline(always)]
unsafe fn task_body<V: Vector>(
    sweep: &Sweep,
    operands: Operands<'_>,
    image: usize,
    strip: usize,
    split: usize,
    scratch: &mut [f32],
) {
    let walk = &sweep.walk;
    let (units, per_unit) = walk.units();
    let (from, to) = (strip * sweep.strip, ((strip + 1) * sweep.strip).min(units));
    let by_pixel = per_unit == 1 && walk.rows.count == 1;
    let (rows, first_column) = if by_pixel {
        ((0, 1), from)
    } else {
        ((from, to), 0)
    };
    let Strip { origin, pitch } = walk.strip(operands.source, image, rows, scratch);
    let source_by_column = walk.columns.source_step * walk.source_channels;
    let origin = origin.wrapping_add(first_column * source_by_column);
    let (height, width) = (walk.rows.target, walk.columns.target);
    let row = walk.rows.target_start + rows.0 * walk.rows.target_step;
    let column = walk.columns.target_start + first_column * walk.columns.target_step;
    let pixels = Pixels {
        columns: if by_pixel {
            to - from
        } else {
            walk.columns.count
        },
        count: (to - from) * per_unit,
        source_by_row: walk.rows.source_step * pitch,
        source_by_column,
        target_origin: ((image * height + row) * width + column) * walk.target_channels,
        target_by_row: walk.rows.target_step * width * walk.target_channels,
        target_by_column: walk.columns.target_step * walk.target_channels,
    };
    let per_group = sweep.panels.per_group.len();
    let first = split * sweep.panels_per_task;
    let last = (first + sweep.panels_per_task).min(walk.groups * per_group);
    for index in first..last {
        let (group, panel) = (index / per_group, sweep.panels.per_group[index % per_group]);
        let pass = Pass {
            sweep,
            operands,
            origin: origin.wrapping_add(group * walk.source_channels_per_group()),
            group,
            panel,
            pixels,
        };
        // SAFETY: tile shapes fit the registers of V; see `Pass::run`.
        unsafe {
            match (V::REGISTERS, panel.vectors) {
                (32, 1) => pass.run::<V, 14, 7, 1>(),
                (32, 2) => pass.run::<V, 14, 7, 2>(),
                (32, _) => pass.run::<V, 9, 5, 3>(),
                (16, 1) => pass.run::<V, 12, 6, 1>(),
                (16, 2) => pass.run::<V, 6, 3, 2>(),
                (16, _) => pass.run::<V, 4, 2, 3>(),
                _ => pass.run::<V, 3, 1, 1>(),
            }
        }
    }
}

/// One panel over the pixels of a task.
struct Pass<'a> {
    sweep: &'a Sweep,
    operands: Operands<'a>,
    origin: *const f32,
    group: usize,
    panel: Panel,
    pixels: Pixels,
}

impl Pass<'_> {
    /// Cuts the pixels into tiles of `MR`, and of `HALF` for a short rest. The last tile is moved
    /// back to end with the pixels: writing a pixel twice is cheaper than a tile for every rest.
    ///
    /// # Safety
    /// `V`'s instructions exist; the operands have the plan's lengths.
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self) {
        let mut at = 0;
        while at < self.pixels.count {
            let rest = self.pixels.count - at;
            // SAFETY: as this function's.
            unsafe {
                if rest > HALF {
                    self.tile::<V, MR, NV>(at.min(self.pixels.count.saturating_sub(MR)));
                    at += MR;
                } else {
                    self.tile::<V, HALF, NV>(at.min(self.pixels.count.saturating_sub(HALF)));
                    at += HALF;
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Vector, const MR: usize, const NV: usize>(&self, start: usize) {
        let (walk, pixels) = (&self.sweep.walk, &self.pixels);
        let (mut row, mut column) = (start / pixels.columns, start % pixels.columns);
        let mut sources = [self.origin; MR];
        let mut targets = [0; MR];
        for index in 0..MR {
            sources[index] = self
                .origin
                .wrapping_add(row * pixels.source_by_row + column * pixels.source_by_column);
            targets[index] = row * pixels.target_by_row + column * pixels.target_by_column;
            // Fewer pixels than the tile has rows: the last one is computed again.
            if start + index + 1 < pixels.count {
                column += 1;
                if column == pixels.columns {
                    (row, column) = (row + 1, 0);
                }
            }
        }
        let per_group = walk.target_channels_per_group();
        let first = self.panel.first * self.sweep.panels.lanes;
        let channel = self.group * per_group + first;
        let origin = pixels.target_origin + channel;
        let or_null = |operand: Option<&[f32]>, from: usize| {
            operand.map_or(std::ptr::null(), |slice| slice.as_ptr().wrapping_add(from))
        };
        // SAFETY: sources lie in the strip, targets in the target tensor, the panel in the packed
        // weights; all by construction of the walk.
        unsafe {
            tile::<V, MR, NV>(
                &sources,
                &self.sweep.segments,
                self.operands
                    .packed
                    .as_ptr()
                    .add(self.sweep.panels.start(self.group, self.panel)),
                &targets,
                Target {
                    start: self.operands.target.as_mut_ptr().add(origin),
                    channels: (per_group - first).min(NV * V::LANES),
                },
                Finish {
                    bias: or_null(self.operands.bias, channel),
                    residual: or_null(self.operands.residual, origin),
                    activation: self.operands.activation,
                },
            );
        }
    }
}
