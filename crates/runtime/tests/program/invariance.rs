//! Results do not depend on the number of threads, to the bit, nor on what ran before.

use std::sync::Arc;

use graph::passes::{self, TrainingOptions};
use kernels::Team;
use runtime::{Program, Run, RuntimeOptions};
use tensor::Layout;

use crate::networks::{all, options, prepare};

/// Everything that leaves two steps of training, as bits.
fn train(program: &mut Program) -> Vec<u32> {
    prepare(program, 8);
    for step in 0..2 {
        program.run(Run { seed: 1, step });
        let (parameters, gradients) = program.parameters_and_gradients();
        for (p, g) in parameters.iter_mut().zip(gradients) {
            *p -= 0.1 * g;
        }
    }
    let outputs = [program.output(0), program.output(1)].concat();
    let kept = [program.parameters(), program.gradients(), program.state()].concat();
    outputs.iter().chain(&kept).map(|v| v.to_bits()).collect()
}

#[test]
fn threads_and_repetition_change_no_bit() {
    for network in all() {
        let step = passes::training(&network, TrainingOptions::default()).unwrap();
        for layout in Layout::ALL {
            let alone = RuntimeOptions {
                threads: 1,
                ..options(layout)
            };
            let mut program = Program::new(step.clone(), &alone).unwrap();
            let want = train(&mut program);
            assert!(
                train(&mut program) == want,
                "{} {layout}: again",
                network.name
            );
            for threads in [2, 3, 7] {
                let options = RuntimeOptions { threads, ..alone };
                let mut program = Program::new(step.clone(), &options).unwrap();
                let got = train(&mut program);
                assert!(got == want, "{} {layout}: {threads} threads", network.name);
            }
        }
    }
}

#[test]
fn programs_that_share_a_team_agree_with_one_that_has_its_own() {
    let network = crate::networks::residual().unwrap();
    let step = passes::training(&network, TrainingOptions::default()).unwrap();
    let options = options(Layout::Nhwc);
    let want = train(&mut Program::new(step.clone(), &options).unwrap());
    let team = Arc::new(Team::new(2).unwrap());
    for _ in 0..2 {
        let mut program = Program::with_team(step.clone(), &options, Arc::clone(&team)).unwrap();
        assert!(train(&mut program) == want);
    }
}
