//! How a classifier's logits become probabilities.

use tensor::Unary;

use crate::users::Users;
use crate::{Graph, Op, RearrangeOp, SoftmaxOp, UnaryOp, ValueId};

/// What makes probabilities of a classifier's logits.
///
/// ```
/// use graph::{NetworkBuilder, OutputActivation};
///
/// let mut network = NetworkBuilder::new("several labels", [1, 6]);
/// let x = network.input();
/// let x = network.linear("fc", x, 3)?;
/// let labels = network.sigmoid(x)?;
/// let network = network.finish(labels)?;
/// assert_eq!(OutputActivation::of(&network), OutputActivation::Sigmoid);
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputActivation {
    /// The classes exclude each other: their probabilities sum to 1.
    Softmax,
    /// Each class has a probability of its own, whatever that of others.
    Sigmoid,
}

impl OutputActivation {
    /// That of a network: the softmax or sigmoid at its end, or what is [usual](Self::usual) where it makes logits.
    pub fn of(network: &Graph) -> Self {
        let Some(&output) = network.outputs.first() else {
            return Self::Softmax;
        };
        let classes = network.value(output).shape.get(1).copied();
        let at_end = Self::before(network, output).map(|(activation, _)| activation);
        at_end.unwrap_or_else(|| Self::usual(classes.unwrap_or_default()))
    }

    /// That of logits which nothing is known of: softmax. A single one can only stand against its absence: its softmax
    /// would be 1 whatever the image.
    pub fn usual(classes: usize) -> Self {
        match classes {
            1 => Self::Sigmoid,
            _ => Self::Softmax,
        }
    }

    /// The operator: `[n, classes] → [n, classes]`.
    pub fn op(self) -> Op {
        match self {
            Self::Softmax => Op::Softmax,
            Self::Sigmoid => Op::Unary(UnaryOp::Apply(Unary::Sigmoid)),
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
        }
    }

    /// The activation over the classes that makes an output, and what it reads, if one does.
    pub(crate) fn before(graph: &Graph, output: ValueId) -> Option<(Self, ValueId)> {
        let users = Users::of(graph);
        let mut value = output;
        loop {
            let node = &graph.nodes[users.maker(value)?];
            let read = *node.inputs.first()?;
            match &node.op {
                Op::Softmax | Op::Softmaxes(SoftmaxOp::Along { axis: 1, .. }) => {
                    return Some((Self::Softmax, read));
                }
                Op::Unary(UnaryOp::Apply(Unary::Sigmoid)) => return Some((Self::Sigmoid, read)),
                // Axes of extent 1 come and go.
                Op::Flatten | Op::Rearrange(RearrangeOp::Reshape { .. })
                    if graph.value(read).shape.get(..2) == graph.value(value).shape.get(..2) =>
                {
                    value = read;
                }
                _ => return None,
            }
        }
    }
}
