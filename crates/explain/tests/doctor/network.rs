//! A small network, trained here.

use explain::doctor::{Check, Diagnosis, Parameters, Patient, Sample, Severity, examine};
use geometry::ConvDesc;
use graph::passes::{TrainingOptions, training};
use graph::{Graph, GraphError, NetworkBuilder, ValueId};
use runtime::{Program, Run, RuntimeOptions, initialise};

use crate::data::{CLASSES, SIDE, sample};

/// Pictures of a batch.
pub(crate) const BATCH: usize = 16;

/// One thread: the networks are small, and tests run side by side.
pub(crate) fn options() -> RuntimeOptions {
    RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    }
}

/// Three convolutions, two of them with norms.
pub(crate) fn small() -> Result<Graph, GraphError> {
    let mut network = NetworkBuilder::new("small", [BATCH, 3, SIDE, SIDE]);
    let x = network.input();
    let x = layer(&mut network, x, "first", ConvDesc::new(8, 3).padding(1))?;
    let x = layer(
        &mut network,
        x,
        "second",
        ConvDesc::new(12, 3).padding(1).stride(2),
    )?;
    let x = network.conv("third", x, ConvDesc::new(16, 3).padding(1), true)?;
    let x = network.relu(x)?;
    let x = network.global_average_pool(x)?;
    let x = network.flatten(x)?;
    let logits = network.linear("head", x, CLASSES)?;
    network.finish(logits)
}

fn layer(
    network: &mut NetworkBuilder,
    x: ValueId,
    name: &str,
    desc: ConvDesc,
) -> Result<ValueId, GraphError> {
    let x = network.conv(name, x, desc, false)?;
    let x = network.batch_norm(&format!("{name}.norm"), x)?;
    network.relu(x)
}

/// Trains a network on pictures of its own, by plain gradient descent.
pub(crate) fn train(network: &Graph, steps: u64) -> Parameters {
    let step = training(network, TrainingOptions::default()).unwrap();
    let mut program = Program::new(step, &options()).unwrap();
    initialise(&mut program, 1);
    for number in 0..steps {
        let batch = sample(BATCH, 1000 + number);
        program.input_f32(0).copy_from_slice(&batch.images);
        program.input_index(1).copy_from_slice(&batch.labels);
        program.run(Run::default());
        let (parameters, gradients) = program.parameters_and_gradients();
        for (parameter, gradient) in parameters.iter_mut().zip(gradients) {
            *parameter -= 0.1 * gradient;
        }
    }
    Parameters::of(&program)
}

/// What the doctor says of a network on pictures.
pub(crate) fn diagnose(network: &Graph, parameters: &Parameters, sample: &Sample) -> Diagnosis {
    let patient = Patient {
        network,
        parameters: Some(parameters),
        sample: Some(sample),
        options: options(),
    };
    examine(&patient).unwrap()
}

/// The layers that a check warns of, and whether no other check but those `besides` warns.
#[track_caller]
pub(crate) fn warned(diagnosis: &Diagnosis, check: Check, besides: &[Check]) -> Vec<String> {
    for finding in &diagnosis.findings {
        let known = finding.check == check || besides.contains(&finding.check);
        assert!(known || finding.severity == Severity::Note, "{finding:?}");
    }
    let findings = diagnosis.of(check);
    let warnings = findings.filter(|finding| finding.severity == Severity::Warning);
    warnings
        .map(|finding| finding.layer.clone().unwrap_or_default())
        .collect()
}
