//! The gradient of the weights by short convolutions, read backwards.
//!
//! What [`super`] computes is linear in the weights, so their gradient is the same three transforms,
//! transposed and in the opposite order:
//!
//! ```text
//! dw = Gᵀ [ Σ_tiles (A dy Aᵀ) ⊗ (Bᵀ x B) ] G
//! ```
//!
//! At every point stands a sum of outer products over all tiles of all images, source channels by target
//! channels. A tile of 4×4 costs 36 of them, where the definition of a 3×3 kernel takes 16 · 9 = 144.
//!
//! The tiles are cut into *partitions*, each with sums of its own, which are added up in order at the end. How
//! many there are follows from the problem alone, so the result does not depend on who computed which.
//! They are few, and where sums are large beside the work on them there is one: then a team shares the channels of one map,
//! and each of its threads brings those of the other to the points for itself. Threads hand each other as little as they can
//! of what they have just written, since its way from one core to another may take longer than to make it anew.
//!
//! A task takes its tiles in *rounds*: short enough for its core's cache to hold both maps at the points, and
//! long enough for a sum, which is kept in registers for a round, to be read and written seldom. Where the sums are larger than
//! the caches all tiles are one round, if they are few.

mod product;
mod taps;
mod tiles;

use std::ops::Range;

use geometry::ConvGeometry;

use self::product::Product;
use super::Outputs;
use super::grid::Grid;
use crate::conv::dense::{tile_width, wanted_tasks};
use crate::conv::{Direction, Refusal};
use crate::share::share;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::{Context, Isa};

/// Elements of a round at the points, of both maps together: a second-level cache.
const ROUND_ELEMENTS: usize = 160 * 1024;
/// Tiles of a round at least, if there are as many: sums are read and written once a round.
const LEAST_ROUND: usize = 64;
/// Tiles of a round at most: the target channels of a task in a first-level cache.
const MOST_ROUND: usize = 256;
/// Vectors of source channels of a piece.
const BLOCKS: usize = 2;
/// Elements of the sums of all partitions together.
const PARTIAL_ELEMENTS: usize = 1536 * 1024;
/// Most partitions: each adds sums to be written and read.
const PARTITIONS: usize = 4;
/// Tiles of a partition at least, so that most of the time goes into its sums and not into their way to whoever adds them up:
/// between cores far from each other that takes as long as two hundred products.
const PARTITION_TILES: usize = 256;

/// Backward-weights by short convolutions, planned.
#[derive(Clone, Debug)]
pub(in crate::conv) struct GradientPlan {
    pub(super) grid: Grid,
    pub(super) isa: Isa,
    /// Channels of the input.
    pub(super) sources: usize,
    /// Channels of the output.
    pub(super) targets: usize,
    /// Vectors of target channels of a panel; the last may have fewer.
    wide: usize,
    /// Tiles of a round; the last of a partition may have fewer.
    round: usize,
    partitions: usize,
}

/// Some source channels by a panel of target channels: their sums at all points lie together,
/// `[point][source channel][lanes of the panel]`.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// First vector of source channels, and how many.
    block: usize,
    blocks: usize,
    /// First vector of target channels, and how many.
    first: usize,
    vectors: usize,
}

impl GradientPlan {
    pub(in crate::conv) fn new(
        geometry: &ConvGeometry,
        isa: Isa,
        outputs: Outputs,
    ) -> Result<Self, Refusal> {
        let grid = Grid::new(geometry, Direction::BackwardWeights, outputs.count())?;
        let mut plan = Self {
            grid,
            isa,
            sources: geometry.in_channels,
            targets: geometry.out_channels,
            wide: tile_width(isa, geometry.out_channels.div_ceil(isa.lanes())),
            round: 1,
            partitions: 1,
        };
        // Channels too few for a team to share leave it the tiles.
        let shares = (plan.panels() * plan.pieces()).max(1);
        let partitions = wanted_tasks(geometry.macs())
            .min(PARTITIONS)
            .min(PARTIAL_ELEMENTS / plan.sums_len())
            .min((grid.tiles() / PARTITION_TILES).max(PARTITIONS / shares))
            .min(grid.tiles())
            .max(1);
        // A power of two, which most teams share evenly.
        plan.partitions = 1 << partitions.ilog2();
        let tiles = grid.tiles().div_ceil(plan.partitions);
        let most = match plan.sums_len() > PARTIAL_ELEMENTS && tiles <= MOST_ROUND {
            // Sums that never leave the cache are worth maps that do not fit it.
            true => MOST_ROUND,
            false => (ROUND_ELEMENTS / plan.values_len(1)).clamp(LEAST_ROUND, MOST_ROUND),
        };
        // As many, but of even length.
        let rounds = tiles.div_ceil(most).max(1);
        plan.round = tiles.div_ceil(rounds).max(1);
        Ok(plan)
    }

    fn lanes(&self) -> usize {
        self.isa.lanes()
    }

    /// Vectors of source channels.
    pub(super) fn source_vectors(&self) -> usize {
        self.sources.div_ceil(self.lanes())
    }

    /// Vectors of target channels.
    pub(super) fn target_vectors(&self) -> usize {
        self.targets.div_ceil(self.lanes())
    }

    /// Elements of the round's values of so many vectors at a point. An odd number of lines: a tile's points a
    /// power of two apart would share a set of every cache.
    fn point_len(&self, vectors: usize) -> usize {
        let len = vectors * self.round * self.lanes();
        (len.div_ceil(16) | 1) * 16
    }

    /// Elements of so many tiles at all points, of both maps.
    fn values_len(&self, tiles: usize) -> usize {
        let vectors = self.source_vectors() + self.target_vectors();
        self.grid.points() * vectors * tiles * self.lanes()
    }

    /// Elements of the sums of all channels.
    fn sums_len(&self) -> usize {
        let squares = self.source_vectors() * self.target_vectors();
        squares * self.lanes() * self.lanes() * self.grid.points()
    }

    fn panels(&self) -> usize {
        self.target_vectors().div_ceil(self.wide)
    }

    /// Pieces of a panel.
    fn pieces(&self) -> usize {
        self.source_vectors().div_ceil(BLOCKS)
    }

    fn piece(&self, panel: usize, index: usize) -> Piece {
        let (block, first) = (index * BLOCKS, panel * self.wide);
        Piece {
            block,
            blocks: BLOCKS.min(self.source_vectors() - block),
            first,
            vectors: self.wide.min(self.target_vectors() - first),
        }
    }

    /// The source channels of a piece.
    fn channels(&self, piece: Piece) -> Range<usize> {
        let end = (piece.block + piece.blocks) * self.lanes();
        piece.block * self.lanes()..end.min(self.sources)
    }

    /// Elements of the sums of a piece at a point.
    fn sums_at_point(&self, piece: Piece) -> usize {
        piece.blocks * self.lanes() * piece.vectors * self.lanes()
    }

    /// Where the sums of a piece start among those of its partition.
    fn sums_start(&self, piece: Piece) -> usize {
        let before = piece.first * self.source_vectors() + piece.vectors * piece.block;
        before * self.lanes() * self.lanes() * self.grid.points()
    }

    /// A task makes the sums of a piece from the first tile to the last and brings them back itself, so that
    /// they never leave its cache.
    fn at_once(&self) -> bool {
        self.partitions == 1 && self.round >= self.grid.tiles()
    }

    /// Elements of the sums that are kept: of all partitions, or of a piece for each worker.
    fn kept_len(&self, threads: usize) -> usize {
        if self.at_once() {
            let squares = BLOCKS * self.wide;
            threads * squares * self.lanes() * self.lanes() * self.grid.points()
        } else {
            self.partitions * self.sums_len()
        }
    }

    /// Parts that the panels and the pieces of a partition are shared out in, so that a team has tasks enough: of the
    /// larger map first, as every part brings the other one to the points again.
    fn splits(&self, threads: usize) -> Splits {
        let wanted = threads.div_ceil(self.partitions);
        let within = |wanted: usize, most: usize| wanted.clamp(1, most.max(1));
        match self.source_vectors() < self.target_vectors() {
            true => {
                let panels = within(wanted, self.panels());
                let pieces = within(wanted / panels, self.pieces());
                Splits { panels, pieces }
            }
            false => {
                let pieces = within(wanted, self.pieces());
                let panels = within(wanted / pieces, self.panels());
                Splits { panels, pieces }
            }
        }
    }

    /// Elements of what a task brings to the points: its shares of the source and of the target.
    fn scratch_per_worker(&self, threads: usize) -> usize {
        let splits = self.splits(threads);
        let sources = self.pieces().div_ceil(splits.pieces) * BLOCKS;
        let targets = self.panels().div_ceil(splits.panels) * self.wide;
        self.grid.points() * (self.point_len(sources) + self.point_len(targets))
    }

    /// Scratch elements of a run by `threads`.
    pub(in crate::conv) fn scratch_len(&self, threads: usize) -> usize {
        self.kept_len(threads) + threads * self.scratch_per_worker(threads)
    }

    /// The gradient of the weight, of maps channels last. The caller has checked every length.
    pub(in crate::conv) fn run(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let plan = self;
        let threads = ctx.team.threads();
        let (sums, workers) = scratch.split_at_mut(self.kept_len(threads));
        let per_worker = self.scratch_per_worker(threads);
        let (kept, workers) = (Shared::new(sums), Shared::new(workers));
        let dw = Shared::new(dw);
        let splits = self.splits(threads);
        let each = splits.panels * splits.pieces;
        ctx.team.for_each(self.partitions * each, |task, worker| {
            let (partition, split) = (task / each, task % each);
            let maps = Maps { x, dy, dw };
            let part = Part {
                partition,
                panels: share(plan.panels(), split / splits.pieces, splits.panels),
                pieces: share(plan.pieces(), split % splits.pieces, splits.pieces),
                sums: match plan.at_once() {
                    true => worker * plan.kept_len(1),
                    false => partition * plan.sums_len(),
                },
            };
            // SAFETY: a worker runs one task at a time.
            let values = unsafe { workers.slice(worker * per_worker, per_worker) };
            // SAFETY: `isa` proves the family; lengths are the plan's; a panel of a partition is one task's.
            dispatch!(plan.isa => sum(
                plan: &GradientPlan, maps: Maps<'_>, part: Part, values: &mut [f32],
                kept: Shared<'_>,
            ));
        });
        if self.at_once() {
            return;
        }
        let sums = &*sums;
        ctx.team.for_each(self.panels() * self.pieces(), |task, _| {
            let piece = plan.piece(task / plan.pieces(), task % plan.pieces());
            // SAFETY: `isa` proves the family; lengths are the plan's; a task has its piece alone.
            dispatch!(plan.isa => taps::from_points(
                plan: &GradientPlan, piece: Piece, sums: &[f32], dw: Shared<'_>,
            ));
        });
    }
}

/// The tensors of a run.
#[derive(Clone, Copy)]
struct Maps<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    dw: Shared<'a>,
}

/// Parts of a partition.
#[derive(Clone, Copy)]
struct Splits {
    panels: usize,
    pieces: usize,
}

/// What a task sums.
struct Part {
    partition: usize,
    panels: Range<usize>,
    /// Of each panel.
    pieces: Range<usize>,
    /// Where its sums start among those that are kept.
    sums: usize,
}

/// Sums the tiles of a partition for some pieces of some panels, round by round.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; the slices have the lengths of the plan;
/// no other task has any of these pieces of the partition.
#[inline(always)]
unsafe fn sum<V: Vector>(
    plan: &GradientPlan,
    maps: Maps<'_>,
    part: Part,
    values: &mut [f32],
    kept: Shared<'_>,
) {
    let tiles = share(plan.grid.tiles(), part.partition, plan.partitions);
    let source_len = plan.grid.points() * plan.point_len(part.pieces.len() * BLOCKS);
    let (sources, targets) = values.split_at_mut(source_len);
    // Without a tile there is a round all the same: it leaves zeros.
    for round in 0..tiles.len().div_ceil(plan.round).max(1) {
        let first = tiles.start + round * plan.round;
        let some = first..tiles.end.min(first + plan.round);
        let product = Product {
            tiles: some.len(),
            first: [part.pieces.start * BLOCKS, part.panels.start * plan.wide],
            fresh: round == 0,
        };
        // SAFETY: the contract of this function.
        unsafe {
            tiles::to_points::<V>(plan, maps, some, &part, sources, targets);
            for panel in part.panels.clone() {
                for piece in part.pieces.clone().map(|index| plan.piece(panel, index)) {
                    let start = match plan.at_once() {
                        true => part.sums,
                        false => part.sums + plan.sums_start(piece),
                    };
                    let len = plan.grid.points() * plan.sums_at_point(piece);
                    let sums = kept.slice(start, len);
                    product.add::<V>(plan, piece, sources, targets, sums);
                    if plan.at_once() {
                        taps::from_points::<V>(plan, piece, sums, maps.dw);
                    }
                }
            }
        }
    }
}
