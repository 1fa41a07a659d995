//! Values without a graph around them.

use graph::{ElementType, Op, OpError, Role, Value};

/// A value of floating-point elements.
pub(crate) fn float(shape: &[usize]) -> Value {
    Value {
        name: "v".to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role: Role::Input,
    }
}

/// The shape of the only output.
pub(crate) fn infer(op: &Op, inputs: &[&[usize]]) -> Result<Vec<usize>, OpError> {
    let values: Vec<_> = inputs.iter().map(|shape| float(shape)).collect();
    let mut made = op.infer(&values.iter().collect::<Vec<_>>())?;
    assert_eq!(made.len(), 1, "{op:?}");
    Ok(made.remove(0).shape)
}
