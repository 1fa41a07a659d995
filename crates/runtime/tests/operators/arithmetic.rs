//! Arithmetic of two tensors, and reductions of axes.

use geometry::AxisError;
use graph::{ArithmeticOp, BinaryOp, GraphError, Op, OpError, ReduceOp};
use runtime::RuntimeError;
use testkit::Draw;
use testkit::arithmetic::{self as oracle, Operation, ReduceCase};
use testkit::compare::widen;

use crate::engines::{Given, Want, assert_operator, assert_slopes, engine, tensor};

const OPERATIONS: [(BinaryOp, Operation); 7] = [
    (BinaryOp::Add, oracle::ADD),
    (BinaryOp::Sub, oracle::SUB),
    (BinaryOp::Mul, oracle::MUL),
    (BinaryOp::Min, oracle::MIN),
    (BinaryOp::Max, oracle::MAX),
    (BinaryOp::Div, oracle::DIV),
    (BinaryOp::Pow, oracle::POW),
];

fn len(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Shapes as networks have them.
fn shapes() -> Vec<[Vec<usize>; 2]> {
    vec![
        [vec![2, 5, 3, 4], vec![2, 5, 3, 4]],
        [vec![2, 5, 3, 4], vec![5, 1, 1]],
        [vec![2, 5, 1, 1], vec![2, 5, 3, 4]],
        [vec![2, 5, 3, 4], vec![1, 1, 3, 4]],
        [vec![2, 1, 3, 4], vec![1, 5, 1, 4]],
        [vec![], vec![2, 3, 4]],
        [vec![4, 1], vec![1, 3]],
        [vec![0, 3, 2], vec![3, 1]],
    ]
}

#[test]
fn operations_and_their_gradients() {
    for [left, right] in shapes() {
        let shape = oracle::broadcast_shape(&left, &right);
        let mut draw = Draw::new(len(&shape) as u64);
        let integers = [len(&left), len(&right)].map(|n| widen(&draw.integers(n)));
        let reals = [len(&left), len(&right)].map(|n| -> Vec<f64> {
            let reals = draw.reals(n);
            reals.iter().map(|&v| f64::from(v * 0.75 + 1.25)).collect()
        });
        let dy: Vec<f64> = widen(&draw.integers(len(&shape)))
            .iter()
            .map(|v| 2.0 * v)
            .collect();
        for (op, operation) in OPERATIONS {
            let exact = !matches!(op, BinaryOp::Div | BinaryOp::Pow);
            let [a, b] = if exact { &integers } else { &reals };
            let gradients = operation.backward((&left, a), (&right, b), &dy);
            let want = Want {
                y: (shape.clone(), operation.forward((&left, a), (&right, b))),
                dy: dy.clone(),
                gradients: gradients.into(),
                tolerance: if exact { 0.0 } else { 2e-3 },
            };
            let inputs: [Given; 2] = [(left.clone(), a.clone()), (right.clone(), b.clone())];
            let op = Op::Arithmetic(ArithmeticOp::Binary(op));
            assert_operator(&op, &inputs, &want);
            // Two drawn reals are never equal: away from the kinks.
            let [a, b] = reals.clone();
            assert_slopes(&op, &[(left.clone(), a), (right.clone(), b)], &dy);
        }
    }
}

#[test]
fn reductions_and_their_gradients() {
    for (shape, axes) in [
        (vec![2, 5, 3, 4], vec![1]),
        (vec![2, 5, 3, 4], vec![2, 3]),
        (vec![2, 5, 3, 4], vec![0, 1, 2, 3]),
        (vec![2, 5, 3, 4], vec![]),
        (vec![2, 17, 3], vec![0, 2]),
        (vec![4, 7], vec![1]),
        (vec![3, 1, 2, 2, 2], vec![1, 3]),
    ] {
        let case = ReduceCase { shape, axes };
        let mut draw = Draw::new(5);
        // All different, so that a maximum has one place.
        let mut x: Vec<f64> = (0..len(&case.shape)).map(|v| v as f64 - 20.0).collect();
        for place in (1..x.len()).rev() {
            x.swap(place, draw.below(place + 1));
        }
        let dy = widen(&draw.integers(len(&case.output())));
        for (op, y, dx) in [
            (ReduceOp::Sum, case.sum(&x), case.sum_backward(&dy)),
            (ReduceOp::Mean, case.mean(&x), case.mean_backward(&dy)),
            (ReduceOp::Max, case.max(&x), case.max_backward(&x, &dy)),
        ] {
            let want = Want {
                y: (case.output(), y),
                dy: dy.clone(),
                gradients: vec![dx],
                tolerance: if op == ReduceOp::Mean { 2e-5 } else { 0.0 },
            };
            let axes = case.axes.iter().map(|&axis| axis as i64).collect();
            let op = Op::Arithmetic(ArithmeticOp::Reduce { op, axes });
            let inputs: [Given; 1] = [(case.shape.clone(), x.clone())];
            assert_operator(&op, &inputs, &want);
            assert_slopes(&op, &inputs, &dy);
        }
    }
}

#[test]
fn equal_maxima_share_the_gradient() {
    let case = ReduceCase {
        shape: vec![1, 4],
        axes: vec![1],
    };
    let x = [3.0, 1.0, 3.0, 3.0];
    let want = Want {
        y: (vec![1, 1], vec![3.0]),
        dy: vec![6.0],
        gradients: vec![vec![2.0, 0.0, 2.0, 2.0]],
        tolerance: 0.0,
    };
    assert_eq!(case.max_backward(&x, &[6.0]), want.gradients[0]);
    let op = ArithmeticOp::Reduce {
        op: ReduceOp::Max,
        axes: vec![-1],
    };
    assert_operator(&Op::Arithmetic(op), &[(vec![1, 4], x.to_vec())], &want);
}

#[test]
fn shapes_that_do_not_go_together_are_refused() {
    let eager = engine();
    let a = tensor::<f32>(&[2, 3], &[0.0; 6]);
    let b = tensor::<f32>(&[2, 4], &[0.0; 8]);
    match eager.mul(&a, &b).unwrap_err() {
        RuntimeError::Graph(GraphError::Layer { source, .. }) => {
            let source = *source;
            let OpError::Axes { source, .. } = source else {
                panic!("{source}");
            };
            let refusal = AxisError::NotBroadcastable {
                left: vec![2, 3],
                right: vec![2, 4],
                axis: 1,
            };
            assert_eq!(source, refusal);
        }
        other => panic!("{other}"),
    }
    assert!(eager.sum(&a, &[2]).is_err());
    assert!(eager.amax(&a, &[0, -2]).is_err());
}
