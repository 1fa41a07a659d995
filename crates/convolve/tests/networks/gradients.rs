//! One training step: its loss and the gradients of all parameters, held against PyTorch's by digests.
//!
//! `gradients.py` says what a digest is and why it bounds the error of a whole gradient.

use graph::passes::{TrainingOptions, training};
use graph::{Graph, Op};
use runtime::{Program, Run};

use crate::fixture::{Fixture, Settings, norm};
use crate::weights::signed;

/// Relative error of a gradient in the sense of L2.
const BOUND: f64 = 1e-4;

const CLASSES: usize = 10;
const SAMPLES: usize = 4;
const PROJECTIONS: usize = 8;
const DIGEST: usize = 1 + SAMPLES + PROJECTIONS;

/// Dropout of rate 0 leaves everything as it is, on both sides.
fn without_dropout(mut network: Graph) -> Graph {
    for node in &mut network.nodes {
        if let Op::Dropout { rate, .. } = &mut node.op {
            *rate = 0.0;
        }
    }
    network
}

/// The program of a training step after one run.
fn step(name: &str, settings: &Settings) -> Program {
    let network = without_dropout(settings.build(name, CLASSES));
    let graph = training(&network, TrainingOptions::default()).unwrap();
    let mut program = settings.program(graph);
    for (image, label) in program.input_index(1).iter_mut().enumerate() {
        *label = ((7 * image + 3) % CLASSES) as u32;
    }
    program.run(Run::default());
    program
}

/// The norm of the difference between a gradient and the one of a digest, as far as the digest tells.
fn difference(name: &str, gradient: &[f32], digest: &[f64]) -> f64 {
    let (theirs, rest) = digest.split_first().unwrap();
    let (samples, projections) = rest.split_at(SAMPLES);
    let ours = norm(gradient.iter().map(|&x| x.into()));
    let last = gradient.len() - 1;
    let at_samples = samples.iter().enumerate().map(|(place, sample)| {
        let element = gradient[place * last / (SAMPLES - 1)];
        (f64::from(element) - sample).abs()
    });
    let projected = projections.iter().enumerate().map(|(place, projection)| {
        let vector = signed(&format!("{name}#{place}"));
        let elements = gradient.iter().enumerate();
        let product: f64 = elements.map(|(i, &x)| f64::from(x) * vector(i)).sum();
        product - projection
    });
    // A third is the mean square of an element of the vectors.
    let sketched = norm(projected) * (3.0 / PROJECTIONS as f64).sqrt();
    at_samples.fold(sketched.max((ours - theirs).abs()), f64::max)
}

#[test]
#[expect(clippy::print_stdout, reason = "a summary for those who ask for it")]
fn a_training_step_has_the_gradients_that_pytorch_finds() {
    let fixture = Fixture::read("gradients.safetensors");
    assert!(fixture.networks.contains_key("resnet18"));
    let mut wrong = Vec::new();
    for (name, settings) in &fixture.networks {
        let program = step(name, settings);
        let (_, loss) = fixture.tensor(&format!("{name}.loss")).unwrap();
        let error = (f64::from(program.output(0)[0]) / loss[0] - 1.0).abs();
        if !(error <= BOUND) {
            wrong.push(format!("{name}: loss off by {error:.2e}"));
        }
        let (shape, digests) = fixture.tensor(&format!("{name}.digests")).unwrap();
        assert_eq!(shape, [program.slots().len(), DIGEST], "{name}");
        let mut worst = 0.0f64;
        for (slot, digest) in program.slots().iter().zip(digests.chunks(DIGEST)) {
            let gradient = &program.gradients()[slot.range.clone()];
            let error = difference(&slot.name, gradient, digest) / digest[0];
            worst = worst.max(error);
            if !(error <= BOUND) {
                wrong.push(format!("{name}: {} is off by {error:.2e}", slot.name));
            }
        }
        println!("{name}: loss {:.6}, gradients within {worst:.1e}", loss[0]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
