//! Columns of planes from left to right around one middle line, with signs between them.

use super::sweep::Sweep;
use super::{Colouring, cell_size};
use crate::colormap::Scale;
use crate::page::{self, BELOW_HEADING, GAP, MARGIN};
use crate::plane::{self, Grid, Look, Plane};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Between planes of one column.
pub(super) const BETWEEN: f64 = 12.0;
/// From a title to what it is the title of.
const TITLE: f64 = 10.0;
/// A printed scale with its numbers.
const SCALE: f64 = 36.0;
/// How wide it is.
const BAR: f64 = 90.0;
/// Between words and the plane that they stand beside.
const LABEL: f64 = 8.0;

/// Lays columns on a page.
pub(super) struct Columns<'a> {
    pub(super) scene: &'a mut Scene,
    cell: f64,
    middle: f64,
    colouring: Colouring,
    /// Where the next column begins.
    pub(super) right: f64,
    /// The lowest point of all columns.
    pub(super) bottom: f64,
}

impl<'a> Columns<'a> {
    /// Columns of which the tallest is so tall.
    pub(super) fn new(scene: &'a mut Scene, cell: f64, tallest: f64, colouring: Colouring) -> Self {
        let top = BELOW_HEADING + TITLE;
        Self {
            scene,
            cell,
            middle: top + tallest / 2.0,
            colouring,
            right: MARGIN,
            bottom: top + tallest,
        }
    }

    /// A column of planes.
    pub(super) fn planes(&mut self, planes: &[Plane], name: &str, look: Look) -> Vec<Grid> {
        self.labelled(planes, &[], name, look)
    }

    /// A column of planes with words beside each of them, or without any.
    pub(super) fn labelled(
        &mut self,
        planes: &[Plane],
        labels: &[String],
        name: &str,
        look: Look,
    ) -> Vec<Grid> {
        let tall = plane::height(planes, self.cell, BETWEEN);
        let wide = plane::width(planes, self.cell);
        let words = labels.iter().map(|label| page::title_width(label) + LABEL);
        let beside = words.fold(0.0, f64::max);
        let room = self.room(beside + wide, name);
        let left = self.right + (room - beside - wide) / 2.0 + beside;
        let corner = at(left, self.middle - tall / 2.0);
        let centre = left + wide / 2.0;
        let values = planes.iter().flat_map(Plane::values);
        let look = self.coloured(look, values, at(centre, corner.y + tall));
        let grids = plane::stack(planes, corner, self.cell, BETWEEN);
        let letters = plane::letters(planes, self.cell);
        for (grid, plane) in grids.iter().zip(planes) {
            grid.draw_in(self.scene, plane, look, letters);
        }
        for (grid, label) in grids.iter().zip(labels) {
            let place = at(left - LABEL, grid.corner.y + grid.height() / 2.0 + 4.0);
            let text = Item::text(place, label, 11.0, Anchor::End);
            self.scene.ground.push(text.fill(Paint::Muted));
        }
        page::title(self.scene, self.right + room / 2.0, corner.y - TITLE, name);
        self.right += room;
        grids
    }

    /// The room of something so wide, with its title, and a scale where one is printed.
    fn room(&self, wide: f64, name: &str) -> f64 {
        let scale = match self.colouring {
            Colouring::Role => 0.0,
            Colouring::Value => BAR,
        };
        wide.max(page::title_width(name)).max(scale)
    }

    /// A look in the colours of some numbers, where cells have them, whose scale is printed below a point.
    fn coloured(&mut self, look: Look, values: impl Iterator<Item = f64>, below: Point) -> Look {
        if self.colouring == Colouring::Role {
            return look;
        }
        let scale = Scale::of(&values.collect::<Vec<f64>>());
        let bar = scale.bar(below.moved(-BAR / 2.0, 12.0), BAR);
        self.scene.ground.extend(bar);
        self.bottom = self.bottom.max(below.y + SCALE);
        Look {
            scale: Some(scale),
            ..look
        }
    }

    /// A sign between two columns, in the middle of `GAP`.
    pub(super) fn sign(&mut self, sign: &str) {
        // The asterisk hangs above the line that it stands on.
        let lower = if sign == "*" { 12.0 } else { 7.0 };
        let place = at(self.right + GAP / 2.0, self.middle + lower);
        let text = Item::text(place, sign, 20.0, Anchor::Middle);
        self.scene.ground.push(text.fill(Paint::Muted));
        self.right += GAP;
    }

    /// The kernels of a sweep: a column for every output of a group, each kernel in the row of the input it reads. Groups
    /// share columns, for they share no input. Biases stand below, one for each output.
    pub(super) fn kernels(
        &mut self,
        sweep: &Sweep,
        inputs: &[Grid],
        name: &str,
    ) -> Vec<Vec<Option<Grid>>> {
        let [tall, wide] = sweep.walk.map(|axis| axis.kernel as f64 * self.cell);
        let slots = slots(sweep);
        let count = slots.iter().max().map_or(0, |&last| last + 1) as f64;
        let step = wide + BETWEEN;
        let room = self.room(step * count - BETWEEN, name);
        let first = self.right + (room - (step * count - BETWEEN)) / 2.0;
        let spread = kernel_spread(inputs, tall);
        let start = self.middle - spread * (inputs.len() as f64 - 1.0) / 2.0 - tall / 2.0;
        let centre = self.right + room / 2.0;
        let mut bottom = start + spread * (inputs.len() as f64 - 1.0) + tall;
        let weights = sweep.kernels.iter().flatten().flatten();
        let weights = weights.flat_map(Plane::values);
        let look = self.coloured(Look::KERNEL, weights, at(centre, bottom));
        if look.scale.is_some() {
            bottom += SCALE;
        }
        let all = sweep.kernels.iter().flatten().flatten();
        let letters = plane::letters(all, self.cell);
        let mut grids = Vec::new();
        for (output, kernels) in sweep.kernels.iter().enumerate() {
            let x = first + step * slots[output] as f64;
            let place = |(input, kernel): (usize, &Option<Plane>)| {
                let kernel = kernel.as_ref()?;
                let corner = at(x, start + spread * input as f64);
                let grid = self.grid(corner, kernel);
                grid.draw_in(self.scene, kernel, look, letters);
                Some(grid)
            };
            grids.push(kernels.iter().enumerate().map(place).collect());
        }
        page::title(self.scene, centre, start - TITLE, name);
        if let Some(bias) = &sweep.bias {
            let y = bottom + BETWEEN + 16.0;
            page::title(self.scene, centre, y - TITLE + 3.0, "bias");
            let plane = Plane::given(1, bias.len(), bias);
            let left = centre - bias.len() as f64 * self.cell / 2.0;
            self.grid(at(left, y), &plane)
                .draw(self.scene, &plane, Look::KERNEL);
            bottom = y + self.cell;
        }
        self.bottom = self.bottom.max(bottom);
        self.right += room;
        grids
    }

    fn grid(&self, corner: Point, plane: &Plane) -> Grid {
        Grid {
            corner,
            cell: self.cell,
            rows: plane.rows,
            columns: plane.columns,
        }
    }
}

/// The place of every output among those that read the same inputs.
fn slots(sweep: &Sweep) -> Vec<usize> {
    let reads = |output: usize| sweep.kernels[output].iter().position(Option::is_some);
    (0..sweep.kernels.len())
        .map(|output| {
            (0..output)
                .filter(|&other| reads(other) == reads(output))
                .count()
        })
        .collect()
}

/// From one kernel to the next one below: as far as their inputs are apart, where they do not overlap so.
fn kernel_spread(inputs: &[Grid], tall: f64) -> f64 {
    let apart = inputs
        .windows(2)
        .map(|pair| pair[1].corner.y - pair[0].corner.y);
    apart.fold(tall + BETWEEN, f64::max)
}

/// How tall the columns of a sweep are at most.
pub(super) fn tallest(sweep: &Sweep, cell: f64) -> f64 {
    let planes = [&sweep.inputs, &sweep.outputs].map(|planes| plane::height(planes, cell, BETWEEN));
    let inputs = sweep.inputs.len() as f64;
    let kernels = (sweep.walk[0].kernel as f64 * cell + BETWEEN) * inputs - BETWEEN;
    planes[0].max(planes[1]).max(kernels)
}

/// The size of the cells of some columns of planes, and of the kernels of what goes over them.
pub(super) fn cell(columns: &[&[Plane]], sweeps: &[&Sweep]) -> f64 {
    let rows = |planes: &&[Plane]| planes.iter().map(|plane| plane.rows).sum();
    let rows = columns.iter().map(rows).max().unwrap_or(0);
    let kernels = sweeps
        .iter()
        .flat_map(|sweep| sweep.kernels.iter().flatten());
    let planes = columns.iter().copied().flatten();
    cell_size(rows, planes.chain(kernels.flatten()))
}
