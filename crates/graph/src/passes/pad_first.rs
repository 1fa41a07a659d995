//! Padding that is not zeros, made explicit.

use geometry::{ConvDesc, ConvGeometry, PadDesc, PadMode, Padding, PaddingMode};

use super::rewrite::Rewrite;
use crate::{Graph, GraphError, Node, Op, RearrangeOp, ValueId};

/// The graph with every convolution whose padding is not zeros written as a padding and an unpadded
/// convolution, in all three directions; kernels pad with zeros only.
///
/// ```text
/// conv { reflect }                   becomes   pad ─▶ conv
/// conv backward-data { reflect }     becomes   conv backward-data ─▶ pad backward
/// conv backward-weights { reflect }  becomes   pad ─▶ conv backward-weights
/// ```
/// Values keep their ids. Padding is cheap beside a convolution, so a backward pass pads again
/// instead of keeping what the forward pass padded.
///
/// # Errors
/// A convolution that does not fit its input.
pub fn pad_first(graph: &Graph) -> Result<Graph, GraphError> {
    let mut padded = graph.clone();
    let mut rewrite = Rewrite::of(graph);
    for (index, node) in graph.nodes.iter().enumerate() {
        let first = |node: &Node| graph.value(node.inputs[0]).shape.clone();
        let (desc, input) = match &node.op {
            Op::Conv { desc, .. } | Op::ConvBackwardWeights { desc } => (desc, first(node)),
            Op::ConvBackwardData { desc, input } => (desc, input.clone()),
            _ => continue,
        };
        if desc.padding_mode == PaddingMode::Zeros {
            continue;
        }
        let geometry = desc.resolve(&input);
        let geometry = geometry.map_err(crate::OpError::on(node.op.name(), &input));
        let geometry = geometry.map_err(|error| error.in_layer(&node.layer))?;
        if geometry.pads_with_zeros() {
            continue;
        }
        for node in nodes(&mut padded, node, &geometry)? {
            rewrite.place(index, node);
        }
        rewrite.absorb(index);
    }
    rewrite.apply(&mut padded);
    debug_assert!(graph.verify().is_err() || padded.verify().is_ok());
    Ok(padded)
}

/// The nodes that stand for one.
fn nodes(graph: &mut Graph, node: &Node, geometry: &ConvGeometry) -> Result<[Node; 2], GraphError> {
    let Node {
        op,
        layer,
        inputs,
        outputs,
    } = node.clone();
    let desc = padding(geometry);
    let pad = |graph: &mut Graph, x: ValueId| {
        let desc = desc.clone();
        let op = Op::Rearrange(RearrangeOp::Pad { desc, value: 0.0 });
        graph.make(op, layer.clone(), vec![x])
    };
    Ok(match op {
        Op::ConvBackwardData { desc: conv, input } => {
            let op = Op::ConvBackwardData {
                desc: unpadded(conv),
                input: geometry.padded().input_shape(),
            };
            let conv = graph.make(op, layer.clone(), inputs)?;
            let op = Op::Rearrange(RearrangeOp::PadBackward { desc, input });
            let inputs = conv.outputs.clone();
            let fold = Node {
                op,
                layer,
                inputs,
                outputs,
            };
            [conv, fold]
        }
        op => {
            let pad = pad(graph, inputs[0])?;
            let op = match op {
                Op::Conv {
                    desc,
                    bias,
                    residual,
                    activation,
                } => Op::Conv {
                    desc: unpadded(desc),
                    bias,
                    residual,
                    activation,
                },
                Op::ConvBackwardWeights { desc } => Op::ConvBackwardWeights {
                    desc: unpadded(desc),
                },
                other => other,
            };
            let inputs = [&pad.outputs[..], &inputs[1..]].concat();
            let conv = Node {
                op,
                layer,
                inputs,
                outputs,
            };
            [pad, conv]
        }
    })
}

fn unpadded(desc: ConvDesc) -> ConvDesc {
    desc.padding(Padding::Valid)
        .padding_mode(PaddingMode::Zeros)
}

/// The padding that a convolution asks for, as an operator of its own.
fn padding(geometry: &ConvGeometry) -> PadDesc {
    let mode = match geometry.padding_mode {
        PaddingMode::Zeros => PadMode::Constant,
        PaddingMode::Reflect => PadMode::Reflect,
        PaddingMode::Replicate => PadMode::Replicate,
        PaddingMode::Circular => PadMode::Circular,
    };
    let amounts: Vec<_> = geometry
        .spatial()
        .iter()
        .map(|window| (window.before as i64, window.after as i64))
        .collect();
    PadDesc::spatial(mode, &amounts)
}
