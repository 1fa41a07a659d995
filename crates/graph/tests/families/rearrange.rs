use geometry::{AxisError, PadDesc, PadMode, PixelShuffleDesc, SliceDesc};
use graph::{NetworkBuilder, Op, OpError, RearrangeOp, pullback};

use crate::values::infer;

fn made(op: RearrangeOp, inputs: &[&[usize]]) -> Vec<usize> {
    infer(&Op::Rearrange(op), inputs).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(op: RearrangeOp, inputs: &[&[usize]]) -> OpError {
    infer(&Op::Rearrange(op), inputs).unwrap_err()
}

#[test]
fn shapes_of_what_is_moved() {
    let x = [2, 12, 5, 7];
    let pad = PadDesc::spatial(PadMode::Replicate, &[(1, 2), (-1, 0)]);
    let op = RearrangeOp::Pad {
        desc: pad.clone(),
        value: 0.0,
    };
    assert_eq!(made(op, &[&x]), [2, 12, 8, 6]);
    let op = RearrangeOp::PadBackward {
        desc: pad,
        input: x.to_vec(),
    };
    assert_eq!(made(op, &[&[2, 12, 8, 6]]), x);
    let slice = SliceDesc::new().axis(1, 2, 9, 3).axis(-1, -1, i64::MIN, -2);
    let op = RearrangeOp::Slice {
        desc: slice.clone(),
    };
    assert_eq!(made(op, &[&x]), [2, 3, 5, 4]);
    let op = RearrangeOp::SliceBackward {
        desc: slice,
        input: x.to_vec(),
    };
    assert_eq!(made(op, &[&[2, 3, 5, 4]]), x);
    let op = RearrangeOp::Concat { axis: -1 };
    assert_eq!(made(op, &[&x, &[2, 12, 5, 1]]), [2, 12, 5, 8]);
    let axes = vec![3, 0, 1, 2];
    assert_eq!(made(RearrangeOp::Permute { axes }, &[&x]), [7, 2, 12, 5]);
    let desc = PixelShuffleDesc::new([2, 3]);
    let op = RearrangeOp::PixelShuffle { desc: desc.clone() };
    assert_eq!(made(op, &[&x]), [2, 2, 10, 21]);
    let op = RearrangeOp::PixelUnshuffle { desc };
    assert_eq!(made(op, &[&[2, 2, 10, 21]]), x);
    assert_eq!(made(RearrangeOp::ChannelShuffle { groups: 4 }, &[&x]), x);
    let shape = vec![24, 35];
    assert_eq!(made(RearrangeOp::Reshape { shape }, &[&x]), [24, 35]);
}

#[test]
fn refusals_name_the_operator_and_the_input() {
    let error = refused(RearrangeOp::ChannelShuffle { groups: 5 }, &[&[2, 12, 5]]);
    let want = OpError::Axes {
        op: "channel shuffle",
        input: vec![2, 12, 5],
        source: AxisError::Indivisible {
            what: "the number of channels",
            extent: 12,
            parts: 5,
        },
    };
    assert_eq!(error, want);
    assert_eq!(
        error.to_string(),
        "channel shuffle on input [2, 12, 5]: the number of channels 12 does not divide into 5 parts"
    );
    let error = refused(RearrangeOp::Concat { axis: 0 }, &[&[2, 3], &[2, 4]]);
    assert!(matches!(
        error,
        OpError::Axes {
            source: AxisError::ExtentsDiffer { input: 1, .. },
            ..
        }
    ));
    // A gradient of another shape than the forward pass makes.
    let op = RearrangeOp::SliceBackward {
        desc: SliceDesc::new().axis(1, 0, 2, 1),
        input: vec![2, 12, 5],
    };
    assert!(matches!(
        refused(op, &[&[2, 3, 5]]),
        OpError::Mismatch { .. }
    ));
    let reshape = || RearrangeOp::Reshape { shape: vec![4] };
    assert!(matches!(
        refused(reshape(), &[&[4], &[4]]),
        OpError::ExtraInputs { expected: 1, .. }
    ));
    assert!(matches!(
        refused(reshape(), &[]),
        OpError::MissingInput { .. }
    ));
    assert!(matches!(
        refused(RearrangeOp::Concat { axis: 0 }, &[]),
        OpError::MissingInput { .. }
    ));
}

#[test]
fn layers_of_a_network_and_the_way_back() {
    let mut network = NetworkBuilder::new("moved", [2, 8, 4, 6]);
    let x = network.input();
    let a = network.channel_shuffle(x, 2).unwrap();
    let b = network.pixel_shuffle(a, PixelShuffleDesc::new(2)).unwrap();
    let c = network
        .pad(
            b,
            PadDesc::spatial(PadMode::Circular, &[(0, 0), (1, 1)]),
            0.0,
        )
        .unwrap();
    let d = network.permute(c, &[0, 2, 3, 1]).unwrap();
    let e = network
        .slice(d, SliceDesc::new().axis(2, 1, -1, 1))
        .unwrap();
    let f = network.concat_on(1, &[e, e]).unwrap();
    let g = network.reshape(f, &[2, 384]).unwrap();
    let graph = network.finish(g).unwrap();
    let names: Vec<_> = graph.nodes.iter().map(|node| node.layer.as_str()).collect();
    assert_eq!(
        names,
        [
            "channel_shuffle",
            "pixel_shuffle",
            "pad",
            "permute",
            "slice",
            "concat",
            "reshape"
        ]
    );
    let grown = pullback(&graph, g, &[x]).unwrap();
    assert_eq!(grown.verify(), Ok(()));
    assert_eq!(grown.value(grown.outputs[1]).shape, [2, 8, 4, 6]);
}
