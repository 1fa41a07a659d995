//! Replacing nodes by fused ones without disturbing the order of the others.

use crate::{Graph, Node};

/// Nodes to leave out of a graph and nodes to put in, by places in [`Graph::nodes`].
pub(super) struct Rewrite {
    absorbed: Vec<bool>,
    placed: Vec<Vec<Node>>,
}

impl Rewrite {
    pub(super) fn of(graph: &Graph) -> Self {
        Self {
            absorbed: vec![false; graph.nodes.len()],
            placed: vec![Vec::new(); graph.nodes.len()],
        }
    }

    /// Leaves the node out.
    pub(super) fn absorb(&mut self, index: usize) {
        self.absorbed[index] = true;
    }

    /// Whether the node is left out.
    pub(super) fn is_absorbed(&self, index: usize) -> bool {
        self.absorbed[index]
    }

    /// Puts a node where the node `index` stands or stood.
    pub(super) fn place(&mut self, index: usize, node: Node) {
        self.placed[index].push(node);
    }

    /// Carries it out. Values that nothing makes any more stay behind until
    /// [`remove_dead`](super::remove_dead).
    pub(super) fn apply(self, graph: &mut Graph) {
        let old = std::mem::take(&mut graph.nodes);
        for ((node, absorbed), placed) in old.into_iter().zip(self.absorbed).zip(self.placed) {
            graph.nodes.extend(placed);
            if !absorbed {
                graph.nodes.push(node);
            }
        }
    }
}
