//! A concatenation whose only reader is a channel shuffle becomes one step with it.

use std::sync::Arc;

use geometry::ConvDesc;
use graph::passes;
use graph::{Graph, NetworkBuilder};
use kernels::Team;
use runtime::Program;
use tensor::Layout;
use testkit::Draw;

use crate::networks::{RUN, options};

/// Two or three pointwise convolutions side by side and shuffled by `groups`; the concatenation is an
/// output too if it is `seen`.
fn network(parts: usize, groups: usize, seen: bool) -> Graph {
    let mut network = NetworkBuilder::new("shuffled", [2, 3, 5, 4]);
    let x = network.input();
    let parts: Vec<_> = (0..parts)
        .map(|part| {
            let desc = ConvDesc::new(6, 1);
            network
                .conv(&format!("part{part}"), x, desc, false)
                .unwrap()
        })
        .collect();
    let joined = network.concat(&parts).unwrap();
    let shuffled = network.channel_shuffle(joined, groups).unwrap();
    let y = network
        .conv("last", shuffled, ConvDesc::new(4, 1), false)
        .unwrap();
    let y = match seen {
        true => {
            let more = network
                .conv("more", joined, ConvDesc::new(4, 1), false)
                .unwrap();
            network.add(y, more).unwrap()
        }
        false => y,
    };
    passes::inference(&network.finish(y).unwrap()).unwrap()
}

/// The answer, and the kernels of the steps.
fn run(graph: &Graph, layout: Layout) -> (Vec<f32>, Vec<String>) {
    let team = Arc::new(Team::new(2).unwrap());
    let mut program =
        Program::with_layouts(graph.clone(), &options(layout), team, |_| layout).unwrap();
    let mut draw = Draw::new(8);
    let parameters = draw.integers(program.parameters().len());
    program.parameters_mut().copy_from_slice(&parameters);
    let x = draw.integers(program.input_f32(0).len());
    program.input_f32(0).copy_from_slice(&x);
    let rows = program.profile(RUN, 1);
    let kernels = rows.into_iter().map(|row| row.kernel).collect();
    (program.output(0).to_vec(), kernels)
}

#[test]
fn answers_are_those_of_separate_steps() {
    for (parts, groups, seen, fused) in [
        (2, 2, false, true),
        (3, 3, false, true),
        // Somebody else wants the concatenation, or the groups are not the parts.
        (2, 2, true, false),
        (2, 3, false, false),
        (3, 2, false, false),
    ] {
        let graph = network(parts, groups, seen);
        let (want, apart) = run(&graph, Layout::Nchw);
        let (got, kernels) = run(&graph, Layout::Nhwc);
        assert_eq!(got, want, "{parts} parts, {groups} groups");
        let has = |kernels: &[String], name: &str| kernels.iter().any(|kernel| kernel == name);
        assert!(has(&apart, "channel shuffle"));
        assert_eq!(has(&kernels, "interleave channels"), fused);
        assert_eq!(has(&kernels, "channel shuffle"), !fused);
    }
}
