//! The filters of a network: the weights of its convolutions, output channel by output channel.

use geometry::ConvDesc;
use graph::{Graph, Node, Op};

use super::Parameters;

/// The filters of one convolution.
pub(super) struct Filters<'a> {
    pub(super) node: &'a Node,
    pub(super) desc: &'a ConvDesc,
    /// `[o, c/g, kernel…]`
    pub(super) shape: &'a [usize],
    /// All of them, one after the other.
    pub(super) weights: &'a [f32],
}

impl<'a> Filters<'a> {
    /// Those of every convolution whose weights are learned, in the order of execution.
    pub(super) fn of(
        network: &'a Graph,
        parameters: &'a Parameters,
    ) -> impl Iterator<Item = Filters<'a>> {
        network.nodes.iter().filter_map(|node| {
            let Op::Conv { desc, .. } = &node.op else {
                return None;
            };
            let weight = *node.inputs.get(1)?;
            let shape = network.value(weight).shape.as_slice();
            let weights = parameters.value(network, weight)?;
            let fits = weights.len() == shape.iter().product::<usize>() && !weights.is_empty();
            fits.then_some(Self {
                node,
                desc,
                shape,
                weights,
            })
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.shape[0]
    }

    /// Elements of one of them.
    pub(super) fn elements(&self) -> usize {
        self.weights.len() / self.len()
    }

    /// One after the other, `[c/g, kernel…]`.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [f32]> {
        self.weights.chunks_exact(self.elements())
    }

    /// The Euclidean norm of each.
    pub(super) fn norms(&self) -> Vec<f64> {
        self.iter().map(norm).collect()
    }
}

/// The Euclidean norm.
pub(super) fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&value| f64::from(value).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The middle of some numbers, the upper one of two; 0 of none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
