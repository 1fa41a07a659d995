//! Tensors side by side.

use crate::axis_error::{addressable, axis_of};
use crate::{AxisError, MAX_AXES};

/// A concatenation of tensors whose shapes agree on all axes but one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConcatGeometry {
    axis: usize,
    shape: Vec<usize>,
    starts: Vec<usize>,
}

impl ConcatGeometry {
    /// Checks that tensors of these shapes can be joined on `axis`; a negative one counts from the end.
    ///
    /// # Errors
    /// No tensors, other ranks or extents than the first has, an axis that does not exist, overflow.
    pub fn resolve<S: AsRef<[usize]>>(axis: i64, shapes: &[S]) -> Result<Self, AxisError> {
        let first = shapes.first().ok_or(AxisError::NoInputs)?.as_ref();
        if first.len() > MAX_AXES {
            return Err(AxisError::TooManyAxes { axes: first.len() });
        }
        let axis = axis_of(axis, first.len())?;
        let mut starts = Vec::with_capacity(shapes.len() + 1);
        let mut total = 0usize;
        for (input, shape) in shapes.iter().map(AsRef::as_ref).enumerate() {
            if shape.len() != first.len() {
                return Err(AxisError::RanksDiffer {
                    input,
                    given: shape.len(),
                    expected: first.len(),
                });
            }
            let differs = |&other: &usize| other != axis && shape[other] != first[other];
            if let Some(other) = (0..first.len()).find(differs) {
                return Err(AxisError::ExtentsDiffer {
                    input,
                    axis: other,
                    given: shape[other],
                    expected: first[other],
                });
            }
            starts.push(total);
            total = total.checked_add(shape[axis]).ok_or(AxisError::Overflow {
                what: "the concatenated axis",
            })?;
        }
        starts.push(total);
        let mut shape = first.to_vec();
        shape[axis] = total;
        addressable("the concatenated tensor", &shape)?;
        Ok(Self {
            axis,
            shape,
            starts,
        })
    }

    /// The axis, counted from the outermost.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// Shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Where each input begins on the axis, and where the last one ends.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }
}
