//! Constant factors behind convolutions.

use super::rewrite::Rewrite;
use crate::users::Users;
use crate::{ArithmeticOp, BinaryOp, Graph, GraphError, Op};

/// Multiplies weight and bias of a convolution instead of what it makes, where one number is the factor of all of it:
///
/// ```text
/// conv ─▶ · factor ─▶ …      becomes      conv { weight · factor, bias · factor } ─▶ …
/// ```
/// The products depend on parameters alone, so that a runtime computes them once, and what follows, such as the sum
/// of a residual block, can be fused with the convolution.
pub(super) fn absorb_scales(graph: &mut Graph) -> Result<(), GraphError> {
    let users = Users::of(graph);
    let mut rewrite = Rewrite::of(graph);
    for index in 0..graph.nodes.len() {
        let plain = matches!(
            graph.nodes[index].op,
            Op::Conv {
                residual: false,
                activation: None,
                ..
            }
        );
        if !plain {
            continue;
        }
        let Some((product, factor)) = following_factor(graph, &users, index) else {
            continue;
        };
        let mut conv = graph.nodes[index].clone();
        for parameter in &mut conv.inputs[1..] {
            let fill = Op::Fill {
                shape: vec![1; graph.value(*parameter).shape.len()],
                value: factor,
            };
            let fill = graph.make(fill, conv.layer.clone(), Vec::new())?;
            let inputs = vec![*parameter, fill.outputs[0]];
            let scaled = graph.make(TIMES, conv.layer.clone(), inputs)?;
            *parameter = scaled.outputs[0];
            rewrite.place(index, fill);
            rewrite.place(index, scaled);
        }
        conv.outputs = graph.nodes[product].outputs.clone();
        rewrite.place(index, conv);
        rewrite.absorb(index);
        rewrite.absorb(product);
    }
    rewrite.apply(graph);
    Ok(())
}

const TIMES: Op = Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul));

/// The multiplication that alone reads what a node makes, and its factor, if that is one number.
fn following_factor(graph: &Graph, users: &Users, index: usize) -> Option<(usize, f32)> {
    let y = graph.nodes[index].outputs[0];
    let product = users.only_reader(y)?;
    let node = &graph.nodes[product];
    let &[a, b] = node.inputs.as_slice() else {
        return None;
    };
    let shapes_agree = graph.value(node.outputs[0]).shape == graph.value(y).shape;
    if node.op != TIMES || !shapes_agree {
        return None;
    }
    let other = if a == y { b } else { a };
    match &graph.nodes[users.maker(other)?].op {
        Op::Fill { shape, value } if shape.iter().all(|&extent| extent == 1) => {
            Some((product, *value))
        }
        _ => None,
    }
}
