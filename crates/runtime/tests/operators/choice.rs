//! Comparisons, choices, and changes of type: what holds of infinities and NaN.

use graph::{ArithmeticOp, BinaryOp, Op, UnaryOp};
use tensor::Unary;

use crate::engines::{Given, Want, assert_operator};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// `y`, and gradients of the inputs for a gradient of 1, 2, 3 … of the result.
fn holds(op: Op, inputs: &[Given], shape: &[usize], y: &[f64], gradients: &[&[f64]]) {
    let want = Want {
        y: (shape.to_vec(), y.to_vec()),
        dy: (1..=y.len()).map(|v| v as f64).collect(),
        gradients: gradients.iter().map(|g| g.to_vec()).collect(),
        tolerance: 0.0,
    };
    assert_operator(&op, inputs, &want);
}

#[test]
fn comparisons_are_exact_and_have_no_gradient() {
    let a = [1.0, 2.0, 3.0, INF, -INF, INF, NAN, 3e38, -0.0];
    let b = [2.0, 2.0, 2.0, INF, -INF, -INF, NAN, -3e38, 0.0];
    let nothing = [0.0; 9];
    for (op, y) in [
        (
            BinaryOp::Equal,
            [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        ),
        (
            BinaryOp::Greater,
            [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        ),
        (
            BinaryOp::GreaterOrEqual,
            [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0],
        ),
    ] {
        let inputs = [(vec![9], a.to_vec()), (vec![9], b.to_vec())];
        let op = Op::Arithmetic(ArithmeticOp::Binary(op));
        holds(op, &inputs, &[9], &y, &[&nothing, &nothing]);
    }
}

#[test]
fn what_is_not_chosen_does_not_matter() {
    let select = || Op::Arithmetic(ArithmeticOp::Select);
    let condition = (vec![1, 2, 1, 3], vec![1.0, 0.0, 1.0, 0.0, 1.0, -2.0]);
    let a = (vec![1, 2, 1, 3], vec![1.0, NAN, -0.0, INF, -INF, 6.0]);
    let b = (vec![1, 1, 1, 1], vec![0.5]);
    holds(
        select(),
        &[condition.clone(), a.clone(), b.clone()],
        &[1, 2, 1, 3],
        &[1.0, 0.5, -0.0, 0.5, -INF, 6.0],
        // What the number repeated was chosen for is added up.
        &[&[0.0; 6], &[1.0, 0.0, 3.0, 0.0, 5.0, 6.0], &[2.0 + 4.0]],
    );
    let row = (vec![3], vec![0.0, 1.0, 0.0]);
    holds(
        select(),
        &[row, b, a],
        &[1, 2, 1, 3],
        &[1.0, 0.5, -0.0, INF, 0.5, 6.0],
        &[&[0.0; 3], &[2.0 + 5.0], &[1.0, 0.0, 3.0, 4.0, 0.0, 6.0]],
    );
}

#[test]
fn floats_as_other_types_have_them() {
    let x = [-1.7, 300.6, -0.0, 1e10, NAN, INF, -INF, 0.4];
    let truncate = Unary::Truncate {
        min: -128.0,
        max: 127.0,
    };
    let whole = [-1.0, 127.0, 0.0, 127.0, 0.0, 127.0, -128.0, 0.0];
    let apply = |f| Op::Unary(UnaryOp::Apply(f));
    let inputs = [(vec![8], x.to_vec())];
    holds(apply(truncate), &inputs, &[8], &whole, &[&[0.0; 8]]);

    // Ties, a little more than one, the least, half of it, and the largest of binary16.
    let tie = 1.0 + 2f64.powi(-11);
    let more = tie + 2f64.powi(-23);
    let least = 2f64.powi(-24);
    let x = [tie, more, least, least / 2.0, 65519.0, 65520.0, -1e10, 0.1];
    let half = [
        1.0,
        1.0 + 2f64.powi(-10),
        least,
        0.0,
        65504.0,
        INF,
        -INF,
        0.099_975_585_937_5,
    ];
    let slopes = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let inputs = [(vec![8], x.to_vec())];
    holds(apply(Unary::Float16), &inputs, &[8], &half, &[&slopes]);

    let x = [
        1.0 + 2f64.powi(-8),
        1.0 + 3.0 * 2f64.powi(-8),
        0.1,
        2f64.powi(-133),
    ];
    let upper = [1.0, 1.0 + 2f64.powi(-6), 0.100_097_656_25, 2f64.powi(-133)];
    let inputs = [(vec![4], x.to_vec())];
    holds(
        apply(Unary::Bfloat16),
        &inputs,
        &[4],
        &upper,
        &[&slopes[..4]],
    );
}
