//! When short convolutions pay.
//!
//! The unit is a *slot*, the time of one vector multiply-add. What is counted of each algorithm:
//!
//! - multiply-adds, with the channels and tiles that only fill vectors and registers;
//! - transforms: vectors that are brought to the points and back, and what finding a tile takes;
//! - weights. A network's weights are together larger than the caches, so each run reads them from
//!   memory, and short convolutions have up to four times as many. On small maps of many channels
//!   this is the larger part. Weights that change between runs are also written there and read again, or
//!   brought to the points on their way ([`super::fresh`]), and then the sources are read for each panel of them.
//!
//! The constants are fitted to single layers of 16 to 512 channels on maps of 7 to 56 elements a
//! side; within a tenth or so of each other, predictions may choose the slower of two.

use geometry::Window;

use super::fresh::Fresh;
use super::grid::Grid;
use super::{GradientPlan, WinogradPlan};
use crate::Isa;
use crate::conv::dense::share_of_peak;

/// Share of the peak that a matrix product at the points reaches: its sums are short.
const AT_POINTS: f64 = 0.87;
/// Share of the peak that the direct algorithm's gradient of the weights reaches.
const GRADIENT: f64 = 0.76;
/// Slots of transforming a vector to a point or back along an axis, by the pairs of its points.
const TRANSFORM: [f64; 4] = [0.0, 4.0, 9.0, 12.0];
/// Slots of finding the elements of a tile, there and back.
const TILE: f64 = 200.0;
/// Slots of reading a byte of weights from memory, where two cores share the way to it.
const BYTE: f64 = 0.5;
/// How often weights that change between runs are moved.
const REPACKED: f64 = 3.0;
/// Slots of reading a byte from the cache that all cores share.
const SHARED_BYTE: f64 = 0.25;
/// Slots of bringing a vector of weights to a point.
const KERNEL: f64 = 6.0;

/// Slots of a run.
pub(super) fn of_plan(plan: &WinogradPlan, repacked: bool) -> f64 {
    let points = plan.grid.points() as f64;
    let vectors = plan.sources.div_ceil(plan.lanes()) + plan.vectors();
    let transform = transform(&plan.grid);
    let moved = points * plan.grid.tiles() as f64 * vectors as f64;
    let tiles = moved * transform + plan.grid.tiles() as f64 * TILE;
    tiles
        + match plan.fresh {
            Some(_) => fresh(plan),
            None => products(plan) + weights(plan.points_len(), repacked),
        }
}

/// Whether weights that change between runs are better brought to the points on their way.
pub(super) fn fresh_pays(plan: &WinogradPlan) -> bool {
    let packed = products(plan) + weights(plan.points_len(), true);
    Fresh::serves(plan) && fresh(plan) < packed
}

/// Slots of the products at the points.
fn products(plan: &WinogradPlan) -> f64 {
    let (blocks, rest) = (
        plan.grid.tiles() / plan.tiles,
        plan.grid.tiles() % plan.tiles,
    );
    let rows = blocks * whole_rows(plan.tiles) + whole_rows(rest);
    let products = plan.grid.points() as f64 * rows as f64 * (plan.sources * plan.vectors()) as f64;
    products / AT_POINTS
}

/// Slots of the products of weights that are brought to the points on their way, with what that takes.
fn fresh(plan: &WinogradPlan) -> f64 {
    // A team shares panels, of which one thread may have one more.
    let panels = plan.panels.len().max(1);
    let uneven = panels.next_multiple_of(2) as f64 / panels as f64;
    products(plan) * uneven + fresh_weights(plan)
}

/// Slots of weights that are brought to the points on their way, and of what that takes of the sources.
fn fresh_weights(plan: &WinogradPlan) -> f64 {
    let vectors = (plan.points_len() / plan.lanes()) as f64;
    let sources = 4.0 * (Fresh::sources_len(plan) * plan.panels.len()) as f64;
    weights(plan.weight_len(), false) + vectors * KERNEL + sources * SHARED_BYTE
}

/// Slots of a run of the direct algorithm on the same problem, which has a kernel of this width.
pub(super) fn of_direct(plan: &WinogradPlan, width: &Window, isa: Isa, repacked: bool) -> f64 {
    let taps = taps(&plan.grid);
    let positions = plan.grid.targets();
    let vectors = plan.targets.div_ceil(isa.lanes());
    let products = (positions as f64) * (taps * plan.sources * vectors) as f64;
    let packed = taps * plan.sources * vectors * isa.lanes();
    products / share_of_peak(vectors, width) + weights(packed, repacked)
}

/// Slots of transforming a vector along both axes.
fn transform(grid: &Grid) -> f64 {
    let (rows, columns) = grid.lines();
    TRANSFORM[rows.pairs] + TRANSFORM[columns.pairs]
}

/// Elements of the kernel.
fn taps(grid: &Grid) -> usize {
    let (rows, columns) = grid.lines();
    rows.taps * columns.taps
}

fn weights(elements: usize, repacked: bool) -> f64 {
    let bytes = 4.0 * elements as f64;
    bytes * BYTE * if repacked { REPACKED } else { 1.0 }
}

/// Rows of register tiles that so many tiles of a task fill.
fn whole_rows(tiles: usize) -> usize {
    tiles.next_multiple_of(7)
}

/// Slots of a run of the gradient of the weights.
pub(super) fn of_gradient(plan: &GradientPlan) -> f64 {
    let points = plan.grid.points() as f64;
    let tiles = plan.grid.tiles() as f64;
    let vectors = plan.target_vectors() as f64;
    let sums = plan.sources as f64 * vectors;
    let transform = transform(&plan.grid);
    let moved = points * tiles * (plan.source_vectors() as f64 + vectors) + points * sums;
    points * tiles * sums / AT_POINTS + moved * transform + tiles * TILE
}

/// Slots of a run of the direct algorithm for the same gradient.
pub(super) fn of_direct_gradient(plan: &GradientPlan) -> f64 {
    let sums = (taps(&plan.grid) * plan.sources * plan.target_vectors()) as f64;
    plan.grid.targets() as f64 * sums / GRADIENT
}
