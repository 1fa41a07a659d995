//! A stack of window operations: which elements of every map one element of the last one sees.

use std::collections::BTreeMap;

use geometry::{Field, GeometryError, MAX_RANK, Rational, Window};

use crate::FigureError;
use crate::number::short;
use crate::page::{self, BELOW_HEADING, Caption, GAP, MARGIN};
use crate::plane::Grid;
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// The most rows and columns of a map.
const LONGEST: usize = 40;
/// The most elements of the last map, one a frame.
const MOST_FRAMES: usize = 64;
/// Cells outside the input for which there is room.
const MOST_BEYOND: f64 = 12.0;

/// A layer of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its settings, in a few letters.
    pub name: String,
    /// Depth, height and width.
    pub windows: [Window; MAX_RANK],
}

/// The maps of a stack side by side. Each frame follows an element of the last map back: cells say by how many paths they
/// reach it, and a ring marks the centre of its field. Where fields reach beyond the input, into padding, the whole of each
/// has a dashed frame.
///
/// # Errors
/// No layer, a layer that does not read what the one before makes, one with depth, or maps too large for a page.
pub fn field(layers: &[Layer], caption: &Caption) -> Result<Scene, FigureError> {
    let axes = axes(layers)?;
    let mut scene = page::begin(
        caption,
        "Maps from the input to the last one; each frame marks the elements that one element of the last map sees, with the number of paths.",
    );
    let sizes: Vec<[usize; 2]> = std::iter::once(axes[0].map(|window| window.input))
        .chain(
            axes.iter()
                .map(|axes| axes.each_ref().map(|window| window.output)),
        )
        .collect();
    let last = sizes[sizes.len() - 1];
    let fields = [along(&axes, 0)?, along(&axes, 1)?];
    let beyond = [0, 1].map(|axis| beyond(fields[axis], last[axis], sizes[0][axis]));
    let reaches_out = beyond.iter().any(|&cells| cells > 0.0);
    let framed = reaches_out && beyond.iter().all(|&cells| cells <= MOST_BEYOND);
    let [above, aside] = beyond.map(|cells| if framed { cells } else { 0.0 });
    let rows = sizes.iter().skip(1).map(|size| size[0]).max().unwrap_or(1);
    let rows = (rows as f64).max(sizes[0][0] as f64 + 2.0 * above);
    let cell = (380.0 / rows.max(6.0)).clamp(11.0, 36.0);
    let middle = BELOW_HEADING + 20.0 + cell * rows / 2.0;
    let mut left = MARGIN;
    let mut grids = Vec::new();
    for (place, &[rows, columns]) in sizes.iter().enumerate() {
        let lines = [
            match place {
                0 => format!("input {rows}×{columns}"),
                _ => format!("map {place}: {rows}×{columns}"),
            },
            match place {
                0 if framed => "dashed frame: the whole field, beyond the map too".to_owned(),
                0 if reaches_out => "fields reach beyond the map".to_owned(),
                0 => String::new(),
                _ => numbers(&axes[..place])?,
            },
        ];
        let widths = lines.each_ref().map(|line| page::title_width(line));
        let [above, aside] = if place == 0 { [above, aside] } else { [0.0; 2] };
        let wide = (columns as f64 + 2.0 * aside) * cell;
        let room = wide.max(widths[0]).max(widths[1]);
        let centre = left + room / 2.0;
        let grid = Grid {
            corner: at(
                centre - columns as f64 * cell / 2.0,
                middle - rows as f64 * cell / 2.0,
            ),
            cell,
            rows,
            columns,
        };
        let group = (place % 250) as u8;
        scene.ground.extend(outside(&grid, [above, aside]));
        for row in 0..rows {
            for column in 0..columns {
                let cell = grid.around(row, column, Paint::GroupEdge(group), 0.8);
                scene.ground.push(cell.fill(Paint::Group(group)));
            }
        }
        let base = grid.corner.y + grid.height() + above * cell;
        let top = grid.corner.y - above * cell;
        page::title(&mut scene, centre, top - 9.0, &lines[0]);
        page::title(&mut scene, centre, base + 17.0, &lines[1]);
        left += room;
        if let Some(layer) = layers.get(place) {
            let room = page::title_width(&layer.name).max(GAP) + 16.0;
            let tail = at(left + 6.0, middle);
            let arrow = Item::line([tail, tail.moved(room - 12.0, 0.0)]);
            scene.ground.push(arrow.stroke(Paint::Muted, 1.4).arrow());
            page::title(&mut scene, left + room / 2.0, middle - 9.0, &layer.name);
            left += room;
        }
        grids.push(grid);
    }
    scene.fit(left + MARGIN, middle + cell * rows / 2.0 + 36.0 + MARGIN);
    let [last_rows, last_columns] = last;
    for row in 0..last_rows {
        for column in 0..last_columns {
            let mut items = frame(&axes, fields, &grids, [row, column]);
            if framed {
                items.push(whole(fields, &grids[0], [row, column]));
            }
            scene.frames.push(items);
        }
    }
    scene.seconds = 1.0;
    Ok(scene)
}

/// Height and width of every layer, each reading what the one before makes.
fn axes(layers: &[Layer]) -> Result<Vec<[Window; 2]>, FigureError> {
    let mut axes: Vec<[Window; 2]> = Vec::new();
    for layer in layers {
        let [depth, down, across] = layer.windows;
        if depth != Window::UNIT {
            return Err(FigureError::Depth);
        }
        if let Some(before) = axes.last() {
            let made = before.map(|window| window.output).to_vec();
            let read = [down.input, across.input].to_vec();
            if made != read {
                return Err(FigureError::Stack {
                    layer: layer.name.clone(),
                    made,
                    read,
                });
            }
        }
        axes.push([down, across]);
    }
    let Some(last) = axes.last() else {
        return Err(FigureError::Kind {
            figure: "a field",
            of: "at least one convolution or pool",
        });
    };
    let sides = axes
        .iter()
        .flatten()
        .flat_map(|window| [window.input, window.output]);
    let longest = sides.max().unwrap_or(0);
    let elements = last[0].output * last[1].output;
    for (what, given, most) in [
        ("rows or columns", longest, LONGEST),
        ("elements of the last map", elements, MOST_FRAMES),
    ] {
        if given > most {
            return Err(FigureError::TooMuch { what, given, most });
        }
    }
    Ok(axes)
}

/// The field of the last of some layers along an axis.
fn along(axes: &[[Window; 2]], axis: usize) -> Result<Field, GeometryError> {
    Field::of_windows(axes.iter().map(|layer| &layer[axis]))
}

/// Where a field begins along an axis, in cells of the input, and where it ends.
fn ends(field: Field, element: usize) -> [f64; 2] {
    let middle = real(field.centre()) + element as f64 * real(field.jump()) + 0.5;
    let half = real(field.size()) / 2.0;
    [middle - half, middle + half]
}

/// How far the fields of a map reach beyond an axis of the input, at either end.
fn beyond(field: Field, elements: usize, input: usize) -> f64 {
    let [[first, _], [_, last]] = [0, elements.saturating_sub(1)].map(|at| ends(field, at));
    (-first).max(last - input as f64).max(0.0)
}

/// Empty cells around a map, so many on either side: above and below, left and right.
fn outside(grid: &Grid, [above, aside]: [f64; 2]) -> Vec<Item> {
    let corner = grid.corner.moved(-aside * grid.cell, -above * grid.cell);
    let around = Grid {
        corner,
        rows: grid.rows + 2 * above as usize,
        columns: grid.columns + 2 * aside as usize,
        ..*grid
    };
    let cells =
        (0..around.rows).flat_map(|row| (0..around.columns).map(move |column| (row, column)));
    let is_outside = |&(row, column): &(usize, usize)| {
        let (row, column) = (row as f64 - above, column as f64 - aside);
        let inside = (0.0..grid.rows as f64).contains(&row);
        !(inside && (0.0..grid.columns as f64).contains(&column))
    };
    let cell = |(row, column)| {
        let cell = around.around(row, column, Paint::Rule, 0.8);
        cell.fill(Paint::Blank)
    };
    cells.filter(is_outside).map(cell).collect()
}

/// The whole field of an element, what lies outside the input with it.
fn whole(fields: [Field; 2], input: &Grid, [row, column]: [usize; 2]) -> Item {
    let [[top, bottom], [left, right]] = [ends(fields[0], row), ends(fields[1], column)];
    let corner = input.corner.moved(left * input.cell, top * input.cell);
    let [height, width] = [bottom - top, right - left].map(|cells| cells * input.cell);
    let frame = Item::rectangle(corner, width, height);
    frame.stroke(Paint::Ink, 1.6).dashed()
}

/// Size of the field, distance between the fields of neighbours, and the centre of the first.
fn numbers(axes: &[[Window; 2]]) -> Result<String, GeometryError> {
    let [rows, columns] = [along(axes, 0)?, along(axes, 1)?].map(|field| {
        let numbers = [field.size(), field.jump(), field.centre()];
        numbers.map(|number| short(real(number)))
    });
    let both = |place: usize, between: &str| match rows[place] == columns[place] {
        true => rows[place].clone(),
        false => format!("{}{between}{}", rows[place], columns[place]),
    };
    Ok(format!(
        "r = {}, j = {}, centre {}",
        both(0, "×"),
        both(1, "×"),
        both(2, ", ")
    ))
}

fn real(number: Rational) -> f64 {
    number.numerator() as f64 / number.denominator() as f64
}

/// How many paths lead from every element along an axis to one of the last map, map by map from the input on.
fn paths(axes: &[[Window; 2]], axis: usize, element: usize) -> Vec<BTreeMap<usize, u64>> {
    let mut maps = vec![BTreeMap::from([(element, 1u64)])];
    for layer in axes.iter().rev() {
        let window = &layer[axis];
        let mut seen: BTreeMap<usize, u64> = BTreeMap::new();
        for (&output, &count) in &maps[maps.len() - 1] {
            for source in (0..window.kernel).filter_map(|tap| window.source(output, tap)) {
                let paths = seen.entry(source).or_default();
                *paths = paths.saturating_add(count);
            }
        }
        maps.push(seen);
    }
    maps.reverse();
    maps
}

fn frame(
    axes: &[[Window; 2]],
    fields: [Field; 2],
    grids: &[Grid],
    [row, column]: [usize; 2],
) -> Vec<Item> {
    let (rows, columns) = (paths(axes, 0, row), paths(axes, 1, column));
    let mut items = Vec::new();
    for (place, grid) in grids.iter().enumerate() {
        let most = rows[place].values().max().copied().unwrap_or(1) as f64
            * columns[place].values().max().copied().unwrap_or(1) as f64;
        for (&y, &down) in &rows[place] {
            for (&x, &across) in &columns[place] {
                let count = down.saturating_mul(across);
                let share = count as f64 / most;
                let cell = grid.around(y, x, Paint::KernelEdge, 1.4);
                items.push(cell.fill(Paint::KernelEdge).opacity(0.2 + 0.45 * share));
                let text = count.to_string();
                let size = (grid.cell * 0.42).min((grid.cell - 3.0) / (0.64 * text.len() as f64));
                let base = grid.middle(y, x).moved(0.0, size * 0.36);
                if size >= 5.0 {
                    items.push(Item::text(base, text, size, Anchor::Middle));
                }
            }
        }
    }
    // The centre of the field on the input, between pixels where it is even, outside where it lies in the padding.
    let input = &grids[0];
    let [across, down] = [(1, column), (0, row)].map(|(axis, element)| {
        let field = fields[axis];
        let centre = real(field.centre()) + element as f64 * real(field.jump());
        (centre + 0.5) * input.cell
    });
    let place = input.corner.moved(across, down);
    let ring = Item::circle(place, (input.cell * 0.36).max(3.0));
    items.push(ring.stroke(Paint::Ink, 2.0));
    items
}
