//! A task: some tiles from the source to the target.

use std::ops::Range;

use super::grid::Each;
use super::points::Line;
use super::transform::{self, Inputs, Outputs};
use super::{Operands, WinogradPlan};
use crate::conv::finish::Finish;
use crate::simd::Vector;

/// Runs the tiles of a block for some panels of target channels, round by round.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; the operands and the scratch
/// have the lengths of the plan; no other task has the block and any of the panels.
#[inline(always)]
pub(super) unsafe fn task<V: Vector>(
    plan: &WinogradPlan,
    operands: Operands<'_>,
    block: usize,
    panels: Range<usize>,
    scratch: &mut [f32],
) {
    let first = block * plan.tiles;
    let tiles = first..(first + plan.tiles).min(plan.grid.tiles());
    let (sources, products) =
        scratch.split_at_mut(plan.grid.points() * plan.tiles * plan.source_row());
    // SAFETY: the contract of this function.
    unsafe {
        for (index, tile) in tiles.clone().enumerate() {
            to_points::<V>(plan, operands.source, tile, index, sources);
        }
        for round in plan.rounds.windows(2) {
            let panels = round[0].max(panels.start)..round[1].min(panels.end);
            if panels.is_empty() {
                continue;
            }
            plan.multiply::<V>(
                panels.clone(),
                tiles.len(),
                operands.packed,
                sources,
                products,
            );
            for (index, tile) in tiles.clone().enumerate() {
                from_points::<V>(plan, operands, panels.clone(), tile, index, products);
            }
        }
    }
}

/// Brings the source elements of a tile to their values at the points.
///
/// # Safety
/// As [`task`].
#[inline(always)]
unsafe fn to_points<V: Vector>(
    plan: &WinogradPlan,
    source: &[f32],
    tile: usize,
    index: usize,
    points: &mut [f32],
) {
    let patch = plan.grid.source(source, plan.sources, tile);
    let row = &mut points[index * plan.source_row()..];
    let values = Values {
        lines: plan.grid.lines(),
        to: row.as_mut_ptr(),
        by_point: plan.tiles * plan.source_row(),
    };
    // SAFETY: the points have a row for each tile of a task, with room for whole vectors.
    unsafe { patch.each_vector::<V>(0..plan.sources, values) };
}

/// Where the values of a tile at the points go.
struct Values<'a> {
    lines: (&'a Line, &'a Line),
    to: *mut f32,
    by_point: usize,
}

impl<V: Vector> Each<V> for Values<'_> {
    #[inline(always)]
    unsafe fn tile(&mut self, channel: usize, read: impl Fn(usize, usize) -> V) {
        let width = self.lines.1.inputs();
        // SAFETY: the contract of the trait, and of who made this.
        unsafe {
            let to = self.to.add(channel);
            transform::whole_tile::<Inputs, V>(
                self.lines,
                read,
                #[inline(always)]
                |row, column, value| value.store(to.add((row * width + column) * self.by_point)),
            );
        }
    }
}

/// Brings the products of a tile back, for the target channels of some panels, and writes what of
/// the tile lies on the target.
///
/// # Safety
/// As [`task`].
#[inline(always)]
unsafe fn from_points<V: Vector>(
    plan: &WinogradPlan,
    operands: Operands<'_>,
    panels: Range<usize>,
    tile: usize,
    index: usize,
    products: &[f32],
) {
    let columns = &plan.grid.columns;
    let channels = plan.targets;
    let (pixel, used_rows, used_columns) = plan.grid.target_of(tile);
    let (by_row, by_column) = (plan.grid.by_row() * channels, columns.step * channels);
    let by_point = plan.tiles * plan.target_row;
    let width = columns.line.inputs();
    let first = plan.panels[panels.start].first * V::LANES;
    let last = &plan.panels[panels.end - 1];
    let last = ((last.first + last.vectors) * V::LANES).min(channels);
    let finish = Finish {
        bias: operands.bias.map_or(std::ptr::null(), <[f32]>::as_ptr),
        residual: operands.residual.map_or(std::ptr::null(), <[f32]>::as_ptr),
        activation: operands.activation,
    };
    for channel in (first..last).step_by(V::LANES) {
        let count = V::LANES.min(last - channel);
        // SAFETY: the products have a row for each tile with room for the round's channels, and what
        // is written lies on the target.
        unsafe {
            let from = products
                .as_ptr()
                .add(index * plan.target_row + channel - first);
            transform::tile::<Outputs, V>(
                plan.grid.lines(),
                used_rows,
                #[inline(always)]
                |row, column| V::load(from.add((row * width + column) * by_point)),
                #[inline(always)]
                |row, column, sum| {
                    if column < used_columns {
                        let at = (pixel * channels + channel) + row * by_row + column * by_column;
                        finish.write(sum, operands.target.as_mut_ptr(), at, channel, count);
                    }
                },
            );
        }
    }
}
