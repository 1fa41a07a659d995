//! Operators that move elements.

use geometry::{PadDesc, PadMode, PixelOrder, PixelShuffleDesc, SliceDesc};
use graph::{Op, RearrangeOp};

use super::{Batch, check};

fn moved(op: RearrangeOp) -> Op {
    Op::Rearrange(op)
}

#[test]
fn paddings_and_crops() {
    for mode in PadMode::ALL {
        for amounts in [
            [(0, 0), (2, 1), (1, 3)],
            [(0, 0), (-1, 2), (3, -2)],
            [(1, 0), (-1, -1), (0, 0)],
        ] {
            check(&format!("{mode} {amounts:?}"), 13, Batch::Open, |s| {
                let x = s.input(&[2, 5, 6]);
                let amounts = [&[(0, 0)], &amounts[..]].concat();
                let desc = PadDesc::new(mode, &amounts);
                vec![s.op(moved(RearrangeOp::Pad { desc, value: 0.5 }), &[x])]
            });
        }
    }
    check("more images", 13, Batch::Fixed, |s| {
        let x = s.input(&[2]);
        let desc = PadDesc::new(PadMode::Constant, &[(1, 0), (0, 0)]);
        vec![s.op(moved(RearrangeOp::Pad { desc, value: 0.0 }), &[x])]
    });
}

#[test]
fn slices() {
    let cases = [
        SliceDesc::new().axis(1, 1, 3, 1),
        SliceDesc::new()
            .axis(-1, i64::MAX, i64::MIN, -2)
            .axis(2, -3, i64::MAX, 1),
        SliceDesc::new(),
    ];
    for desc in cases {
        check(&format!("{desc:?}"), 13, Batch::Open, |s| {
            let x = s.input(&[4, 5, 6]);
            let x = s.op(Op::Activation(graph::Activation::Relu), &[x]);
            let desc = desc.clone();
            vec![s.op(moved(RearrangeOp::Slice { desc }), &[x])]
        });
    }
    check("channels", 13, Batch::Open, |s| {
        let x = s.input(&[4, 5, 6]);
        vec![s.op(Op::ChannelSlice { start: 1, count: 2 }, &[x])]
    });
}

#[test]
fn side_by_side() {
    check("channels", 13, Batch::Open, |s| {
        let (a, b) = (s.input(&[2, 4, 3]), s.input(&[3, 4, 3]));
        vec![s.op(Op::Concat, &[a, b, a])]
    });
    check("columns", 13, Batch::Open, |s| {
        let (a, b) = (s.input(&[2, 4, 3]), s.input(&[2, 4, 1]));
        vec![s.op(moved(RearrangeOp::Concat { axis: -1 }), &[a, b])]
    });
    check("images", 13, Batch::Fixed, |s| {
        let (a, b) = (s.input(&[2, 4]), s.input(&[2, 4]));
        vec![s.op(moved(RearrangeOp::Concat { axis: 0 }), &[a, b])]
    });
}

#[test]
fn other_orders_and_shapes() {
    check("space turned", 13, Batch::Open, |s| {
        let x = s.input(&[4, 5, 6]);
        vec![s.op(
            moved(RearrangeOp::Permute {
                axes: vec![0, 3, 1, 2],
            }),
            &[x],
        )]
    });
    check("images turned", 13, Batch::Fixed, |s| {
        let x = s.input(&[4, 5, 6]);
        vec![s.op(
            moved(RearrangeOp::Permute {
                axes: vec![1, 0, 2, 3],
            }),
            &[x],
        )]
    });
    check("reshaped", 13, Batch::Open, |s| {
        let x = s.input(&[4, 5, 6]);
        let shape = vec![s.batch, 20, 6];
        vec![s.op(moved(RearrangeOp::Reshape { shape }), &[x])]
    });
    check("reshaped over images", 13, Batch::Fixed, |s| {
        let x = s.input(&[4, 6]);
        vec![s.op(
            moved(RearrangeOp::Reshape {
                shape: vec![4 * s.batch, 6],
            }),
            &[x],
        )]
    });
    check("flattened and back", 13, Batch::Open, |s| {
        let x = s.input(&[4, 5, 6]);
        let flat = s.op(Op::Flatten, &[x]);
        let shape = vec![s.batch, 6, 4, 5];
        vec![flat, s.op(Op::Unflatten { shape }, &[flat])]
    });
}

#[test]
fn shuffles() {
    for order in [PixelOrder::ChannelMajor, PixelOrder::BlockMajor] {
        for (factor, shape) in [
            (vec![2, 2], vec![12, 4, 6]),
            (vec![2, 3], vec![12, 4, 6]),
            (vec![3], vec![12, 6]),
            (vec![2, 1, 2], vec![8, 2, 3, 4]),
        ] {
            check(&format!("{order:?} {factor:?}"), 13, Batch::Open, |s| {
                let x = s.input(&shape);
                let desc = PixelShuffleDesc::new(factor.clone()).order(order);
                let wide = s.op(
                    moved(RearrangeOp::PixelShuffle { desc: desc.clone() }),
                    &[x],
                );
                let deep = s.op(moved(RearrangeOp::PixelUnshuffle { desc }), &[x]);
                vec![wide, deep]
            });
        }
    }
    check("channels", 13, Batch::Open, |s| {
        let x = s.input(&[12, 4, 6]);
        vec![s.op(moved(RearrangeOp::ChannelShuffle { groups: 3 }), &[x])]
    });
}
