//! What regularised parameters add to the loss.

use super::loss::add_term;
use crate::families::UnaryOp;
use crate::{
    ArithmeticOp, BinaryOp, Graph, GraphError, Op, RearrangeOp, ReduceOp, Regulariser, Role,
    ValueId,
};
use tensor::Unary;

/// Adds the penalties of all parameters to the first output, the loss.
///
/// ```text
/// w ─▶ |w|, w·w ─▶ sum over all axes ─▶ · l1, · l2/2 ─▶ + loss ─▶ the loss to be trained on
/// ```
/// They are ordinary nodes with gradients of their own; a parameter that two layers share counts once.
pub(super) fn penalise(step: &mut Graph) -> Result<(), GraphError> {
    let penalised: Vec<_> = step
        .parameters()
        .filter_map(|(id, value)| match value.role {
            Role::Parameter { regulariser, .. } => Some((id, regulariser?)),
            _ => None,
        })
        .collect();
    for (parameter, Regulariser { l1, l2 }) in penalised {
        let layer = format!("{}.penalty", step.value(parameter).name);
        if l1 > 0.0 {
            let absolute = Op::Unary(UnaryOp::Apply(Unary::Abs));
            add(step, &layer, absolute, vec![parameter], l1)?;
        }
        if l2 > 0.0 {
            let square = Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul));
            add(step, &layer, square, vec![parameter, parameter], l2 / 2.0)?;
        }
    }
    Ok(())
}

/// Adds to the loss `weight` times the sum of what an operator makes.
fn add(
    step: &mut Graph,
    layer: &str,
    op: Op,
    inputs: Vec<ValueId>,
    weight: f32,
) -> Result<(), GraphError> {
    let terms = step.append(op, layer, inputs)?[0];
    let sum = ArithmeticOp::Reduce {
        op: ReduceOp::Sum,
        axes: (0..step.value(terms).shape.len() as i64).collect(),
    };
    let sum = step.append(Op::Arithmetic(sum), layer, vec![terms])?;
    let number = Op::Rearrange(RearrangeOp::Reshape { shape: Vec::new() });
    let sum = step.append(number, layer, sum)?[0];
    add_term(step, layer, sum, weight)
}
