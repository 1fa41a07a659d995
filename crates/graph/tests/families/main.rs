//! Families of operators: what they make of their inputs, what they refuse with the numbers, and what
//! their gradients are made of.

mod arithmetic;
mod deformable;
mod functions;
mod normalisation;
mod padding_modes;
mod pooling;
mod rearrange;
mod regions;
mod sampling;
mod transposed;
mod values;

use graph::{ElementType, Graph, Op, OpError, Role, Value, ValueId};

/// A value of floating-point elements.
fn real(shape: &[usize]) -> Value {
    Value {
        name: "v".to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role: Role::Input,
    }
}

/// A value of indices.
fn index(shape: &[usize]) -> Value {
    Value {
        element: ElementType::Index,
        ..real(shape)
    }
}

/// A graph of inputs by themselves, to be continued.
fn inputs(shapes: &[&[usize]]) -> (Graph, Vec<ValueId>) {
    let mut graph = Graph::new("inputs");
    for (place, shape) in shapes.iter().enumerate() {
        let id = graph.add_value(Value {
            name: format!("input {place}"),
            ..real(shape)
        });
        graph.inputs.push(id);
    }
    let places = graph.inputs.clone();
    (graph, places)
}

fn infer(op: &Op, inputs: &[Value]) -> Result<Vec<(Vec<usize>, ElementType)>, OpError> {
    let inputs: Vec<_> = inputs.iter().collect();
    let types = op.infer(&inputs)?;
    Ok(types.into_iter().map(|t| (t.shape, t.element)).collect())
}

/// Shapes of floating-point outputs; with an input less or more the operator refuses.
#[track_caller]
fn gives(op: &Op, inputs: &[Value], outputs: &[&[usize]]) {
    let want: Vec<_> = outputs
        .iter()
        .map(|shape| (shape.to_vec(), ElementType::Real))
        .collect();
    assert_eq!(infer(op, inputs).unwrap(), want, "{op:?}");
    for less in 0..inputs.len() {
        let fewer = infer(op, &inputs[..less]);
        assert!(fewer.is_err(), "{op:?} of {less} inputs");
    }
    let more = [inputs, &[real(&[1])]].concat();
    let more = infer(op, &more).unwrap_err();
    assert!(matches!(more, OpError::ExtraInputs { .. }), "{more}");
}

/// The message with which an operator refuses its inputs.
#[track_caller]
fn refusal(op: &Op, inputs: &[&[usize]]) -> String {
    let inputs: Vec<_> = inputs.iter().map(|shape| real(shape)).collect();
    infer(op, &inputs).unwrap_err().to_string()
}
