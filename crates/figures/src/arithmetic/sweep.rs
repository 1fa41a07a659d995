//! A kernel that is swept over planes: what lies on the page and what each frame adds.

use geometry::Window;

use super::excerpt::{lasting, read_by};
use super::{Colouring, Excerpt};
use crate::font::{self, Weight};
use crate::number::{fitting, short};
use crate::plane::{Grid, Plane};
use crate::scene::{Anchor, Item, Point, Scene, Symbol, at};
use crate::theme::Paint;

/// Products that a frame writes out; more are summed by channel or by row of the kernel.
const WRITTEN_OUT: usize = 9;
/// The smallest letters of weights in the corners of cells.
const SMALL: f64 = 7.5;
/// What the corner of a cell leaves free beside a weight.
const CORNER: f64 = 3.0;

/// Planes, kernels and what they make.
pub(crate) struct Sweep {
    pub(crate) inputs: Vec<Plane>,
    /// For every output, the kernel of every input that it sees.
    pub(crate) kernels: Vec<Vec<Option<Plane>>>,
    pub(crate) bias: Option<Vec<f64>>,
    pub(crate) outputs: Vec<Plane>,
    /// How the kernels go over the padded planes, down and across.
    pub(crate) walk: [Window; 2],
    /// What it is a part of.
    pub(crate) excerpt: Option<Excerpt>,
}

/// Where the parts of a sweep lie.
pub(crate) struct Board {
    pub(crate) inputs: Vec<Grid>,
    pub(crate) kernels: Vec<Vec<Option<Grid>>>,
    pub(crate) outputs: Vec<Grid>,
    /// Where the line of a frame begins.
    pub(crate) line: Point,
    /// What the output is called in that line.
    pub(crate) name: &'static str,
    pub(crate) colouring: Colouring,
}

/// A number as a factor: a negative one in brackets.
fn factor(value: f64) -> String {
    match value < 0.0 {
        true => format!("({})", short(value)),
        false => short(value),
    }
}

/// The window as it lies on a plane, with the weights of a kernel in the corners of its cells. On cells that are coloured by
/// their numbers each weight has a ground of its own, on which it can be read.
pub(crate) fn window(
    scene: &mut Scene,
    walk: [Window; 2],
    cell: f64,
    kernel: Option<&Plane>,
    colouring: Colouring,
) -> Symbol {
    let [down, across] = walk;
    let mut items = Vec::new();
    let fitted = |value| fitting(value, (cell - CORNER) / SMALL, Weight::Bold);
    let size = kernel.map_or(0.0, |kernel| corner_letters(kernel, cell, fitted));
    for row in 0..down.kernel {
        for column in 0..across.kernel {
            let corner = at(
                (column * across.dilation) as f64 * cell,
                (row * down.dilation) as f64 * cell,
            );
            let tap = Item::rectangle(corner, cell, cell);
            let tap = colouring.tinted(tap, Paint::KernelEdge, 0.22);
            items.push(tap.stroke(Paint::KernelEdge, 1.0));
            if let Some(kernel) = kernel {
                let weight = fitted(kernel.value(row, column));
                let place = corner.moved(cell - 2.0, cell - 2.5);
                if colouring == Colouring::Value {
                    let wide = font::width(&weight, size, Weight::Bold);
                    let ground = place.moved(-wide - 1.0, -size * 0.85);
                    let ground = Item::rounded(ground, wide + 2.0, size * 0.85 + 1.5, 1.5);
                    items.push(ground.fill(Paint::Page).opacity(0.9));
                }
                let weight = Item::text(place, weight, size, Anchor::End).bold();
                items.push(weight.fill(Paint::KernelEdge));
            }
        }
    }
    let (width, height) = (
        across.effective_kernel() as f64 * cell,
        down.effective_kernel() as f64 * cell,
    );
    let outline = Item::rectangle(at(0.0, 0.0), width, height);
    items.push(outline.stroke(Paint::KernelEdge, 2.0));
    scene.symbol(items)
}

/// The size of bold letters in which every weight stands in the corner of its cell and reaches into no other.
fn corner_letters(kernel: &Plane, cell: f64, fitted: impl Fn(f64) -> String) -> f64 {
    let widest = kernel
        .values()
        .map(|value| font::width(&fitted(value), 1.0, Weight::Bold))
        .fold(0.1, f64::max);
    (cell * 0.27)
        .clamp(SMALL, 9.5)
        .min((cell - CORNER) / widest)
}

impl Sweep {
    /// What each frame adds, output by output in row-major order.
    pub(crate) fn frames(&self, scene: &mut Scene, board: &Board) -> Vec<Vec<Item>> {
        let mut frames = Vec::new();
        for (output, plane) in self.outputs.iter().enumerate() {
            let windows: Vec<Option<Symbol>> = self.kernels[output]
                .iter()
                .zip(&board.inputs)
                .map(|(kernel, grid)| {
                    let kernel = kernel.as_ref()?;
                    let (cell, colouring) = (grid.cell, board.colouring);
                    Some(window(scene, self.walk, cell, Some(kernel), colouring))
                })
                .collect();
            for row in 0..plane.rows {
                for column in 0..plane.columns {
                    let mut items = Vec::new();
                    for (window, grid) in windows.iter().zip(&board.inputs) {
                        let Some(window) = *window else { continue };
                        let [down, across] = self.walk;
                        let place = grid.place(row * down.stride, column * across.stride);
                        items.push(Item::copy(window, place));
                    }
                    let grids = board.kernels[output].iter().flatten();
                    items.extend(grids.map(|grid| grid.outline(Paint::KernelEdge, 2.5)));
                    let grid = board.outputs[output];
                    let cell = grid.around(row, column, Paint::OutputEdge, 2.5);
                    items.push(board.colouring.tinted(cell, Paint::OutputEdge, 0.3));
                    let line = self.line(board.name, output, [row, column]);
                    items.push(Item::text(board.line, line, 12.0, Anchor::Start));
                    frames.push(items);
                }
            }
        }
        frames
    }

    /// Marks that stay: the neuron of an excerpt, and what it reads.
    pub(crate) fn marks(&self, board: &Board) -> Vec<Item> {
        let Some(excerpt) = &self.excerpt else {
            return Vec::new();
        };
        let [down, across] = self.walk;
        let [row, column] = excerpt.place();
        let extents = [down.effective_kernel(), across.effective_kernel()];
        let read = board.inputs.iter().flat_map(|grid| {
            let corner = grid.place(row * down.stride, column * across.stride);
            read_by(corner, grid.cell, extents)
        });
        let made = board
            .outputs
            .iter()
            .flat_map(|grid| lasting(grid, [row, column]));
        read.chain(made).collect()
    }

    /// The arithmetic of one element.
    pub(crate) fn line(&self, name: &str, output: usize, [row, column]: [usize; 2]) -> String {
        let plane = &self.outputs[output];
        let seen: Vec<usize> = (0..self.inputs.len())
            .filter(|&input| self.kernels[output][input].is_some())
            .collect();
        let [down, across] = self.walk;
        let products = seen.len() * down.kernel * across.kernel;
        let mut terms = Vec::new();
        let factors = |input: usize, tap: [usize; 2]| {
            let position = [down.position(row, tap[0]), across.position(column, tap[1])];
            let kernel = self.kernels[output][input].as_ref();
            let x = self.inputs[input].value(position[0], position[1]);
            (x, kernel.map_or(0.0, |kernel| kernel.value(tap[0], tap[1])))
        };
        let sum_of = |input: usize, rows: std::ops::Range<usize>| -> f64 {
            let taps = rows.flat_map(|r| (0..across.kernel).map(move |c| [r, c]));
            let products = taps.map(|tap| factors(input, tap));
            products.map(|(x, w)| x * w).sum()
        };
        let rest = self.excerpt.as_ref().filter(|excerpt| excerpt.others() > 0);
        if products <= WRITTEN_OUT && rest.is_none() {
            for &input in &seen {
                for tap in 0..down.kernel * across.kernel {
                    let (x, w) = factors(input, [tap / across.kernel, tap % across.kernel]);
                    terms.push(format!("{}·{}", factor(x), factor(w)));
                }
            }
        } else if seen.len() > 1 || rest.is_some() {
            for &input in &seen {
                let sum = sum_of(input, 0..down.kernel);
                let excerpt = self.excerpt.as_ref();
                let channel = excerpt.and_then(|excerpt| excerpt.channels.get(input));
                let channel = channel.copied().unwrap_or(input);
                terms.push(format!("{} (channel {channel})", short(sum)));
            }
        } else {
            for &input in &seen {
                for kernel_row in 0..down.kernel {
                    let sum = sum_of(input, kernel_row..kernel_row + 1);
                    terms.push(format!("{} (row {kernel_row})", short(sum)));
                }
            }
        }
        if let Some((excerpt, rest)) = rest.and_then(|part| Some((part, part.rest.as_ref()?))) {
            let sum = rest.data()[row * plane.columns + column];
            let others = excerpt.others();
            let channels = if others == 1 { "channel" } else { "channels" };
            terms.push(format!("{} ({others} other {channels})", short(sum)));
        }
        if let Some(bias) = &self.bias {
            terms.push(format!("{} (bias)", short(bias[output])));
        }
        let value = short(plane.value(row, column));
        let place = match (&self.excerpt, self.outputs.len()) {
            (Some(excerpt), _) => excerpt.name(name, [row, column]),
            (None, 1) => format!("{name}[{row}, {column}]"),
            _ => format!("{name}[{output}, {row}, {column}]"),
        };
        format!("{place} = {} = {value}", terms.join(" + "))
    }

    /// The longest line of any frame.
    pub(crate) fn longest_line(&self, name: &str) -> f64 {
        let places = self.outputs.iter().enumerate().flat_map(|(output, plane)| {
            (0..plane.rows * plane.columns)
                .map(move |place| (output, [place / plane.columns, place % plane.columns]))
        });
        places
            .map(|(output, place)| {
                let line = self.line(name, output, place);
                Scene::text_width(&line, 12.0, crate::Weight::Regular)
            })
            .fold(0.0, f64::max)
    }
}
