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
use crate::{Graph, GraphError, Node, Op, Role, ValueId};

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

/// One node on the way back: what the table of gradients sees and may do.
pub(crate) struct Step<'a> {
    graph: &'a mut Graph,
    gradients: &'a mut [Option<ValueId>],
    needed: &'a [bool],
    node: &'a Node,
    upstream: Option<ValueId>,
}

impl Step<'_> {
    /// The operator to differentiate.
    pub(crate) fn op(&self) -> &Op {
        &self.node.op
    }

    /// Inputs of the forward node.
    pub(crate) fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// An input of the forward node.
    pub(crate) fn input(&self, place: usize) -> ValueId {
        self.node.inputs[place]
    }

    /// An output of the forward node.
    pub(crate) fn output(&self, place: usize) -> ValueId {
        self.node.outputs[place]
    }

    /// The shape of a value.
    pub(crate) fn shape(&self, value: ValueId) -> &[usize] {
        &self.graph.value(value).shape
    }

    /// The gradient of the first output; the loss itself has none, its slope is one.
    pub(crate) fn upstream(&self) -> Result<ValueId, GraphError> {
        self.upstream.ok_or_else(|| self.refuse(" as a loss"))
    }

    /// Gives an existing value to an input as (a part of) its gradient.
    pub(crate) fn pass(&mut self, place: usize, gradient: ValueId) -> Result<(), GraphError> {
        let input = self.node.inputs[place];
        if !self.needed[input.index()] {
            return Ok(());
        }
        let sum = match self.gradients[input.index()] {
            None => gradient,
            Some(before) => {
                let sum = self.intermediate(Op::Add, vec![before, gradient])?;
                self.name_after(sum, input);
                sum
            }
        };
        self.gradients[input.index()] = Some(sum);
        Ok(())
    }

    /// Adds a node and gives its outputs to the inputs at `places`. Nothing is added when no one
    /// needs any of them.
    pub(crate) fn give(
        &mut self,
        op: Op,
        inputs: Vec<ValueId>,
        places: &[usize],
    ) -> Result<(), GraphError> {
        let node = self.node;
        if !places
            .iter()
            .any(|&place| self.needed[node.inputs[place].index()])
        {
            return Ok(());
        }
        let outputs = self.graph.append(op, node.layer.clone(), inputs)?;
        for (&place, output) in places.iter().zip(outputs) {
            self.name_after(output, node.inputs[place]);
            self.pass(place, output)?;
        }
        Ok(())
    }

    /// Adds a node whose only output is not yet the gradient of anything.
    pub(crate) fn intermediate(
        &mut self,
        op: Op,
        inputs: Vec<ValueId>,
    ) -> Result<ValueId, GraphError> {
        let outputs = self.graph.append(op, self.node.layer.clone(), inputs)?;
        Ok(outputs[0])
    }

    /// This operator has no gradient, and what to do about it.
    pub(crate) fn refuse(&self, hint: &'static str) -> GraphError {
        GraphError::NotDifferentiable {
            layer: self.node.layer.clone(),
            op: self.node.op.name(),
            hint,
        }
    }

    fn name_after(&mut self, gradient: ValueId, value: ValueId) {
        let name = format!("{}.grad", self.graph.value(value).name);
        self.graph.values[gradient.index()].name = name;
    }
}
