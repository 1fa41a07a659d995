//! One node of the way back through a graph.

use crate::{Graph, GraphError, Node, Op, RectifierRule, ValueId};

/// One node on the way back: what the table of gradients sees and may do.
pub(crate) struct Step<'a> {
    /// The graph that grows.
    pub(crate) graph: &'a mut Graph,
    /// What is known so far of every value's gradient.
    pub(crate) gradients: &'a mut [Option<ValueId>],
    /// Which values lead to a parameter.
    pub(crate) needed: &'a [bool],
    /// The forward node.
    pub(crate) node: &'a Node,
    /// How gradients pass rectifiers.
    pub(crate) rule: RectifierRule,
    /// The gradient of its first output.
    pub(crate) upstream: Option<ValueId>,
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

    /// Whether anyone wants a gradient of an input, or of what it is made of.
    pub(crate) fn is_needed(&self, place: usize) -> bool {
        self.needed[self.input(place).index()]
    }

    /// The gradient of the first output; the loss itself has none, its slope is one.
    pub(crate) fn upstream(&self) -> Result<ValueId, GraphError> {
        self.upstream.ok_or_else(|| self.refuse(" as a loss"))
    }

    /// Gives an existing value to an input as (a part of) its gradient.
    pub(crate) fn pass(&mut self, place: usize, gradient: ValueId) -> Result<(), GraphError> {
        let input = self.node.inputs[place];
        if !self.is_needed(place) {
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
        if !places.iter().any(|&place| self.is_needed(place)) {
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
