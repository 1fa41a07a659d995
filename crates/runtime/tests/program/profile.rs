//! The profile lists the work that is done.

use geometry::ConvDesc;
use graph::passes::{self, TrainingOptions};
use graph::{Graph, NetworkBuilder};
use kernels::conv::Algorithm;
use runtime::{ProfileRow, Program};
use tensor::Layout;

use crate::networks::{self, RUN, options, prepare, residual};

/// All networks as programs that predict and as steps of training, in both layouts.
fn programs() -> Vec<Program> {
    let predicts = |network: &Graph| passes::inference(network).unwrap();
    let learns = |network: &Graph| passes::training(network, TrainingOptions::default()).unwrap();
    let mut programs = Vec::new();
    for network in networks::all() {
        for layout in Layout::ALL {
            for graph in [predicts(&network), learns(&network)] {
                let mut program = Program::new(graph, &options(layout)).unwrap();
                prepare(&mut program, 1);
                programs.push(program);
            }
        }
    }
    programs
}

#[test]
fn every_node_of_a_program_has_a_row() {
    for mut program in programs() {
        let rows = program.profile(RUN, 1);
        let once = program.profile_preparation(RUN, 1);
        for node in &program.graph().nodes {
            let named = |row: &&ProfileRow| (&row.layer, row.op) == (&node.layer, node.op.name());
            let found = rows.iter().chain(&once).find(named);
            assert!(
                found.is_some(),
                "{}: nothing of {} ({})",
                program.graph().name,
                node.layer,
                node.op.name()
            );
        }
        for row in rows.iter().filter(|row| row.kernel == ProfileRow::IDLE) {
            assert_eq!((row.bytes, row.macs, row.milliseconds), (0, 0, 0.0));
        }
    }
}

#[test]
fn a_row_stands_where_its_node_is_computed() {
    let network = networks::plain().unwrap();
    let folded = passes::inference(&network).unwrap();
    let mut program = Program::new(folded, &options(Layout::Nchw)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 1);
    let ops: Vec<_> = rows.iter().map(|row| row.op).collect();
    let at = |op| ops.iter().position(|&other| other == op).unwrap();
    // Channels first a flattening is another shape of the same elements.
    assert_eq!(rows[at("flatten")].kernel, ProfileRow::IDLE);
    assert!(at("conv") < at("pool") && at("pool") < at("flatten") && at("flatten") < at("linear"));
}

#[test]
fn what_was_refused_is_better_than_what_was_chosen() {
    let rank = |name: &str| {
        let place = Algorithm::ALL.iter().position(|a| a.to_string() == name);
        place.unwrap_or_else(|| panic!("no algorithm '{name}'"))
    };
    let mut convolutions = 0;
    for mut program in programs() {
        for row in program.profile(RUN, 1) {
            if row.macs == 0 {
                assert!(row.refused.is_empty(), "{row:?}");
                continue;
            }
            let chosen = rank(row.kernel.split(' ').next().unwrap());
            let refused: Vec<_> = row
                .refused
                .iter()
                .map(|&(algorithm, _)| algorithm)
                .collect();
            assert_eq!(refused, Algorithm::ALL[..chosen], "{row:?}");
            convolutions += 1;
        }
    }
    assert!(convolutions > 100, "{convolutions}");
}

#[test]
fn bytes_are_those_of_the_operands() {
    let mut network = NetworkBuilder::new("bytes", [2, 3, 5, 7]);
    let x = network.input();
    let x = network.conv("conv", x, ConvDesc::new(4, 1), true).unwrap();
    let x = network.relu6(x).unwrap();
    let y = network.concat(&[x, x]).unwrap();
    let network = network.finish(y).unwrap();
    let mut program = Program::new(network, &options(Layout::Nchw)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 1);
    let packed = program.profile_preparation(RUN, 1);
    let packed = packed.iter().find(|row| row.packs()).unwrap();
    let bytes = |kernel: &str| -> usize {
        let rows = rows.iter().filter(|row| row.kernel == kernel);
        rows.map(|row| row.bytes).sum()
    };
    let (input, map) = (4 * 2 * 3 * 35, 4 * 2 * 4 * 35);
    // Weights are read as they were packed, from as many as they were before.
    let weights = packed.bytes - 4 * 3 * 4;
    assert!(weights >= 4 * 3 * 4);
    assert_eq!(bytes("direct forward"), input + weights + 4 * 4 + map);
    // In place: read and written. Both halves of the concatenation are copied.
    assert_eq!(bytes("activation in place"), 2 * map);
    assert_eq!(bytes("copy channels"), 4 * map);
}

#[test]
fn gradients_of_norms_are_written_over_their_operand() {
    // One of them gives the gradient of a residual, too.
    let step = passes::training(&residual().unwrap(), TrainingOptions::default()).unwrap();
    let mut program = Program::new(step, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 1);
    let kernels = rows.iter().map(|row| row.kernel.as_str());
    let norms: Vec<&str> = kernels
        .filter(|kernel| kernel.starts_with("norm backward"))
        .collect();
    assert!(!norms.is_empty());
    assert!(
        norms
            .iter()
            .all(|&kernel| kernel == "norm backward in place"),
        "{norms:?}"
    );
}

#[test]
fn a_profile_counts_the_multiply_accumulates_of_every_direction() {
    // Two images: 5·3·9 on 8×8; two of 5·5·9 on 8×8; 17·5·9, 17·17·9 and 17·5 on 4×4; 17·5.
    let stem = 2 * 64 * 5 * 3 * 9;
    let rest = 2 * (64 * 2 * 5 * 5 * 9 + 16 * (17 * 5 * 9 + 17 * 17 * 9 + 17 * 5) + 17 * 5);
    let network = residual().unwrap();
    let step = passes::training(&network, TrainingOptions::default()).unwrap();
    let mut program = Program::new(step, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 3);
    let macs = |kernel: &str| {
        let rows = rows.iter().filter(|row| row.kernel.ends_with(kernel));
        rows.map(|row| row.macs).sum::<usize>()
    };
    assert_eq!(macs(" forward"), stem + rest);
    // Nobody asks for the gradient of the images.
    assert_eq!(macs(" backward-data"), rest);
    assert_eq!(macs(" backward-weights"), stem + rest);
    assert!(rows.iter().all(|row| row.milliseconds >= 0.0));
    assert!(
        rows.iter()
            .any(|row| row.layer == "layer2.conv2" && row.kernel.ends_with(" forward"))
    );
}

#[test]
fn an_inference_program_packs_and_folds_before_its_runs() {
    let network = residual().unwrap();
    let folded = passes::inference(&network).unwrap();
    let mut program = Program::new(folded, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 1);
    let kernels: Vec<_> = rows.iter().map(|row| row.kernel.as_str()).collect();
    assert!(
        !kernels
            .iter()
            .any(|kernel| ["pack", "fold norm"].contains(kernel)),
        "{kernels:?}"
    );
}

#[test]
fn whole_maps_that_change_their_layout_are_steps_with_a_time() {
    let mut network = NetworkBuilder::new("switches", [1, 6, 5, 7]);
    let x = network.input();
    let y = network.conv("deep", x, ConvDesc::new(6, 3).groups(6).padding(1), false);
    let y = network.conv("groups", y.unwrap(), ConvDesc::new(4, 1).groups(2), false);
    let y = network.conv("dense", y.unwrap(), ConvDesc::new(4, 3), false);
    let network = network.finish(y.unwrap()).unwrap();
    let reorders = |layout| {
        let mut program = Program::new(network.clone(), &options(layout)).unwrap();
        prepare(&mut program, 1);
        let rows = program.profile(RUN, 1).into_iter();
        let rows = rows.filter(|row| row.kernel.starts_with("reorder"));
        rows.map(|row| (row.layer, row.kernel)).collect::<Vec<_>>()
    };
    let row = |layer: &str, kernel: &str| (layer.to_owned(), kernel.to_owned());
    // Small groups run channels last in either layout; what one of them makes the next one takes as
    // it lies.
    assert_eq!(
        reorders(Layout::Nchw),
        [
            row("deep", "reorder nchw to nhwc"),
            row("dense", "reorder nhwc to nchw"),
        ]
    );
    assert_eq!(
        reorders(Layout::Nhwc),
        [
            row("deep", "reorder nchw to nhwc"),
            row("dense", "reorder nhwc to nchw"),
        ]
    );
}
