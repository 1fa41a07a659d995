//! Winograd's short convolutions: fewer multiplications, paid for in additions.
//!
//! The feature map is cut into tiles that overlap by the kernel. A tile of `t × t` source elements is
//! brought to the values of a polynomial at `t × t` points ([`points`]); there the convolution is a
//! matrix product over the channels, one for each point; and what comes out is brought back to
//! `m × m` target elements. A 3×3 kernel needs 9 multiply-accumulates a target element, with
//! tiles of 2×2 it needs 4, with 4×4 2.25. A kernel of one row is cut along its row alone, and the elements of a tile lie
//! as far apart as the taps of a dilated kernel ([`axis`]).
//!
//! A task takes some tiles all the way, so that everything between source and target stays in its
//! core's cache:
//!
//! ```text
//! source ──Bᵀ d B──▶ [point][tile][source channel] ──·weights──▶ [point][tile][target channel] ──Aᵀ m A──▶ target
//!         transform                                   product.rs, for a round of target channels at a time
//! ```
//!
//! Sums of products become sums of products of sums, so results differ from those of the direct
//! algorithm in rounding, and one infinite or NaN element spoils its whole tile.

mod axis;
mod cost;
mod fresh;
mod gradient;
mod grid;
mod points;
mod product;
mod tiles;
mod transform;
mod weights;

use std::ops::{Range, RangeInclusive};

use geometry::ConvGeometry;

use self::fresh::Fresh;
pub(super) use self::gradient::GradientPlan;
use self::grid::Grid;
use super::dense::{Panel, cut_panels};
use super::{ConvOptions, Direction, Epilogue, Refusal};
use crate::activation::Activation;
use crate::share::share;
use crate::shared::Shared;
use crate::simd::dispatch;
use crate::{Context, Isa};

/// Target elements of a tile along an axis with more than one tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outputs {
    Two,
    Four,
}

impl Outputs {
    fn count(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Two => Self::Four,
            Self::Four => Self::Two,
        }
    }
}

/// Forward or backward-data by short convolutions, planned.
#[derive(Clone, Debug)]
pub(super) struct WinogradPlan {
    direction: Direction,
    isa: Isa,
    grid: Grid,
    sources: usize,
    targets: usize,
    panels: Vec<Panel>,
    /// Tiles of a task, but for the last task.
    tiles: usize,
    /// Tasks over the tiles.
    blocks: usize,
    /// Panels of a round: the first of each, and the end.
    rounds: Vec<usize>,
    /// Elements between the target channels of neighbouring tiles at a point; see `source_row`.
    target_row: usize,
    /// Weights are brought to the points in a run instead, each for all tiles.
    fresh: Option<Fresh>,
}

/// Elements at the points that a task keeps in its second-level cache, sources and targets each.
const CACHED: usize = 96 * 1024;
/// Tiles of a task: enough to use each weight often, and at least those of a register tile.
const TILES: RangeInclusive<usize> = 14..=84;
/// Tasks that keep a few threads evenly busy.
const TASKS: usize = 8;

/// Why short convolutions of so many outputs do not serve a problem, if so.
pub(super) fn refuse(
    geometry: &ConvGeometry,
    direction: Direction,
    outputs: Outputs,
) -> Option<Refusal> {
    Grid::new(geometry, direction, outputs.count()).err()
}

/// Why short convolutions of so many outputs serve a problem worse than others, if so. What is
/// refused anyway counts for nothing.
pub(super) fn refuse_by_cost(
    geometry: &ConvGeometry,
    direction: Direction,
    options: ConvOptions,
    outputs: Outputs,
) -> Option<Refusal> {
    if options.strict {
        return Some(Refusal::Strict);
    }
    let (own, direct) = costs(geometry, direction, options, outputs)?;
    let other = costs(geometry, direction, options, outputs.other());
    let other = other.map_or(direct, |(other, _)| other);
    (own > direct.min(other)).then_some(Refusal::Slower)
}

/// Slots of short convolutions of either size, whichever takes fewer, if any may serve the problem.
pub(super) fn least_cost(
    geometry: &ConvGeometry,
    direction: Direction,
    options: ConvOptions,
) -> Option<f64> {
    let sizes = [Outputs::Two, Outputs::Four].into_iter();
    let costs = sizes.filter_map(|outputs| costs(geometry, direction, options, outputs));
    let costs = costs.filter(|_| !options.strict).map(|(own, _)| own);
    costs.reduce(f64::min)
}

/// Slots of short convolutions and of the direct algorithm.
fn costs(
    geometry: &ConvGeometry,
    direction: Direction,
    options: ConvOptions,
    outputs: Outputs,
) -> Option<(f64, f64)> {
    let ConvOptions { isa, repacked, .. } = options;
    if direction == Direction::BackwardWeights {
        let plan = GradientPlan::new(geometry, isa, outputs).ok()?;
        return Some((cost::of_gradient(&plan), cost::of_direct_gradient(&plan)));
    }
    let plan = WinogradPlan::new(geometry, direction, options, outputs).ok()?;
    let direct = cost::of_direct(&plan, &geometry.windows[2], isa, repacked);
    Some((cost::of_plan(&plan, repacked), direct))
}

impl WinogradPlan {
    pub(super) fn new(
        geometry: &ConvGeometry,
        direction: Direction,
        ConvOptions { isa, repacked, .. }: ConvOptions,
        outputs: Outputs,
    ) -> Result<Self, Refusal> {
        let grid = Grid::new(geometry, direction, outputs.count())?;
        let (sources, targets) = direction.channels(geometry);
        let panels = cut_panels(isa, sources, targets.div_ceil(isa.lanes()));
        let mut plan = Self {
            direction,
            isa,
            grid,
            sources,
            targets,
            panels,
            tiles: 0,
            blocks: 0,
            rounds: Vec::new(),
            target_row: 0,
            fresh: None,
        };
        let all = plan.grid.tiles();
        let by_cache = CACHED / (plan.grid.points() * plan.sources.next_multiple_of(16));
        let tiles = by_cache.clamp(*TILES.start(), *TILES.end()).min(all).max(1);
        let mut blocks = all.div_ceil(tiles);
        if blocks < TASKS {
            // As many for one thread as for the other.
            blocks = blocks.next_multiple_of(2);
        }
        plan.tiles = all.div_ceil(blocks.max(1)).max(1);
        plan.blocks = all.div_ceil(plan.tiles);
        plan.cut_rounds();
        if repacked && cost::fresh_pays(&plan) {
            plan.fresh = Some(Fresh::new(&plan));
        }
        Ok(plan)
    }

    /// Rounds of as many panels as leave the products of a round in cache.
    fn cut_rounds(&mut self) {
        let most = CACHED / (self.grid.points() * self.tiles * self.lanes());
        let (mut vectors, mut rounds) = (0, vec![0]);
        for (index, panel) in self.panels.iter().enumerate() {
            if vectors > 0 && vectors + panel.vectors > most {
                rounds.push(index);
                vectors = 0;
            }
            vectors += panel.vectors;
        }
        rounds.push(self.panels.len());
        self.rounds = rounds;
        let vectors = |round: &[usize]| -> usize {
            let panels = &self.panels[round[0]..round[1]];
            panels.iter().map(|panel| panel.vectors).sum()
        };
        let widest = self.rounds.windows(2).map(vectors).max().unwrap_or(0);
        self.target_row = (widest * self.lanes()).next_multiple_of(16) + 16;
    }

    fn lanes(&self) -> usize {
        self.isa.lanes()
    }

    /// Whether weights are brought to the points before a run.
    pub(super) fn packs(&self) -> bool {
        self.fresh.is_none()
    }

    /// Vectors of the widest panel.
    fn widest(&self) -> usize {
        let vectors = self.panels.iter().map(|panel| panel.vectors);
        vectors.max().unwrap_or(0)
    }

    /// Vectors of target channels.
    fn vectors(&self) -> usize {
        self.targets.div_ceil(self.lanes())
    }

    /// Tasks a block of tiles is split into, each with some of the panels: more than one only where a team
    /// would have nothing to do otherwise, for each brings the sources to the points anew.
    fn splits(&self, threads: usize) -> usize {
        (threads / self.blocks.max(1)).clamp(1, self.panels.len().max(1))
    }

    /// Elements between the source channels of neighbouring tiles at a point. One line more than
    /// channels: rows a power of two apart would share the same few sets of the cache.
    fn source_row(&self) -> usize {
        self.sources.next_multiple_of(16) + 16
    }

    fn scratch_per_worker(&self) -> usize {
        self.grid.points() * self.tiles * (self.source_row() + self.target_row)
    }

    /// Scratch elements of a run by `threads`.
    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        match &self.fresh {
            Some(fresh) => fresh.scratch_len(self, threads),
            None => self.scratch_per_worker() * threads,
        }
    }

    /// `source` and `target` are the forward pass's input and output, or the gradients of its
    /// output and input, channels last. The caller has checked every length.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
        scratch: &mut [f32],
    ) {
        let operands = Operands {
            source,
            weights: packed,
            target: Shared::new(target),
            bias: epilogue.bias,
            residual: epilogue.residual,
            activation: epilogue.activation,
        };
        if let Some(fresh) = &self.fresh {
            return fresh.run(self, ctx, operands, scratch);
        }
        let (plan, per_worker) = (self, self.scratch_per_worker());
        let scratch = Shared::new(scratch);
        let splits = self.splits(ctx.team.threads());
        let panels = self.panels.len();
        ctx.team.for_each(self.blocks * splits, |task, worker| {
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { scratch.slice(worker * per_worker, per_worker) };
            let (block, split) = (task / splits, task % splits);
            let panels = share(panels, split, splits);
            // SAFETY: the vector family exists, as the plan's `isa` proves; the operands have the
            // lengths of the plan, which its entry asserts; tasks write disjoint tiles or channels.
            dispatch!(self.isa => tiles::task(
                plan: &WinogradPlan, operands: Operands<'_>, block: usize, panels: Range<usize>,
                scratch: &mut [f32],
            ));
        });
    }
}

/// The tensors of a run.
#[derive(Clone, Copy)]
struct Operands<'a> {
    source: &'a [f32],
    weights: &'a [f32],
    target: Shared<'a>,
    bias: Option<&'a [f32]>,
    residual: Option<&'a [f32]>,
    activation: Option<Activation>,
}
