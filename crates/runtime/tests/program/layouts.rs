//! The layout of feature maps is free to switch at any node.

use std::sync::Arc;

use geometry::ConvDesc;
use graph::passes::{self, TrainingOptions};
use graph::{Graph, NetworkBuilder, Node};
use kernels::Team;
use runtime::Program;
use tensor::Layout;
use testkit::{Draw, compare};

use crate::networks::{RUN, all, options, prepare};
use crate::oracle::{Given, Mode, evaluate};

/// A program whose nodes switch layouts as `layout` says.
fn program(graph: &Graph, layout: impl Fn(&Node) -> Layout) -> Program {
    let team = Arc::new(Team::new(2).unwrap());
    Program::with_layouts(graph.clone(), &options(Layout::Nhwc), team, layout).unwrap()
}

/// A layout for each layer, another one for each seed.
fn drawn(seed: usize) -> impl Fn(&Node) -> Layout {
    move |node| {
        let sum = node.layer.bytes().map(usize::from).sum::<usize>() >> (seed % 4);
        Layout::ALL[(sum + seed) % 2]
    }
}

#[test]
fn a_network_computes_the_same_wherever_layouts_switch() {
    for network in all() {
        let folded = passes::inference(&network).unwrap();
        for seed in 0..6 {
            let mut program = program(&folded, drawn(seed));
            prepare(&mut program, 11);
            program.run(RUN);
            let images = program.input_f32(0).to_vec();
            let given = Given::of(&program).images(&images);
            let answer = evaluate(&network, &given, Mode::Inference);
            let problem = format!("{} {seed}", network.name);
            compare::assert_relative_l2(&problem, program.output(0), answer.output(&network), 1e-5);
        }
    }
}

#[test]
fn a_training_step_too() {
    for network in all() {
        let step = passes::training(&network, TrainingOptions::default()).unwrap();
        let gradients = |mut program: Program| {
            prepare(&mut program, 4);
            program.run(RUN);
            program.gradients().to_vec()
        };
        let want = gradients(program(&step, |_| Layout::Nhwc));
        let want: Vec<f64> = want.iter().map(|&v| f64::from(v)).collect();
        for seed in 0..6 {
            let got = gradients(program(&step, drawn(seed)));
            compare::assert_relative_l2(&format!("{} {seed}", network.name), &got, &want, 1e-5);
        }
    }
}

/// Three convolutions of small integers, every choice of layouts: exact, and as many reorderings in
/// the profile as there are switches, the way in and out included.
#[test]
fn every_switch_is_one_step_of_the_profile() {
    let mut net = NetworkBuilder::new("three", [2, 4, 5, 6]);
    let mut x = net.input();
    for layer in ["0", "1", "2"] {
        x = net
            .conv(layer, x, ConvDesc::new(4, 3).padding(1), true)
            .unwrap();
    }
    let network = net.finish(x).unwrap();
    for choice in 0..8usize {
        let layout = |layer: usize| Layout::ALL[choice >> layer & 1];
        let mut program = program(&network, |node| layout(node.layer.parse().unwrap()));
        let mut draw = Draw::new(5);
        for slot in program.slots().to_vec() {
            let values = draw.integers(slot.range.len());
            program.parameters_mut()[slot.range].copy_from_slice(&values);
        }
        let images = draw.integers(program.input_f32(0).len());
        program.input_f32(0).copy_from_slice(&images);
        let rows = program.profile(RUN, 1);
        let given = Given::of(&program).images(&images);
        let answer = evaluate(&network, &given, Mode::Inference);
        compare::assert_exact(
            &format!("{choice:03b}"),
            program.output(0),
            answer.output(&network),
        );

        let path = [Layout::Nchw, layout(0), layout(1), layout(2), Layout::Nchw];
        let switches = path.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let reorderings = rows.iter().filter(|row| row.kernel.starts_with("reorder"));
        assert_eq!(reorderings.count(), switches, "{choice:03b}");
    }
}
