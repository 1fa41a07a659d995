//! A task: some tiles from the source to the target.

use std::ops::Range;

use super::grid::Each;
use super::points::Line;
use super::product::{Products, Rows};
use super::transform::{self, Inputs, Outputs};
use super::{Operands, WinogradPlan};
use crate::conv::dense::Panel;
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
    let source_rows = Rows {
        row: plan.source_row(),
        by_point: plan.tiles * plan.source_row(),
    };
    let target_rows = Rows {
        row: plan.target_row,
        by_point: plan.tiles * plan.target_row,
    };
    let (sources, products) = scratch.split_at_mut(plan.grid.points() * source_rows.by_point);
    // SAFETY: the contract of this function.
    unsafe {
        for (index, tile) in tiles.clone().enumerate() {
            let to = sources[index * source_rows.row..].as_mut_ptr();
            to_points::<V>(plan, operands.source, tile, to, source_rows.by_point);
        }
        for round in plan.rounds.windows(2) {
            let panels = round[0].max(panels.start)..round[1].min(panels.end);
            if panels.is_empty() {
                continue;
            }
            let some = &plan.panels[panels];
            let products = Products {
                tiles: tiles.len(),
                panels: some,
                sources: plan.sources,
                source: sources.as_ptr(),
                source_rows,
                target: products.as_mut_ptr(),
                target_rows,
                adds: false,
            };
            products.run::<V>(plan.grid.points(), |point, panel| {
                operands.weights[plan.panel_start(point, panel)..].as_ptr()
            });
            for (index, tile) in tiles.clone().enumerate() {
                let from = products.target.wrapping_add(index * target_rows.row);
                from_points::<V>(plan, operands, some, tile, from, target_rows.by_point);
            }
        }
    }
}

/// Brings the source elements of a tile to their values at the points, `by_point` elements apart.
///
/// # Safety
/// As [`task`]; `to` is valid for whole vectors of all channels at every point.
#[inline(always)]
pub(super) unsafe fn to_points<V: Vector>(
    plan: &WinogradPlan,
    source: &[f32],
    tile: usize,
    to: *mut f32,
    by_point: usize,
) {
    let patch = plan.grid.source(source, plan.sources, tile);
    let values = Values {
        lines: plan.grid.lines(),
        to,
        by_point,
    };
    // SAFETY: the contract of this function.
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
/// As [`task`]; `from` is valid for the channels of the panels at every point, `by_point` elements apart.
#[inline(always)]
pub(super) unsafe fn from_points<V: Vector>(
    plan: &WinogradPlan,
    operands: Operands<'_>,
    panels: &[Panel],
    tile: usize,
    from: *const f32,
    by_point: usize,
) {
    let columns = &plan.grid.columns;
    let channels = plan.targets;
    let (pixel, used_rows, used_columns) = plan.grid.target_of(tile);
    let (by_row, by_column) = (plan.grid.by_row() * channels, columns.step * channels);
    let width = columns.line.inputs();
    let first = panels[0].first * V::LANES;
    let last = &panels[panels.len() - 1];
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
            let from = from.add(channel - first);
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
