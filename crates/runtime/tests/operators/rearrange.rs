//! Operators that only move elements.

use geometry::{AxisError, PadDesc, PadMode, PixelOrder, PixelShuffleDesc, SliceDesc};
use graph::{GraphError, Op, OpError, RearrangeOp};
use runtime::RuntimeError;
use testkit::Draw;
use testkit::compare::widen;
use testkit::rearrange::{self as oracle, Border, Gather};

use crate::engines::{Given, Want, assert_operator, assert_slopes, engine, tensor};

fn len(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// An operator of one input against the oracle's list of sources.
fn assert_gather(op: RearrangeOp, gather: &Gather, constant: f64) {
    let mut draw = Draw::new(gather.sources.len() as u64);
    let x = widen(&draw.integers(len(&gather.input)));
    let dy = widen(&draw.integers(len(&gather.output)));
    let want = Want {
        y: (gather.output.clone(), gather.forward(&x, constant)),
        gradients: vec![gather.backward(&dy)],
        dy: dy.clone(),
        tolerance: 0.0,
    };
    let op = Op::Rearrange(op);
    let inputs: [Given; 1] = [(gather.input.clone(), x)];
    assert_operator(&op, &inputs, &want);
    if dy.len() <= 300 && !dy.is_empty() {
        assert_slopes(&op, &inputs, &dy);
    }
}

const MODES: [(Border, PadMode); 4] = [
    (Border::Constant, PadMode::Constant),
    (Border::Reflect, PadMode::Reflect),
    (Border::Replicate, PadMode::Replicate),
    (Border::Circular, PadMode::Circular),
];

#[test]
fn paddings() {
    let mut draw = Draw::new(1);
    for (border, mode) in MODES {
        for rank in [1, 2, 2, 3] {
            let shape = draw.map_shape(rank);
            let amounts = draw.pad_amounts(border, &shape);
            let desc = PadDesc::new(mode, &amounts);
            let want = oracle::pad(border, &shape, &amounts);
            assert_gather(RearrangeOp::Pad { desc, value: -1.5 }, &want, -1.5);
        }
        // A matrix, and a batch of nothing.
        for (shape, amounts) in [
            (vec![3, 4], vec![(0, 0), (2, -1)]),
            (vec![0, 2, 4], vec![(0, 0), (0, 0), (1, 2)]),
        ] {
            let desc = PadDesc::new(mode, &amounts);
            let want = oracle::pad(border, &shape, &amounts);
            assert_gather(RearrangeOp::Pad { desc, value: 0.5 }, &want, 0.5);
        }
    }
}

#[test]
fn slices() {
    let mut draw = Draw::new(2);
    for case in 0..24 {
        let mut shape = draw.map_shape([1, 2, 3][case % 3]);
        shape.truncate([5, 5, 2][case % 3]);
        let ranges = draw.slice_ranges(&shape);
        let named = ranges.iter().enumerate();
        let desc = named.fold(SliceDesc::new(), |desc, (axis, range)| match *range {
            Some((start, stop, step)) => desc.axis(axis as i64, start, stop, step),
            None => desc,
        });
        let want = oracle::slice(&shape, &ranges);
        assert_gather(RearrangeOp::Slice { desc }, &want, 0.0);
    }
}

#[test]
fn transpositions() {
    for (shape, axes) in [
        (vec![2, 3, 4, 5], vec![0, 2, 3, 1]),
        (vec![2, 3, 4, 5], vec![3, 1, 0, 2]),
        (vec![3, 5], vec![1, 0]),
        (vec![2, 3, 4], vec![2, 0, 1]),
        (vec![2, 1, 3, 2, 4], vec![4, 3, 0, 2, 1]),
    ] {
        let want = oracle::permute(&shape, &axes);
        assert_gather(RearrangeOp::Permute { axes }, &want, 0.0);
    }
}

#[test]
fn shuffles() {
    for (order, block_major) in [
        (PixelOrder::ChannelMajor, false),
        (PixelOrder::BlockMajor, true),
    ] {
        let deep = [2, 12, 1, 3, 2];
        let want = oracle::pixel_shuffle(&deep, [1, 2, 3], block_major);
        let want = want.reshaped(&[2, 12, 3, 2], &[2, 2, 6, 6]);
        let desc = PixelShuffleDesc::new([2, 3]).order(order);
        assert_gather(RearrangeOp::PixelShuffle { desc: desc.clone() }, &want, 0.0);
        // The way back shows where the way there came from.
        let mut back = want.clone();
        for (wide, source) in want.sources.iter().enumerate() {
            back.sources[source.unwrap()] = Some(wide);
        }
        let back = back.reshaped(&want.output, &want.input);
        assert_gather(RearrangeOp::PixelUnshuffle { desc }, &back, 0.0);
    }
    let want = oracle::channel_shuffle([2, 12, 6], 3);
    let shape = [2, 12, 2, 3];
    let op = RearrangeOp::ChannelShuffle { groups: 3 };
    assert_gather(op, &want.reshaped(&shape, &shape), 0.0);
}

#[test]
fn reshapes_follow_the_order_of_the_shape() {
    for (from, to) in [
        (vec![2, 3, 4, 5], vec![2, 12, 5]),
        (vec![2, 3, 4], vec![4, 6]),
        (vec![6], vec![1, 2, 3, 1]),
        (vec![0, 3], vec![5, 0]),
    ] {
        let stays = Gather {
            sources: (0..len(&from)).map(Some).collect(),
            input: from,
            output: to.clone(),
        };
        assert_gather(RearrangeOp::Reshape { shape: to }, &stays, 0.0);
    }
}

#[test]
fn concatenations_on_every_axis() {
    for base in [vec![2, 3, 4, 5], vec![2, 3, 2], vec![4, 3], vec![5]] {
        for axis in 0..base.len() {
            let mut draw = Draw::new(axis as u64);
            let inputs: Vec<Given> = [2, 1, 3]
                .map(|extent| {
                    let mut shape = base.clone();
                    shape[axis] = extent;
                    let x = widen(&draw.integers(len(&shape)));
                    (shape, x)
                })
                .into();
            let parts: Vec<(&[usize], &[f64])> =
                inputs.iter().map(|(s, x)| (&s[..], &x[..])).collect();
            let mut shape = base.clone();
            shape[axis] = 6;
            let dy = widen(&draw.integers(len(&shape)));
            let mut start = 0;
            let gradients = inputs.iter().map(|(part, _)| {
                let (first, last) = (start, start + part[axis]);
                start = last;
                let mut ranges = vec![None; shape.len()];
                ranges[axis] = Some((first as i64, last as i64, 1));
                oracle::slice(&shape, &ranges).forward(&dy, 0.0)
            });
            let want = Want {
                gradients: gradients.collect(),
                y: (shape.clone(), oracle::concat(axis, &parts)),
                dy: dy.clone(),
                tolerance: 0.0,
            };
            // Named from the front and from the end.
            for axis in [axis as i64, axis as i64 - base.len() as i64] {
                let op = Op::Rearrange(RearrangeOp::Concat { axis });
                assert_operator(&op, &inputs, &want);
                assert_slopes(&op, &inputs, &dy);
            }
        }
    }
}

#[test]
fn a_gradient_of_a_gradient_of_a_padding_is_its_own() {
    let desc = PadDesc::new(PadMode::Circular, &[(0, 0), (0, 0), (2, 1)]);
    let input = vec![2, 3, 4];
    let want = oracle::pad(Border::Circular, &input, &desc.amounts);
    let mut draw = Draw::new(3);
    let dy = widen(&draw.integers(42));
    let upstream = widen(&draw.integers(24));
    let op = RearrangeOp::PadBackward {
        desc,
        input: input.clone(),
    };
    let want = Want {
        y: (input, want.backward(&dy)),
        gradients: vec![want.forward(&upstream, 0.0)],
        dy: upstream,
        tolerance: 0.0,
    };
    assert_operator(&Op::Rearrange(op), &[(vec![2, 3, 7], dy)], &want);
}

#[test]
fn what_has_no_meaning_is_refused_with_its_numbers() {
    let eager = engine();
    let map = tensor::<f32>(&[1, 6, 4, 5], &[0.0; 120]);
    let refusal = |op: RearrangeOp| -> AxisError {
        let refused = eager.apply(Op::Rearrange(op), &[(&map).into()]);
        match refused.map(|_| ()).unwrap_err() {
            RuntimeError::Graph(GraphError::Layer { source, .. }) => match *source {
                OpError::Axes { input, source, .. } if input == [1, 6, 4, 5] => source,
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    };
    let pad = |mode, amounts: &[(i64, i64)]| RearrangeOp::Pad {
        desc: PadDesc::spatial(mode, amounts),
        value: 0.0,
    };
    assert_eq!(
        refusal(pad(PadMode::Reflect, &[(0, 0), (5, 0)])),
        AxisError::Padding {
            axis: 3,
            mode: PadMode::Reflect,
            amount: 5,
            most: 4,
            extent: 5
        }
    );
    assert_eq!(
        refusal(pad(PadMode::Constant, &[(1, 1)])),
        AxisError::EntryCount {
            what: "padding",
            given: 3,
            rank: 4
        }
    );
    assert_eq!(
        refusal(RearrangeOp::Slice {
            desc: SliceDesc::new().axis(4, 0, 1, 1)
        }),
        AxisError::NoSuchAxis { axis: 4, rank: 4 }
    );
    assert_eq!(
        refusal(RearrangeOp::Permute { axes: vec![0, 1] }),
        AxisError::NotAPermutation { axes: vec![0, 1] }
    );
    assert_eq!(
        refusal(RearrangeOp::PixelShuffle {
            desc: PixelShuffleDesc::new(2)
        }),
        AxisError::Indivisible {
            what: "the number of channels",
            extent: 6,
            parts: 4
        }
    );
    assert_eq!(
        refusal(RearrangeOp::ChannelShuffle { groups: 0 }),
        AxisError::Zero {
            what: "the number of groups"
        }
    );
    assert_eq!(
        refusal(RearrangeOp::Reshape { shape: vec![7] }),
        AxisError::ElementsDiffer {
            input: vec![1, 6, 4, 5],
            output: vec![7]
        }
    );
    let other = tensor::<f32>(&[1, 6, 4, 4], &[0.0; 96]);
    assert!(eager.concat(1, &[&map, &other]).is_err());
    assert!(eager.concat(4, &[&map]).is_err());
    assert!(eager.concat::<f32>(0, &[]).is_err());
    let many = vec![&map; 65];
    assert!(eager.concat(0, &many).is_err());
}
