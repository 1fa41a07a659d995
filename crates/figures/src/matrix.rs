//! A convolution as the product of matrices that im2col makes of it.

use geometry::ConvGeometry;

use crate::FigureError;
use crate::arithmetic::{self, Convolution, lasting, read_by};
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
/// with the elements of the output. A bias is a column that is added to every column of the product.
///
/// # Errors
/// Arrays of another shape, groups, a problem with depth, or one that is too large for a page.
pub fn im2col(problem: &Convolution<'_>, caption: &Caption) -> Result<Scene, FigureError> {
    let geometry = problem.geometry;
    if geometry.groups > 1 {
        return Err(FigureError::Kind {
            figure: "im2col",
            of: "convolutions of one group: each group is a product of its own",
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
    let image_cell = plane::readable(&sweep.inputs, CELL);
    let mut images = Vec::new();
    let mut left = MARGIN;
    for (channel, plane) in sweep.inputs.iter().enumerate() {
        let of_layer = problem.excerpt.and_then(|part| part.channels.get(channel));
        let name = match (of_layer, channels) {
            (Some(of_layer), _) => format!("input, channel {of_layer}"),
            (None, 1) => "input".to_owned(),
            (None, _) => format!("input, channel {channel}"),
        };
        let room =
            plane::width(std::slice::from_ref(plane), image_cell).max(page::title_width(&name));
        let mut grid = grid(left, top, image_cell, plane);
        grid.corner.x += (room - grid.width()) / 2.0;
        grid.draw(&mut scene, plane, look(channel));
        page::title(&mut scene, left + room / 2.0, top - 8.0, &name);
        left += room + GAP * 0.6;
        images.push(grid);
    }
    let above = plane::height(&sweep.inputs[..1], image_cell, 0.0);
    scene.fit(left, 0.0);
    // Below: weight · columns + what else is added = output.
    let below = top + above + 58.0;
    let weights = rows_of(problem.weight.data(), geometry.out_channels, depth);
    let columns = column_matrix(&sweep, geometry);
    let outputs = rows_of(problem.output.data(), geometry.out_channels, area);
    let added = added(problem);
    let terms = added.iter().map(|term| &term.plane);
    let all = [&weights, &columns, &outputs].into_iter().chain(terms);
    let cell = plane::readable(all, matrix_cell(depth.max(area)));
    let middle = below + cell * depth as f64 / 2.0;
    let mut left = MARGIN;
    let weight_top = middle - cell * geometry.out_channels as f64 / 2.0;
    let weight_grid = grid(left, weight_top, cell, &weights);
    weight_grid.draw_by(&mut scene, &weights, |_, column| {
        look(column / geometry.kernel_area())
    });
    name(
        &mut scene,
        &weight_grid,
        &format!("weight {}×{depth}", geometry.out_channels),
    );
    left += wide(&weight_grid, "weight 00×00") + GAP;
    sign(&mut scene, left - GAP / 2.0, middle, "×");
    let column_grid = grid(left, below, cell, &columns);
    column_grid.draw_by(&mut scene, &columns, |row, _| {
        look(row / geometry.kernel_area())
    });
    name(&mut scene, &column_grid, &format!("columns {depth}×{area}"));
    left += wide(&column_grid, "columns 00×00") + GAP;
    let mut term_grids = Vec::new();
    for term in &added {
        sign(&mut scene, left - GAP / 2.0, middle, "+");
        let grid = grid(left, weight_top, cell, &term.plane);
        grid.draw(&mut scene, &term.plane, Look::KERNEL);
        name(&mut scene, &grid, &term.name);
        left += wide(&grid, &term.name) + GAP;
        term_grids.push(grid);
    }
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
    let symbol = arithmetic::window_of(&mut scene, sweep.walk, image_cell);
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
            let terms = term_grids.iter().map(|grid| (grid, Paint::KernelEdge));
            for (grid, paint) in [
                (&column_grid, Paint::KernelEdge),
                (&output_grid, Paint::OutputEdge),
            ]
            .into_iter()
            .chain(terms)
            {
                // A bias is one column, which is added at every place.
                let column = place.min(grid.columns - 1);
                let column = Item::rectangle(grid.place(0, column), grid.cell, grid.height());
                items.push(column.fill(paint).opacity(0.3).stroke(paint, 2.0));
            }
            items
        })
        .collect();
    scene.still = area / 2;
    if let Some(excerpt) = problem.excerpt {
        let [row, column] = excerpt.place();
        let place = row * width + column;
        let [down, across] = sweep.walk;
        let extents = [down.effective_kernel(), across.effective_kernel()];
        for grid in &images {
            let corner = grid.place(row * down.stride, column * across.stride);
            scene.top.extend(read_by(corner, image_cell, extents));
        }
        let corner = column_grid.place(0, place);
        scene.top.extend(read_by(corner, cell, [depth, 1]));
        scene.top.extend(lasting(&output_grid, [0, place]));
    }
    scene.seconds = 0.8;
    Ok(scene)
}

/// A matrix that is added to the product.
struct Term {
    name: String,
    plane: Plane,
}

/// What is added to the product: the sums of channels that are left out, and the bias.
fn added(problem: &Convolution<'_>) -> Vec<Term> {
    let geometry = problem.geometry;
    let (outputs, area) = (geometry.out_channels, geometry.output_area());
    let rest = problem.excerpt.and_then(|excerpt| {
        let rest = excerpt.rest.as_ref()?;
        Some(Term {
            name: format!("{} other channels {outputs}×{area}", excerpt.others()),
            plane: rows_of(rest.data(), outputs, area),
        })
    });
    let bias = problem.bias.map(|bias| Term {
        name: format!("bias {outputs}×1"),
        plane: rows_of(bias.data(), outputs, 1),
    });
    rest.into_iter().chain(bias).collect()
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
