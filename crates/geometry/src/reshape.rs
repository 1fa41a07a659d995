//! The same elements with other extents.

use crate::AxisError;
use crate::axis_error::addressable;

/// Checks that a tensor of shape `input` can be read with the shape `output`: both hold as many
/// elements.
///
/// # Errors
/// Another number of elements, or one that cannot be addressed.
pub fn check_reshape(input: &[usize], output: &[usize]) -> Result<(), AxisError> {
    let elements = addressable("the input", input)?;
    if addressable("the reshaped tensor", output)? == elements {
        return Ok(());
    }
    Err(AxisError::ElementsDiffer {
        input: input.to_vec(),
        output: output.to_vec(),
    })
}
