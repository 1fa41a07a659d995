//! A convolution as the product of matrices that im2col makes of it.

use geometry::ConvGeometry;

use crate::FigureError;
use crate::arithmetic::{self, Convolution};
use crate::page::{self, BELOW_HEADING, Caption, GAP, MARGIN};
use crate::plane::{self, Grid, Look, Plane};
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// The most rows and columns of a matrix on a page.
const MOST: usize = 48;
/// A cell of the image.
const CELL: f64 = 26.0;

/// A frame for every place of the window: the window on the input, and the column that it becomes. The weight is a matrix
/// with a row for each output channel, what it is multiplied with one with a column for each place, and the product one
/// with the elements of the output.
///
/// # Errors
/// Arrays of another shape, groups, a bias, a problem with depth, or one that is too large for a page.
pub fn im2col(problem: &Convolution<'_>, caption: &Caption) -> Result<Scene, FigureError> {
    let geometry = problem.geometry;
    if geometry.groups > 1 {
        return Err(FigureError::Kind {
            figure: "im2col",
            of: "convolutions of one group: each group is a product of its own",
        });
    }
    if problem.bias.is_some() {
        return Err(FigureError::Kind {
            figure: "im2col",
            of: "convolutions without a bias: the product alone is the output",
        });
    }
    let (channels, area) = (geometry.in_channels, geometry.output_area());
    let depth = channels * geometry.kernel_area();
    for (what, given) in [
        ("products of an element", depth),
        ("places of the window", area),
    ] {
        if given > MOST {
            let most = MOST;
            return Err(FigureError::TooMuch { what, given, most });
        }
    }
    let sweep = arithmetic::sweep_of(problem)?;
    let mut scene = page::begin(
        caption,
        "Each place of the window becomes a column of a matrix; the convolution is the product of the weights with it.",
    );
    let look = |channel: usize| {
        let place = (channel % 250) as u8;
        Look::new(Paint::Group(place), Paint::GroupEdge(place))
    };
    // Above: the image, a plane a channel, side by side.
    let top = BELOW_HEADING + 12.0;
    let mut images = Vec::new();
    let mut left = MARGIN;
    for (channel, plane) in sweep.inputs.iter().enumerate() {
        let name = match channels {
            1 => "input".to_owned(),
            _ => format!("input, channel {channel}"),
        };
        let room = plane::width(std::slice::from_ref(plane), CELL).max(page::title_width(&name));
        let mut grid = grid(left, top, CELL, plane);
        grid.corner.x += (room - grid.width()) / 2.0;
        grid.draw(&mut scene, plane, look(channel));
        page::title(&mut scene, left + room / 2.0, top - 8.0, &name);
        left += room + GAP * 0.6;
        images.push(grid);
    }
    let above = plane::height(&sweep.inputs[..1], CELL, 0.0);
    scene.fit(left, 0.0);
    // Below: weight · columns = output.
    let below = top + above + 58.0;
    let cell = matrix_cell(depth.max(area));
    let weights = rows_of(problem.weight.data(), geometry.out_channels, depth);
    let columns = column_matrix(&sweep, geometry);
    let outputs = rows_of(problem.output.data(), geometry.out_channels, area);
    let middle = below + cell * depth as f64 / 2.0;
    let mut left = MARGIN;
    let weight_top = middle - cell * geometry.out_channels as f64 / 2.0;
    let weight_grid = grid(left, weight_top, cell, &weights);
    banded(&mut scene, weight_grid, &weights, |_, column| {
        column / geometry.kernel_area()
    });
    name(
        &mut scene,
        &weight_grid,
        &format!("weight {}×{depth}", geometry.out_channels),
    );
    left += wide(&weight_grid, "weight 00×00") + GAP;
    sign(&mut scene, left - GAP / 2.0, middle, "×");
    let column_grid = grid(left, below, cell, &columns);
    banded(&mut scene, column_grid, &columns, |row, _| {
        row / geometry.kernel_area()
    });
    name(&mut scene, &column_grid, &format!("columns {depth}×{area}"));
    left += wide(&column_grid, "columns 00×00") + GAP;
    sign(&mut scene, left - GAP / 2.0, middle, "=");
    let output_grid = grid(left, weight_top, cell, &outputs);
    output_grid.draw(&mut scene, &outputs, Look::OUTPUT);
    name(
        &mut scene,
        &output_grid,
        &format!("output {}×{area}", geometry.out_channels),
    );
    left += wide(&output_grid, "output 00×00");
    scene.fit(left + MARGIN, below + cell * depth as f64 + MARGIN);
    let symbol = arithmetic::window_of(&mut scene, sweep.walk, CELL);
    let width = geometry.windows[2].output;
    scene.frames = (0..area)
        .map(|place| {
            let [down, across] = sweep.walk;
            let (row, column) = (place / width, place % width);
            let mut items: Vec<Item> = images
                .iter()
                .map(|grid| {
                    Item::copy(
                        symbol,
                        grid.place(row * down.stride, column * across.stride),
                    )
                })
                .collect();
            for (grid, paint) in [
                (&column_grid, Paint::KernelEdge),
                (&output_grid, Paint::OutputEdge),
            ] {
                let column = Item::rectangle(grid.place(0, place), grid.cell, grid.height());
                items.push(column.fill(paint).opacity(0.3).stroke(paint, 2.0));
            }
            items
        })
        .collect();
    scene.still = area / 2;
    scene.seconds = 0.8;
    Ok(scene)
}

fn grid(left: f64, top: f64, cell: f64, plane: &Plane) -> Grid {
    Grid {
        corner: at(left, top),
        cell,
        rows: plane.rows,
        columns: plane.columns,
    }
}

fn name(scene: &mut Scene, grid: &Grid, text: &str) {
    let middle = grid.corner.x + grid.width().max(page::title_width(text)) / 2.0;
    page::title(scene, middle, grid.corner.y - 8.0, text);
}

fn wide(grid: &Grid, text: &str) -> f64 {
    grid.width().max(page::title_width(text))
}

fn sign(scene: &mut Scene, x: f64, middle: f64, sign: &str) {
    let text = Item::text(at(x, middle + 7.0), sign, 20.0, Anchor::Middle);
    scene.ground.push(text.fill(Paint::Muted));
}

fn matrix_cell(longest: usize) -> f64 {
    match longest {
        0..=16 => 26.0,
        17..=30 => 21.0,
        _ => 17.0,
    }
}

/// Numbers of the first image as a matrix.
fn rows_of(values: &[f64], rows: usize, columns: usize) -> Plane {
    Plane::given(rows, columns, &values[..rows * columns])
}

/// A row for every tap of every channel, a column for every place of the window.
fn column_matrix(sweep: &arithmetic::Sweep, geometry: &ConvGeometry) -> Plane {
    let [down, across] = sweep.walk;
    let (area, width) = (geometry.output_area(), geometry.windows[2].output);
    let mut cells = Vec::new();
    for plane in &sweep.inputs {
        for tap in 0..down.kernel * across.kernel {
            for place in 0..area {
                let row = down.position(place / width, tap / across.kernel);
                let column = across.position(place % width, tap % across.kernel);
                cells.push(plane.cells[row * plane.columns + column]);
            }
        }
    }
    Plane {
        rows: cells.len() / area,
        columns: area,
        cells,
    }
}

/// Draws a matrix whose cells have the colour of the channel that they come from.
fn banded(scene: &mut Scene, grid: Grid, plane: &Plane, channel: impl Fn(usize, usize) -> usize) {
    for row in 0..plane.rows {
        for column in 0..plane.columns {
            let place = (channel(row, column) % 250) as u8;
            let cell = Grid {
                corner: grid.place(row, column),
                rows: 1,
                columns: 1,
                ..grid
            };
            let part = Plane {
                rows: 1,
                columns: 1,
                cells: vec![plane.cells[row * plane.columns + column]],
            };
            cell.draw(
                scene,
                &part,
                Look::new(Paint::Group(place), Paint::GroupEdge(place)),
            );
        }
    }
}
