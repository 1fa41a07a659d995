//! Runs a walk: tasks of a block of pixels by a few panels of channels.
//!
//! A task reads its source rows once into a padded strip that stays in the second-level cache, then
//! passes over its pixels once for each panel, tile by tile; a panel's weights stay in the cache
//! near the registers meanwhile. Tasks are cut from the problem alone.

use geometry::ConvGeometry;
use tensor::Layout;

use super::chunk::{Chunk, chunks};
use super::cut::{Block, Cut, Fetch, units};
use super::panels::Panels;
use super::pass::{Bases, InParts, Pass, Pixels};
use super::slide::slides;
use super::tile::{Part, of_shape};
use super::walk::{Slice, Walk};
use crate::Isa;
use crate::activation::Activation;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::stream::FAR;

/// A walk, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    pub(super) walk: Walk,
    pub(super) panels: Panels,
    cut: Cut,
    chunks: Vec<Chunk>,
    /// Panels of a task, counted over all groups.
    panels_per_task: usize,
    splits: usize,
    /// Sums end before the memory they go to is there.
    pub(super) is_late: bool,
    /// There is a single vector of channels, and kernels slide over the pixels.
    pub(super) slides: bool,
    /// The source's pixels are read one after the other, each by its position alone.
    reads_on: bool,
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
const FEWEST_PIXELS: usize = 56;
/// Pixels below which it spends too much on weights: each strip reads all of them anew, from a far cache where they are
/// many. With half as many pixels deep convolutions of stride 2 take 3 to 6 % longer.
const STRIP_PIXELS: usize = 2 * FEWEST_PIXELS;
/// Most elements of a matrix of columns, unless a single row has more.
const COLUMN_ELEMENTS: usize = 192 * 1024;
/// Multiply-accumulates worth handing to another thread.
const TASK_MACS: usize = 1 << 20;
/// Tasks enough to keep a few dozen threads evenly busy.
const TASKS: usize = 64;

/// Products that are summed in one go: what a panel has for them, 64 KiB a vector, stays in a
/// second-level cache together with the same of the next.
const SUMMED: usize = 1024;
/// Products of a sum too short to hide that a line of a target larger than the caches has to be fetched before it is written: only
/// there it pays to ask for the lines beforehand. In a nearer target the asking alone takes a third of the time of such sums.
const SHORT: usize = 32;
/// Elements of a source that second-level caches do not hold.
const FAR_SOURCE: usize = 512 * 1024;
/// Pixels of the tallest tile, and channels of the widest.
const TALLEST: usize = 14;
const WIDEST: usize = 64;

/// Tasks that so many multiply-accumulates are worth.
pub(in crate::conv) fn wanted_tasks(macs: usize) -> usize {
    (macs / TASK_MACS).clamp(1, TASKS)
}

impl Sweep {
    /// `wanted` tasks, if the walk has work for so many.
    pub(super) fn new(
        walk: Walk,
        geometry: &ConvGeometry,
        isa: Isa,
        fetch: Fetch,
        wanted: usize,
    ) -> Self {
        let panels = Panels::new(&walk, isa, geometry);
        let cut = cut(&walk, fetch, wanted.div_ceil(walk.slice_count().max(1)));
        let all_panels = walk.groups * panels.per_group.len();
        let splits = wanted
            .div_ceil((walk.slice_count() * cut.blocks).max(1))
            .clamp(1, all_panels.max(1));
        let panels_per_task = all_panels.div_ceil(splits);
        let pixels = walk.slice_count() * walk.rows.count * walk.columns.count;
        let target = pixels * walk.target_channels;
        let chunks = chunks(&cut.segments(&walk), SUMMED);
        let width = &geometry.windows[2];
        let whole = chunks.len() == 1;
        let single = panels.per_group.iter().all(|panel| panel.vectors == 1);
        let in_strips = fetch == Fetch::Strips && !cut.is_apart(&walk);
        let in_order = cut.is_in_place() && walk.taps() == 1 && walk.columns.source_step == 1;
        Self {
            reads_on: in_order && walk.rows.source_step == 1 && walk.groups == 1 && whole,
            slides: single && walk.groups == 1 && in_strips && whole && slides(width),
            is_late: walk.layout == Layout::Nhwc && target >= FAR && walk.depth() < SHORT,
            chunks,
            splits: all_panels.div_ceil(panels_per_task.max(1)),
            panels_per_task,
            cut,
            panels,
            walk,
        }
    }

    /// Independent pieces of work.
    pub(super) fn tasks(&self) -> usize {
        self.walk.slice_count() * self.cut.blocks * self.splits
    }

    /// Scratch elements of a worker: what the sums of a block read, what they have come to between
    /// chunks, and channels first also the sums and residual before and after they are turned.
    pub(super) fn scratch_len(&self) -> usize {
        let turned = match self.walk.layout {
            Layout::Nhwc => 0,
            Layout::Nchw => 2 * self.turned_len(),
        };
        self.cut.scratch_len() + self.kept_len() + turned
    }

    /// Elements of the sums of a block between two chunks, a tile behind the other.
    fn kept_len(&self) -> usize {
        match self.chunks.len() {
            0 | 1 => 0,
            _ => (self.cut.pixels + TALLEST) * WIDEST,
        }
    }

    /// Elements of a block of the target.
    fn turned_len(&self) -> usize {
        (self.cut.pixels * self.walk.target_channels).next_multiple_of(16)
    }

    /// Runs one task.
    pub(super) fn run(&self, isa: Isa, task: usize, operands: Operands<'_>, scratch: &mut [f32]) {
        let (rest, split) = (task / self.splits, task % self.splits);
        let (slice, block) = (rest / self.cut.blocks, rest % self.cut.blocks);
        let sweep = self;
        // SAFETY: the vector family exists, as `isa` proves; the operands have the lengths of the
        // plan, which the plan's entry asserts; tasks write disjoint pixels or channels.
        dispatch!(isa => task_body(
            sweep: &Sweep, operands: Operands<'_>, slice: usize, block: usize, split: usize,
            scratch: &mut [f32],
        ));
    }
}

/// Cuts a slice of a walk into blocks: as large as the cache likes them, but `wanted` of them if
/// that leaves each enough pixels.
fn cut(walk: &Walk, fetch: Fetch, wanted: usize) -> Cut {
    let widest = |source: usize| match walk.layout {
        Layout::Nhwc => source,
        Layout::Nchw => source.max(walk.target_channels),
    };
    match fetch {
        Fetch::Strips => {
            let (units, per_unit) = units(walk);
            let source = (walk.columns.source_step)
                .saturating_mul(walk.rows.source_step)
                .saturating_mul(walk.source_channels);
            let by_cache = STRIP_ELEMENTS / per_unit.saturating_mul(widest(source)).max(1);
            let by_tasks = units.div_ceil(wanted);
            let least = STRIP_PIXELS.div_ceil(per_unit.max(1));
            let strip = by_cache.min(by_tasks).max(least);
            match per_unit {
                1 => Cut::strips_apart(walk, even_strip(units, strip)),
                _ => Cut::strips_apart(walk, strip),
            }
        }
        Fetch::Columns => {
            let row = walk.taps() * walk.source_channels;
            let by_cache = STRIP_ELEMENTS / widest(row);
            let by_tasks = (walk.rows.count * walk.columns.count).div_ceil(wanted);
            let pixels = by_cache.min(by_tasks).max(FEWEST_PIXELS);
            Cut::columns(walk, pixels.min(COLUMN_ELEMENTS / row))
        }
    }
}

/// Pixels of about as many strips, or up to half as many more, that leave the least to an odd last strip and to half empty
/// tiles.
fn even_strip(pixels: usize, strip: usize) -> usize {
    let strips = pixels.div_ceil(strip.max(1));
    if !(2..=TASKS).contains(&strips) {
        return strip;
    }
    let even = |strips: usize| pixels.div_ceil(strips).next_multiple_of(TALLEST / 2);
    let few = |strips: &usize| even(*strips) + TALLEST / 2 >= FEWEST_PIXELS;
    let counts = (strips..=strips + strips / 2).filter(few);
    let best = counts.min_by_key(|&strips| strips * even(strips) - pixels);
    best.map_or(strip, even)
}

#[inline(always)]
unsafe fn task_body<V: Vector>(
    sweep: &Sweep,
    operands: Operands<'_>,
    slice: usize,
    block: usize,
    split: usize,
    scratch: &mut [f32],
) {
    let walk = &sweep.walk;
    let block = sweep.cut.block(walk, block);
    let (source_rows, rest) = scratch.split_at_mut(sweep.cut.scratch_len());
    let (kept, turned) = rest.split_at_mut(sweep.kept_len());
    // SAFETY: V's instructions exist.
    let origin = unsafe {
        sweep
            .cut
            .source::<V>(walk, operands.source, slice, block, source_rows)
    };
    let first = split * sweep.panels_per_task;
    let last = (first + sweep.panels_per_task).min(walk.groups * sweep.panels.per_group.len());
    let task = Task {
        sweep,
        block,
        slice: walk.slice(slice),
        origin,
        panels: (first, last),
        kept: kept.as_mut_ptr(),
    };
    // SAFETY: the contract of this function.
    unsafe {
        match walk.layout {
            Layout::Nhwc => {
                let bases = Bases {
                    target: operands.target.as_mut_ptr(),
                    residual: operands.residual.map_or(std::ptr::null(), <[f32]>::as_ptr),
                };
                task.sum::<V>(operands, bases, task.pixels_in_place());
            }
            Layout::Nchw => task.sum_turned::<V>(operands, turned),
        }
    }
}

/// Some panels over the pixels of a block.
struct Task<'a> {
    sweep: &'a Sweep,
    block: Block,
    slice: Slice,
    origin: *const f32,
    /// First panel and the one past the last, over all groups.
    panels: (usize, usize),
    /// The sums of a panel between two chunks.
    kept: *mut f32,
}

impl Task<'_> {
    fn pixels(&self, origin: usize, by_row: usize, by_column: usize) -> Pixels {
        let walk = &self.sweep.walk;
        Pixels {
            columns: self.block.width(),
            count: self.block.pixels(),
            source_by_row: self.sweep.cut.by_row(walk),
            source_by_column: self.sweep.cut.by_column(walk),
            target_origin: origin,
            target_by_row: by_row,
            target_by_column: by_column,
        }
    }

    /// Pixels that are written where they belong, channels last.
    fn pixels_in_place(&self) -> Pixels {
        let walk = &self.sweep.walk;
        let (rows, columns) = (&walk.rows, &walk.columns);
        let channels = walk.target_channels;
        let (slice_area, area) = walk.target_areas();
        let pixel = self.slice.image * area
            + walk.slices.target_of(self.slice.position) * slice_area
            + rows.target_of(self.block.rows.0) * columns.target
            + columns.target_of(self.block.columns.0);
        self.pixels(
            pixel * channels,
            rows.target_step * columns.target * channels,
            columns.target_step * channels,
        )
    }

    /// Channels first: sums into scratch, and turns the strip into its planes while it is in cache.
    ///
    /// # Safety
    /// As [`task_body`].
    #[inline(always)]
    unsafe fn sum_turned<V: Vector>(&self, operands: Operands<'_>, scratch: &mut [f32]) {
        let walk = &self.sweep.walk;
        let (sums, residual) = scratch.split_at_mut(self.sweep.turned_len());
        let channels = walk.target_channels;
        let by_row = self.block.width() * channels;
        let step = walk.columns.target_step;
        // SAFETY: the strip's planes in the target are this task's; scratch holds the strip.
        unsafe {
            if let Some(planes) = operands.residual {
                self.each_row(|row, at, size| {
                    let to = residual.as_mut_ptr().add(row * by_row + at.channel);
                    let from = planes.as_ptr().add(at.offset);
                    if step == 1 {
                        turn::<V>(from, at.plane, size, to, channels);
                        return;
                    }
                    // A stride phase: its pixels lie apart in the plane.
                    for channel in 0..size.0 {
                        for column in 0..size.1 {
                            let element = *from.add(channel * at.plane + column * step);
                            *to.add(column * channels + channel) = element;
                        }
                    }
                });
            }
            let bases = Bases {
                target: sums.as_mut_ptr(),
                residual: operands
                    .residual
                    .map_or(std::ptr::null(), |_| residual.as_ptr()),
            };
            self.sum::<V>(operands, bases, self.pixels(0, by_row, channels));
            self.each_row(|row, at, size| {
                let from = sums.as_ptr().add(row * by_row + at.channel);
                let to = operands.target.as_mut_ptr().add(at.offset);
                if step == 1 {
                    turn::<V>(from, channels, (size.1, size.0), to, at.plane);
                    return;
                }
                for channel in 0..size.0 {
                    for column in 0..size.1 {
                        let sum = *from.add(column * channels + channel);
                        *to.add(channel * at.plane + column * step) = sum;
                    }
                }
            });
        }
    }

    /// Calls `visit` with every row of the block: its index, its place in the planes of this task's
    /// channels, and its extent in channels and pixels.
    #[inline(always)]
    fn each_row(&self, mut visit: impl FnMut(usize, Planes, (usize, usize))) {
        let walk = &self.sweep.walk;
        let (slice_area, plane) = walk.target_areas();
        let (first, last) = self.channels();
        let start = (self.slice.image * walk.target_channels + first) * plane
            + walk.slices.target_of(self.slice.position) * slice_area
            + walk.columns.target_of(self.block.columns.0);
        for index in 0..self.block.height() {
            let row = walk.rows.target_of(self.block.rows.0 + index);
            let offset = start + row * walk.columns.target;
            let at = Planes {
                offset,
                plane,
                channel: first,
            };
            visit(index, at, (last - first, self.block.width()));
        }
    }

    /// First target channel of the task's panels and the one past the last.
    fn channels(&self) -> (usize, usize) {
        let (walk, panels) = (&self.sweep.walk, &self.sweep.panels);
        let (per_group, count) = (walk.target_channels_per_group(), panels.per_group.len());
        let channel = |panel: usize| {
            let within = panels
                .per_group
                .get(panel % count)
                .map_or(0, |p| p.first * panels.lanes);
            panel / count * per_group + within
        };
        (channel(self.panels.0), channel(self.panels.1))
    }

    /// Where the weights of a panel, counted over all groups, start for a chunk.
    fn weights(&self, packed: &[f32], index: usize, chunk: usize) -> *const f32 {
        let panels = &self.sweep.panels;
        let group = index / panels.per_group.len();
        let panel = panels.per_group[index % panels.per_group.len()];
        let before = self.sweep.chunks.get(chunk).map_or(0, |s| s.first);
        let row = panel.vectors * panels.lanes;
        packed[panels.start(group, panel) + before * row..].as_ptr()
    }

    /// What the next block reads of a source in memory: the rows behind the block's where a kernel slides over them, the
    /// pixels behind the block's where each is read once.
    ///
    /// A tile's pixels are read side by side, a line of each at a time, and the processor does not foresee so many
    /// short stretches.
    fn ahead(&self, source: &[f32], panel: usize) -> Option<*const f32> {
        let walk = &self.sweep.walk;
        let is_far = walk.layout == Layout::Nhwc && source.len() >= FAR_SOURCE;
        if is_far && self.sweep.reads_on && panel + 1 == self.panels.1 {
            let read = self.block.pixels() * walk.source_channels;
            return Some(self.origin.wrapping_add(read));
        }
        (self.sweep.slides && is_far).then(|| {
            let row = walk.columns.source * walk.source_channels;
            let image = walk.image(source, self.slice.image).as_ptr();
            let slice = self.slice.position * walk.rows.source;
            image.wrapping_add((slice + self.block.rows.1) * row)
        })
    }

    /// # Safety
    /// As [`task_body`]; the bases are valid for every pixel's target offset.
    #[inline(always)]
    unsafe fn sum<V: Vector>(&self, operands: Operands<'_>, bases: Bases, pixels: Pixels) {
        let walk = &self.sweep.walk;
        let per_group = &self.sweep.panels.per_group;
        let panels = walk.groups * per_group.len();
        for index in self.panels.0..self.panels.1 {
            let (group, panel) = (index / per_group.len(), per_group[index % per_group.len()]);
            let origin = self
                .origin
                .wrapping_add(group * walk.source_channels_per_group());
            for (number, chunk) in self.sweep.chunks.iter().enumerate() {
                let last = number + 1 == self.sweep.chunks.len();
                // After the last of this task's panels, most likely the first of the next task's.
                let next = match last {
                    false => self.weights(operands.packed, index, number + 1),
                    true => self.weights(operands.packed, (index + 1) % panels, 0),
                };
                let pass = Pass {
                    sweep: self.sweep,
                    operands,
                    bases,
                    origin,
                    group,
                    panel,
                    chunk,
                    weights: self.weights(operands.packed, index, number),
                    next,
                    pixels,
                    part: Part {
                        sums: self.kept,
                        resumes: number > 0,
                        stops: !last,
                    },
                    ahead: self.ahead(operands.source, index),
                };
                // SAFETY: as this function's.
                unsafe {
                    match self.sweep.chunks.len() {
                        1 => of_shape::<V>(panel.vectors, &pass),
                        _ => of_shape::<V>(panel.vectors, &InParts(pass)),
                    }
                }
            }
        }
    }
}

/// A row of a block in the target's planes.
#[derive(Clone, Copy)]
struct Planes {
    /// Its first pixel in the first of the task's planes.
    offset: usize,
    /// Elements of a plane.
    plane: usize,
    /// The first of the task's channels.
    channel: usize,
}
