//! A plane of numbers as a grid of cells.

use crate::colormap::Scale;
use crate::font::{self, Weight};
use crate::number::fitting;
use crate::scene::{Anchor, Item, Point, Scene};
use crate::theme::Paint;

/// Letters that are read without effort: numbers give up digits before theirs are smaller.
const LETTERS: f64 = 9.0;
/// Beside a number in its cell.
const SIDES: f64 = 4.0;
/// The largest cell.
pub(crate) const LARGEST: f64 = 36.0;

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// It holds a number of the tensor.
    Given,
    /// Padding or stretching put it there.
    Added,
    /// No window looks at it.
    Unread,
}

/// A plane of numbers; a cell of padding may hold none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plane {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) cells: Vec<(Option<f64>, Cell)>,
}

impl Plane {
    /// A plane of given numbers, row by row.
    pub(crate) fn given(rows: usize, columns: usize, values: &[f64]) -> Self {
        let cells = values.iter().map(|&value| (Some(value), Cell::Given));
        Self {
            rows,
            columns,
            cells: cells.collect(),
        }
    }

    /// The number of a cell, zero where there is none.
    pub(crate) fn value(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.columns + column].0.unwrap_or(0.0)
    }

    /// Numbers of the tensor that a window reads.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        let given = self.cells.iter().filter(|(_, cell)| *cell == Cell::Given);
        given.filter_map(|(value, _)| *value)
    }
}

/// The colours of a plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) fill: Paint,
    pub(crate) edge: Paint,
    /// Cells are coloured by their numbers instead.
    pub(crate) scale: Option<Scale>,
}

impl Look {
    pub(crate) const INPUT: Self = Self::new(Paint::Input, Paint::InputEdge);
    pub(crate) const KERNEL: Self = Self::new(Paint::Kernel, Paint::KernelEdge);
    pub(crate) const OUTPUT: Self = Self::new(Paint::Output, Paint::OutputEdge);
    pub(crate) const GRADIENT: Self = Self::new(Paint::Gradient, Paint::GradientEdge);

    pub(crate) const fn new(fill: Paint, edge: Paint) -> Self {
        Self {
            fill,
            edge,
            scale: None,
        }
    }
}

/// Where a plane lies on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grid {
    pub(crate) corner: Point,
    pub(crate) cell: f64,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Grid {
    pub(crate) fn width(&self) -> f64 {
        self.columns as f64 * self.cell
    }

    pub(crate) fn height(&self) -> f64 {
        self.rows as f64 * self.cell
    }

    /// The upper left corner of a cell.
    pub(crate) fn place(&self, row: usize, column: usize) -> Point {
        let (row, column) = (row as f64, column as f64);
        self.corner.moved(column * self.cell, row * self.cell)
    }

    /// The middle of a cell.
    pub(crate) fn middle(&self, row: usize, column: usize) -> Point {
        let half = self.cell / 2.0;
        self.place(row, column).moved(half, half)
    }

    /// A frame around one cell.
    pub(crate) fn around(&self, row: usize, column: usize, paint: Paint, width: f64) -> Item {
        let cell = Item::rectangle(self.place(row, column), self.cell, self.cell);
        cell.stroke(paint, width)
    }

    /// A frame around all cells.
    pub(crate) fn outline(&self, paint: Paint, width: f64) -> Item {
        Item::rectangle(self.corner, self.width(), self.height()).stroke(paint, width)
    }

    /// Draws the cells on the ground and their numbers on top.
    pub(crate) fn draw(&self, scene: &mut Scene, plane: &Plane, look: Look) {
        self.draw_by(scene, plane, |_, _| look);
    }

    /// The same with letters of a size.
    pub(crate) fn draw_in(&self, scene: &mut Scene, plane: &Plane, look: Look, letters: f64) {
        self.cells(scene, plane, |_, _| look, letters);
    }

    /// The same where cells differ in their look by row and column.
    pub(crate) fn draw_by(
        &self,
        scene: &mut Scene,
        plane: &Plane,
        look: impl Fn(usize, usize) -> Look,
    ) {
        self.cells(scene, plane, look, letters([plane], self.cell));
    }

    fn cells(
        &self,
        scene: &mut Scene,
        plane: &Plane,
        look: impl Fn(usize, usize) -> Look,
        size: f64,
    ) {
        let room = (self.cell - SIDES) / LETTERS;
        let fitted = |value| fitting(value, room, Weight::Regular);
        for row in 0..plane.rows {
            for column in 0..plane.columns {
                let look = look(row, column);
                let (value, cell) = plane.cells[row * plane.columns + column];
                let square = Item::rectangle(self.place(row, column), self.cell, self.cell);
                let scaled = look.scale.zip(value).filter(|_| cell == Cell::Given);
                let (square, ink) = match (cell, scaled) {
                    (_, Some((scale, value))) => (
                        square.fill(scale.paint(value)).stroke(look.edge, 1.0),
                        scale.ink(value),
                    ),
                    (Cell::Given, None) => {
                        (square.fill(look.fill).stroke(look.edge, 1.0), Paint::Ink)
                    }
                    (Cell::Added, None) => {
                        let square = square.fill(Paint::Blank).stroke(Paint::BlankEdge, 1.0);
                        (square.dashed(), Paint::Muted)
                    }
                    (Cell::Unread, None) => {
                        let square = square.fill(Paint::Panel).stroke(Paint::BlankEdge, 1.0);
                        (square, Paint::BlankEdge)
                    }
                };
                scene.ground.push(square);
                let Some(value) = value else { continue };
                let base = self.middle(row, column).moved(0.0, size * 0.36);
                let text = Item::text(base, fitted(value), size, Anchor::Middle);
                scene.top.push(text.fill(ink));
            }
        }
    }
}

/// The size of letters in which every number of some planes fits its cell.
pub(crate) fn letters<'a>(planes: impl IntoIterator<Item = &'a Plane>, cell: f64) -> f64 {
    let room = (cell - SIDES) / LETTERS;
    let values = planes
        .into_iter()
        .flat_map(|plane| plane.cells.iter().filter_map(|(value, _)| *value));
    let widths = values.map(|value| {
        let text = fitting(value, room, Weight::Regular);
        font::width(&text, 1.0, Weight::Regular)
    });
    let widest = widths.fold(0.1, f64::max);
    (cell * 0.4).min((cell - SIDES) / widest)
}

/// The size of a cell in which every number of some planes can be read: `least`, or more where numbers are long.
pub(crate) fn readable<'a>(planes: impl IntoIterator<Item = &'a Plane>, least: f64) -> f64 {
    let room = (LARGEST - SIDES) / LETTERS;
    let values = planes
        .into_iter()
        .flat_map(|plane| plane.cells.iter().filter_map(|(value, _)| *value));
    let widths = values.map(|value| {
        let text = fitting(value, room, Weight::Regular);
        font::width(&text, LETTERS, Weight::Regular) + SIDES
    });
    let wanted = widths.fold(0.0, f64::max).ceil();
    least.max(wanted.min(LARGEST))
}

/// Planes one below the other, from `corner` down.
pub(crate) fn stack(planes: &[Plane], corner: Point, cell: f64, gap: f64) -> Vec<Grid> {
    let mut corner = corner;
    planes
        .iter()
        .map(|plane| {
            let grid = Grid {
                corner,
                cell,
                rows: plane.rows,
                columns: plane.columns,
            };
            corner = corner.moved(0.0, grid.height() + gap);
            grid
        })
        .collect()
}

/// The height of planes one below the other.
pub(crate) fn height(planes: &[Plane], cell: f64, gap: f64) -> f64 {
    let rows: usize = planes.iter().map(|plane| plane.rows).sum();
    rows as f64 * cell + gap * planes.len().saturating_sub(1) as f64
}

/// The widest of some planes.
pub(crate) fn width(planes: &[Plane], cell: f64) -> f64 {
    let columns = planes.iter().map(|plane| plane.columns);
    columns.max().unwrap_or(0) as f64 * cell
}
