//! Pointwise and depthwise convolutions of large maps are made together, row by row.

use std::sync::Arc;

use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder, passes};
use kernels::Team;
use runtime::Program;
use tensor::Layout;
use testkit::Draw;

use crate::networks::{RUN, options};

/// An inverted residual; another layer reads the map behind the depthwise convolution if it is `seen`.
fn network(size: usize, seen: bool) -> Graph {
    let mut network = NetworkBuilder::new("inverted", [1, 4, size, size]);
    let x = network.input();
    let expand = ConvDesc::new(24, 1);
    let wide = network.conv("expand", x, expand, true).unwrap();
    let wide = network.relu6(wide).unwrap();
    let depthwise = ConvDesc::new(24, 3).padding(1).groups(24);
    let deep = network.conv("depthwise", wide, depthwise, true).unwrap();
    let narrow = ConvDesc::new(4, 1);
    let narrow = network.conv("project", deep, narrow, true).unwrap();
    let y = network.add(narrow, x).unwrap();
    let y = match seen {
        true => {
            let more = network
                .conv("more", deep, ConvDesc::new(4, 1), false)
                .unwrap();
            network.add(y, more).unwrap()
        }
        false => y,
    };
    passes::inference(&network.finish(y).unwrap()).unwrap()
}

/// The answer, and the kernels of the steps.
fn run(graph: &Graph, layout: Layout, threads: usize) -> (Vec<f32>, Vec<String>) {
    let team = Arc::new(Team::new(threads).unwrap());
    let mut program =
        Program::with_layouts(graph.clone(), &options(layout), team, |_| layout).unwrap();
    let mut draw = Draw::new(8);
    let parameters = draw.integers(program.parameters().len());
    program.parameters_mut().copy_from_slice(&parameters);
    let x = draw.integers(program.input_f32(0).len());
    program.input_f32(0).copy_from_slice(&x);
    program.run(RUN);
    let rows = program.profile(RUN, 1);
    let kernels = rows.into_iter().map(|row| row.kernel).collect();
    (program.output(0).to_vec(), kernels)
}

#[test]
fn answers_are_those_of_separate_steps() {
    for (size, seen, chained) in [
        (80, false, "direct + depthwise + direct forward"),
        // The last map is wanted by somebody else.
        (80, true, "direct + depthwise forward"),
        // Small maps stay in the caches anyway.
        (12, false, ""),
    ] {
        let graph = network(size, seen);
        let (want, apart) = run(&graph, Layout::Nchw, 1);
        assert!(apart.iter().all(|kernel| !kernel.contains('+')));
        for threads in [1, 2, 3] {
            let (got, kernels) = run(&graph, Layout::Nhwc, threads);
            assert_eq!(got, want, "{size}, seen {seen}, {threads} threads");
            let chain = kernels.iter().find(|kernel| kernel.contains('+'));
            assert_eq!(chain.map_or("", |kernel| kernel), chained);
        }
    }
}
