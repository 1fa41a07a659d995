//! Reverse-mode differentiation, graph to graph.
//!
//! The nodes of the forward graph are walked from last to first. By the time a node is reached, all
//! its readers have been, so the gradient of its output is complete; the [table](crate::gradient)
//! says what the node gives on to its inputs. Where a value is read more than once the contributions
//! are added up as they arrive, last reader first, so that one sum at a time is alive and its order
//! is fixed by the graph.
//!
//! A gradient is built only where it leads to a parameter: not for the images, nor for anything
//! computed from the images alone.

use crate::gradient::gradient;
use crate::step::Step;
use crate::{Graph, GraphError, Op, Role, ValueId};

/// Appends to a graph the nodes that compute the gradient of `loss` with respect to every parameter
/// that it depends on, and lists them in [`Graph::gradients`] in the order of the parameters.
///
/// `loss` is the result of an [`Op::CrossEntropy`]. Batch normalisations must be
/// [`Op::BatchNormTraining`] and max pools must give their indices, as [`passes::training`]
/// arranges.
///
/// [`passes::training`]: crate::passes::training
///
/// # Errors
/// [`GraphError::NotALoss`], or [`GraphError::NotDifferentiable`] for an operator on the way.
pub fn backward(graph: &Graph, loss: ValueId) -> Result<Graph, GraphError> {
    let value = graph.known(|| "the loss".to_owned(), loss)?;
    let is_loss = graph.nodes.iter().any(|node| {
        matches!(node.op, Op::CrossEntropy { .. }) && node.outputs.as_slice() == [loss]
    });
    if !is_loss {
        return Err(GraphError::NotALoss {
            value: value.name.clone(),
            shape: value.shape.clone(),
        });
    }
    let needed = leads_to_parameter(graph);
    let mut grown = graph.clone();
    let mut gradients: Vec<Option<ValueId>> = vec![None; graph.values().len()];
    for node in graph.nodes.iter().rev() {
        let upstream = node.outputs.first().and_then(|y| gradients[y.index()]);
        let is_loss = node.outputs.as_slice() == [loss];
        if (upstream.is_some() || is_loss) && node.inputs.iter().any(|x| needed[x.index()]) {
            gradient(&mut Step {
                graph: &mut grown,
                gradients: &mut gradients,
                needed: &needed,
                node,
                upstream,
            })?;
        }
    }
    grown.gradients = graph
        .parameters()
        .filter_map(|(id, _)| gradients[id.index()].map(|gradient| (id, gradient)))
        .collect();
    debug_assert_eq!(grown.verify(), Ok(()));
    Ok(grown)
}

/// Which values are parameters or depend on one.
fn leads_to_parameter(graph: &Graph) -> Vec<bool> {
    let mut needed: Vec<bool> = graph
        .values()
        .iter()
        .map(|value| matches!(value.role, Role::Parameter { .. }))
        .collect();
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| needed[input.index()]) {
            for output in &node.outputs {
                needed[output.index()] = true;
            }
        }
    }
    needed
}
