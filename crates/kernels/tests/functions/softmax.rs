use kernels::Context;
use kernels::softmax::axis::{Axis, Kind, backward, forward};
use testkit::Draw;
use testkit::compare::assert_exact;
use testkit::gradient::check;
use testkit::guard::Guarded;
use testkit::softmax::SoftmaxCase;

use crate::every::{Tested, alone, assert_within, dot, operand, reals, result, way};

const KINDS: [Kind; 2] = [Kind::Softmax, Kind::LogSoftmax];

/// Outer, len, inner: rows, planes, bands with a rest, an axis of one, many classes.
const SHAPES: [[usize; 3]; 13] = [
    [1, 1, 1],
    [3, 10, 1],
    [2, 1000, 1],
    [200, 33, 1],
    [1, 70_000, 1],
    [2, 5, 7],
    [3, 33, 130],
    [2, 200, 300],
    [1, 3, 5_000],
    [4, 1, 9],
    [0, 3, 4],
    [2, 0, 3],
    [2, 3, 0],
];

fn case([outer, len, inner]: [usize; 3]) -> (Axis, SoftmaxCase) {
    (
        Axis { outer, len, inner },
        SoftmaxCase { outer, len, inner },
    )
}

fn apply<T: Tested>(context: &Context, kind: Kind, axis: Axis, x: &[f64]) -> Guarded<T> {
    let mut y = result(x.len());
    forward(context, kind, axis, &operand(x), &mut y);
    y
}

fn equals_the_oracle<T: Tested>() {
    for shape in SHAPES {
        let (axis, case) = case(shape);
        let mut draw = Draw::new(shape[1] as u64);
        let x: Vec<f64> = reals(&mut draw, case.elements())
            .iter()
            .map(|x| 20.0 * x)
            .collect();
        let dy = reals(&mut draw, case.elements());
        for kind in KINDS {
            let want = match kind {
                Kind::Softmax => case.softmax(&x),
                Kind::LogSoftmax => case.log_softmax(&x),
            };
            // What the backward pass reads is rounded.
            let y: Vec<f64> = want.iter().map(|&y| T::of(y).wide()).collect();
            way::<T>(
                &format!("{kind:?} {axis:?}"),
                |context| {
                    let mut dx = result(x.len());
                    let (y, dy) = (operand(&y), operand(&dy));
                    backward(context, kind, axis, &y, &dy, &mut dx);
                    vec![apply(context, kind, axis, &x), dx]
                },
                |problem, got| {
                    // Logits are up to 40 apart, and their difference is rounded before it is an
                    // exponent; a sum of exponentials is made of at most 64 in a lane.
                    let sizes: Vec<f64> = match kind {
                        Kind::Softmax => want.iter().map(|y| 110.0 * y + 1e-37 / T::UNIT).collect(),
                        Kind::LogSoftmax => want.iter().map(|y| 80.0 + 4.0 * y.abs()).collect(),
                    };
                    assert_within(problem, &got[0], &want, 1.0, &sizes);
                    let dx = match kind {
                        Kind::Softmax => case.softmax_backward(&x, &dy),
                        Kind::LogSoftmax => case.log_softmax_backward(&x, &dy),
                    };
                    let p = case.softmax(&x);
                    let share = |i: usize| match kind {
                        Kind::Softmax => p[i] * 140.0,
                        // The exponential of a rounded logarithm of up to 50, times a sum of terms of up
                        // to 1.
                        Kind::LogSoftmax => 2.0 + p[i] * 120.0 * shape[1] as f64,
                    };
                    let sizes: Vec<f64> = (0..dx.len()).map(share).collect();
                    assert_within(problem, &got[1], &dx, 1.0, &sizes);
                },
            );
        }
    }
}

#[test]
fn equals_the_oracle_in_f32() {
    equals_the_oracle::<f32>();
}

#[test]
fn equals_the_oracle_in_f64() {
    equals_the_oracle::<f64>();
}

#[test]
fn gradients_are_limits_of_differences() {
    let mut draw = Draw::new(4);
    for shape in [[2, 4, 1], [2, 4, 3]] {
        let (axis, case) = case(shape);
        let (x, dy) = (
            reals(&mut draw, case.elements()),
            reals(&mut draw, case.elements()),
        );
        for kind in KINDS {
            alone(|context| {
                let y = apply::<f64>(context, kind, axis, &x);
                let mut dx = result(x.len());
                backward(context, kind, axis, &y, &operand(&dy), &mut dx);
                let loss = |x: &[f64]| dot(&dy, &apply::<f64>(context, kind, axis, x));
                check(loss, &x, &dx).unwrap();
            });
        }
    }
}

#[test]
fn neither_overflow_nor_a_neighbours_nan() {
    let (inf, nan, max) = (f64::INFINITY, f64::NAN, f64::from(f32::MAX));
    // Columns: huge logits, −∞ among them, a NaN, +∞, nothing but −∞.
    let x = [
        max, -inf, nan, inf, -inf, //
        -max, 0.0, 0.0, 0.0, -inf,
    ];
    let turned: Vec<f64> = (0..10).map(|i| x[i % 2 * 5 + i / 2]).collect();
    let want = [
        1.0, 0.0, nan, nan, nan, //
        0.0, 1.0, nan, nan, nan,
    ];
    let logs = [
        0.0, -inf, nan, nan, nan, //
        -inf, 0.0, nan, nan, nan,
    ];
    for (kind, want) in [(Kind::Softmax, want), (Kind::LogSoftmax, logs)] {
        let columns = Axis::of(&[2, 5], 0);
        way::<f32>(
            &format!("{kind:?} of extremes"),
            |context| vec![apply(context, kind, columns, &x)],
            |problem, got| assert_exact(problem, &got[0], &want),
        );
        let rows = Axis::of(&[5, 2], 1);
        let want: Vec<f64> = (0..10).map(|i| want[i % 2 * 5 + i / 2]).collect();
        way::<f32>(
            &format!("{kind:?} of extremes in rows"),
            |context| vec![apply(context, kind, rows, &turned)],
            |problem, got| assert_exact(problem, &got[0], &want),
        );
    }
}
