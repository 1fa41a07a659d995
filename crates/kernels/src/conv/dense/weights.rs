//! The gradient of the weights: sums over pixels, held in registers.
//!
//! `dw[tap, c, o] = Σ_pixels x[pixel + tap, c] · dy[pixel, o]` is an outer product for every pixel.
//! A tile keeps `MR` neighbouring (tap, channel) rows by `NV` vectors of output channels in
//! registers while it walks over all pixels of a strip; rows of one stretch of the source lie side
//! by side, so a pixel costs one pointer step and `MR` broadcasts at fixed distances from it.
//!
//! The pixels are cut into *partitions*, each summing into an accumulator of its own; these are
//! added up in order at the end. How many there are follows from the problem alone, so the result
//! does not depend on who computed which. Where a weight is large there are few partitions, and the
//! tiles are split among tasks instead.

use geometry::ConvGeometry;
use tensor::Layout;

use super::cut::{Cut, Fetch, units};
use super::walk::{Segment, Slice, Walk};
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, Isa};

/// Source elements of a strip: with a panel of the gradient beside it, about a first-level cache.
const STRIP_ELEMENTS: usize = 6 * 1024;
/// Pixels below which a strip spends its time on fetching and putting back the sums.
const STRIP_PIXELS: usize = 96;
/// Most elements of a matrix of columns, unless a single row has more.
const COLUMN_ELEMENTS: usize = 128 * 1024;
/// Elements of all accumulators together.
const PARTIAL_ELEMENTS: usize = 512 * 1024;
/// Multiply-accumulates worth handing to another thread.
const TASK_MACS: usize = 1 << 20;
/// Tasks enough to keep a few dozen threads evenly busy.
const TASKS: usize = 64;
/// Vectors of the widest tile.
const MAX_VECTORS: usize = 3;

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
        let cut = match fetch {
            Fetch::Strips => {
                let (_, per_unit) = units(&walk);
                let unit_elements = per_unit
                    * walk.columns.source_step
                    * walk.rows.source_step
                    * walk.source_channels;
                let strip = STRIP_ELEMENTS / unit_elements.max(1);
                Cut::strips(&walk, strip.max(STRIP_PIXELS.div_ceil(per_unit.max(1))))
            }
            Fetch::Columns => {
                let row = walk.taps() * walk.source_channels;
                let pixels = (STRIP_ELEMENTS / row).max(STRIP_PIXELS);
                Cut::columns(&walk, pixels.min(COLUMN_ELEMENTS / row))
            }
        };
        let wide = tile_width(isa, vectors);
        let rows = cut_rows(cut.segments(&walk), isa, wide);
        let tiles = walk.groups * vectors.div_ceil(wide) * rows.len();
        let wanted = (walk.macs() / TASK_MACS).clamp(1, TASKS);
        let accumulator = walk.groups * walk.depth() * vectors * isa.lanes();
        let partitions = wanted
            .min(PARTIAL_ELEMENTS / accumulator.max(1))
            .min(walk.slice_count() * cut.blocks)
            .max(1);
        let splits = wanted.div_ceil(partitions).clamp(1, tiles.max(1));
        Self {
            geometry: *geometry,
            isa,
            rows,
            wide,
            cut,
            partitions,
            splits,
            vectors,
            walk,
        }
    }

    /// Tiles of all groups: group by group, channels by channels, rows by rows.
    fn tiles(&self) -> usize {
        self.walk.groups * self.vectors.div_ceil(self.wide) * self.rows.len()
    }

    fn tile(&self, index: usize) -> Tile {
        let (panel, rows) = (index / self.rows.len(), index % self.rows.len());
        let panels = self.vectors.div_ceil(self.wide);
        let first = panel % panels * self.wide;
        Tile {
            group: panel / panels,
            rows: self.rows[rows],
            first,
            vectors: self.wide.min(self.vectors - first),
        }
    }

    fn accumulator_len(&self) -> usize {
        self.walk.groups * self.walk.depth() * self.row_len()
    }

    /// Elements of an accumulator row: the output channels of a group, rounded up to vectors.
    fn row_len(&self) -> usize {
        self.vectors * self.isa.lanes()
    }

    /// A padded strip of the source and a panel of the gradient, in whole cache lines.
    fn scratch_per_worker(&self) -> usize {
        let panel = self.cut.pixels * MAX_VECTORS * self.isa.lanes();
        self.cut.scratch_len() + panel
    }

    pub(in crate::conv) fn scratch_len(&self, threads: usize) -> usize {
        self.partitions * self.accumulator_len() + threads * self.scratch_per_worker()
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
        let (partials, strips) = scratch.split_at_mut(self.partitions * accumulator_len);
        let shared_partials = Shared::new(partials);
        let shared_strips = Shared::new(strips);
        let per_worker = self.scratch_per_worker();
        ctx.team
            .for_each(self.partitions * self.splits, |task, worker| {
                let (partition, split) = (task / self.splits, task % self.splits);
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { shared_strips.slice(worker * per_worker, per_worker) };
                let partial = shared_partials
                    .as_mut_ptr()
                    .wrapping_add(partition * accumulator_len);
                let plan = self;
                // SAFETY: `isa` proves the family; lengths are the plan's; a split's tiles are its
                // own part of the partition's accumulator.
                dispatch!(self.isa => task_body(
                    plan: &WeightsPlan, x: &[f32], dy: &[f32], partition: usize, split: usize,
                    partial: *mut f32, scratch: &mut [f32],
                ));
            });
        self.gather(ctx, partials, dw);
    }

    /// Adds the partitions up, in order, and writes `[o, c/g, kernel…]`.
    fn gather(&self, ctx: &Context<'_>, partials: &[f32], dw: &mut [f32]) {
        let g = &self.geometry;
        let (o, c, area) = (
            g.out_channels_per_group(),
            g.in_channels_per_group(),
            g.kernel_area(),
        );
        let (row_len, accumulator_len) = (self.row_len(), self.accumulator_len());
        let shared = Shared::new(dw);
        let [_, height, width] = g.windows.each_ref().map(|window| window.kernel);
        // A task writes the elements of one channel and group over all taps and output channels.
        ctx.team.for_each(g.groups * c, |task, _| {
            let (group, channel) = (task / c, task % c);
            for (index, tap) in self.walk.kernel_taps(height, width).enumerate() {
                let from = ((group * area + index) * c + channel) * row_len;
                for out in 0..o {
                    let sum: f32 = (0..self.partitions)
                        .map(|partition| partials[partition * accumulator_len + from + out])
                        .sum();
                    let to = ((group * o + out) * c + channel) * area + tap;
                    // SAFETY: within the weight, whose length was checked, and no other task
                    // writes this channel of this group.
                    unsafe { *shared.as_mut_ptr().add(to) = sum };
                }
            }
        });
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

#[inline(always)]
unsafe fn task_body<V: Vector>(
    plan: &WeightsPlan,
    x: &[f32],
    dy: &[f32],
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
    for tile in tiles.clone().map(|index| plan.tile(index)) {
        for row in 0..tile.rows.count {
            for vector in 0..tile.vectors {
                // SAFETY: inside the partition's accumulator.
                unsafe { V::zero().store(start(&tile).add(row * row_len + vector * V::LANES)) };
            }
        }
    }
    let (source_rows, panel) = scratch.split_at_mut(plan.cut.scratch_len());
    let blocks = plan.cut.blocks;
    for unit in share(walk.slice_count() * blocks, partition, plan.partitions) {
        let (slice, block) = (unit / blocks, plan.cut.block(walk, unit % blocks));
        let pixels = Pixels {
            // SAFETY: V's instructions exist.
            source: unsafe { plan.cut.source::<V>(walk, x, slice, block, source_rows) },
            source_by_row: plan.cut.by_row(walk),
            source_by_column: plan.cut.by_column(walk),
            rows: block.height(),
            columns: block.width(),
        };
        // Pixels of a block follow each other without a gap, in a plane or in the whole map.
        let (slice_area, area) = walk.target_areas();
        let Slice { image, position } = walk.slice(slice);
        let first_pixel =
            position * slice_area + block.rows.0 * walk.columns.count + block.columns.0;
        let image_len = area * walk.target_channels;
        let gradient = &dy[image * image_len..][..image_len];
        let mut packed = None;
        for tile in tiles.clone().map(|index| plan.tile(index)) {
            if packed != Some((tile.group, tile.first)) {
                packed = Some((tile.group, tile.first));
                // SAFETY: V's instructions exist.
                unsafe {
                    pack_gradient::<V>(walk, &tile, gradient, (first_pixel, block.pixels()), panel);
                }
            }
            let pass = Pass {
                source: pixels
                    .source
                    .wrapping_add(tile.group * walk.source_channels_per_group() + tile.rows.offset),
                gradient: panel.as_ptr(),
                sums: start(&tile),
                row_len,
            };
            // SAFETY: the shapes are those of `tile_rows`, which fit the registers of V.
            unsafe {
                match (V::REGISTERS, tile.vectors, tile.rows.count) {
                    (32, 1, 24) => pass.run::<V, 24, 1>(&pixels),
                    (32, 1, 16) => pass.run::<V, 16, 1>(&pixels),
                    (16 | 32, 1, 12) => pass.run::<V, 12, 1>(&pixels),
                    (32, 2, 12) => pass.run::<V, 12, 2>(&pixels),
                    (16 | 32, 1, 8) => pass.run::<V, 8, 1>(&pixels),
                    (32, 2, 8) => pass.run::<V, 8, 2>(&pixels),
                    (32, 3, 8) => pass.run::<V, 8, 3>(&pixels),
                    (16, 1, 6) => pass.run::<V, 6, 1>(&pixels),
                    (16, 2, 6) => pass.run::<V, 6, 2>(&pixels),
                    (_, 1, 4) => pass.run::<V, 4, 1>(&pixels),
                    (16 | 32, 2, 4) => pass.run::<V, 4, 2>(&pixels),
                    (16 | 32, 3, 4) => pass.run::<V, 4, 3>(&pixels),
                    (_, 1, _) => pass.run::<V, 1, 1>(&pixels),
                    (_, 2, _) => pass.run::<V, 1, 2>(&pixels),
                    _ => pass.run::<V, 1, 3>(&pixels),
                }
            }
        }
    }
}

/// Copies a tile's output channels of every pixel side by side, zeros for those past the last.
///
/// All tiles of these channels read them again. In the tensor the pixels lie a whole row of channels
/// apart, often a power of two, and would evict each other from the first-level cache.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn pack_gradient<V: Vector>(
    walk: &Walk,
    tile: &Tile,
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

/// The pixels of a strip.
struct Pixels {
    source: *const f32,
    source_by_row: usize,
    source_by_column: usize,
    rows: usize,
    columns: usize,
}

/// One tile over the pixels of a strip.
struct Pass {
    /// The tile's first row under the first pixel.
    source: *const f32,
    /// The tile's output channels, packed pixel by pixel.
    gradient: *const f32,
    /// The tile's place in the accumulator.
    sums: *mut f32,
    row_len: usize,
}

impl Pass {
    /// # Safety
    /// `V`'s instructions exist; source, gradient and accumulator hold what the plan says.
    #[inline(always)]
    unsafe fn run<V: Vector, const MR: usize, const NV: usize>(&self, pixels: &Pixels) {
        // SAFETY: the contract of this function.
        unsafe {
            let at = |row: usize, v: usize| self.sums.add(row * self.row_len + v * V::LANES);
            let mut sums: [[V; NV]; MR] =
                std::array::from_fn(|row| std::array::from_fn(|v| V::load(at(row, v))));
            let mut gradient = self.gradient;
            for row in 0..pixels.rows {
                let mut source = self.source.add(row * pixels.source_by_row);
                for _ in 0..pixels.columns {
                    let dy: [V; NV] = std::array::from_fn(|v| V::load(gradient.add(v * V::LANES)));
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
            for (row, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(at(row, v));
                }
            }
        }
    }
}
