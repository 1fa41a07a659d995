//! What goes into an imported graph and comes out of it, in the element types of the model.

use super::{Array, Element, OnnxError};

/// Where an input goes, or where an output comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// An input or output of the graph of real elements, by its place in the graph's list.
    Real(usize),
    /// The same of indices: the places of maxima.
    Index(usize, Numbering),
    /// An output that does not depend on what the graph computes.
    Constant(Array),
    /// An input that the graph does not read.
    Unread,
}

/// How a model numbers the places of maxima. A graph numbers those of each plane by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Extents of the planes.
    pub plane: Vec<usize>,
    /// Within a plane the first axis runs fastest (ONNX's `storage_order` 1).
    pub column_major: bool,
}

impl Numbering {
    /// The model's numbers of places that a graph has found: planes one after the other, `indices` of each.
    pub fn to_model(&self, indices: &[u32], each: usize) -> Vec<i64> {
        let plane: usize = self.plane.iter().product();
        let number = |(at, &index): (usize, &u32)| {
            let within = match self.column_major {
                true => self.transposed(index as usize),
                false => index as usize,
            };
            (at / each.max(1) * plane + within) as i64
        };
        indices.iter().enumerate().map(number).collect()
    }

    /// The graph's number of a place that a model has found, within its plane.
    ///
    /// # Errors
    /// A number outside the plane that its place in the list belongs to.
    pub fn to_graph(&self, indices: &[i64], each: usize) -> Result<Vec<u32>, OnnxError> {
        let plane: usize = self.plane.iter().product();
        let number = |(at, &index): (usize, &i64)| {
            let start = at / each.max(1) * plane;
            let within = usize::try_from(index)
                .ok()
                .and_then(|i| i.checked_sub(start));
            let within = within.filter(|&within| within < plane);
            within
                .and_then(|within| u32::try_from(within).ok())
                .ok_or(index)
        };
        let numbers = indices.iter().enumerate().map(number);
        numbers
            .collect::<Result<_, _>>()
            .map_err(|index| OnnxError::Input {
                input: "indices".to_owned(),
                what: format!("{index} is not a place of its plane of {:?}", self.plane),
            })
    }

    /// A row-major place as a column-major one.
    fn transposed(&self, mut index: usize) -> usize {
        let mut place = vec![0; self.plane.len()];
        for (at, &extent) in place.iter_mut().zip(&self.plane).rev() {
            *at = index % extent;
            index /= extent;
        }
        let axes = place.iter().zip(&self.plane).rev();
        axes.fold(0, |number, (&at, &extent)| number * extent + at)
    }
}

/// An input or output of a model, as the model types it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Its name.
    pub name: String,
    /// Its elements in the model.
    pub element: Element,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Where it is in the graph.
    pub source: Source,
}
