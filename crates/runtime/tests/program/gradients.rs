//! Training graphs: loss, logits, moved statistics, and every gradient against differences of the
//! loss in f64.

use geometry::ConvDesc;
use graph::passes::{self, TrainingOptions};
use graph::{Graph, NetworkBuilder};
use runtime::{Program, RuntimeOptions};
use tensor::Layout;
use testkit::{compare, gradient};

use crate::networks::{RUN, all, options, prepare};
use crate::oracle::{Given, Mode, evaluate, loss};

const SMOOTHING: f32 = 0.1;

/// A training program of a network, everything drawn, and what it is given before the run.
fn trained(network: &Graph, options: &RuntimeOptions, seed: u64) -> (Program, Given, Vec<usize>) {
    let step = passes::training(
        network,
        TrainingOptions {
            label_smoothing: SMOOTHING,
            ..TrainingOptions::default()
        },
    );
    let mut program = Program::new(step.unwrap(), options).unwrap();
    prepare(&mut program, seed);
    let images = program.input_f32(0).to_vec();
    let labels = program.input_index(1).iter().map(|&l| l as usize).collect();
    let given = Given::of(&program).images(&images);
    program.run(RUN);
    (program, given, labels)
}

/// Every parameter's gradient against central differences, in both layouts.
fn check_gradients(network: &Graph) {
    let programs = Layout::ALL.map(|layout| (layout, trained(network, &options(layout), 21)));
    let (_, (program, given, labels)) = &programs[0];
    for slot in program.slots() {
        let with = |values: &[f64]| {
            let mut given = given.clone();
            given.0.insert(slot.name.clone(), values.to_vec());
            loss(network, &given, labels, f64::from(SMOOTHING))
        };
        let want = gradient::numeric(with, &given.0[&slot.name]);
        // Against the largest component: the small ones carry the rounding of the large sums.
        let size = want.iter().fold(1e-2f64, |size, v| size.max(v.abs()));
        let bound = vec![2e-4 * size; want.len()];
        for (layout, (program, ..)) in &programs {
            let problem = format!("{} {layout} {}", network.name, slot.name);
            let got = &program.gradients()[slot.range.clone()];
            compare::assert_close(&problem, got, &want, &bound);
        }
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() {
    for network in all() {
        check_gradients(&network);
    }
}

#[test]
fn loss_logits_and_running_statistics_are_those_of_the_definition() {
    for network in all() {
        for layout in Layout::ALL {
            let (program, given, labels) = trained(&network, &options(layout), 4);
            let answer = evaluate(&network, &given, Mode::Training);
            let problem = format!("{} {layout}", network.name);
            let want = loss(&network, &given, &labels, f64::from(SMOOTHING));
            compare::assert_close(&problem, program.output(0), &[want], &[1e-5 * want]);
            compare::assert_relative_l2(&problem, program.output(1), answer.output(&network), 1e-5);
            for slot in program.states() {
                let problem = format!("{problem} {}", slot.name);
                let got = &program.state()[slot.range.clone()];
                compare::assert_relative_l2(&problem, got, &answer.states[&slot.name], 1e-5);
            }
        }
    }
}

/// Two layers share one weight; the other's own is read by nobody. The shared gradient is the sum of
/// two, the other is zero.
#[test]
fn a_shared_weight_gets_the_sum_of_its_gradients() {
    let mut net = NetworkBuilder::new("tied", [2, 3, 5, 5]);
    let x = net.input();
    let desc = ConvDesc::new(3, 3).padding(1);
    let x = net.conv("conv1", x, desc.clone(), false).unwrap();
    let x = net.relu(x).unwrap();
    let x = net.conv("conv2", x, desc, false).unwrap();
    let x = net.global_average_pool(x).unwrap();
    let x = net.flatten(x).unwrap();
    let x = net.linear("fc", x, 3).unwrap();
    let mut network = net.finish(x).unwrap();
    network.nodes[2].inputs[1] = network.nodes[0].inputs[1];
    network.verify().unwrap();
    check_gradients(&network);
}

/// Dropout's mask belongs to the seed and the step, so that a run can be repeated and resumed.
#[test]
fn dropout_is_a_function_of_seed_and_step() {
    let mut net = NetworkBuilder::new("dropout", [4, 32]);
    let x = net.input();
    let x = net.linear("fc1", x, 64).unwrap();
    let x = net.dropout(x, 0.5).unwrap();
    let x = net.linear("fc2", x, 3).unwrap();
    let network = net.finish(x).unwrap();
    let (mut program, ..) = trained(&network, &options(Layout::Nhwc), 9);
    let mut gradients = |seed, step| {
        program.run(runtime::Run { seed, step });
        program.gradients().to_vec()
    };
    let first = gradients(1, 1);
    assert_ne!(gradients(1, 2), first, "another step");
    assert_ne!(gradients(2, 1), first, "another seed");
    assert_eq!(gradients(1, 1), first);
    let dropped = first.iter().filter(|&&g| g == 0.0).count();
    assert!(
        dropped > 100,
        "gradients of dropped units are zero: {dropped}"
    );
}
