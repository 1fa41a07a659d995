//! What a parameter adds to the loss for being large.

use crate::OpError;

/// A penalty on the elements `w` of a parameter, `l1·Σ|w| + l2·½·Σw²`, that a
/// [training step](crate::passes::training) adds to its loss.
///
/// The half is TensorFlow-Slim's: the gradient of the second term is `l2·w`, and plain descent with it is
/// descent with weight decay `l2`. Keras and Caffe count `Σw²` without it.
///
/// ```
/// use graph::Regulariser;
///
/// let both = Regulariser { l1: 1e-5, ..Regulariser::l2(4e-5) };
/// assert_eq!(both, Regulariser { l1: 1e-5, l2: 4e-5 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regulariser {
    /// Weight of the sum of absolute values, 0 or more.
    pub l1: f32,
    /// Weight of half the sum of squares, 0 or more.
    pub l2: f32,
}

impl Regulariser {
    /// Absolute values alone: small elements are driven to 0.
    pub fn l1(weight: f32) -> Self {
        Self {
            l1: weight,
            l2: 0.0,
        }
    }

    /// Squares alone: large elements are drawn in.
    pub fn l2(weight: f32) -> Self {
        Self {
            l1: 0.0,
            l2: weight,
        }
    }

    /// Checks that no weight is negative, infinite or not a number.
    pub(crate) fn check(self) -> Result<(), OpError> {
        for (setting, value) in [("l1", self.l1), ("l2", self.l2)] {
            OpError::unless_weight("regulariser", setting, value)?;
        }
        Ok(())
    }
}
