//! Axes in another order.

use crate::axis_error::{addressable, lifted};
use crate::{AxisError, MAX_AXES};

/// A transposition of a given shape: axis `i` of the result is axis `axes()[i]` of the input, as in
/// PyTorch's `permute` and ONNX's Transpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermuteGeometry {
    rank: usize,
    input: [usize; MAX_AXES],
    axes: [usize; MAX_AXES],
}

impl PermuteGeometry {
    /// Checks that `axes` names every axis of the shape once.
    ///
    /// # Errors
    /// Another list than that, overflow.
    pub fn resolve(axes: &[usize], shape: &[usize]) -> Result<Self, AxisError> {
        let input = lifted(shape)?;
        addressable("the input", shape)?;
        let mut named = [false; MAX_AXES];
        let new = |&axis: &usize| axis < shape.len() && !std::mem::replace(&mut named[axis], true);
        if axes.len() != shape.len() || !axes.iter().all(new) {
            return Err(AxisError::NotAPermutation {
                axes: axes.to_vec(),
            });
        }
        Ok(Self {
            rank: shape.len(),
            input,
            axes: lifted(axes)?,
        })
    }

    /// Which axis of the input each axis of the result is.
    pub fn axes(&self) -> &[usize] {
        &self.axes[..self.rank]
    }

    /// Shape of the input.
    pub fn input(&self) -> &[usize] {
        &self.input[..self.rank]
    }

    /// Shape of the result.
    pub fn output_shape(&self) -> Vec<usize> {
        self.axes().iter().map(|&axis| self.input[axis]).collect()
    }

    /// The transposition back, which is the gradient.
    pub fn inverse(&self) -> Self {
        let (mut input, mut axes) = ([1; MAX_AXES], [1; MAX_AXES]);
        for (to, &from) in self.axes().iter().enumerate() {
            input[to] = self.input[from];
            axes[from] = to;
        }
        Self {
            rank: self.rank,
            input,
            axes,
        }
    }
}
