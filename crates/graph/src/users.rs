//! Who makes, who reads and who needs each value.

use crate::{Graph, Node, ValueId};

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

    /// The last node that reads the value, if it does not leave the graph.
    pub(crate) fn last_reader(&self, value: ValueId) -> Option<usize> {
        match self.leaves[value.index()] {
            true => None,
            false => self.readers[value.index()].last().copied(),
        }
    }

    /// The node that reads the value, if it is read exactly once and does not leave the graph.
    pub(crate) fn only_reader(&self, value: ValueId) -> Option<usize> {
        match self.readers[value.index()].as_slice() {
            &[reader] if !self.leaves[value.index()] => Some(reader),
            _ => None,
        }
    }
}

impl Node {
    /// The values it reads, each once, by their places in the graph.
    ///
    /// ```
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("double", [1, 4]);
    /// let x = network.input();
    /// let y = network.add(x, x)?;
    /// let network = network.finish(y)?;
    /// assert_eq!(network.nodes[0].inputs, [x, x]);
    /// assert_eq!(network.nodes[0].distinct_inputs(), [x]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn distinct_inputs(&self) -> Vec<ValueId> {
        let mut read = self.inputs.clone();
        read.sort_unstable();
        read.dedup();
        read
    }
}

impl Graph {
    /// For every node whether some of these values depend on what it makes.
    ///
    /// ```
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("branches", [1, 4]);
    /// let x = network.input();
    /// let left = network.linear("left", x, 2)?;
    /// let right = network.linear("right", x, 2)?;
    /// let end = network.relu(right)?;
    /// let network = network.finish(end)?;
    /// assert_eq!(network.needed_for([end]), [false, true, true]);
    /// assert_eq!(network.needed_for([left]), [true, false, false]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn needed_for(&self, values: impl IntoIterator<Item = ValueId>) -> Vec<bool> {
        let mut live = vec![false; self.values().len()];
        for id in values {
            live[id.index()] = true;
        }
        let mut needed = vec![false; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate().rev() {
            if node.outputs.iter().any(|id| live[id.index()]) {
                needed[place] = true;
                node.inputs.iter().for_each(|id| live[id.index()] = true);
            }
        }
        needed
    }

    /// The values a run is for: outputs, auxiliary logits, gradients and new states.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = ValueId> {
        let heads = self.auxiliary.iter().map(|&(logits, _)| logits);
        let pairs = self.gradients.iter().chain(&self.updates);
        let outputs = self.outputs.iter().copied();
        outputs.chain(heads).chain(pairs.map(|&(_, new)| new))
    }
}
