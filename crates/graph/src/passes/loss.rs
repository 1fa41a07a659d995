//! A loss of several terms.

use crate::{ArithmeticOp, BinaryOp, Graph, GraphError, Op, ValueId};

/// Adds `weight · term` to the first output, the loss; the term is a single number.
///
/// ```text
/// term ─▶ · weight ─▶ + loss ─▶ the loss to be trained on
/// ```
pub(super) fn add_term(
    step: &mut Graph,
    layer: &str,
    term: ValueId,
    weight: f32,
) -> Result<(), GraphError> {
    let (shape, value) = (Vec::new(), weight);
    let weight = step.append(Op::Fill { shape, value }, layer, Vec::new())?[0];
    let product = Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul));
    let weighted = step.append(product, layer, vec![term, weight])?[0];
    let loss = step.outputs[0];
    step.outputs[0] = step.append(Op::Add, layer, vec![loss, weighted])?[0];
    Ok(())
}
