//! What a layer computes, and on which numbers.

use graph::{Op, Role};
use tensor::Tensor;

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::subject::Subject;

/// A layer's operator with what it reads: enough to do its arithmetic again.
#[derive(Clone, Debug)]
pub struct Computation {
    /// The layer.
    pub layer: String,
    /// What it computes.
    pub op: Op,
    /// The map that it reads of an image, `[1, channels, height, width]`.
    pub input: Tensor,
    /// Its parameters, in the order of the operator: of a convolution the weight, and the bias if it has one.
    pub parameters: Vec<Tensor>,
}

/// What a layer computes on an image. One of several nodes is its last.
///
/// # Errors
/// [`ExplainError::NoLayer`], [`ExplainError::ReadsNoMap`], [`ExplainError::Image`], and a
/// network that cannot be run.
pub fn computation(
    subject: &Subject,
    image: &[f32],
    layer: &str,
) -> Result<Computation, ExplainError> {
    let node = subject.node(layer)?;
    subject.check_image(image)?;
    let read = subject.network().value(node.inputs[0]);
    if read.shape.len() != 4 {
        return Err(ExplainError::ReadsNoMap {
            layer: layer.to_owned(),
            shape: read.shape.clone(),
        });
    }
    let input = match read.role {
        Role::Input => Tensor::from_slice(&read.shape, image)?,
        _ => {
            let mut forward = Forward::of_value(subject, node.inputs[0])?;
            forward.run(&[image])?;
            Tensor::from_slice(&read.shape, forward.layer(0, 0))?
        }
    };
    let parameters = subject.weights_of(node).filter_map(|value| {
        let values = subject.weight(&value.name)?;
        Some(Tensor::from_slice(&value.shape, values))
    });
    Ok(Computation {
        layer: layer.to_owned(),
        op: node.op.clone(),
        input,
        parameters: parameters.collect::<Result<_, _>>()?,
    })
}
