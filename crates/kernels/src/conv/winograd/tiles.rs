//! A task: some tiles from the source to the target.

use std::ops::Range;

use super::{Operands, WinogradPlan, transform};
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
    let tiles = first..(first + plan.tiles).min(plan.tile_count());
    let (sources, products) = scratch.split_at_mut(plan.points() * plan.tiles * plan.source_row());
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

/// Image, row and column of a tile.
fn place(plan: &WinogradPlan, tile: usize) -> (usize, usize, usize) {
    let (rows, columns) = (plan.rows.tiles, plan.columns.tiles);
    (
        tile / (rows * columns),
        tile / columns % rows,
        tile % columns,
    )
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
    let (rows, columns) = (&plan.rows, &plan.columns);
    let channels = plan.sources;
    let (image, row, column) = place(plan, tile);
    let (inside_rows, inside_columns) = (rows.inside(row), columns.inside(column));
    let (height, width) = (rows.line.inputs(), columns.line.inputs());
    let whole = inside_rows.len() == height && inside_columns.len() == width;
    let by_row = columns.source * channels;
    // Where the tile's first element is, or would be if the source went on.
    let first = (rows.source_of(row) + (image * rows.source) as isize) * columns.source as isize
        + columns.source_of(column);
    let origin = source.as_ptr().wrapping_offset(first * channels as isize);
    let by_point = plan.tiles * plan.source_row();
    let lines = (&rows.line, &columns.line);
    for channel in (0..channels).step_by(V::LANES) {
        let count = V::LANES.min(channels - channel);
        let origin = origin.wrapping_add(channel);
        // SAFETY: only elements inside the source are read, and the points have a row for each tile of
        // a task with room for whole vectors.
        unsafe {
            let to = points.as_mut_ptr().add(index * plan.source_row() + channel);
            if whole && count == V::LANES {
                transform::to_points(
                    lines,
                    #[inline(always)]
                    |row, column| V::load(origin.add(row * by_row + column * channels)),
                    #[inline(always)]
                    |row, column, value| value.store(to.add((row * width + column) * by_point)),
                );
                continue;
            }
            transform::to_points(
                lines,
                #[inline(always)]
                |row, column| match inside_rows.contains(&row) && inside_columns.contains(&column) {
                    true => {
                        let at = row * by_row + column * channels;
                        V::load_partial(origin.wrapping_add(at), count)
                    }
                    false => V::zero(),
                },
                #[inline(always)]
                |row, column, value| value.store(to.add((row * width + column) * by_point)),
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
    let (rows, columns) = (&plan.rows, &plan.columns);
    let channels = plan.targets;
    let (image, row, column) = place(plan, tile);
    let (first_row, used_rows) = rows.targets_of(row);
    let (first_column, used_columns) = columns.targets_of(column);
    let by_row = columns.target * channels;
    let pixel = (image * rows.target + first_row) * columns.target + first_column;
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
    let lines = (&rows.line, &columns.line);
    for channel in (first..last).step_by(V::LANES) {
        let count = V::LANES.min(last - channel);
        // SAFETY: the products have a row for each tile with room for the round's channels, and what
        // is written lies on the target.
        unsafe {
            let from = products
                .as_ptr()
                .add(index * plan.target_row + channel - first);
            transform::from_points(
                lines,
                used_rows,
                #[inline(always)]
                |row, column| V::load(from.add((row * width + column) * by_point)),
                #[inline(always)]
                |row, column, sum| {
                    if column < used_columns {
                        let at = (pixel * channels + channel) + row * by_row + column * channels;
                        finish.write(sum, operands.target.as_mut_ptr(), at, channel, count);
                    }
                },
            );
        }
    }
}
