//! The gradient of the weights: sums over pixels, held in registers.
//!
//! `dw[tap, c, o] = Σ_pixels x[pixel + tap, c] · dy[pixel, o]` is an outer product for every pixel.
//! A tile keeps `MR` neighbouring (tap, channel) rows by `NV` vectors of output channels in
//! registers while it walks over all pixels of a strip; rows of one stretch of the source lie side
//! by side, so a pixel costs one pointer step and `MR` broadcasts at fixed distances from it.
//!
//! What the tiles read is *fetched* first, unit by unit: the strip of source rows, in [`blocks`] of
//! channels where several panels read it, and the gradient in panels, the channels of a tile side by
//! side. A panel stays in the first-level cache while all rows pass over it. Small pointwise maps, and gradients of a
//! single panel, are read where they lie.
//!
//! The pixels are cut into *partitions*, each summing into an accumulator of its own; these are
//! added up in order at the end. How many there are follows from the problem alone, so the result
//! does not depend on who computed which. They are few, because accumulators cost memory, and because
//! what one thread has summed is far from the one that adds it up. Where a team has more threads the
//! tiles are split among tasks as well, which changes no sum: a few of them fetch each for itself;
//! for many, units are fetched beforehand, some at a time.

mod ahead;
mod blocks;
mod gather;
mod gradient;
mod rows;
mod splits;
mod task;
mod tile;

use std::ops::Range;

use geometry::ConvGeometry;
use tensor::Layout;

pub(in crate::conv) use self::ahead::Ask;
use self::blocks::Blocks;
use self::rows::Rows;
pub(in crate::conv) use self::rows::tile_width;
use self::splits::Tiles;
use self::task::{Part, fetch, task_body};
pub(in crate::conv) use self::tile::{Pass, Pixels};
use super::cut::{Block, Cut, Fetch, units};
use super::sweep::wanted_tasks;
use super::walk::{Slice, Walk};
use crate::conv::Direction;
use crate::share::share;
use crate::shared::Shared;
use crate::simd::dispatch;
use crate::{Context, Isa};

/// Source elements of a strip: with a panel of the gradient beside it, about a first-level cache.
const STRIP_ELEMENTS: usize = 6 * 1024;
/// Pixels below which a strip spends its time on fetching and putting back the sums.
const STRIP_PIXELS: usize = 96;
/// Pixels of a pass whose source is blocked: a panel of the gradient fills most of a first-level cache.
const BLOCKED_PIXELS: usize = 224;
/// Most channels of both maps that are read where they lie: they and their sums are found in a second-level cache, which is no
/// slower than to copy them side by side for the first.
const NEAR_CHANNELS: usize = 680;
/// Pixels of a pass over such maps.
const NEAR_PIXELS: usize = 112;
/// Fewest channels that are worth a block.
const BLOCKED_CHANNELS: usize = 12;
/// Most elements of the units of a pass, to be kept in a second-level cache.
const TOGETHER_ELEMENTS: usize = 192 * 1024;
/// The same where there are more sums than such a cache holds: units are read from one end to the other, from a third-level
/// cache, which is quicker than to read and write the sums once more.
const TOGETHER_FAR_ELEMENTS: usize = 1024 * 1024;
/// Sums that a second-level cache holds.
const NEAR_SUMS: usize = 256 * 1024;
/// Most units of a pass.
const MAX_TOGETHER: usize = 8;
/// Most elements of a matrix of columns, unless a single row has more.
const COLUMN_ELEMENTS: usize = 128 * 1024;
/// Elements of all accumulators together.
const PARTIAL_ELEMENTS: usize = 512 * 1024;
/// Elements of the units that are fetched before the tasks that read them, unless each partition's next
/// have more: to be found in a third-level cache.
const FETCHED_ELEMENTS: usize = 1024 * 1024;
/// Most partitions: each adds an accumulator to be written and read.
const PARTITIONS: usize = 8;
/// Fewest pixels of a partition: what one thread has summed another adds up, and to get it from there takes longer than a few
/// hundred pixels.
const PARTITION_PIXELS: usize = 2048;

/// Backward-weights, planned.
#[derive(Clone, Debug)]
pub(in crate::conv) struct WeightsPlan {
    walk: Walk,
    geometry: ConvGeometry,
    isa: Isa,
    /// The rows of a group, cut into what the registers hold.
    rows: Vec<Rows>,
    /// Where each row, (tap, channel), of blocks stands in the order of the tiles. Others stand in their own.
    places: Vec<usize>,
    /// Vectors of output channels of a tile; the last of a group may have fewer.
    wide: usize,
    cut: Cut,
    /// The source is blocked, as several panels read it.
    blocks: Option<Blocks>,
    /// Units of a pass: small ones are summed over together, while the sums are at hand.
    together: usize,
    partitions: usize,
    /// Vectors of output channels in a group.
    vectors: usize,
    /// Panels of the gradient are read where they lie: there is but one, or all are near.
    in_place: bool,
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
        let whole_vectors = layout == Layout::Nhwc
            && walk.groups == 1
            && walk.target_channels.is_multiple_of(isa.lanes());
        let near = whole_vectors
            && is_pointwise(&walk)
            && walk.source_channels + walk.target_channels <= NEAR_CHANNELS;
        let blocked = !near
            && vectors > wide
            && walk.source_channels_per_group() >= BLOCKED_CHANNELS
            && (fetch == Fetch::Strips || walk.groups == 1);
        let cut = match fetch {
            _ if near => Cut::columns(&walk, NEAR_PIXELS),
            Fetch::Strips => {
                let (count, per_unit) = units(&walk);
                let unit_elements = per_unit
                    .saturating_mul(walk.columns.source_step)
                    .saturating_mul(walk.rows.source_step)
                    .saturating_mul(walk.source_channels);
                let strip = if blocked {
                    BLOCKED_PIXELS / per_unit.max(1)
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
        let blocks = blocked.then(|| Blocks::new(&walk, &cut, isa, wide));
        let rows = match &blocks {
            Some(blocks) => rows::in_blocks(blocks),
            None => rows::in_strip(&walk, &cut, isa, wide),
        };
        let mut places = vec![0; if blocked { walk.depth() } else { 0 }];
        for rows in rows.iter().filter(|_| blocked) {
            for (row, place) in places[rows.first..][..rows.count].iter_mut().enumerate() {
                *place = rows.before + row;
            }
        }
        let accumulator = walk.groups * walk.depth() * vectors * isa.lanes();
        let partitions = wanted_tasks(walk.macs())
            .min(PARTITIONS)
            .min(PARTIAL_ELEMENTS / accumulator.max(1))
            .min(walk.slice_count() * walk.rows.count * walk.columns.count / PARTITION_PIXELS)
            .min(walk.slice_count() * cut.blocks)
            .max(1);
        // A power of two, which most teams share evenly.
        let partitions = 1 << partitions.ilog2();
        let mut plan = Self {
            geometry: *geometry,
            isa,
            rows,
            places,
            wide,
            cut,
            blocks,
            together: 1,
            partitions,
            vectors,
            in_place: whole_vectors && (near || vectors <= wide),
            walk,
        };
        if blocked {
            let most = match fetch == Fetch::Strips && accumulator > NEAR_SUMS {
                true => TOGETHER_FAR_ELEMENTS,
                false => TOGETHER_ELEMENTS,
            };
            plan.together = (BLOCKED_PIXELS / plan.cut.pixels.max(1))
                .min(most / plan.unit_len().max(1))
                .clamp(1, MAX_TOGETHER);
        }
        if near {
            plan.together = (NEAR_PIXELS / plan.cut.pixels.max(1)).clamp(1, MAX_TOGETHER);
        }
        plan
    }

    /// Panels of the gradient of a group.
    fn panels(&self) -> usize {
        self.vectors.div_ceil(self.wide)
    }

    /// Vectors of the panel that starts with `first`.
    fn panel_width(&self, first: usize) -> usize {
        self.wide.min(self.vectors - first)
    }

    /// The place of a row, (tap, channel), among those of a panel.
    fn place(&self, row: usize) -> usize {
        self.places.get(row).copied().unwrap_or(row)
    }

    fn accumulator_len(&self) -> usize {
        self.walk.groups * self.walk.depth() * self.row_len()
    }

    /// Where the sums of a panel start in an accumulator: tile after tile, each without a gap.
    fn sums(&self, group: usize, first: usize) -> usize {
        (group * self.vectors + first) * self.isa.lanes() * self.walk.depth()
    }

    /// Elements of the output channels of a group, rounded up to vectors.
    fn row_len(&self) -> usize {
        self.vectors * self.isa.lanes()
    }

    /// Where a panel of the gradient starts among those of a unit.
    fn panel_start(&self, group: usize, first: usize) -> usize {
        if self.in_place {
            return first * self.isa.lanes();
        }
        (group * self.vectors + first) * self.isa.lanes() * self.cut.pixels
    }

    /// Units: blocks of all slices.
    fn units(&self) -> usize {
        self.walk.slice_count() * self.cut.blocks
    }

    /// Units of a partition in a round of so many.
    fn round(&self, partition: usize, round: usize, len: usize) -> Range<usize> {
        let Range { start, end } = share(self.units(), partition, self.partitions);
        (start + round * len).min(end)..(start + (round + 1) * len).min(end)
    }

    /// The slice and the block of a unit.
    fn unit(&self, index: usize) -> (usize, Block) {
        let block = self.cut.block(&self.walk, index % self.cut.blocks);
        (index / self.cut.blocks, block)
    }

    /// Elements of the source of a unit, as tiles read it.
    fn source_len(&self) -> usize {
        match &self.blocks {
            Some(blocks) => blocks.len().next_multiple_of(16),
            None => self.cut.scratch_len(),
        }
    }

    /// Elements from the source of a group to that of the next.
    fn by_group(&self) -> usize {
        match &self.blocks {
            Some(blocks) => blocks.group_len(),
            None => self.walk.source_channels_per_group(),
        }
    }

    /// Elements of a fetched unit: its source, and all panels of the gradient, unless they are read where they lie.
    fn unit_len(&self) -> usize {
        let panels = match self.in_place {
            true => 0,
            false => self.cut.pixels * self.walk.groups * self.row_len(),
        };
        self.source_len() + panels
    }

    /// The gradient of a unit's image, and the unit's first pixel of it: those of a block follow each other without a gap, in a
    /// plane or in the whole map.
    fn gradient<'a>(&self, dy: &'a [f32], unit: usize) -> (&'a [f32], usize) {
        let walk = &self.walk;
        let (slice, block) = self.unit(unit);
        let Slice { image, position } = walk.slice(slice);
        let (slice_area, area) = walk.target_areas();
        let first_pixel =
            position * slice_area + block.rows.0 * walk.columns.count + block.columns.0;
        let image_len = area * walk.target_channels;
        (&dy[image * image_len..][..image_len], first_pixel)
    }

    /// Units of every partition that are fetched before the tasks that read them, where many
    /// tasks read each.
    fn fetched_at_once(&self, threads: usize) -> Option<usize> {
        let passes = FETCHED_ELEMENTS / (self.partitions * self.together * self.unit_len()).max(1);
        let units = self.units().div_ceil(self.partitions);
        let at_once = (passes.max(1) * self.together).min(units.max(1));
        self.fetch_together(self.splits(threads)).then_some(at_once)
    }

    /// A strip that is to be blocked, and the units at hand unless they were fetched before.
    fn scratch_per_worker(&self, threads: usize) -> usize {
        let units = match self.fetched_at_once(threads) {
            Some(_) => 0,
            None => self.together * self.unit_len(),
        };
        self.strip_len() + units
    }

    /// Elements of what is to be blocked: a row of the strip at a time, or a matrix.
    fn strip_len(&self) -> usize {
        match &self.blocks {
            Some(_) if self.cut.is_matrix() => self.cut.scratch_len(),
            Some(_) => self.cut.row_len(),
            None => 0,
        }
    }

    fn fetched_len(&self, threads: usize) -> usize {
        let units = self.fetched_at_once(threads).unwrap_or(0);
        units * self.partitions * self.unit_len()
    }

    pub(in crate::conv) fn scratch_len(&self, threads: usize) -> usize {
        self.partitions * self.accumulator_len()
            + self.fetched_len(threads)
            + threads * self.scratch_per_worker(threads)
    }

    pub(in crate::conv) fn run(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let threads = ctx.team.threads();
        let accumulator_len = self.accumulator_len();
        let (partials, scratch) = scratch.split_at_mut(self.partitions * accumulator_len);
        let (fetched, workers) = scratch.split_at_mut(self.fetched_len(threads));
        let per_worker = self.scratch_per_worker(threads);
        let workers = Shared::new(workers);
        let splits = self.splits(threads);
        let most_units = self.units().div_ceil(self.partitions);
        let at_once = self.fetched_at_once(threads);
        let (plan, partials_start) = (self, Shared::new(partials));
        let every_tile = self.every_tile();
        let round_len = at_once.unwrap_or(most_units).max(1);
        for round in 0..most_units.div_ceil(round_len).max(1) {
            let fetched_units = at_once.unwrap_or(0);
            let (shared, all) = (Shared::new(fetched), &every_tile);
            ctx.team
                .for_each(self.partitions * fetched_units, |place, worker| {
                    let (partition, index) = (place / fetched_units, place % fetched_units);
                    let Some(unit) = plan.round(partition, round, round_len).nth(index) else {
                        return;
                    };
                    // SAFETY: places do not overlap.
                    let fetched = unsafe { shared.slice(place * plan.unit_len(), plan.unit_len()) };
                    // SAFETY: a worker runs one task at a time.
                    let strip = unsafe { workers.slice(worker * per_worker, plan.strip_len()) };
                    // SAFETY: `isa` proves the family; lengths are the plan's.
                    dispatch!(plan.isa => fetch(
                        plan: &WeightsPlan, x: &[f32], dy: &[f32], unit: usize, all: &Tiles, strip: &mut [f32],
                        fetched: &mut [f32],
                    ));
                });
            let fetched = at_once.map(|_| &*fetched);
            ctx.team.for_each(self.partitions * splits.count(), |task, worker| {
                let (partition, split) = (task / splits.count(), task % splits.count());
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { workers.slice(worker * per_worker, per_worker) };
                let partial = partials_start
                    .as_mut_ptr()
                    .wrapping_add(partition * accumulator_len);
                let part = Part {
                    units: plan.round(partition, round, round_len),
                    fetched: fetched.map(|all| &all[partition * fetched_units * plan.unit_len()..]),
                    tiles: plan.tiles_of(splits, split),
                    fresh: round == 0,
                };
                // SAFETY: `isa` proves the family; lengths are the plan's; a split's tiles are its
                // own part of the partition's accumulator.
                dispatch!(plan.isa => task_body(
                    plan: &WeightsPlan, x: &[f32], dy: &[f32], part: Part<'_>, partial: *mut f32,
                    scratch: &mut [f32],
                ));
            });
        }
        gather::gather(self, ctx, partials, dw);
    }
}

/// Whether each pixel reads one pixel of the source, the next one that beside it.
fn is_pointwise(walk: &Walk) -> bool {
    walk.taps() == 1 && walk.stays_inside && walk.columns.source_step == 1
}
