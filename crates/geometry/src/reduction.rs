//! Axes brought down to one element each.

use crate::axis_error::{addressable, axis_of, lifted};
use crate::{AxisError, MAX_AXES};

/// A reduction of some axes of a given shape. The reduced axes stay, with extent 1, so that the result
/// broadcasts against the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reduction {
    rank: usize,
    shape: [usize; MAX_AXES],
    reduced: [bool; MAX_AXES],
}

impl Reduction {
    /// Checks the axes against a shape; negative ones count from the end.
    ///
    /// # Errors
    /// An axis that does not exist or is named twice, too many axes, overflow.
    pub fn resolve(axes: &[i64], shape: &[usize]) -> Result<Self, AxisError> {
        let rank = shape.len();
        let mut reduction = Self {
            rank,
            shape: lifted(shape)?,
            reduced: [false; MAX_AXES],
        };
        addressable("the input", shape)?;
        for &axis in axes {
            let axis = axis_of(axis, rank)?;
            if std::mem::replace(&mut reduction.reduced[axis], true) {
                return Err(AxisError::RepeatedAxis { axis });
            }
        }
        Ok(reduction)
    }

    /// Shape of the input.
    pub fn input_shape(&self) -> &[usize] {
        &self.shape[..self.rank]
    }

    /// Whether an axis is reduced.
    pub fn is_reduced(&self, axis: usize) -> bool {
        self.reduced[axis]
    }

    /// Shape of the result, as long as the input's.
    pub fn output_shape(&self) -> Vec<usize> {
        let axes = self.input_shape().iter().zip(&self.reduced);
        axes.map(|(&n, &reduced)| if reduced { 1 } else { n })
            .collect()
    }

    /// Elements of the input that one element of the result is made of.
    pub fn count(&self) -> usize {
        let axes = self.input_shape().iter().zip(&self.reduced);
        axes.filter(|(_, reduced)| **reduced)
            .map(|(n, _)| n)
            .product()
    }
}
