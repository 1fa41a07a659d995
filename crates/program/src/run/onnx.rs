//! An ONNX model on arrays, in the element types of its file.

use std::path::Path;

use formats::onnx::{Array, Bindings, Edge, Element, Import, Model, OnnxError, Source};
use graph::{Graph, passes};
use runtime::{Evaluation, Program, Run, RuntimeOptions};

use crate::failure::usage;
use crate::model;

/// Runs a model once and gives its outputs in order.
pub(super) fn run(
    path: &Path,
    inputs: &[Array],
    options: &RuntimeOptions,
) -> anyhow::Result<Vec<Array>> {
    let named = |error| model::named(path, error);
    let onnx = model::open(path)?;
    let bindings = bound(path, &onnx, inputs)?;
    let mut import = model::import(path, &onnx, &bindings)?;
    drop(onnx);
    let graph = passes::inference(&import.graph)?;
    let mut edges = import.inputs.iter().chain(&import.outputs);
    if edges.any(|edge| edge.element == Element::F64) {
        return in_f64(&graph, &import, inputs, path);
    }
    let mut program = Program::new(graph, options)?;
    model::load(&import, &mut program).map_err(named)?;
    // The program has them now, and needs the memory of those that were computed for its run.
    import.elements = Vec::new();
    let mut program = program.into_inference();
    for (edge, array) in import.inputs.iter().zip(inputs) {
        match &edge.source {
            Source::Real(place) => array.write_f32(program.input_f32(*place)).map_err(named)?,
            Source::Index(place, _) => {
                let places = places(edge, array).map_err(named)?;
                program.input_index(*place).copy_from_slice(&places);
            }
            Source::Constant(_) | Source::Unread => {}
        }
    }
    program.run(Run::default());
    let output = |edge| {
        let reals = |place| program.output(place).iter().map(|&value| value.into());
        made(edge, reals, |place| program.output_index(place))
    };
    let outputs = import.outputs.iter().map(output);
    outputs.collect::<Result<_, _>>().map_err(named)
}

/// Runs a model of doubles: every operator in f64, slowly.
fn in_f64(
    graph: &Graph,
    import: &Import,
    inputs: &[Array],
    path: &Path,
) -> anyhow::Result<Vec<Array>> {
    let named = |error| model::named(path, error);
    let mut evaluation = Evaluation::new(graph)?;
    let graph = evaluation.graph().clone();
    let elements: std::collections::HashMap<_, _> = import
        .elements
        .iter()
        .map(|(name, elements)| (name.as_str(), elements))
        .collect();
    for (id, value) in graph.parameters().chain(graph.states()) {
        if let Some(elements) = elements.get(value.name.as_str()) {
            let array = elements.read().map_err(named)?;
            evaluation.set(id, &array.reals().collect::<Vec<_>>());
        }
    }
    for (edge, array) in import.inputs.iter().zip(inputs) {
        match &edge.source {
            Source::Real(place) => {
                let values: Vec<_> = array.reals().collect();
                evaluation.set(graph.inputs[*place], &values);
            }
            Source::Index(place, _) => {
                let places = places(edge, array).map_err(named)?;
                evaluation.set_index(graph.inputs[*place], &places);
            }
            Source::Constant(_) | Source::Unread => {}
        }
    }
    evaluation.run(Run::default());
    let output = |edge| {
        let reals = |place: usize| evaluation.value(graph.outputs[place]).iter().copied();
        made(edge, reals, |place| {
            evaluation.indices(graph.outputs[place])
        })
    };
    let outputs = import.outputs.iter().map(output);
    outputs.collect::<Result<_, _>>().map_err(named)
}

/// Shapes and elements of the inputs, matched to those of the model in order.
fn bound(path: &Path, onnx: &Model, inputs: &[Array]) -> anyhow::Result<Bindings> {
    let declared = onnx.inputs();
    if declared.len() != inputs.len() {
        let names: Vec<_> = declared.iter().map(|input| &*input.name).collect();
        return Err(usage(format!(
            "{}: {} inputs are given, the model has {}{}",
            path.display(),
            inputs.len(),
            declared.len(),
            match names.is_empty() {
                true => String::new(),
                false => format!(": {}", names.join(", ")),
            }
        )));
    }
    let mut bindings = Bindings::default();
    for (declared, array) in declared.iter().zip(inputs) {
        let name = &declared.name;
        if declared.element != array.element() {
            return Err(usage(format!(
                "{}: input `{name}` holds {}, the array given for it {}",
                path.display(),
                declared.element,
                array.element()
            )));
        }
        bindings.shapes.insert(name.clone(), array.shape().to_vec());
        bindings.values.insert(name.clone(), array.clone());
    }
    Ok(bindings)
}

/// An input of indices, numbered as the graph numbers places.
fn places(edge: &Edge, array: &Array) -> Result<Vec<u32>, OnnxError> {
    let Source::Index(_, numbering) = &edge.source else {
        return Ok(Vec::new());
    };
    let each = array.shape().iter().skip(2).product();
    numbering.to_graph(&array.integers().collect::<Vec<_>>(), each)
}

/// An output in the element type of the model.
fn made<'a, R: Iterator<Item = f64>>(
    edge: &Edge,
    reals: impl Fn(usize) -> R,
    indices: impl Fn(usize) -> &'a [u32],
) -> Result<Array, OnnxError> {
    match &edge.source {
        Source::Real(place) => Array::from_reals(edge.element, &edge.shape, reals(*place)),
        Source::Index(place, numbering) => {
            let each = edge.shape.iter().skip(2).product();
            let numbers = numbering.to_model(indices(*place), each);
            Array::from_integers(edge.element, &edge.shape, numbers)
        }
        Source::Constant(array) => Ok(array.clone()),
        Source::Unread => unreachable!("an output is made of something"),
    }
}
