//! Batch normalisations that are frozen in a training: they keep their running statistics and use them.
//!
//! With fixed statistics a normalisation is a scale and a shift of each channel, and so part of the convolution
//! before it, or a depthwise 1×1 convolution of its own:
//!
//! ```text
//! frozen conv ─▶ frozen norm ─▶ [add] ─▶ [relu]      becomes      conv { bias, residual, relu }
//!   anything  ─▶ frozen norm ─▶ [add] ─▶ [relu]      becomes      depthwise conv { bias, residual, relu }
//! ```
//!
//! Weight and bias of either are made by [`Op::FoldBatchNorm`] of frozen values alone, so they need no gradient, and
//! what gradient passes through is that of a convolution.

use geometry::ConvDesc;

use super::epilogue::Epilogue;
use super::rewrite::Rewrite;
use crate::users::Users;
use crate::{Graph, GraphError, Node, Op, Role, ValueId};

/// Replaces every batch normalisation whose scale and shift do not learn.
pub(super) fn fix_frozen_norms(graph: &mut Graph) -> Result<(), GraphError> {
    let users = Users::of(graph);
    let mut rewrite = Rewrite::of(graph);
    for index in 0..graph.nodes.len() {
        let &Op::BatchNorm { epsilon, .. } = &graph.nodes[index].op else {
            continue;
        };
        let Node { layer, inputs, .. } = graph.nodes[index].clone();
        if ![inputs[1], inputs[2]]
            .iter()
            .all(|&id| is_frozen(graph, id))
        {
            continue;
        }
        let epilogue = Epilogue::find(graph, &users, index, |op| {
            matches!(op, Op::BatchNorm { .. })
        });
        // What the convolution reads, its descriptor, and the weight and the bias to be folded.
        let (x, desc, mut folded) = match frozen_conv(graph, &users, inputs[0]) {
            Some(conv) => {
                rewrite.absorb(conv);
                let Node { op, inputs, .. } = &graph.nodes[conv];
                let Op::Conv { desc, .. } = op else { continue };
                (inputs[0], desc.clone(), inputs[1..].to_vec())
            }
            None => {
                let (desc, ones) = identity(graph, inputs[0], &layer)?;
                let made = ones.outputs.clone();
                rewrite.place(epilogue.position, ones);
                (inputs[0], desc, made)
            }
        };
        let bias = folded.len() > 1;
        folded.extend(&inputs[1..]);
        let fold = graph.make(Op::FoldBatchNorm { epsilon, bias }, layer.clone(), folded)?;
        let op = Op::Conv {
            desc,
            bias: true,
            residual: epilogue.residual.is_some(),
            activation: epilogue.activation,
        };
        let inputs = [x].into_iter().chain(fold.outputs.clone());
        let node = Node {
            op,
            layer,
            inputs: inputs.chain(epilogue.residual).collect(),
            outputs: vec![epilogue.output],
        };
        rewrite.place(epilogue.position, fold);
        rewrite.place(epilogue.position, node);
        rewrite.absorb(index);
        epilogue.absorbed.iter().for_each(|&i| rewrite.absorb(i));
    }
    rewrite.apply(graph);
    Ok(())
}

/// A parameter that does not learn.
fn is_frozen(graph: &Graph, id: ValueId) -> bool {
    matches!(graph.value(id).role, Role::Parameter { trainable, .. } if !trainable)
}

/// The convolution that makes a value for the normalisation alone, if none of its parameters learns.
fn frozen_conv(graph: &Graph, users: &Users, x: ValueId) -> Option<usize> {
    let maker = users.maker(x)?;
    users.only_reader(x)?;
    let node = &graph.nodes[maker];
    let plain = matches!(
        node.op,
        Op::Conv {
            residual: false,
            activation: None,
            ..
        }
    );
    let frozen = node.inputs[1..].iter().all(|&id| is_frozen(graph, id));
    (plain && frozen).then_some(maker)
}

/// The depthwise convolution that leaves feature maps as they are: its descriptor, and the node that makes its weight
/// of ones.
fn identity(graph: &mut Graph, x: ValueId, layer: &str) -> Result<(ConvDesc, Node), GraphError> {
    let shape = graph.value(x).shape.clone();
    let channels = shape.get(1).copied().unwrap_or(0);
    let axes = shape.len().saturating_sub(2);
    let desc = ConvDesc::new(channels, vec![1; axes]).groups(channels);
    let mut weight = vec![channels, 1];
    weight.resize(2 + axes, 1);
    let ones = Op::Fill {
        shape: weight,
        value: 1.0,
    };
    let node = graph.make(ones, layer.to_owned(), Vec::new())?;
    Ok((desc, node))
}
