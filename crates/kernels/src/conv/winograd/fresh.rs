//! Weights that are new in every run, brought to the points on their way.
//!
//! In training weights change with every step. At the points they are up to four times as many, more than the caches
//! hold: written there, then read by one task after another, they would take longer than the sums. Here all
//! tiles are brought to the points first, which a team shares; then each task takes a panel of target channels, brings
//! its weights to the points in its own cache, multiplies all tiles by them, and brings the products
//! back. Weights are read once, as they lie, and never written.
//!
//! ```text
//! source ──Bᵀ d B──▶ [point][tile][source channel] ──┐
//! weight ──G g Gᵀ──▶ [point][source channel][panel] ─┴▶ [point][tile][panel] ──Aᵀ m A──▶ target
//!                    a chunk of source channels at a time
//! ```

use std::ops::Range;

use super::product::{Products, Rows};
use super::{Operands, WinogradPlan, tiles, weights};
use crate::Context;
use crate::conv::dense::Panel;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    /// Tiles whose products are made before they are brought back.
    round: usize,
    /// Source channels whose weights are at the points at a time.
    chunk: usize,
}

/// Elements of all sources at the points, at most: what a team shares is read once for every panel, and has to stay
/// in the cache that all cores share.
const MOST_SOURCES: usize = 2 * 1024 * 1024;
/// Elements of a panel's weights at the points, and of its products where all weights fit: both together fill
/// a second-level cache.
const WEIGHTS: usize = 160 * 1024;
const PRODUCTS: usize = 64 * 1024;
/// Tiles of a round at least.
const LEAST_ROUND: usize = 14;
/// Tiles that a task brings to the points.
const TILES: usize = 8;
/// A line more at every point: points a power of two apart would share a set of every cache.
const LINE: usize = 16;

impl Fresh {
    pub(super) fn new(plan: &WinogradPlan) -> Self {
        let by_channel = plan.grid.points() * plan.widest() * plan.lanes();
        // As many as fit, but of even length.
        let most = (WEIGHTS / by_channel.max(1)).max(1);
        let chunks = plan.sources.div_ceil(most).max(1);
        let all = plan.grid.tiles();
        let most = match chunks {
            1 => (PRODUCTS / by_channel.max(1)).max(LEAST_ROUND),
            // With rounds the weights would be brought to the points for each.
            _ => all.max(1),
        };
        let rounds = all.div_ceil(most).max(1);
        Self {
            round: all.div_ceil(rounds).max(1),
            chunk: plan.sources.div_ceil(chunks).max(1),
        }
    }

    /// Whether all sources at the points stay in cache.
    pub(super) fn serves(plan: &WinogradPlan) -> bool {
        Self::sources_len(plan) <= MOST_SOURCES
    }

    /// Elements of all sources at the points.
    pub(super) fn sources_len(plan: &WinogradPlan) -> usize {
        plan.grid.points() * Self::source_rows(plan).by_point
    }

    fn source_rows(plan: &WinogradPlan) -> Rows {
        let row = plan.source_row();
        Rows {
            row,
            by_point: plan.grid.tiles() * row,
        }
    }

    /// Of the products, and of the weights at the points.
    fn task_rows(&self, row: usize) -> (Rows, usize) {
        let target = Rows {
            row,
            by_point: self.round * row + LINE,
        };
        (target, self.chunk * row + LINE)
    }

    fn per_worker(&self, plan: &WinogradPlan) -> usize {
        let (target, weights) = self.task_rows(plan.widest() * plan.lanes());
        plan.grid.points() * (target.by_point + weights)
    }

    pub(super) fn scratch_len(&self, plan: &WinogradPlan, threads: usize) -> usize {
        Self::sources_len(plan) + threads * self.per_worker(plan)
    }

    pub(super) fn run(
        &self,
        plan: &WinogradPlan,
        ctx: &Context<'_>,
        operands: Operands<'_>,
        scratch: &mut [f32],
    ) {
        let fresh = self;
        let all = plan.grid.tiles();
        let (sources, workers) = scratch.split_at_mut(Self::sources_len(plan));
        let points = Shared::new(sources);
        ctx.team.for_each(all.div_ceil(TILES), |task, _| {
            let some = task * TILES..all.min((task + 1) * TILES);
            // SAFETY: `isa` proves the family; lengths are the plan's; a tile is one task's.
            dispatch!(plan.isa => sources_to_points(
                plan: &WinogradPlan, operands: Operands<'_>, some: Range<usize>, points: Shared<'_>,
            ));
        });
        let (sources, per_worker) = (&*sources, self.per_worker(plan));
        let workers = Shared::new(workers);
        ctx.team.for_each(plan.panels.len(), |task, worker| {
            let panel = plan.panels[task];
            // SAFETY: a worker runs one task at a time.
            let own = unsafe { workers.slice(worker * per_worker, per_worker) };
            // SAFETY: `isa` proves the family; lengths are the plan's; a panel is one task's.
            dispatch!(plan.isa => of_panel(
                plan: &WinogradPlan, fresh: &Fresh, operands: Operands<'_>, panel: Panel,
                sources: &[f32], own: &mut [f32],
            ));
        });
    }
}

/// Brings some tiles of the source to the points.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; operands and points have the lengths of the
/// plan; no other task has the tiles.
#[inline(always)]
unsafe fn sources_to_points<V: Vector>(
    plan: &WinogradPlan,
    operands: Operands<'_>,
    some: Range<usize>,
    points: Shared<'_>,
) {
    let rows = Fresh::source_rows(plan);
    for tile in some {
        let to = points.as_mut_ptr().wrapping_add(tile * rows.row);
        // SAFETY: the contract of this function.
        unsafe { tiles::to_points::<V>(plan, operands.source, tile, to, rows.by_point) };
    }
}

/// Makes the target channels of a panel.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; operands, sources and scratch have the
/// lengths of the plan; no other task has the panel.
#[inline(always)]
unsafe fn of_panel<V: Vector>(
    plan: &WinogradPlan,
    fresh: &Fresh,
    operands: Operands<'_>,
    panel: Panel,
    sources: &[f32],
    scratch: &mut [f32],
) {
    let points = plan.grid.points();
    let source_rows = Fresh::source_rows(plan);
    let (target_rows, by_point) = fresh.task_rows(panel.vectors * V::LANES);
    let (products, rest) = scratch.split_at_mut(points * target_rows.by_point);
    let kernels = rest[..points * by_point].as_mut_ptr();
    let all = plan.grid.tiles();
    for first in (0..all).step_by(fresh.round) {
        let some = first..all.min(first + fresh.round);
        for channel in (0..plan.sources).step_by(fresh.chunk) {
            let chunk = channel..plan.sources.min(channel + fresh.chunk);
            let products = Products {
                tiles: some.len(),
                panels: &[panel],
                sources: chunk.len(),
                source: sources[first * source_rows.row + channel..].as_ptr(),
                source_rows,
                target: products.as_mut_ptr(),
                target_rows,
                adds: channel > 0,
            };
            // SAFETY: the contract of this function.
            unsafe {
                // The weights of all channels stay from round to round.
                if first == 0 || fresh.chunk < plan.sources {
                    weights::to_points::<V>(
                        plan,
                        panel,
                        chunk,
                        operands.weights,
                        kernels,
                        by_point,
                    );
                }
                products.run::<V>(points, |point, _| kernels.wrapping_add(point * by_point));
            }
        }
        for (index, tile) in some.enumerate() {
            let from = products[index * target_rows.row..].as_ptr();
            // SAFETY: the contract of this function.
            unsafe {
                tiles::from_points::<V>(plan, operands, &[panel], tile, from, target_rows.by_point);
            }
        }
    }
}
