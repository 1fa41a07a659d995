//! Products row by row: a reshape that makes rows of all axes but the last, operators that keep rows apart, and the
//! reshape back.
//!
//! So are channels mixed where they lie last, as in the blocks of ConvNeXt. An axis of rows stands for several axes
//! together, which no place along it tells apart; between the two reshapes nothing has to.

use crate::families::{RearrangeOp, UnaryOp};
use crate::{Graph, Node, Op, Role, ValueId};

/// Operators in between at most.
const MOST: usize = 16;

/// The value whose places a reshape's output has again, each made of all channels of the same place there.
pub(crate) fn source(graph: &Graph, node: &Node) -> Option<ValueId> {
    let reshapes = |node: &Node| matches!(node.op, Op::Rearrange(RearrangeOp::Reshape { .. }));
    if !reshapes(node) {
        return None;
    }
    let shape = |id: ValueId| graph.value(id).shape.as_slice();
    let (output, rows) = (*node.outputs.first()?, *node.inputs.first()?);
    let (_, places) = shape(output).split_last()?;
    let keeps_channels = shape(rows).last() == shape(output).last();
    if places.len() < 2 || shape(rows).len() != 2 || !keeps_channels {
        return None;
    }
    let mut value = rows;
    for _ in 0..MOST {
        let mut makers = graph.nodes.iter();
        let maker = makers.find(|maker| maker.outputs.contains(&value))?;
        value = *maker.inputs.first()?;
        match &maker.op {
            Op::Linear { .. } => {
                let mut others = maker.inputs[1..].iter();
                if others.any(|&id| graph.value(id).role == Role::Computed) {
                    return None;
                }
            }
            Op::Activation(_) | Op::Unary(UnaryOp::Apply(_)) => {}
            _ if reshapes(maker) => {
                let (_, from) = shape(value).split_last()?;
                return (from == places).then_some(value);
            }
            _ => return None,
        }
    }
    None
}
