//! Concatenations that each begin with the one before share one buffer.

use std::sync::Arc;

use geometry::ConvDesc;
use graph::passes;
use graph::{Graph, NetworkBuilder, Node};
use kernels::Team;
use runtime::{Program, RuntimeOptions};
use tensor::Layout;
use testkit::{Draw, compare};

use crate::networks::{RUN, options, prepare};
use crate::oracle::{Given, Mode, evaluate};

/// A dense block of three layers of five channels, and what reads the second concatenation besides.
fn network(besides: bool) -> Graph {
    let mut network = NetworkBuilder::new("growing", [2, 3, 6, 5]);
    let x = network.input();
    let mut x = network.conv("stem", x, ConvDesc::new(7, 1), false).unwrap();
    let mut second = None;
    for layer in 0..3 {
        let norm = network.batch_norm(&format!("norm{layer}"), x).unwrap();
        let desc = ConvDesc::new(5, 3).padding(1);
        let new = network
            .conv(&format!("conv{layer}"), norm, desc, false)
            .unwrap();
        x = network.concat(&[x, new]).unwrap();
        second = second.or(Some(x).filter(|_| layer == 1));
    }
    let y = network.conv("last", x, ConvDesc::new(4, 1), false).unwrap();
    let y = match second.filter(|_| besides) {
        Some(second) => {
            let more = network
                .conv("more", second, ConvDesc::new(4, 1), false)
                .unwrap();
            network.add(y, more).unwrap()
        }
        None => y,
    };
    network.finish(y).unwrap()
}

fn copies(program: &mut Program) -> usize {
    let rows = program.profile(RUN, 1);
    rows.iter()
        .filter(|row| row.kernel == "copy channels")
        .count()
}

fn program(graph: &Graph, options: &RuntimeOptions, layout: impl Fn(&Node) -> Layout) -> Program {
    let team = Arc::new(Team::new(2).unwrap());
    let folded = passes::inference(graph).unwrap();
    Program::with_layouts(folded, options, team, layout).unwrap()
}

#[test]
fn a_block_copies_only_what_is_new() {
    for (besides, layout, switched, copied) in [
        // Of the first concatenation both inputs, of each of the others one.
        (false, Layout::Nhwc, false, 4),
        (false, Layout::Nchw, false, 6),
        // A convolution reads the second one, so that the chain begins anew behind it: 2 + 1 + 2.
        (true, Layout::Nhwc, false, 5),
        // A norm reads the first one channels first.
        (false, Layout::Nhwc, true, 5),
    ] {
        let graph = network(besides);
        let mut program = program(&graph, &options(layout), |node| {
            match switched && node.layer == "norm1" {
                true => Layout::Nchw,
                false => layout,
            }
        });
        prepare(&mut program, 3);
        program.run(RUN);
        let images = program.input_f32(0).to_vec();
        let given = Given::of(&program).images(&images);
        let answer = evaluate(&graph, &given, Mode::Inference);
        let name = format!("besides {besides}, {layout}, switched {switched}");
        compare::assert_relative_l2(&name, program.output(0), answer.output(&graph), 1e-5);
        assert_eq!(copies(&mut program), copied, "{name}");
    }
}

#[test]
fn answers_do_not_depend_on_what_the_buffer_held() {
    let graph = network(false);
    let mut program = program(&graph, &options(Layout::Nhwc), |_| Layout::Nhwc);
    prepare(&mut program, 3);
    program.run(RUN);
    let first = program.output(0).to_vec();
    let images = program.input_f32(0).to_vec();
    let others = Draw::new(9).reals(images.len());
    program.input_f32(0).copy_from_slice(&others);
    program.run(RUN);
    program.input_f32(0).copy_from_slice(&images);
    program.run(RUN);
    assert_eq!(program.output(0), first);
}
