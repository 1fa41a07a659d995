//! Graphs evaluated in f64: to the last digits what their authors wrote, with the gradients of their
//! loss.

use graph::passes::{self, TrainingOptions};
use graph::{Graph, ValueId};
use runtime::{Evaluation, Program};
use tensor::Layout;
use testkit::compare::{assert_close, assert_relative_l2, widen};
use testkit::gradient;

use crate::networks::{RUN, all, options, prepare};
use crate::oracle::{Given, Mode, evaluate, loss};
use crate::random::draw_network;

const SMOOTHING: f32 = 0.1;

/// What remains of 53 bits after the sums of a small network.
const TIGHT: f64 = 1e-11;

/// A graph with everything that it is given drawn, as a program and as an evaluation, both run.
fn run(graph: Graph, seed: u64) -> (Program, Evaluation, Given, Vec<usize>) {
    let mut evaluation = Evaluation::new(&graph).unwrap();
    let inputs = graph.inputs.clone();
    let mut program = Program::new(graph, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, seed);
    evaluation.load(&program);
    let images = program.input_f32(0).to_vec();
    evaluation.set(inputs[0], &widen(&images));
    let mut labels = Vec::new();
    if let Some(&second) = inputs.get(1) {
        let drawn = program.input_index(1).to_vec();
        evaluation.set_index(second, &drawn);
        labels.extend(drawn.iter().map(|&label| label as usize));
    }
    let given = Given::of(&program).images(&images);
    program.run(RUN);
    evaluation.run(RUN);
    (program, evaluation, given, labels)
}

fn training(network: &Graph) -> Graph {
    let options = TrainingOptions {
        label_smoothing: SMOOTHING,
        ..TrainingOptions::default()
    };
    passes::training(network, options).unwrap()
}

/// The value of a name.
fn named(graph: &Graph, name: &str) -> ValueId {
    let mut values = graph.iter_values();
    values.find(|(_, value)| value.name == name).unwrap().0
}

#[test]
fn networks_as_written_folded_and_in_training_equal_their_definition() {
    let networks = all().into_iter().chain((0..60).map(draw_network));
    for (seed, network) in (0..).zip(networks) {
        let problem = &network.name;
        let (.., evaluation, given, _) = run(passes::inference(&network).unwrap(), seed);
        let want = evaluate(&network, &given, Mode::Inference);
        let got = evaluation.value(evaluation.graph().outputs[0]);
        assert_relative_l2(problem, got, want.output(&network), TIGHT);

        let (_, evaluation, given, labels) = run(training(&network), seed);
        let want = evaluate(&network, &given, Mode::Training);
        let [mean_loss, logits] = evaluation.graph().outputs[..] else {
            panic!("a training step gives the loss and the logits");
        };
        let got = evaluation.value(logits);
        assert_relative_l2(problem, got, want.output(&network), TIGHT);
        let want_loss = loss(&network, &given, &labels, f64::from(SMOOTHING));
        let got = evaluation.value(mean_loss);
        assert_close(problem, got, &[want_loss], &[TIGHT * want_loss]);
        for (id, state) in evaluation.graph().states() {
            let want = &want.states[&state.name];
            assert_relative_l2(&state.name, evaluation.value(id), want, TIGHT);
        }
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() {
    for network in all() {
        let (program, evaluation, given, labels) = run(training(&network), 21);
        for &(parameter, gradient) in &evaluation.graph().gradients {
            let name = &evaluation.graph().value(parameter).name;
            let with = |values: &[f64]| {
                let mut given = given.clone();
                given.0.insert(name.clone(), values.to_vec());
                loss(&network, &given, &labels, f64::from(SMOOTHING))
            };
            let problem = format!("{} {name}", network.name);
            let got = evaluation.value(gradient);
            if let Err(mismatch) = gradient::check(with, &given.0[name], got) {
                panic!("{problem}: {mismatch}");
            }
            // And the program's are these, rounded.
            let slot = program.slots().iter().find(|slot| slot.name == *name);
            let quick = &program.gradients()[slot.unwrap().range.clone()];
            let size = got.iter().fold(1e-2f64, |size, v| size.max(v.abs()));
            assert_close(&problem, quick, got, &vec![1e-4 * size; got.len()]);
        }
    }
}

/// A second step starts from the states that the first one left.
#[test]
fn states_move_on_from_run_to_run() {
    let network = &all()[0];
    let (mut program, mut evaluation, ..) = run(training(network), 5);
    program.run(RUN);
    evaluation.run(RUN);
    for slot in program.states() {
        let got = evaluation.value(named(evaluation.graph(), &slot.name));
        let quick = &program.state()[slot.range.clone()];
        assert_relative_l2(&slot.name, quick, got, 1e-5);
    }
}
