//! Layers that do not learn, and penalties that draw weights in.

use graph::passes::{TrainingOptions, training};
use graph::{NetworkBuilder, Regulariser, Separable};
use runtime::{Program, Run, RuntimeOptions, initialise};
use train::{Optimiser, Rule, Segment};

/// Images through two separable layers, the first of which learns only if it may, to two classes.
fn program(first: &Separable) -> Program {
    let mut network = NetworkBuilder::new("frozen", [4, 3, 6, 6]);
    let x = network.input();
    let x = network.separable("first", x, first).unwrap();
    let second = Separable::new(Some(5), 3);
    let x = network.separable("second", x, &second).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let logits = network.linear("fc", x, 2).unwrap();
    let network = network.finish(logits).unwrap();
    let step = training(&network, TrainingOptions::default()).unwrap();
    let mut program = Program::new(step, &RuntimeOptions::default()).unwrap();
    initialise(&mut program, 4);
    let pixels = program.input_f32(0).iter_mut().enumerate();
    pixels.for_each(|(place, pixel)| *pixel = (place * 37 % 19) as f32 / 9.0 - 1.0);
    program.input_index(1).copy_from_slice(&[0, 1, 1, 0]);
    program
}

/// Three steps, weight decay and all; gives the loss of each.
fn train(program: &mut Program, rule: &str) -> Vec<f32> {
    let rule: Rule = rule.parse().unwrap();
    let len = program.parameters().len();
    let mut optimiser = Optimiser::new(rule, 0.1, Segment::of(program, true), len).unwrap();
    let steps = (0..3).map(|step| {
        program.run(Run { seed: 1, step });
        let (parameters, gradients) = program.parameters_and_gradients();
        optimiser.step(parameters, gradients, 0.05);
        program.output(0)[0]
    });
    steps.collect()
}

#[test]
fn an_optimiser_leaves_frozen_parameters_bit_for_bit() {
    for rule in Rule::NAMES {
        let penalty = Regulariser::l2(0.5);
        let frozen = Separable::new(Some(4), 3)
            .weights_regulariser(penalty)
            .trainable(false);
        let mut program = program(&frozen);
        let before = program.parameters().to_vec();
        train(&mut program, rule);
        for slot in program.slots() {
            let (old, new) = (
                &before[slot.range.clone()],
                &program.parameters()[slot.range.clone()],
            );
            assert_eq!(
                old == new,
                slot.name.starts_with("first"),
                "{rule} {}",
                slot.name
            );
        }
    }
}

/// With a large penalty on one layer it is that layer which shrinks, and the loss with it.
#[test]
fn a_penalty_draws_the_weights_in() {
    let size = |program: &Program| {
        let slots = program.slots().iter();
        let weights = slots.filter(|slot| slot.name == "first.conv_pw.weight");
        let squares = weights.flat_map(|slot| &program.parameters()[slot.range.clone()]);
        squares.map(|w| w * w).sum::<f32>()
    };
    let plain = Separable::new(Some(4), 3);
    let penalised = plain.clone().pointwise_regulariser(Regulariser::l2(5.0));
    let [mut free, mut drawn_in] = [plain, penalised].map(|first| program(&first));
    let start = size(&free);
    assert_eq!(size(&drawn_in), start);
    let free_losses = train(&mut free, "sgd");
    let losses = train(&mut drawn_in, "sgd");
    // 2.5·Σw² above the other.
    let above = losses[0] - free_losses[0];
    assert!(
        (above / (2.5 * start) - 1.0).abs() < 1e-4,
        "{above} of {start}"
    );
    assert!(losses[2] < losses[0], "{losses:?}");
    assert!(size(&drawn_in) < 0.5 * size(&free), "{start}");
}
