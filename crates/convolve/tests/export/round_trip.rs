//! Graph → model → graph, and what both compute.

use std::collections::HashMap;

use formats::onnx::{Bindings, Export, ExportError, ExportSettings, Import, Model, Source};
use graph::{Graph, passes};
use runtime::{Program, Run, RuntimeOptions};

use crate::sketch::{numbers, weights};

/// Greatest relative L2 distance of an output.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// A graph as the bytes of a model, and whether its batch is open.
pub(crate) fn exported(graph: &Graph, opset: i64) -> Result<(Vec<u8>, bool), ExportError> {
    let weights = weights(graph);
    let find = |name: &str| weights.get(name).map(Vec::as_slice);
    let settings = ExportSettings {
        opset,
        ..ExportSettings::default()
    };
    let export = Export::new(graph, find, &settings)?;
    let open = export.is_batch_open();
    Ok((export.to_bytes()?, open))
}

pub(crate) fn imported(bytes: Vec<u8>, batch: usize) -> Import {
    let model = Model::from_bytes(bytes, "model").unwrap();
    model.import(&Bindings::batch(batch)).unwrap()
}

/// Asserts that a model computes what the graph does.
pub(crate) fn assert_same(graph: &Graph, import: &Import, what: &str) {
    let expected = of_graph(graph);
    let found = of_import(import, graph);
    assert_eq!(expected.len(), found.len(), "{what}");
    for (place, (expected, found)) in expected.iter().zip(&found).enumerate() {
        assert_eq!(expected.len(), found.len(), "{what}: output {place}");
        let distance = distance(expected, found);
        assert!(
            distance <= TOLERANCE,
            "{what}: output {place} differs by {distance:e}: {:?} and {:?}",
            &expected[..expected.len().min(8)],
            &found[..found.len().min(8)]
        );
    }
}

/// Relative L2; elements that are equal, infinities among them, count as nothing.
fn distance(expected: &[f64], found: &[f64]) -> f64 {
    let pairs = || expected.iter().zip(found).filter(|(a, b)| a != b);
    let error: f64 = pairs().map(|(a, b)| (a - b).powi(2)).sum();
    let norm: f64 = expected
        .iter()
        .filter(|x| x.is_finite())
        .map(|x| x * x)
        .sum();
    match error {
        0.0 => 0.0,
        error => (error / norm).sqrt(),
    }
}

/// Strict: a norm folded otherwise on the way through a file is rounded otherwise, and short convolutions would say so several times.
fn program(graph: &Graph) -> Program {
    let options = RuntimeOptions {
        threads: 1,
        strict: true,
        ..RuntimeOptions::default()
    };
    Program::new(passes::inference(graph).unwrap(), &options).unwrap()
}

fn load(program: &mut Program, weights: &HashMap<String, Vec<f32>>) {
    for slot in program.slots().to_vec() {
        program.parameters_mut()[slot.range].copy_from_slice(&weights[&slot.name]);
    }
    for slot in program.states().to_vec() {
        program.state_mut()[slot.range].copy_from_slice(&weights[&slot.name]);
    }
}

/// What an input holds. Regions lie on the first image, and within it.
fn given(graph: &Graph, place: usize) -> Vec<f32> {
    let value = graph.value(graph.inputs[place]);
    let mut numbers = numbers(
        &format!("{} {place}", value.name),
        value.shape.iter().product(),
    );
    if let [_, 5] = value.shape[..] {
        for region in numbers.chunks_exact_mut(5) {
            let [image, x1, y1, x2, y2] = region else {
                unreachable!()
            };
            *image = 0.0;
            (*x1, *y1) = (2.0 + 2.0 * *x1, 2.0 + 2.0 * *y1);
            (*x2, *y2) = (*x1 + 3.0 + 2.0 * *x2, *y1 + 3.0 + 2.0 * *y2);
        }
    }
    numbers
}

/// Outputs of a run; places of maxima as the graph numbers them.
fn outputs(program: &Program) -> Vec<Vec<f64>> {
    let graph = program.graph();
    let outputs = graph.outputs.iter().enumerate();
    outputs
        .map(|(place, &id)| match graph.value(id).element {
            graph::ElementType::Real => program.output(place).iter().map(|&x| x.into()).collect(),
            graph::ElementType::Index => {
                let indices = program.output_index(place).iter();
                indices.map(|&index| index.into()).collect()
            }
        })
        .collect()
}

fn of_graph(graph: &Graph) -> Vec<Vec<f64>> {
    let mut program = program(graph);
    load(&mut program, &weights(graph));
    for place in 0..graph.inputs.len() {
        program
            .input_f32(place)
            .copy_from_slice(&given(graph, place));
    }
    program.run(Run::default());
    outputs(&program)
}

fn of_import(import: &Import, original: &Graph) -> Vec<Vec<f64>> {
    let mut program = program(&import.graph);
    let elements = import.elements.iter().map(|(name, elements)| {
        let array = elements.read().unwrap();
        let values = array.reals().map(|value| value as f32).collect();
        (name.clone(), values)
    });
    load(&mut program, &elements.collect());
    for (place, edge) in import.inputs.iter().enumerate() {
        let id = original.inputs[place];
        assert_eq!(edge.name, original.value(id).name);
        assert_eq!(edge.shape, original.value(id).shape);
        if let Source::Real(at) = edge.source {
            program
                .input_f32(at)
                .copy_from_slice(&given(original, place));
        }
    }
    program.run(Run::default());
    let computed = outputs(&program);
    let made = import.outputs.iter().map(|edge| match &edge.source {
        Source::Real(place) | Source::Index(place, _) => computed[*place].clone(),
        Source::Constant(array) => array.reals().collect(),
        Source::Unread => panic!("an output is made of something"),
    });
    made.collect()
}
