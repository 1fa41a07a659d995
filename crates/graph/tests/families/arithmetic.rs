use geometry::AxisError;
use graph::{ArithmeticOp, BinaryOp, NetworkBuilder, Op, OpError, ReduceOp, Side, pullback};

use crate::values::infer;

fn made(op: ArithmeticOp, inputs: &[&[usize]]) -> Vec<usize> {
    infer(&Op::Arithmetic(op), inputs).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(op: ArithmeticOp, inputs: &[&[usize]]) -> OpError {
    infer(&Op::Arithmetic(op), inputs).unwrap_err()
}

#[test]
fn shapes_broadcast_and_are_summed_back() {
    let (x, channel) = ([2, 5, 3, 4], [5, 1, 1]);
    assert_eq!(
        made(ArithmeticOp::Binary(BinaryOp::Mul), &[&channel, &x]),
        x
    );
    for (side, shape) in [(Side::Left, &x[..]), (Side::Right, &channel)] {
        let op = BinaryOp::Div;
        let backward = ArithmeticOp::BinaryBackward { op, side };
        assert_eq!(made(backward, &[&x, &x, &channel]), shape);
    }
    let op = ArithmeticOp::SumTo {
        shape: channel.to_vec(),
        negative: true,
    };
    assert_eq!(made(op, &[&x]), channel);
    for op in [ReduceOp::Sum, ReduceOp::Mean, ReduceOp::Max] {
        let axes = vec![1, -1];
        let reduce = ArithmeticOp::Reduce {
            op,
            axes: axes.clone(),
        };
        assert_eq!(made(reduce, &[&x]), [2, 1, 3, 1]);
        let input = x.to_vec();
        let backward = ArithmeticOp::ReduceBackward { op, axes, input };
        let reduced: &[usize] = &[2, 1, 3, 1];
        let inputs = [reduced, &x, reduced];
        let read = if op == ReduceOp::Max { 3 } else { 1 };
        assert_eq!(made(backward, &inputs[..read]), x);
    }
}

#[test]
fn refusals_name_the_shapes() {
    let error = refused(ArithmeticOp::Binary(BinaryOp::Pow), &[&[2, 3], &[3, 1, 2]]);
    let want = OpError::Axes {
        op: "power",
        input: vec![2, 3],
        source: AxisError::NotBroadcastable {
            left: vec![2, 3],
            right: vec![3, 1, 2],
            axis: 2,
        },
    };
    assert_eq!(error, want);
    // Nothing of shape [2, 3] was ever repeated to [3].
    let op = ArithmeticOp::SumTo {
        shape: vec![2, 3],
        negative: false,
    };
    assert!(matches!(refused(op, &[&[3]]), OpError::Mismatch { .. }));
    let op = ArithmeticOp::Reduce {
        op: ReduceOp::Sum,
        axes: vec![2],
    };
    assert!(matches!(
        refused(op, &[&[2, 3]]),
        OpError::Axes {
            source: AxisError::NoSuchAxis { axis: 2, rank: 2 },
            ..
        }
    ));
    let backward = ArithmeticOp::BinaryBackward {
        op: BinaryOp::Mul,
        side: Side::Left,
    };
    assert!(matches!(
        refused(backward, &[&[3], &[2, 3], &[3]]),
        OpError::Mismatch { .. }
    ));
}

#[test]
fn a_sum_and_a_difference_keep_no_operand() {
    let mut network = NetworkBuilder::new("sums", [2, 5, 3, 4]);
    let x = network.input();
    let mean = network.reduce(ReduceOp::Mean, x, &[2, 3]).unwrap();
    let centred = network.binary(BinaryOp::Sub, x, mean).unwrap();
    let moved = network.binary(BinaryOp::Add, centred, mean).unwrap();
    let graph = network.finish(moved).unwrap();
    let grown = pullback(&graph, moved, &[x]).unwrap();
    let reads_forward_values = grown.nodes[graph.nodes.len()..]
        .iter()
        .flat_map(|node| &node.inputs)
        .any(|input| input.index() < graph.values().len());
    assert!(!reads_forward_values);
}
