//! Who makes and who reads each value.

use crate::{Graph, ValueId};

/// Makers and readers of every value of a graph, by places in [`Graph::nodes`].
pub(crate) struct Users {
    makers: Vec<Option<usize>>,
    readers: Vec<Vec<usize>>,
    /// The value leaves the graph: an output, auxiliary logits, a gradient or an update.
    leaves: Vec<bool>,
}

impl Users {
    pub(crate) fn of(graph: &Graph) -> Self {
        let values = graph.values().len();
        let mut users = Self {
            makers: vec![None; values],
            readers: vec![Vec::new(); values],
            leaves: vec![false; values],
        };
        for (index, node) in graph.nodes.iter().enumerate() {
            for output in &node.outputs {
                users.makers[output.index()] = Some(index);
            }
            for input in &node.inputs {
                users.readers[input.index()].push(index);
            }
        }
        for id in graph.leaving() {
            users.leaves[id.index()] = true;
        }
        users
    }

    /// The node that makes the value.
    pub(crate) fn maker(&self, value: ValueId) -> Option<usize> {
        self.makers[value.index()]
    }

    /// The node that reads the value, if it is read exactly once and does not leave the graph.
    pub(crate) fn only_reader(&self, value: ValueId) -> Option<usize> {
        match self.readers[value.index()].as_slice() {
            &[reader] if !self.leaves[value.index()] => Some(reader),
            _ => None,
        }
    }
}

impl Graph {
    /// The values a run is for: outputs, auxiliary logits, gradients and new states.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = ValueId> {
        let heads = self.auxiliary.iter().map(|&(logits, _)| logits);
        let pairs = self.gradients.iter().chain(&self.updates);
        let outputs = self.outputs.iter().copied();
        outputs.chain(heads).chain(pairs.map(|&(_, new)| new))
    }
}
