//! One axis of a resizing as a table: which input elements make an output element.

use geometry::{CubicCoefficient, ResizeFilter};
use tensor::MemoryError;
use tensor::memory::{try_more, try_room};

use super::coordinates::Axis;
use crate::sampling::cubic;

/// For every output element of an axis, a run of neighbouring input elements and their weights.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    weights: Vec<f64>,
}

/// A run of input elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The first of them.
    pub(super) first: usize,
    /// Where its weight stands among those of the table.
    pub(super) start: usize,
    /// How many they are.
    pub(super) len: usize,
}

impl Table {
    /// The table of one axis.
    ///
    /// # Errors
    /// When the system does not give the memory for it.
    pub(super) fn new(
        axis: &Axis,
        filter: ResizeFilter,
        exclude_outside: bool,
    ) -> Result<Self, MemoryError> {
        let mut table = Self::with_rows(axis.output)?;
        let mut weights = Vec::new();
        for index in 0..axis.output {
            let first = match axis.position(index) {
                None => {
                    weights.clear();
                    0
                }
                Some(position) => around(axis, filter, exclude_outside, position, &mut weights)?,
            };
            table.push(first, &weights)?;
        }
        Ok(table)
    }

    /// The table of the gradient: for every input element, the output elements it went into.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub(super) fn transposed(&self, input: usize) -> Result<Self, MemoryError> {
        // By input element, the output elements between the first and the last that read it; a few
        // of these may not, and have a weight of zero.
        let mut reach = try_room(input)?;
        reach.resize(input, (usize::MAX, 0));
        for (index, row) in self.rows.iter().enumerate() {
            for (first, end) in &mut reach[row.first..row.first + row.len] {
                *first = index.min(*first);
                *end = index + 1;
            }
        }
        let mut table = Self::with_rows(input)?;
        let mut weights = Vec::new();
        for (element, &(first, end)) in reach.iter().enumerate() {
            let range = first.min(end)..end;
            weights.clear();
            try_more(&mut weights, range.len())?;
            weights.extend(range.clone().map(|index| self.weight(index, element)));
            table.push(range.start, &weights)?;
        }
        Ok(table)
    }

    fn with_rows(rows: usize) -> Result<Self, MemoryError> {
        Ok(Self {
            rows: try_room(rows)?,
            weights: Vec::new(),
        })
    }

    fn push(&mut self, first: usize, weights: &[f64]) -> Result<(), MemoryError> {
        try_more(&mut self.weights, weights.len())?;
        self.rows.push(Row {
            first,
            start: self.weights.len(),
            len: weights.len(),
        });
        self.weights.extend_from_slice(weights);
        Ok(())
    }

    /// Weight of input element `element` in output element `index`.
    fn weight(&self, index: usize, element: usize) -> f64 {
        let (row, weights) = (self.rows[index], self.of(index));
        let at = element.checked_sub(row.first);
        at.and_then(|at| weights.get(at)).copied().unwrap_or(0.0)
    }

    /// The run of output element `index`.
    pub(super) fn row(&self, index: usize) -> Row {
        self.rows[index]
    }

    /// The weights of output element `index`.
    pub(super) fn of(&self, index: usize) -> &[f64] {
        let row = self.rows[index];
        &self.weights[row.start..][..row.len]
    }

    /// The weights of all rows.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// Fills `weights` with those of the input elements around a position and gives the first of these.
/// Elements of weight zero at either end are left out, so that whatever they hold is not read.
fn around(
    axis: &Axis,
    filter: ResizeFilter,
    exclude_outside: bool,
    position: f64,
    weights: &mut Vec<f64>,
) -> Result<usize, MemoryError> {
    weights.clear();
    let (support, antialias) = match filter {
        ResizeFilter::Nearest(rounding) => {
            weights.push(1.0);
            return Ok(axis.nearest(rounding, position));
        }
        ResizeFilter::Linear { antialias } => (1.0, antialias),
        ResizeFilter::Cubic { antialias, .. } => (2.0, antialias),
    };
    let stretch = if antialias { axis.step().max(1.0) } else { 1.0 };
    let weight = |element: i64| value(filter, (element as f64 - position) / stretch);
    let from = (position - support * stretch).floor() as i64;
    let to = (position + support * stretch).ceil() as i64;
    let last = axis.input as i64 - 1;
    let first = from.clamp(0, last);
    let len = (to.clamp(0, last) - first + 1) as usize;
    try_more(weights, len)?;
    weights.resize(len, 0.0);
    for element in from..=to {
        let inside = element.clamp(0, last);
        if !exclude_outside || inside == element {
            weights[(inside - first) as usize] += weight(element);
        }
    }
    if antialias || exclude_outside {
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    let zeros = weights.iter().take_while(|&&w| w == 0.0).count();
    weights.drain(..zeros);
    while weights.last() == Some(&0.0) {
        weights.pop();
    }
    Ok(first as usize + zeros)
}

/// The filter at `distance` from its middle.
fn value(filter: ResizeFilter, distance: f64) -> f64 {
    match filter {
        ResizeFilter::Nearest(_) => 1.0,
        ResizeFilter::Linear { .. } => (1.0 - distance.abs()).max(0.0),
        ResizeFilter::Cubic { coefficient, .. } => {
            let a = match coefficient {
                CubicCoefficient::MinusHalf => -0.5,
                CubicCoefficient::MinusThreeQuarters => -0.75,
            };
            cubic::kernel(a, distance)
        }
    }
}
