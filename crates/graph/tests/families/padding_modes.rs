//! Convolutions whose padding is not zeros, made of a padding and a convolution.

use geometry::{ConvDesc, PadMode, Padding, PaddingMode};
use graph::passes::{TrainingOptions, inference, pad_first, training};
use graph::{Graph, NetworkBuilder, Op, RearrangeOp};

fn network(mode: PaddingMode, padding: usize) -> Graph {
    let mut network = NetworkBuilder::new("modes", [2, 3, 8, 8]);
    let x = network.input();
    let x = network
        .conv("first", x, ConvDesc::new(4, 1), false)
        .unwrap();
    let desc = ConvDesc::new(5, [3, 1])
        .padding([padding, 0])
        .padding_mode(mode);
    let x = network.conv("padded", x, desc, true).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let y = network.linear("fc", x, 3).unwrap();
    network.finish(y).unwrap()
}

fn names(graph: &Graph) -> Vec<&'static str> {
    graph.nodes.iter().map(|node| node.op.name()).collect()
}

#[test]
fn zeros_and_no_padding_are_left_alone() {
    for network in [
        network(PaddingMode::Zeros, 1),
        network(PaddingMode::Reflect, 0),
    ] {
        assert_eq!(names(&pad_first(&network).unwrap()), names(&network));
    }
}

#[test]
fn forward_pads_and_convolves() {
    let network = network(PaddingMode::Reflect, 2);
    let graph = inference(&network).unwrap();
    let padded = pad_first(&graph).unwrap();
    assert_eq!(names(&padded)[..3], ["conv", "pad", "conv"]);
    let [_, pad, conv, ..] = &padded.nodes[..] else {
        panic!("{padded:?}")
    };
    let Op::Rearrange(RearrangeOp::Pad { desc, .. }) = &pad.op else {
        panic!("{pad:?}")
    };
    assert_eq!(desc.mode, PadMode::Reflect);
    assert_eq!(desc.amounts, [(0, 0), (0, 0), (2, 2), (0, 0)]);
    assert_eq!(padded.value(pad.outputs[0]).shape, [2, 4, 12, 8]);
    let Op::Conv { desc, bias, .. } = &conv.op else {
        panic!("{conv:?}")
    };
    assert!(*bias && desc.padding == Padding::Valid && desc.padding_mode == PaddingMode::Zeros);
    // Values keep their ids, and nothing is left to do.
    assert_eq!(padded.outputs, graph.outputs);
    for (id, value) in graph.iter_values() {
        assert_eq!(padded.value(id), value);
    }
    assert_eq!(names(&pad_first(&padded).unwrap()), names(&padded));
}

#[test]
fn gradients_fold_the_padding_back() {
    let network = network(PaddingMode::Circular, 1);
    let step = training(&network, TrainingOptions::default()).unwrap();
    let padded = pad_first(&step).unwrap();
    assert_eq!(padded.gradients, step.gradients);
    let names = names(&padded);
    let expected = [
        "channel sum",
        "pad",
        "conv backward-weights",
        "conv backward-data",
        "pad backward",
        "conv backward-weights",
    ];
    assert_eq!(names[names.len() - expected.len()..], expected);
    assert_eq!(padded.verify(), Ok(()));
}
