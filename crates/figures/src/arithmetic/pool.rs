//! Pooling forwards, and its gradient on the way back.

use geometry::{PoolGeometry, PoolKind, Window};
use tensor::Tensor;

use super::columns::{self, Columns};
use super::convolution::{LINE, animate, padded_plane, with_formula};
use super::excerpt::{lasting, read_by};
use super::sweep::window;
use super::{Colouring, Excerpt, check_shape, check_size, flat, planes, sides};
use crate::FigureError;
use crate::number::short;
use crate::page::{self, Caption, MARGIN};
use crate::plane::{Grid, Look, Plane};
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// Numbers that a frame writes out.
const WRITTEN_OUT: usize = 16;

/// A pool with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// The problem.
    pub geometry: &'a PoolGeometry,
    /// The input, `[n, c, …]`.
    pub input: &'a Tensor<f64>,
    /// What the operator made, `[n, c, …]`.
    pub output: &'a Tensor<f64>,
    /// The way back, where it is drawn too.
    pub backward: Option<Backward<'a>>,
    /// What the problem is a part of.
    pub excerpt: Option<&'a Excerpt>,
}

/// A gradient through a pool.
#[derive(Clone, Copy, Debug)]
pub struct Backward<'a> {
    /// Places of the maxima in their planes, of a maximum; as the operator gives them.
    pub places: Option<&'a Tensor<u32>>,
    /// The gradient of the output.
    pub output: &'a Tensor<f64>,
    /// What the operator makes of it, the gradient of the input.
    pub input: &'a Tensor<f64>,
}

/// A frame for every output element of the first image; then, on the way back, one for every gradient with arrows to the
/// elements that get it.
///
/// # Errors
/// Arrays of another shape, a problem with depth, or one that is too large for a page.
pub fn pool(
    problem: &Pool<'_>,
    caption: &Caption,
    colouring: Colouring,
) -> Result<Scene, FigureError> {
    let geometry = problem.geometry;
    let windows = flat(&geometry.windows)?;
    check_shape("input", problem.input, &geometry.input_shape())?;
    check_shape("output", problem.output, &geometry.output_shape())?;
    let [down, across] = windows;
    let (channels, area) = (geometry.channels, down.output * across.output);
    let padded = windows.map(|w| w.padded() + w.overhang());
    check_size([channels, channels], &padded, channels * area)?;
    let one = geometry.rank == 1;
    let given = planes(problem.input, channels, down.input, across.input);
    // Padding never wins a maximum: it holds no number.
    let filled = match geometry.kind {
        PoolKind::Max => None,
        _ => Some(0.0),
    };
    let inputs: Vec<Plane> = given
        .iter()
        .map(|plane| overhung(plane, &windows, filled))
        .collect();
    let outputs = planes(problem.output, channels, down.output, across.output);
    if let Some(excerpt) = problem.excerpt {
        excerpt.check(channels, &geometry.output_shape())?;
    }
    let caption = match problem.excerpt {
        Some(_) => caption.clone(),
        None => with_formula(caption, &windows),
    };
    let mut scene = page::begin(
        &caption,
        "A window goes over the input; each frame shows what one element of the output is made of, and then where its gradient goes.",
    );
    let back = problem
        .backward
        .map(|back| Back::new(back, geometry, &windows))
        .transpose()?;
    let cell = columns::cell(&[&inputs, &outputs], &[]);
    let tallest = crate::plane::height(&inputs, cell, columns::BETWEEN);
    let mut columns = Columns::new(&mut scene, cell, tallest, colouring);
    let name = format!("input {}", sides(down.input, across.input, one));
    let input_grids = columns.planes(&inputs, &name, Look::INPUT);
    columns.sign("→");
    let mut name = format!("output {}", sides(down.output, across.output, one));
    if let Some(excerpt) = problem.excerpt {
        name = format!("{name}, map {}", excerpt.map);
    }
    let output_grids = columns.planes(&outputs, &name, Look::OUTPUT);
    let mut back_grids = None;
    if let Some(back) = &back {
        columns.right += page::GAP;
        let received = columns.planes(&back.inputs, "gradient of the input", Look::GRADIENT);
        columns.sign("←");
        let sent = columns.planes(&back.outputs, "gradient of the output", Look::GRADIENT);
        back_grids = Some((received, sent));
    }
    let (right, bottom) = (columns.right, columns.bottom);
    let line = at(MARGIN, bottom + LINE);
    let symbol = window(&mut scene, windows, cell, None, colouring);
    if let Some(excerpt) = problem.excerpt {
        let [row, column] = excerpt.place();
        let extents = [down.effective_kernel(), across.effective_kernel()];
        for grid in &input_grids {
            let corner = grid.place(row * down.stride, column * across.stride);
            scene.top.extend(read_by(corner, cell, extents));
        }
        let made = output_grids.iter();
        let made = made.flat_map(|grid| lasting(grid, [row, column]));
        scene.top.extend(made);
    }
    let mut frames = Vec::new();
    let mut longest: f64 = 0.0;
    for (channel, plane) in outputs.iter().enumerate() {
        for (row, column) in cells(plane) {
            let corner = input_grids[channel].place(row * down.stride, column * across.stride);
            let place = match problem.excerpt {
                Some(excerpt) => excerpt.name("output", [row, column]),
                None => format!("output[{row}, {column}]"),
            };
            let made = words(geometry, &inputs[channel], plane, [row, column]);
            let text = format!("{place} = {made}");
            longest = longest.max(Scene::text_width(&text, 12.0, crate::Weight::Regular));
            frames.push(vec![
                Item::copy(symbol, corner),
                chosen(
                    &output_grids[channel],
                    [row, column],
                    Paint::OutputEdge,
                    colouring,
                ),
                Item::text(line, text, 12.0, Anchor::Start),
            ]);
        }
    }
    if let (Some(back), Some((received, sent))) = (&back, &back_grids) {
        for (channel, plane) in back.outputs.iter().enumerate() {
            for (row, column) in cells(plane) {
                let from = sent[channel].middle(row, column);
                let mut items = vec![chosen(
                    &sent[channel],
                    [row, column],
                    Paint::GradientEdge,
                    colouring,
                )];
                let targets = back.targets(&windows, channel, [row, column]);
                for &(row, column) in &targets {
                    items.push(chosen(
                        &received[channel],
                        [row, column],
                        Paint::GradientEdge,
                        colouring,
                    ));
                }
                for &(row, column) in &targets {
                    let to = received[channel].middle(row, column);
                    let arrow = Item::line([from, to]).stroke(Paint::GradientEdge, 1.4);
                    items.push(arrow.arrow());
                }
                let text = back.words(
                    plane.value(row, column),
                    targets.len(),
                    geometry,
                    [row, column],
                );
                longest = longest.max(Scene::text_width(&text, 12.0, crate::Weight::Regular));
                items.push(Item::text(line, text, 12.0, Anchor::Start));
                frames.push(items);
            }
        }
    }
    scene.fit(right.max(MARGIN + longest) + MARGIN, line.y + MARGIN - 6.0);
    animate(&mut scene, frames);
    Ok(scene)
}

/// A plane with its padding, as far as windows of ceil mode hang over.
fn overhung(plane: &Plane, windows: &[Window; 2], filled: Option<f64>) -> Plane {
    let wider = windows.map(|window| Window {
        after: window.after + window.overhang(),
        ..window
    });
    padded_plane(plane, &wider, |_, _| filled)
}

fn cells(plane: &Plane) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (rows, columns) = (plane.rows, plane.columns);
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

fn chosen(grid: &Grid, [row, column]: [usize; 2], paint: Paint, colouring: Colouring) -> Item {
    let cell = grid.around(row, column, paint, 2.5);
    colouring.tinted(cell, paint, 0.3)
}

/// `max(1, 5, 2, 0) = 5` and the like; of many numbers, only how many.
fn words(
    geometry: &PoolGeometry,
    input: &Plane,
    output: &Plane,
    [row, column]: [usize; 2],
) -> String {
    let [_, down, across] = geometry.windows;
    let taps = (0..down.kernel).flat_map(|r| (0..across.kernel).map(move |c| (r, c)));
    let values: Vec<f64> = taps
        .filter_map(|(r, c)| {
            let place = down.position(row, r) * input.columns + across.position(column, c);
            input.cells[place].0
        })
        .collect();
    let result = short(output.value(row, column));
    let count = values.len();
    let listed = |between: &str| -> String {
        let values: Vec<String> = values.iter().copied().map(short).collect();
        values.join(between)
    };
    let few = count <= WRITTEN_OUT;
    let made = match geometry.kind {
        PoolKind::Max if few => format!("max({})", listed(", ")),
        PoolKind::Max => format!("max of {count} numbers"),
        PoolKind::Average { .. } => {
            let divisor = geometry.divisor([0, row, column]);
            match few {
                true => format!("({}) / {divisor}", listed(" + ")),
                false => {
                    let sum = short(values.iter().sum());
                    format!("{sum} (sum of {count} numbers) / {divisor}")
                }
            }
        }
        PoolKind::Lp { order } if few => format!("norm of order {order} of ({})", listed(", ")),
        PoolKind::Lp { order } => format!("norm of order {order} of {count} numbers"),
    };
    format!("{made} = {result}")
}

/// The way back as planes.
struct Back {
    inputs: Vec<Plane>,
    outputs: Vec<Plane>,
    places: Option<Vec<u32>>,
}

impl Back {
    fn new(
        back: Backward<'_>,
        geometry: &PoolGeometry,
        [down, across]: &[Window; 2],
    ) -> Result<Self, FigureError> {
        check_shape(
            "gradient of the output",
            back.output,
            &geometry.output_shape(),
        )?;
        check_shape("gradient of the input", back.input, &geometry.input_shape())?;
        let channels = geometry.channels;
        Ok(Self {
            inputs: planes(back.input, channels, down.input, across.input),
            outputs: planes(back.output, channels, down.output, across.output),
            places: back.places.map(|places| places.data().to_vec()),
        })
    }

    /// The elements of the input that a gradient goes to.
    fn targets(
        &self,
        [down, across]: &[Window; 2],
        channel: usize,
        [row, column]: [usize; 2],
    ) -> Vec<(usize, usize)> {
        let width = across.input;
        if let Some(places) = &self.places {
            let area = down.output * across.output;
            let place = places.get(channel * area + row * across.output + column);
            // A window of padding alone has no place, which lies outside of every plane.
            let place = place.map(|&place| place as usize);
            let inside = place.filter(|&place| place < down.input * width);
            return inside
                .map(|place| (place / width, place % width))
                .into_iter()
                .collect();
        }
        let rows = (0..down.kernel).filter_map(|tap| down.source(row, tap));
        let columns: Vec<usize> = (0..across.kernel)
            .filter_map(|tap| across.source(column, tap))
            .collect();
        rows.flat_map(|row| columns.iter().map(move |&column| (row, column)))
            .collect()
    }

    fn words(
        &self,
        gradient: f64,
        targets: usize,
        geometry: &PoolGeometry,
        [row, column]: [usize; 2],
    ) -> String {
        let gradient = short(gradient);
        let what = match geometry.kind {
            PoolKind::Max => format!("{gradient} goes to the maximum"),
            PoolKind::Average { .. } => {
                let divisor = geometry.divisor([0, row, column]);
                format!("{gradient} / {divisor} goes to each of {targets} elements")
            }
            PoolKind::Lp { .. } => {
                format!("{gradient} goes to {targets} elements, each by its share of the norm")
            }
        };
        format!("back: gradient of output[{row}, {column}] = {what}")
    }
}
