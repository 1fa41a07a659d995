//! Folded, fused and laid out, a network computes what its author wrote.

use geometry::ConvDesc;
use graph::{NetworkBuilder, passes};
use kernels::Isa;
use kernels::conv::Algorithm;
use runtime::{Program, RuntimeOptions};
use tensor::Layout;
use testkit::{Draw, compare};

use crate::networks::{RUN, all, options, prepare};
use crate::oracle::{Given, Mode, evaluate};

#[test]
fn a_folded_network_equals_its_definition_in_both_layouts_and_on_every_isa() {
    for network in all() {
        for layout in Layout::ALL {
            for isa in Isa::available() {
                for algorithm in [None, Some(Algorithm::Reference)] {
                    let options = RuntimeOptions {
                        isa,
                        algorithm,
                        ..options(layout)
                    };
                    let folded = passes::inference(&network).unwrap();
                    let mut program = Program::new(folded, &options).unwrap();
                    prepare(&mut program, 11);
                    program.run(RUN);
                    let images = program.input_f32(0).to_vec();
                    let given = Given::of(&program).images(&images);
                    let answer = evaluate(&network, &given, Mode::Inference);
                    let problem = format!("{} {layout} {isa} {algorithm:?}", network.name);
                    let want = answer.output(&network);
                    compare::assert_relative_l2(&problem, program.output(0), want, 1e-5);
                }
            }
        }
    }
}

#[test]
fn changed_parameters_and_states_are_seen_by_the_next_run() {
    let network = crate::networks::residual().unwrap();
    let folded = passes::inference(&network).unwrap();
    let mut program = Program::new(folded, &options(Layout::Nhwc)).unwrap();
    for seed in [1, 2] {
        prepare(&mut program, seed);
        for scale in [1.0, 0.5] {
            let mean = program.states()[0].range.clone();
            program.state_mut()[mean]
                .iter_mut()
                .for_each(|v| *v *= scale);
            program.run(RUN);
            let images = program.input_f32(0).to_vec();
            let given = Given::of(&program).images(&images);
            let answer = evaluate(&network, &given, Mode::Inference);
            let problem = format!("seed {seed}, mean times {scale}");
            compare::assert_relative_l2(&problem, program.output(0), answer.output(&network), 1e-5);
        }
    }
}

/// Small integers make every sum exact, so fused and unfused must agree to the bit.
#[test]
fn a_fused_residual_equals_the_unfused_one_exactly() {
    let mut net = NetworkBuilder::new("shortcut", [2, 5, 6, 6]);
    let x = net.input();
    let y = net
        .conv("conv1", x, ConvDesc::new(5, 3).padding(1), true)
        .unwrap();
    let y = net.relu(y).unwrap();
    let y = net
        .conv("conv2", y, ConvDesc::new(5, 3).padding(1), true)
        .unwrap();
    let y = net.add(y, x).unwrap();
    let y = net.relu(y).unwrap();
    let network = net.finish(y).unwrap();
    let fused = passes::inference(&network).unwrap();
    assert_eq!(
        fused.nodes.len(),
        2,
        "both activations and the addition are fused"
    );
    for layout in Layout::ALL {
        for graph in [&network, &fused] {
            let mut program = Program::new(graph.clone(), &options(layout)).unwrap();
            let mut draw = Draw::new(5);
            for slot in program.slots().to_vec() {
                let values = draw.integers(slot.range.len());
                program.parameters_mut()[slot.range].copy_from_slice(&values);
            }
            let images = draw.integers(program.input_f32(0).len());
            program.input_f32(0).copy_from_slice(&images);
            program.run(RUN);
            let given = Given::of(&program).images(&images);
            let answer = evaluate(&network, &given, Mode::Inference);
            let problem = format!("{layout}, {} nodes", graph.nodes.len());
            compare::assert_exact(&problem, program.output(0), answer.output(&network));
        }
    }
}

/// Wide enough that its weights fill pages: folded norms, short convolutions, a weight that two layers read, one that
/// nobody does, and a linear layer that reads its own as it lies.
fn wide() -> graph::Graph {
    let mut net = NetworkBuilder::new("wide", [1, 64, 8, 8]);
    let x = net.input();
    let desc = ConvDesc::new(160, 3).padding(1);
    let x = net.conv("conv1", x, desc.clone(), false).unwrap();
    let x = net.batch_norm("bn1", x).unwrap();
    let x = net.relu(x).unwrap();
    let x = net.conv("conv2", x, desc, true).unwrap();
    let x = net.relu(x).unwrap();
    let x = net.conv("conv3", x, ConvDesc::new(3000, 1), true).unwrap();
    let x = net.global_average_pool(x).unwrap();
    let x = net.flatten(x).unwrap();
    let x = net.linear("fc1", x, 1000).unwrap();
    let x = net.linear("fc2", x, 300).unwrap();
    net.finish(x).unwrap()
}

#[test]
fn a_program_for_inference_computes_the_same_and_reads_no_parameter_that_is_gone() {
    for network in all().into_iter().chain([wide()]) {
        for layout in Layout::ALL {
            for algorithm in [None, Some(Algorithm::Reference), Some(Algorithm::Direct)] {
                let options = RuntimeOptions {
                    algorithm,
                    ..options(layout)
                };
                let folded = passes::inference(&network).unwrap();
                let Ok(mut program) = Program::new(folded, &options) else {
                    continue;
                };
                prepare(&mut program, 5);
                program.run(RUN);
                let want = program.output(0).to_vec();
                let images = program.input_f32(0).to_vec();
                program.parameters_mut();
                let mut program = program.into_inference();
                for run in 0..3 {
                    let problem = format!("{} {layout} {algorithm:?}, run {run}", network.name);
                    program.input_f32(0).copy_from_slice(&images);
                    program.run(RUN);
                    assert!(program.output(0) == want, "{problem}");
                }
            }
        }
    }
}

#[test]
fn a_training_graph_keeps_what_its_runs_read() {
    let network = wide();
    let graph = passes::training(&network, passes::TrainingOptions::default()).unwrap();
    let mut program = Program::new(graph, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 5);
    program.input_index(1).fill(3);
    program.run(RUN);
    let want = program.output(0).to_vec();
    // Its states have moved on: they are set anew.
    prepare(&mut program, 5);
    program.input_index(1).fill(3);
    let mut program = program.into_inference();
    program.run(RUN);
    assert_eq!(program.output(0), want);
}
