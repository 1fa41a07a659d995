//! Training with frozen norms: loss, logits and every gradient against an oracle that normalises by fixed statistics.

use std::collections::HashMap;

use graph::passes::{self, TrainingOptions};
use graph::{Graph, Op};
use runtime::Program;
use tensor::Layout;
use testkit::{compare, gradient};

use crate::networks::{RUN, all, options, prepare};
use crate::oracle::{Given, Mode, evaluate, loss_in};

const SMOOTHING: f32 = 0.1;

fn is_of_norm(name: &str) -> bool {
    name.contains("bn")
}

/// Checks a network with all of its norms frozen, and other parameters as `also` says.
fn check(mut network: Graph, also: impl Fn(&str) -> bool) {
    network.freeze(|name| is_of_norm(name) || also(name));
    let step = passes::training(
        &network,
        TrainingOptions {
            label_smoothing: SMOOTHING,
            fix_frozen_norms: true,
        },
    )
    .unwrap();
    let by_batch = |op: &Op| matches!(op, Op::BatchNorm { .. } | Op::BatchNormTraining { .. });
    assert!(
        !step.nodes.iter().any(|node| by_batch(&node.op)),
        "{}",
        network.name
    );
    assert_eq!(step.updates, []);
    // Differences of the loss take the longest, and both layouts are given the same numbers.
    let mut slopes: HashMap<String, Vec<f64>> = HashMap::new();
    for layout in Layout::ALL {
        let mut program = Program::new(step.clone(), &options(layout)).unwrap();
        prepare(&mut program, 21);
        let images = program.input_f32(0).to_vec();
        let labels: Vec<usize> = program.input_index(1).iter().map(|&l| l as usize).collect();
        let given = Given::of(&program).images(&images);
        let states = program.state().to_vec();
        program.run(RUN);
        assert!(program.state() == states, "{}", network.name);

        let loss = |given: &Given| {
            loss_in(
                Mode::Inference,
                &network,
                given,
                &labels,
                f64::from(SMOOTHING),
            )
        };
        let problem = format!("{} {layout}", network.name);
        let want = loss(&given);
        compare::assert_close(&problem, program.output(0), &[want], &[1e-5 * want]);
        let answer = evaluate(&network, &given, Mode::Inference);
        compare::assert_relative_l2(&problem, program.output(1), answer.output(&network), 1e-5);
        for slot in program.slots() {
            let got = &program.gradients()[slot.range.clone()];
            if !slot.trainable {
                assert!(
                    got.iter().all(|&slope| slope == 0.0),
                    "{problem} {}",
                    slot.name
                );
                continue;
            }
            let with = |values: &[f64]| {
                let mut given = given.clone();
                given.0.insert(slot.name.clone(), values.to_vec());
                loss(&given)
            };
            let numeric = || gradient::numeric(with, &given.0[&slot.name]);
            let want = slopes.entry(slot.name.clone()).or_insert_with(numeric);
            let size = want.iter().fold(1e-2f64, |size, v| size.max(v.abs()));
            let bound = vec![2e-4 * size; want.len()];
            compare::assert_close(&format!("{problem} {}", slot.name), got, want, &bound);
        }
    }
}

/// The gradient passes through every norm on its way to the convolution before it.
#[test]
fn norms_alone_are_scales_and_shifts() {
    for network in all() {
        check(network, |_| false);
    }
}

/// Norms of frozen convolutions become part of them, those of the first convolution, which learns, do not.
#[test]
fn frozen_convolutions_take_their_norms_in() {
    for network in all() {
        check(network, |name| {
            !name.starts_with("conv1") && !name.starts_with("fc")
        });
    }
    for network in all() {
        check(network, |name| !name.starts_with("fc"));
    }
}
