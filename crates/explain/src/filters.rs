//! The weights of a layer as pictures.

use graph::{Node, ParameterKind, Role, Value};
use tensor::Tensor;

use crate::error::ExplainError;
use crate::subject::Subject;

/// The filters of a convolution.
#[derive(Clone, Debug)]
pub struct Filters {
    /// The layer.
    pub layer: String,
    /// `[filters, channels that each reads, kernel height, kernel width]`. Filters of three channels in the first layer
    /// are small pictures in the colours of the image.
    pub weights: Tensor,
}

/// The filters of a layer, by default of the first convolution.
///
/// # Errors
/// [`ExplainError::NoLayer`], [`ExplainError::NoFilters`]
pub fn filters(subject: &Subject, layer: Option<&str>) -> Result<Filters, ExplainError> {
    let node = match layer {
        Some(layer) => subject.node(layer)?,
        None => {
            let mut nodes = subject.network().nodes.iter();
            let first = nodes.find(|node| weight_of(subject, node).is_some());
            first.ok_or_else(|| ExplainError::NoFeatureMap {
                name: subject.network().name.clone(),
            })?
        }
    };
    let weight = weight_of(subject, node);
    let Some((shape, values)) = weight else {
        return Err(ExplainError::NoFilters {
            layer: node.layer.clone(),
            op: node.op.name(),
        });
    };
    Ok(Filters {
        layer: node.layer.clone(),
        weights: Tensor::from_slice(shape, values)?,
    })
}

/// Shape and numbers of the filters of a node: of the first parameter it reads that has two axes of space.
fn weight_of<'a>(subject: &'a Subject, node: &'a Node) -> Option<(&'a [usize], &'a [f32])> {
    let mut weights = subject.weights_of(node);
    let weight = weights.find(|value| value.shape.len() == 4 && is_weight(value))?;
    Some((&weight.shape, subject.weight(&weight.name)?))
}

fn is_weight(value: &Value) -> bool {
    let kind = ParameterKind::Weight;
    matches!(value.role, Role::Parameter { kind: found, .. } if found == kind)
}
