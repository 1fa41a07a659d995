//! A part of a layer that is too large for a page, told by the places that its numbers have in the layer.

use tensor::Tensor;

use super::check_shape;
use crate::FigureError;
use crate::plane::Grid;
use crate::scene::{Item, Point};
use crate::theme::Paint;

/// Where a problem that is drawn lies in a whole layer: one map around one of its neurons.
///
/// Rows, columns and channels are then counted as the layer counts them, and what is not drawn is summed as one term. The
/// neuron has a frame that stays, and so has what it reads.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The map that is drawn.
    pub map: usize,
    /// Row and column of that map with which the part begins.
    pub first: [usize; 2],
    /// Row and column of the neuron in that map.
    pub neuron: [usize; 2],
    /// The input channels that are drawn, in the order of the problem.
    pub channels: Vec<usize>,
    /// How many input channels the map reads.
    pub of: usize,
    /// What the channels that are left out add to each element, of the shape of the output.
    pub rest: Option<Tensor<f64>>,
}

impl Excerpt {
    /// Refuses what does not belong to a problem.
    pub(crate) fn check(&self, channels: usize, output: &[usize]) -> Result<(), FigureError> {
        if let Some(rest) = &self.rest {
            check_shape("rest", rest, output)?;
        }
        let [rows, columns] = [2, 3].map(|axis| output.get(axis).copied().unwrap_or(1));
        let [row, column] = [0, 1].map(|axis| self.neuron[axis].wrapping_sub(self.first[axis]));
        match self.channels.len() == channels && row < rows && column < columns {
            true => Ok(()),
            false => Err(FigureError::Shape {
                what: "excerpt",
                given: vec![self.channels.len(), row, column],
                wanted: vec![channels, rows, columns],
            }),
        }
    }

    /// The neuron by row and column of what is drawn.
    pub(crate) fn place(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.neuron[axis] - self.first[axis])
    }

    /// Channels that are not drawn.
    pub(crate) fn others(&self) -> usize {
        self.of.saturating_sub(self.channels.len())
    }

    /// `output[5, 0, 31]`: an element of what is drawn, by its place in the layer.
    pub(crate) fn name(&self, name: &str, [row, column]: [usize; 2]) -> String {
        let [top, left] = self.first;
        format!("{name}[{}, {}, {}]", self.map, top + row, left + column)
    }

    /// What a channel is called beside its plane.
    pub(crate) fn labels(&self) -> Vec<String> {
        let label = |channel: &usize| format!("channel {channel}");
        self.channels.iter().map(label).collect()
    }
}

/// The frame of an element that stays while others have their turn.
pub(crate) fn lasting(grid: &Grid, [row, column]: [usize; 2]) -> [Item; 2] {
    // Seen on any colour of a cell: the page shines around the ink.
    let frame = |paint, width| grid.around(row, column, paint, width);
    [frame(Paint::Page, 4.5), frame(Paint::Ink, 2.2)]
}

/// The dashed frame of what it reads, so many rows and columns of cells.
pub(crate) fn read_by(corner: Point, cell: f64, [rows, columns]: [usize; 2]) -> [Item; 2] {
    let frame = || Item::rectangle(corner, columns as f64 * cell, rows as f64 * cell);
    [
        frame().stroke(Paint::Page, 3.2),
        frame().stroke(Paint::Ink, 1.8).dashed(),
    ]
}
