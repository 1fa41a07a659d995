//! One training step: its loss and the gradients of all parameters, held against PyTorch's by digests.
//!
//! `gradients.py` says what a digest is, why it bounds the error of a whole gradient, and what can be asked of 32 bits.

use std::collections::BTreeMap;

use graph::passes::{TrainingOptions, training};
use graph::{Graph, Op};
use runtime::{Evaluation, Run};

use crate::fixture::{Fixture, Settings, norm};
use crate::weights::signed;

/// Relative error of a gradient in the sense of L2, in 64 bits. Settings are kept in 32: an ε of 10⁻³ is off by 5·10⁻⁸.
const DOUBLE: f64 = 1e-6;

/// The same in 32 bits, where PyTorch's own has an error of no more than an eighth; else eight times that.
const SINGLE: f64 = 1e-4;

/// A gradient that is so much smaller than the largest is 0 but for rounding; its error counts against the largest.
const VANISHING: f64 = 1e-9;

const CLASSES: usize = 10;
const SAMPLES: usize = 4;
const PROJECTIONS: usize = 8;
const DIGEST: usize = 1 + SAMPLES + PROJECTIONS;

/// The training step of a network. Dropout of rate 0 leaves everything as it is, on both sides.
fn step(name: &str, settings: &Settings) -> Graph {
    let mut network = settings.build(name, CLASSES);
    for node in &mut network.nodes {
        if let Op::Dropout { rate, .. } = &mut node.op {
            *rate = 0.0;
        }
    }
    training(&network, TrainingOptions::default()).unwrap()
}

fn label(image: usize) -> u32 {
    ((7 * image + 3) % CLASSES) as u32
}

/// A loss and the gradients by the names of the parameters.
type Found = (f64, BTreeMap<String, Vec<f64>>);

/// By a program, in 32 bits.
fn single(name: &str, settings: &Settings) -> Found {
    let mut program = settings.program(step(name, settings));
    for (image, place) in program.input_index(1).iter_mut().enumerate() {
        *place = label(image);
    }
    program.run(Run::default());
    let gradients = program.slots().iter().map(|slot| {
        let gradient = program.gradients()[slot.range.clone()].iter();
        (slot.name.clone(), gradient.map(|&x| x.into()).collect())
    });
    (program.output(0)[0].into(), gradients.collect())
}

/// Node by node, in 64 bits.
fn double(name: &str, settings: &Settings) -> Found {
    let graph = step(name, settings);
    let mut program = settings.program(graph.clone());
    let images: Vec<f64> = program.input_f32(0).iter().map(|&x| x.into()).collect();
    let mut evaluation = Evaluation::new(&graph).unwrap();
    evaluation.load(&program);
    evaluation.set(graph.inputs[0], &images);
    let labels: Vec<_> = (0..settings.images[0]).map(label).collect();
    evaluation.set_index(graph.inputs[1], &labels);
    evaluation.run(Run::default());
    let gradients = graph.gradients.iter().map(|&(parameter, gradient)| {
        let name = graph.value(parameter).name.clone();
        (name, evaluation.value(gradient).to_vec())
    });
    (evaluation.value(graph.outputs[0])[0], gradients.collect())
}

/// The norm of the difference between a gradient and the one of a digest, as far as the digest tells.
fn difference(name: &str, gradient: &[f64], digest: &[f64]) -> f64 {
    let (theirs, rest) = digest.split_first().unwrap();
    let (samples, projections) = rest.split_at(SAMPLES);
    let ours = norm(gradient.iter().copied());
    let last = gradient.len() - 1;
    let at_samples = samples
        .iter()
        .enumerate()
        .map(|(place, sample)| (gradient[place * last / (SAMPLES - 1)] - sample).abs());
    let projected = projections.iter().enumerate().map(|(place, projection)| {
        let vector = signed(&format!("{name}#{place}"));
        let elements = gradient.iter().enumerate();
        let product: f64 = elements.map(|(i, &x)| x * vector(i)).sum();
        product - projection
    });
    // A third is the mean square of an element of the vectors.
    let sketched = norm(projected) * (3.0 / PROJECTIONS as f64).sqrt();
    at_samples.fold(sketched.max((ours - theirs).abs()), f64::max)
}

/// Holds all networks of the file against it.
#[expect(clippy::print_stdout, reason = "a summary for those who ask for it")]
fn compare(bound: impl Fn(&Settings) -> f64, find: impl Fn(&str, &Settings) -> Found) {
    let fixture = Fixture::read("gradients.safetensors");
    for name in [
        "resnet18",
        "googlenet",
        "inception_v3",
        "densenet121",
        "mobilenet_v2",
        "shufflenet_v2_x1_0",
    ] {
        assert!(fixture.networks.contains_key(name), "{name}");
    }
    let mut wrong = Vec::new();
    for (name, settings) in &fixture.networks {
        let bound = bound(settings);
        let off = |error: f64| error.is_nan() || error > bound;
        let (loss, gradients) = find(name, settings);
        let (_, wanted) = fixture.tensor(&format!("{name}.loss")).unwrap();
        let mut worst = (loss / wanted[0] - 1.0).abs();
        if off(worst) {
            wrong.push(format!("{name}: loss off by {worst:.2e}"));
        }
        let (shape, digests) = fixture.tensor(&format!("{name}.digests")).unwrap();
        assert_eq!(shape, [gradients.len(), DIGEST], "{name}");
        let network = settings.build(name, CLASSES);
        let largest = digests.chunks(DIGEST).map(|d| d[0]).fold(0.0, f64::max);
        for ((_, parameter), digest) in network.parameters().zip(digests.chunks(DIGEST)) {
            let gradient = &gradients[&parameter.name];
            let size = match digest[0] > VANISHING * largest {
                true => digest[0],
                false => largest,
            };
            let error = difference(&parameter.name, gradient, digest) / size;
            worst = worst.max(error);
            if off(error) {
                wrong.push(format!("{name}: {} is off by {error:.2e}", parameter.name));
            }
        }
        println!("{name}: loss {:.6}, all within {worst:.1e}", wanted[0]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn in_32_bits_a_training_step_has_the_gradients_of_pytorch() {
    compare(
        |settings| SINGLE.max(8.0 * settings.single.unwrap()),
        single,
    );
}

#[test]
fn in_64_bits_a_training_step_has_the_gradients_of_pytorch() {
    compare(|_| DOUBLE, double);
}
