//! From a network to the graph that runs it.

use super::dead::remove_dead_nodes;
use super::epilogue::Epilogue;
use super::rewrite::Rewrite;
use super::scale::absorb_scales;
use crate::users::Users;
use crate::{Graph, GraphError, Node, Op, TransposedOp, ValueId};

/// The graph of a forward run with fixed statistics; its output is that of the network.
///
/// Auxiliary heads are left out, and layers that lead nowhere. Their parameters and states stay listed, so
/// that weights of the whole network load with nothing left over.
///
/// Dropout is left out. A batch normalisation after a convolution is folded into its weight and bias
/// ([`Op::FoldBatchNorm`] on the parameters, which a runtime computes once); any other uses its
/// running statistics. A constant factor after a convolution goes into its weight and bias likewise.
/// Convolutions, transposed ones too, and normalisations take over the addition of a residual and the
/// activation that follow them.
///
/// ```text
/// conv ─▶ batch norm ─▶ add ─▶ relu      becomes      conv { bias, residual, relu }
/// ```
///
/// # Errors
/// A network that does not verify.
pub fn inference(network: &Graph) -> Result<Graph, GraphError> {
    network.verify()?;
    let mut graph = network.clone();
    graph.auxiliary.clear();
    leave_out_dropout(&mut graph);
    // The heads must be gone before layers are fused: what they read besides the body would be left standing.
    let mut graph = remove_dead_nodes(&graph);
    absorb_scales(&mut graph)?;
    fuse(&mut graph)?;
    let graph = remove_dead_nodes(&graph);
    graph.verify()?;
    Ok(graph)
}

/// Readers of what dropout makes read what it was applied to.
fn leave_out_dropout(graph: &mut Graph) {
    let mut stands_for: Vec<ValueId> = graph.iter_values().map(|(id, _)| id).collect();
    graph.nodes.retain_mut(|node| {
        for input in &mut node.inputs {
            *input = stands_for[input.index()];
        }
        let dropped = matches!(node.op, Op::Dropout { .. });
        if dropped {
            stands_for[node.outputs[0].index()] = node.inputs[0];
        }
        !dropped
    });
    for output in &mut graph.outputs {
        *output = stands_for[output.index()];
    }
}

/// A convolution that nothing has been fused into yet, or a normalisation.
fn is_head(op: &Op) -> bool {
    match op {
        Op::Conv {
            residual,
            activation,
            ..
        }
        | Op::Transposed(TransposedOp::Conv {
            residual,
            activation,
            ..
        }) => !residual && activation.is_none(),
        Op::BatchNorm { .. } => true,
        _ => false,
    }
}

fn fuse(graph: &mut Graph) -> Result<(), GraphError> {
    let users = Users::of(graph);
    let mut rewrite = Rewrite::of(graph);
    for index in 0..graph.nodes.len() {
        let op = graph.nodes[index].op.clone();
        if !is_head(&op) || rewrite.is_absorbed(index) {
            continue;
        }
        // The convolution, and the normalisation that it swallows.
        let norm = following_norm(graph, &users, index);
        let last = norm.map_or(index, |(norm, _)| norm);
        let epilogue = Epilogue::find(graph, &users, last, is_head);
        let Node {
            layer, mut inputs, ..
        } = graph.nodes[index].clone();
        let residual = epilogue.residual.is_some();
        let activation = epilogue.activation;
        let op = match op {
            Op::Conv { desc, bias, .. } => {
                if let Some((norm, epsilon)) = norm {
                    let fold = fold(graph, norm, Op::FoldBatchNorm { epsilon, bias }, &inputs)?;
                    inputs.truncate(1);
                    inputs.extend(&fold.outputs);
                    rewrite.place(epilogue.position, fold);
                    rewrite.absorb(norm);
                }
                Op::Conv {
                    desc,
                    bias: bias || norm.is_some(),
                    residual,
                    activation,
                }
            }
            Op::Transposed(TransposedOp::Conv { desc, bias, .. }) => {
                Op::Transposed(TransposedOp::Conv {
                    desc,
                    bias,
                    residual,
                    activation,
                })
            }
            Op::BatchNorm { epsilon, .. } => Op::BatchNormInference {
                epsilon,
                residual,
                activation,
            },
            _ => continue,
        };
        inputs.extend(epilogue.residual);
        rewrite.absorb(index);
        epilogue.absorbed.iter().for_each(|&i| rewrite.absorb(i));
        let outputs = vec![epilogue.output];
        let node = Node {
            op,
            layer,
            inputs,
            outputs,
        };
        rewrite.place(epilogue.position, node);
    }
    rewrite.apply(graph);
    Ok(())
}

/// The normalisation that a convolution can swallow, and its epsilon: the only reader of its result.
fn following_norm(graph: &Graph, users: &Users, index: usize) -> Option<(usize, f32)> {
    let node = &graph.nodes[index];
    let reader = users.only_reader(node.outputs[0])?;
    match (&node.op, &graph.nodes[reader].op) {
        (Op::Conv { .. }, &Op::BatchNorm { epsilon, .. }) => Some((reader, epsilon)),
        _ => None,
    }
}

/// The node that folds the normalisation `norm` into the parameters among `conv_inputs`.
fn fold(
    graph: &mut Graph,
    norm: usize,
    op: Op,
    conv_inputs: &[ValueId],
) -> Result<Node, GraphError> {
    let Node { layer, inputs, .. } = graph.nodes[norm].clone();
    // weight, [bias], then gamma, beta, mean, var.
    graph.make(op, layer, [&conv_inputs[1..], &inputs[1..]].concat())
}
