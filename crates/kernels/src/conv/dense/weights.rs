//! The gradient of the weights: sums over pixels, held in registers.
//!
//! `dw[tap, c, o] = Σ_pixels x[pixel + tap, c] · dy[pixel, o]` is an outer product for every pixel.
//! A tile keeps `MR` neighbouring (tap, channel) rows by `NV` vectors of output channels in
//! registers while it walks over all pixels of a strip; rows of one stretch of the source lie side
//! by side, so a pixel costs one pointer step and `MR` broadcasts at fixed distances from it.
//!
//! What the tiles read is *fetched* first, unit by unit: the strip of source rows, and the gradient in
//! panels, the channels of a tile side by side. A tile's rows are then packed pixel by pixel, as all
//! panels read them again: in a strip, pixels lie whole rows of channels apart, often a power of two,
//! and would evict each other from the first-level cache.
//!
//! The pixels are cut into *partitions*, each summing into an accumulator of its own; these are
//! added up in order at the end. How many there are follows from the problem alone, so the result
//! does not depend on who computed which. Where a weight is large there are few partitions, and the
//! tiles are split among tasks instead; all units are then fetched beforehand, once for all of them.

use std::ops::Range;

use geometry::ConvGeometry;
use tensor::Layout;

use super::cut::{Block, Cut, Fetch, units};
use super::sweep::wanted_tasks;
use super::walk::{Segment, Slice, Walk};
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, Isa};

/// Source elements of a strip: with a panel of the gradient beside it, about a first-level cache.
const STRIP_ELEMENTS: usize = 6 * 1024;
/// Pixels below which a strip spends its time on fetching and putting back the sums.
const STRIP_PIXELS: usize = 96;
/// Pixels of a pass whose rows are packed: they and a panel of the gradient fill a first-level cache.
const PACKED_PIXELS: usize = 224;
/// Most elements of the units of a pass, to be kept in a second-level cache.
const TOGETHER_ELEMENTS: usize = 192 * 1024;
/// Most units of a pass.
const MAX_TOGETHER: usize = 8;
/// Most elements of a matrix of columns, unless a single row has more.
const COLUMN_ELEMENTS: usize = 128 * 1024;
/// Elements of all accumulators together.
const PARTIAL_ELEMENTS: usize = 512 * 1024;
/// Elements of a row of the weight whose gradients one task adds up and puts into place.
const GATHERED: usize = 256;
/// Lanes of the widest vector.
const MAX_LANES: usize = 16;
/// Rows of the tallest tile.
const MAX_ROWS: usize = 24;

/// Neighbouring rows of the gradient, (tap, channel) in the order of the summation.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// First row.
    first: usize,
    /// Distance of its source element from the position's first one.
    offset: usize,
    /// How many.
    count: usize,
}

/// A few vectors of output channels of a group.
#[derive(Clone, Copy, Debug)]
struct Panel {
    group: usize,
    /// First vector.
    first: usize,
    vectors: usize,
}

/// Rows by a few vectors of output channels of a group.
#[derive(Clone, Copy, Debug)]
struct Tile {
    group: usize,
    rows: Rows,
    /// First vector of output channels.
    first: usize,
    vectors: usize,
}

/// Backward-weights, planned.
#[derive(Clone, Debug)]
pub(in crate::conv) struct WeightsPlan {
    walk: Walk,
    geometry: ConvGeometry,
    isa: Isa,
    /// The rows of a group, cut into what the registers hold.
    rows: Vec<Rows>,
    /// Vectors of output channels of a tile; the last of a group may have fewer.
    wide: usize,
    cut: Cut,
    /// Rows of a tile are packed, as several panels read them.
    packs: bool,
    /// Units of a pass: small ones are summed over together, while the sums are at hand.
    together: usize,
    partitions: usize,
    splits: usize,
    /// Vectors of output channels in a group.
    vectors: usize,
}

impl WeightsPlan {
    pub(in crate::conv) fn new(
        geometry: &ConvGeometry,
        layout: Layout,
        isa: Isa,
        fetch: Fetch,
    ) -> Self {
        let walk = Walk::all(geometry, Direction::BackwardWeights, layout).remove(0);
        let vectors = walk.target_channels_per_group().div_ceil(isa.lanes());
        let wide = tile_width(isa, vectors);
        let packs = vectors > wide;
        let cut = match fetch {
            Fetch::Strips => {
                let (count, per_unit) = units(&walk);
                let unit_elements = per_unit
                    .saturating_mul(walk.columns.source_step)
                    .saturating_mul(walk.rows.source_step)
                    .saturating_mul(walk.source_channels);
                let strip = if packs {
                    PACKED_PIXELS / per_unit.max(1)
                } else {
                    let strip = STRIP_ELEMENTS / unit_elements.max(1);
                    strip.max(STRIP_PIXELS.div_ceil(per_unit.max(1)))
                };
                // As many, but of even height.
                let strips = count.div_ceil(strip.max(1));
                Cut::strips(&walk, count.div_ceil(strips.max(1)))
            }
            Fetch::Columns => {
                let row = walk.taps() * walk.source_channels;
                let pixels = (STRIP_ELEMENTS / row).max(STRIP_PIXELS);
                Cut::columns(&walk, pixels.min(COLUMN_ELEMENTS / row))
            }
        };
        let rows = cut_rows(cut.segments(&walk), isa, wide);
        let tiles = walk.groups * vectors.div_ceil(wide) * rows.len();
        let wanted = wanted_tasks(walk.macs());
        let accumulator = walk.groups * walk.depth() * vectors * isa.lanes();
        let partitions = wanted
            .min(PARTIAL_ELEMENTS / accumulator.max(1))
            .min(walk.slice_count() * cut.blocks)
            .max(1);
        let splits = wanted.div_ceil(partitions).clamp(1, tiles.max(1));
        let unit = cut.scratch_len() + cut.pixels * walk.groups * vectors * isa.lanes();
        let together = if packs {
            (PACKED_PIXELS / cut.pixels.max(1)).min(TOGETHER_ELEMENTS / unit.max(1))
        } else {
            1
        };
        Self {
            geometry: *geometry,
            isa,
            rows,
            wide,
            cut,
            packs,
            together: together.clamp(1, MAX_TOGETHER),
            partitions,
            splits,
            vectors,
            walk,
        }
    }

    /// Tiles of all groups: group by group, rows by rows, panel by panel.
    fn tiles(&self) -> usize {
        self.walk.groups * self.rows.len() * self.panels()
    }

    fn tile(&self, index: usize) -> Tile {
        let panels = self.panels();
        let (rows, first) = (index / panels, index % panels * self.wide);
        Tile {
            group: rows / self.rows.len(),
            rows: self.rows[rows % self.rows.len()],
            first,
            vectors: self.wide.min(self.vectors - first),
        }
    }

    /// Panels of the gradient of a group.
    fn panels(&self) -> usize {
        self.vectors.div_ceil(self.wide)
    }

    fn accumulator_len(&self) -> usize {
        self.walk.groups * self.walk.depth() * self.row_len()
    }

    /// Elements of an accumulator row: the output channels of a group, rounded up to vectors.
    fn row_len(&self) -> usize {
        self.vectors * self.isa.lanes()
    }

    /// Where a panel of the gradient starts among those of a unit.
    fn panel_start(&self, group: usize, first: usize) -> usize {
        (group * self.vectors + first) * self.isa.lanes() * self.cut.pixels
    }

    /// Units: blocks of all slices.
    fn units(&self) -> usize {
        self.walk.slice_count() * self.cut.blocks
    }

    /// The slice and the block of a unit.
    fn unit(&self, index: usize) -> (usize, Block) {
        let block = self.cut.block(&self.walk, index % self.cut.blocks);
        (index / self.cut.blocks, block)
    }

    /// Elements of a fetched unit: a padded strip of the source, and all panels of the gradient.
    fn unit_len(&self) -> usize {
        self.cut.scratch_len() + self.cut.pixels * self.walk.groups * self.row_len()
    }

    /// Units are fetched beforehand, as several tasks read each; not where, far apart, they come to
    /// much more than the maps.
    fn fetches_first(&self) -> bool {
        let maps = self.walk.image_len() * self.walk.batch + self.target_len();
        let fetched = self.units().checked_mul(self.unit_len());
        self.splits > 1 && fetched.is_some_and(|fetched| fetched <= 8 * maps + (1 << 20))
    }

    fn target_len(&self) -> usize {
        self.walk.batch * self.walk.target_areas().1 * self.walk.target_channels
    }

    /// A worker's packed rows of a tile, and the units at hand unless they were fetched before.
    fn scratch_per_worker(&self) -> usize {
        let units = if self.fetches_first() {
            0
        } else {
            self.unit_len()
        };
        self.together * (self.packed_len() + units)
    }

    /// Elements of the packed rows of a tile, of one unit.
    fn packed_len(&self) -> usize {
        if self.packs {
            self.cut.pixels * MAX_ROWS
        } else {
            0
        }
    }

    fn fetched_len(&self) -> usize {
        if self.fetches_first() {
            self.units() * self.unit_len()
        } else {
            0
        }
    }

    pub(in crate::conv) fn scratch_len(&self, threads: usize) -> usize {
        self.partitions * self.accumulator_len()
            + self.fetched_len()
            + threads * self.scratch_per_worker()
    }

    pub(in crate::conv) fn run(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let accumulator_len = self.accumulator_len();
        let (partials, scratch) = scratch.split_at_mut(self.partitions * accumulator_len);
        let (fetched, workers) = scratch.split_at_mut(self.fetched_len());
        let plan = self;
        if self.fetches_first() {
            let shared = Shared::new(fetched);
            ctx.team.for_each(self.units(), |unit, _| {
                // SAFETY: units do not overlap.
                let fetched = unsafe { shared.slice(unit * plan.unit_len(), plan.unit_len()) };
                // SAFETY: `isa` proves the family; lengths are the plan's.
                dispatch!(self.isa => fetch(
                    plan: &WeightsPlan, x: &[f32], dy: &[f32], unit: usize, fetched: &mut [f32],
                ));
            });
        }
        let fetched = &*fetched;
        let shared_partials = Shared::new(partials);
        let shared_workers = Shared::new(workers);
        let per_worker = self.scratch_per_worker();
        ctx.team
            .for_each(self.partitions * self.splits, |task, worker| {
                let (partition, split) = (task / self.splits, task % self.splits);
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { shared_workers.slice(worker * per_worker, per_worker) };
                let partial = shared_partials
                    .as_mut_ptr()
                    .wrapping_add(partition * accumulator_len);
                let operands = Operands { x, dy, fetched };
                // SAFETY: `isa` proves the family; lengths are the plan's; a split's tiles are its
                // own part of the partition's accumulator.
                dispatch!(self.isa => task_body(
                    plan: &WeightsPlan, operands: Operands<'_>, partition: usize, split: usize,
                    partial: *mut f32, scratch: &mut [f32],
                ));
            });
        self.gather(ctx, partials, dw);
    }

    /// Adds the partitions up, in order, and writes `[o, c/g, kernel…]`.
    fn gather(&self, ctx: &Context<'_>, partials: &[f32], dw: &mut [f32]) {
        let row = self.walk.depth();
        let blocks = row.div_ceil(GATHERED);
        let dw = Shared::new(dw);
        let plan = self;
        ctx.team
            .for_each(self.walk.groups * self.vectors * blocks, |task, _| {
                let (vector, block) = (task / blocks, task % blocks);
                let elements = block * GATHERED..row.min((block + 1) * GATHERED);
                // SAFETY: `isa` proves the family; lengths are the plan's; no other task writes these
                // elements of these output channels.
                dispatch!(self.isa => gather_block(
                    plan: &WeightsPlan, partials: &[f32], vector: usize,
                    elements: Range<usize>, dw: Shared<'_>,
                ));
            });
    }
}

/// Adds up and writes some elements `[c/g, kernel…]` of a vector of output channels.
///
/// Accumulators run along output channels, the weight along input channels and kernel. Elements put
/// into place one by one would be strewn over as many rows of the weight, often a power of two apart;
/// so a block is added up first and turned in registers on its way.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task has this part of `dw`.
#[inline(always)]
unsafe fn gather_block<V: Vector>(
    plan: &WeightsPlan,
    partials: &[f32],
    vector: usize,
    elements: Range<usize>,
    dw: Shared<'_>,
) {
    let g = &plan.geometry;
    let (o, c, area) = (
        g.out_channels_per_group(),
        g.in_channels_per_group(),
        g.kernel_area(),
    );
    let (group, first) = (vector / plan.vectors, vector % plan.vectors * V::LANES);
    let mut sums = [0.0f32; GATHERED * MAX_LANES];
    for (sums, element) in sums.chunks_exact_mut(V::LANES).zip(elements.clone()) {
        // A forward walk has every tap, in the order of the kernel.
        let (channel, tap) = (element / area, element % area);
        let at = ((group * area + tap) * c + channel) * plan.row_len() + first;
        // SAFETY: a vector of every accumulator, and one of the sums.
        unsafe {
            let mut sum = V::zero();
            for partial in partials.chunks_exact(plan.accumulator_len()) {
                sum = sum.add(V::load(partial[at..].as_ptr()));
            }
            sum.store(sums.as_mut_ptr());
        }
    }
    let outputs = V::LANES.min(o - first);
    let row = c * area;
    // SAFETY: these elements of these output channels lie within the weight.
    unsafe {
        let to = dw
            .as_mut_ptr()
            .add((group * o + first) * row + elements.start);
        turn::<V>(sums.as_ptr(), V::LANES, (elements.len(), outputs), to, row);
    }
}

/// Vectors of output channels of a tile, dividing them evenly where possible.
fn tile_width(isa: Isa, vectors: usize) -> usize {
    match vectors {
        _ if isa == Isa::Portable => 1,
        0 | 1 => 1,
        v if v % 2 == 0 => 2,
        v if v % 3 == 0 => 3,
        _ => 2,
    }
}

/// Cuts the rows of every stretch into tiles.
fn cut_rows(segments: Vec<Segment>, isa: Isa, wide: usize) -> Vec<Rows> {
    let mut tiles = Vec::new();
    let mut row = 0;
    for segment in segments {
        let mut at = 0;
        while at < segment.len {
            let count = tile_rows(isa, wide, segment.len - at);
            tiles.push(Rows {
                first: row + at,
                offset: segment.offset + at,
                count,
            });
            at += count;
        }
        row += segment.len;
    }
    tiles
}

/// The tallest tile the registers hold that fits into `rest` rows.
fn tile_rows(isa: Isa, vectors: usize, rest: usize) -> usize {
    let heights: &[usize] = match (isa, vectors) {
        (Isa::Avx512, 1) => &[24, 16, 8, 4, 1],
        (Isa::Avx512, 2) => &[12, 8, 4, 1],
        (Isa::Avx512, _) => &[8, 4, 1],
        (Isa::Avx2, 1) => &[12, 8, 4, 1],
        (Isa::Avx2, 2) => &[6, 4, 1],
        _ => &[4, 1],
    };
    *heights.iter().find(|&&rows| rows <= rest).unwrap_or(&1)
}

/// What the tasks of a run read.
#[derive(Clone, Copy)]
struct Operands<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    /// All units, where they are fetched beforehand.
    fetched: &'a [f32],
}

/// Fetches what the tiles of a unit read into `scratch`: the strip of source rows, and the panels of
/// the gradient, group by group.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn fetch<V: Vector>(
    plan: &WeightsPlan,
    x: &[f32],
    dy: &[f32],
    unit: usize,
    scratch: &mut [f32],
) {
    let walk = &plan.walk;
    let (slice, block) = (
        unit / plan.cut.blocks,
        plan.cut.block(walk, unit % plan.cut.blocks),
    );
    let (strip, panels) = scratch.split_at_mut(plan.cut.scratch_len());
    // SAFETY: V's instructions exist.
    unsafe { plan.cut.source::<V>(walk, x, slice, block, strip) };
    // Pixels of a block follow each other without a gap, in a plane or in the whole map.
    let (slice_area, area) = walk.target_areas();
    let Slice { image, position } = walk.slice(slice);
    let first_pixel = position * slice_area + block.rows.0 * walk.columns.count + block.columns.0;
    let image_len = area * walk.target_channels;
    let gradient = &dy[image * image_len..][..image_len];
    for group in 0..walk.groups {
        for first in (0..plan.vectors).step_by(plan.wide) {
            let panel = Panel {
                group,
                first,
                vectors: plan.wide.min(plan.vectors - first),
            };
            let start = plan.panel_start(group, first);
            let packed = &mut panels[start..];
            // SAFETY: V's instructions exist.
            unsafe {
                pack_gradient::<V>(walk, panel, gradient, (first_pixel, block.pixels()), packed);
            }
        }
    }
}

#[inline(always)]
unsafe fn task_body<V: Vector>(
    plan: &WeightsPlan,
    operands: Operands<'_>,
    partition: usize,
    split: usize,
    partial: *mut f32,
    scratch: &mut [f32],
) {
    let walk = &plan.walk;
    let share = |whole: usize, part: usize, parts: usize| {
        (whole * part / parts)..(whole * (part + 1) / parts)
    };
    let tiles = share(plan.tiles(), split, plan.splits);
    let row_len = plan.row_len();
    let start = |tile: &Tile| {
        let row = tile.group * walk.depth() + tile.rows.first;
        partial.wrapping_add(row * row_len + tile.first * V::LANES)
    };
    let units = share(plan.units(), partition, plan.partitions);
    if units.is_empty() {
        for tile in tiles.clone().map(|index| plan.tile(index)) {
            for row in 0..tile.rows.count {
                for vector in 0..tile.vectors {
                    // SAFETY: inside the partition's accumulator.
                    unsafe { V::zero().store(start(&tile).add(row * row_len + vector * V::LANES)) };
                }
            }
        }
    }
    let (packed, own) = scratch.split_at_mut(plan.together * plan.packed_len());
    for first in units.clone().step_by(plan.together) {
        let at_once = first..units.end.min(first + plan.together);
        let fetched = if plan.fetches_first() {
            &operands.fetched[first * plan.unit_len()..][..at_once.len() * plan.unit_len()]
        } else {
            for (unit, own) in at_once.clone().zip(own.chunks_exact_mut(plan.unit_len())) {
                // SAFETY: V's instructions exist.
                unsafe { fetch::<V>(plan, operands.x, operands.dy, unit, own) };
            }
            &*own
        };
        let mut strips = [Pixels::NONE; MAX_TOGETHER];
        let mut panels: [&[f32]; MAX_TOGETHER] = [&[]; MAX_TOGETHER];
        let fetched = fetched.chunks_exact(plan.unit_len());
        for (index, (unit, fetched)) in at_once.clone().zip(fetched).enumerate() {
            let (slice, block) = plan.unit(unit);
            let (strip, gradient) = fetched.split_at(plan.cut.scratch_len());
            panels[index] = gradient;
            strips[index] = Pixels {
                source: plan.cut.fetched(walk, operands.x, slice, block, strip),
                source_by_row: plan.cut.by_row(walk),
                source_by_column: plan.cut.by_column(walk),
                rows: block.height(),
                columns: block.width(),
                gradient: std::ptr::null(),
            };
        }
        let count = at_once.len();
        let mut parts = [Pixels::NONE; MAX_TOGETHER];
        let mut at_hand = None;
        for tile in tiles.clone().map(|index| plan.tile(index)) {
            if at_hand != Some((tile.group, tile.rows.first)) {
                at_hand = Some((tile.group, tile.rows.first));
                let offset = tile.group * walk.source_channels_per_group() + tile.rows.offset;
                for (index, part) in parts[..count].iter_mut().enumerate() {
                    *part = strips[index].from(offset);
                    if plan.packs {
                        let packed = packed[index * plan.packed_len()..].as_mut_ptr();
                        // SAFETY: a tile reads so many elements of every pixel, at most MAX_ROWS.
                        *part = unsafe { part.pack(tile.rows.count, packed) };
                    }
                }
            }
            let panel = plan.panel_start(tile.group, tile.first);
            for (part, gradient) in parts[..count].iter_mut().zip(panels) {
                part.gradient = gradient[panel..].as_ptr();
            }
            let pass = Pass {
                sums: start(&tile),
                row_len,
                fresh: first == units.start,
            };
            let pixels = &parts[..count];
            // SAFETY: the shapes are those of `tile_rows`, which fit the registers of V.
            unsafe {
                match (V::REGISTERS, tile.vectors, tile.rows.count) {
                    (32, 1, 24) => pass.run::<V, 24, 1>(pixels),
                    (32, 1, 16) => pass.run::<V, 16, 1>(pixels),
                    (16 | 32, 1, 12) => pass.run::<V, 12, 1>(pixels),
                    (32, 2, 12) => pass.run::<V, 12, 2>(pixels),
                    (16 | 32, 1, 8) => pass.run::<V, 8, 1>(pixels),
                    (32, 2, 8) => pass.run::<V, 8, 2>(pixels),
                    (32, 3, 8) => pass.run::<V, 8, 3>(pixels),
                    (16, 1, 6) => pass.run::<V, 6, 1>(pixels),
                    (16, 2, 6) => pass.run::<V, 6, 2>(pixels),
                    (_, 1, 4) => pass.run::<V, 4, 1>(pixels),
                    (16 | 32, 2, 4) => pass.run::<V, 4, 2>(pixels),
                    (16 | 32, 3, 4) => pass.run::<V, 4, 3>(pixels),
                    (_, 1, _) => pass.run::<V, 1, 1>(pixels),
                    (_, 2, _) => pass.run::<V, 1, 2>(pixels),
                    _ => pass.run::<V, 1, 3>(pixels),
                }
            }
        }
    }
}

/// Copies a panel's output channels of every pixel side by side, zeros for those past the last.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn pack_gradient<V: Vector>(
    walk: &Walk,
    tile: Panel,
    gradient: &[f32],
    (first_pixel, pixels): (usize, usize),
    panel: &mut [f32],
) {
    let per_group = walk.target_channels_per_group();
    let first = tile.first * V::LANES;
    let row = tile.vectors * V::LANES;
    let channels = (per_group - first).min(row);
    let channel = tile.group * per_group + first;
    let panel = &mut panel[..pixels * row];
    if walk.layout == Layout::Nchw {
        let (_, plane) = walk.target_areas();
        let planes = gradient[channel * plane + first_pixel..].as_ptr();
        if channels < row {
            panel.fill(0.0);
        }
        // SAFETY: `pixels` elements of `channels` planes, into as many rows of the panel.
        unsafe { turn::<V>(planes, plane, (channels, pixels), panel.as_mut_ptr(), row) };
        return;
    }
    let gradient = &gradient[first_pixel * walk.target_channels..][..pixels * walk.target_channels];
    let pixels = gradient.chunks_exact(walk.target_channels);
    for (pixel, row) in pixels.zip(panel.chunks_exact_mut(row)) {
        let pixel = &pixel[channel..][..channels];
        for (v, to) in row.chunks_exact_mut(V::LANES).enumerate() {
            let from = &pixel[(v * V::LANES).min(channels)..];
            // SAFETY: `to` has LANES elements; of `from` no more than it holds are read.
            unsafe {
                let vector = if from.len() >= V::LANES {
                    V::load(from.as_ptr())
                } else {
                    V::load_partial(from.as_ptr(), from.len())
                };
                vector.store(to.as_mut_ptr());
            }
        }
    }
}

/// The pixels of a unit.
#[derive(Clone, Copy)]
struct Pixels {
    source: *const f32,
    source_by_row: usize,
    source_by_column: usize,
    rows: usize,
    columns: usize,
    /// A panel's output channels, packed pixel by pixel.
    gradient: *const f32,
}

impl Pixels {
    const NONE: Self = Self {
        source: std::ptr::null(),
        source_by_row: 0,
        source_by_column: 0,
        rows: 0,
        columns: 0,
        gradient: std::ptr::null(),
    };

    /// The same pixels, `offset` elements further on.
    fn from(self, offset: usize) -> Self {
        Self {
            source: self.source.wrapping_add(offset),
            ..self
        }
    }

    /// Copies the first `count` elements of every pixel side by side, and gives them as they lie then.
    ///
    /// # Safety
    /// They are readable, and `to` is writable for all of them.
    #[inline(always)]
    unsafe fn pack(&self, count: usize, to: *mut f32) -> Self {
        // SAFETY: the contract of this function.
        unsafe {
            // Of known length, a copy is a few instructions.
            match count {
                24 => self.pack_by::<24>(to),
                16 => self.pack_by::<16>(to),
                12 => self.pack_by::<12>(to),
                8 => self.pack_by::<8>(to),
                6 => self.pack_by::<6>(to),
                4 => self.pack_by::<4>(to),
                _ => self.pack_by::<1>(to),
            }
        }
        Self {
            source: to,
            source_by_row: 0,
            source_by_column: count,
            rows: 1,
            columns: self.rows * self.columns,
            gradient: std::ptr::null(),
        }
    }

    #[inline(always)]
    unsafe fn pack_by<const N: usize>(&self, mut to: *mut f32) {
        for row in 0..self.rows {
            let mut from = self.source.wrapping_add(row * self.source_by_row);
            for _ in 0..self.columns {
                // SAFETY: the contract of `pack`.
                unsafe {
                    from.copy_to_nonoverlapping(to, N);
                    to = to.add(N);
                }
                from = from.wrapping_add(self.source_by_column);
            }
        }
    }
}

/// One tile over the pixels of a few units.
struct Pass {
    /// The tile's place in the accumulator.
    sums: *mut f32,
    row_len: usize,
    /// Nothing has been summed there yet.
    fresh: bool,
}

impl Pass {
    /// # Safety
    /// `V`'s instructions exist; sources, gradients and accumulator hold what the plan says.
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const NV: usize>(&self, units: &[Pixels]) {
        // SAFETY: the contract of this function.
        unsafe {
            let at = |row: usize, v: usize| self.sums.add(row * self.row_len + v * V::LANES);
            let mut sums = [[V::zero(); NV]; MR];
            if !self.fresh {
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = V::load(at(row, v));
                    }
                }
            }
            for pixels in units {
                let mut gradient = pixels.gradient;
                for row in 0..pixels.rows {
                    let mut source = pixels.source.add(row * pixels.source_by_row);
                    for _ in 0..pixels.columns {
                        let dy: [V; NV] =
                            std::array::from_fn(|v| V::load(gradient.add(v * V::LANES)));
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let x = V::splat(*source.add(row));
                            for (sum, dy) in sums.iter_mut().zip(dy) {
                                *sum = x.mul_add(dy, *sum);
                            }
                        }
                        source = source.wrapping_add(pixels.source_by_column);
                        gradient = gradient.add(NV * V::LANES);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(at(row, v));
                }
            }
        }
    }
}
