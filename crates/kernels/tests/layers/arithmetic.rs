//! Arithmetic with broadcasting, and reductions, against the oracle.

use geometry::{Broadcast, Reduction};
use kernels::arithmetic::{Arithmetic, Binary, Reduce, ReduceKind, Side};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::arithmetic::{self as oracle, Operation, ReduceCase};
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::layout::{channels_first, channels_last};
use testkit::{Draw, gradient};

use crate::every::{operand, result, way};

const OPERATIONS: [(Binary, Operation); 7] = [
    (Binary::Add, oracle::ADD),
    (Binary::Sub, oracle::SUB),
    (Binary::Mul, oracle::MUL),
    (Binary::Div, oracle::DIV),
    (Binary::Min, oracle::MIN),
    (Binary::Max, oracle::MAX),
    (Binary::Pow, oracle::POW),
];

/// Operations whose values and gradients are exact on integers.
const EXACT: [usize; 5] = [0, 1, 2, 4, 5];

fn lay<T: Copy>(layout: Layout, values: &[T], shape: &[usize]) -> Vec<T> {
    match (layout, shape) {
        (Layout::Nhwc, [n, c, _, ..]) => channels_last(values, *n, *c),
        _ => values.to_vec(),
    }
}

fn unlay<T: Copy>(layout: Layout, values: &[T], shape: &[usize]) -> Vec<T> {
    match (layout, shape) {
        (Layout::Nhwc, [n, c, _, ..]) => channels_first(values, *n, *c),
        _ => values.to_vec(),
    }
}

fn len(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Shapes (left, right) as networks have them, in sizes around the widths of a chunk, a period and a task.
fn network_shapes() -> Vec<[Vec<usize>; 2]> {
    let mut shapes = Vec::new();
    for map in [
        vec![2, 3, 5, 7],
        vec![2, 16, 9, 10],
        vec![1, 3, 90, 125],
        vec![2, 65, 13, 11],
        vec![3, 300, 4, 3],
        vec![2, 17, 30],
        vec![1, 4, 3, 5, 6],
    ] {
        let ones = vec![1; map.len() - 2];
        let channel = [&map[1..2], &ones[..]].concat();
        let per_image = [&map[..2], &ones[..]].concat();
        let spatial = [&[1, 1], &map[2..]].concat();
        let image = [&[1], &map[1..]].concat();
        for other in [
            map.clone(),
            channel,
            per_image,
            spatial,
            image,
            vec![],
            vec![1],
        ] {
            shapes.push([map.clone(), other.clone()]);
            shapes.push([other, map.clone()]);
        }
    }
    shapes.push([vec![0, 3, 4], vec![3, 1]]);
    shapes.push([vec![300, 1], vec![1, 300]]);
    shapes.push([vec![], vec![]]);
    shapes.push([vec![70_000], vec![]]);
    shapes
}

/// An operation and both gradients in every way, on values given channels first.
fn assert_operation(
    (op, want): (Binary, Operation),
    [left, right]: &[Vec<usize>; 2],
    layouts: [Layout; 3],
    values: (&[f32], &[f32], &[f32]),
    check: impl Fn(&str, &[f32], &[f64]),
) {
    let shapes = Broadcast::resolve(left, right).unwrap();
    let arithmetic = Arithmetic {
        op,
        shapes,
        layouts,
    };
    let (a, b, dy) = values;
    let (a64, b64) = (widen(a), widen(b));
    let y = want.forward((left, &a64), (right, &b64));
    let [da, db] = want.backward((left, &a64), (right, &b64), &widen(dy));
    let laid = [
        lay(layouts[0], a, left),
        lay(layouts[1], b, right),
        lay(layouts[2], dy, shapes.shape()),
    ];
    way(
        &format!("{op:?} {left:?} {right:?} {layouts:?}"),
        |context| {
            let [a, b, dy] = laid.each_ref().map(|v| operand(v));
            let (mut y, mut da, mut db) = (result(dy.len()), result(a.len()), result(b.len()));
            arithmetic.forward(context, &a, &b, &mut y);
            for (side, d) in [(Side::Left, &mut da), (Side::Right, &mut db)] {
                let mut scratch = result(arithmetic.scratch_len(side));
                arithmetic.backward(context, side, &dy, &a, &b, d, &mut scratch);
            }
            vec![
                unlay(layouts[2], &y, shapes.shape()),
                unlay(layouts[0], &da, left),
                unlay(layouts[1], &db, right),
            ]
        },
        |problem, got| {
            check(&format!("{problem}: value"), &got[0], &y);
            check(&format!("{problem}: left"), &got[1], &da);
            check(&format!("{problem}: right"), &got[2], &db);
        },
    );
}

#[test]
fn operations_are_exact_on_integers() {
    let mut draw = Draw::new(1);
    let drawn = (0..60).map(|case| draw.broadcast_shapes(1 + case % 5));
    let shapes: Vec<_> = network_shapes().into_iter().chain(drawn).collect();
    for (number, pair) in shapes.iter().enumerate() {
        let mut draw = Draw::new(number as u64);
        let shape = oracle::broadcast_shape(&pair[0], &pair[1]);
        let a = draw.integers(len(&pair[0]));
        let b = draw.integers(len(&pair[1]));
        let dy: Vec<f32> = draw.integers(len(&shape)).iter().map(|v| 2.0 * v).collect();
        for (turn, index) in EXACT.into_iter().enumerate() {
            // Products on all shapes; the others, whose loops are the same, in turn.
            if index != 2 && number % EXACT.len() != turn {
                continue;
            }
            for layout in Layout::ALL {
                let values = (&a[..], &b[..], &dy[..]);
                assert_operation(OPERATIONS[index], pair, [layout; 3], values, assert_exact);
            }
        }
    }
}

#[test]
fn operands_may_lie_in_layouts_of_their_own() {
    let pairs = [
        [vec![2, 5, 6, 7], vec![2, 5, 6, 7]],
        [vec![2, 5, 6, 7], vec![5, 6, 7]],
        [vec![1, 5, 6, 7], vec![2, 1, 6, 1]],
    ];
    for pair in &pairs {
        let mut draw = Draw::new(7);
        let shape = oracle::broadcast_shape(&pair[0], &pair[1]);
        let a = draw.integers(len(&pair[0]));
        let b = draw.integers(len(&pair[1]));
        let dy = draw.integers(len(&shape));
        for bits in 0..8 {
            let layouts = [0, 1, 2].map(|i| Layout::ALL[bits >> i & 1]);
            let values = (&a[..], &b[..], &dy[..]);
            assert_operation(OPERATIONS[2], pair, layouts, values, assert_exact);
        }
    }
}

#[test]
fn quotients_and_powers_are_close_on_reals() {
    for (number, pair) in network_shapes().iter().step_by(3).enumerate() {
        let mut draw = Draw::new(number as u64);
        let shape = oracle::broadcast_shape(&pair[0], &pair[1]);
        // Away from 0, where quotients are steep.
        let positive =
            |values: Vec<f32>| -> Vec<f32> { values.iter().map(|v| 1.25 + 0.75 * v).collect() };
        let a = positive(draw.reals(len(&pair[0])));
        let b = positive(draw.reals(len(&pair[1])));
        let dy = draw.reals(len(&shape));
        // No slope passes 5, and of a sum in f64 only its terms are rounded.
        let close = |problem: &str, got: &[f32], want: &[f64]| {
            let terms = (len(&shape) / want.len().max(1)).max(1) as f64;
            assert_close(
                problem,
                got,
                want,
                &vec![1e-5 * terms.sqrt().max(1.0) * 4.0; want.len()],
            );
        };
        for index in [3, 6] {
            for layout in Layout::ALL {
                let values = (&a[..], &b[..], &dy[..]);
                assert_operation(OPERATIONS[index], pair, [layout; 3], values, close);
            }
        }
    }
}

#[test]
fn a_nan_is_neither_smaller_nor_larger_but_wins() {
    let a = [f32::NAN, 1.0, f32::NAN, 2.0, -0.0, f32::INFINITY];
    let b = [1.0, f32::NAN, f32::NAN, 2.0, 0.0, f32::NEG_INFINITY];
    let pair = [vec![6], vec![6]];
    for index in [4, 5] {
        assert_operation(
            OPERATIONS[index],
            &pair,
            [Layout::Nchw; 3],
            (&a, &b, &[2.0; 6]),
            assert_exact,
        );
    }
}

#[test]
fn powers_at_zero_have_pytorchs_gradients() {
    let (a, b) = ([0.0, 0.0, 0.0, 2.0, 4.0], [0.0, 2.0, 1.0, 0.0, 0.5]);
    let shapes = Broadcast::resolve(&[5], &[5]).unwrap();
    let power = Arithmetic::new(Binary::Pow, shapes, Layout::Nchw);
    let team = Team::new(1).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    let (mut y, mut da, mut db) = ([f64::NAN; 5], [f64::NAN; 5], [f64::NAN; 5]);
    power.forward(&context, &a, &b, &mut y);
    power.backward(&context, Side::Left, &[1.0; 5], &a, &b, &mut da, &mut []);
    power.backward(&context, Side::Right, &[1.0; 5], &a, &b, &mut db, &mut []);
    assert_eq!(y, [1.0, 0.0, 0.0, 1.0, 2.0]);
    assert_eq!(da, [0.0, 0.0, 1.0, 0.0, 0.25]);
    assert_eq!(db, [0.0, 0.0, 0.0, 2f64.ln(), 2.0 * 4f64.ln()]);
}

/// Every slope against differences, in f64, with a left operand that is repeated.
#[test]
fn gradients_are_those_of_differences() {
    let team = Team::new(2).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    let (left, right) = ([3, 1, 1], [2, 3, 2, 2]);
    let shapes = Broadcast::resolve(&left, &right).unwrap();
    let mut draw = Draw::new(11);
    let reals = |draw: &mut Draw, n: usize| -> Vec<f64> {
        draw.reals(n).iter().map(|&v| 1.5 + f64::from(v)).collect()
    };
    let (a, b) = (reals(&mut draw, 3), reals(&mut draw, 24));
    let dy = widen(&draw.reals(24));
    for op in Binary::ALL {
        for layout in Layout::ALL {
            let arithmetic = Arithmetic::new(op, shapes, layout);
            let objective = |a: &[f64], b: &[f64]| -> f64 {
                let mut y = vec![f64::NAN; 24];
                arithmetic.forward(&context, a, b, &mut y);
                y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
            };
            let gradient_of = |side: Side, len: usize| {
                let mut d = vec![f64::NAN; len];
                let mut scratch = vec![f64::NAN; arithmetic.scratch_len(side)];
                arithmetic.backward(&context, side, &dy, &a, &b, &mut d, &mut scratch);
                d
            };
            let (da, db) = (gradient_of(Side::Left, 3), gradient_of(Side::Right, 24));
            gradient::check(|a| objective(a, &b), &a, &da)
                .unwrap_or_else(|e| panic!("{op:?}: {e}"));
            gradient::check(|b| objective(&a, b), &b, &db)
                .unwrap_or_else(|e| panic!("{op:?}: {e}"));
        }
    }
}

/// Shapes and the axes to reduce.
fn reductions() -> Vec<ReduceCase> {
    let mut cases = Vec::new();
    for shape in [
        vec![2, 3, 5, 7],
        vec![3, 17, 9, 4],
        vec![1, 300, 6, 5],
        vec![2, 4, 70, 90],
        vec![2, 5, 3, 2, 4],
        vec![9, 40],
        vec![5],
    ] {
        for bits in 0..1 << shape.len() {
            let axes = (0..shape.len())
                .filter(|axis| bits >> axis & 1 == 1)
                .collect();
            let shape = shape.clone();
            cases.push(ReduceCase { shape, axes });
        }
    }
    for (shape, axes) in [
        (vec![100_000], vec![0]),
        (vec![3, 50_000], vec![1]),
        (vec![50_000, 3], vec![0]),
        (vec![40_000, 2, 2], vec![0, 2]),
        (vec![0, 3, 4], vec![0]),
        (vec![0, 3, 4], vec![1]),
    ] {
        cases.push(ReduceCase { shape, axes });
    }
    cases
}

#[test]
fn reductions_equal_the_oracle() {
    for case in reductions() {
        let axes: Vec<i64> = case.axes.iter().map(|&axis| axis as i64).collect();
        let shapes = Reduction::resolve(&axes, &case.shape).unwrap();
        let output = case.output();
        assert_eq!(shapes.output_shape(), output);
        let mut draw = Draw::new(len(&case.shape) as u64);
        let x = draw.integers(len(&case.shape));
        let dy = draw.integers(len(&output));
        let rounded =
            |v: Vec<f64>| -> Vec<f64> { v.iter().map(|&v| f64::from(v as f32)).collect() };
        let (x64, dy64) = (widen(&x), widen(&dy));
        for kind in ReduceKind::ALL {
            let (want, want_dx) = match kind {
                ReduceKind::Sum => (case.sum(&x64), case.sum_backward(&dy64)),
                ReduceKind::Mean => (case.mean(&x64), case.mean_backward(&dy64)),
                ReduceKind::Max => (case.max(&x64), case.max_backward(&x64, &dy64)),
            };
            let (want, want_dx) = (rounded(want), rounded(want_dx));
            for layout in Layout::ALL {
                let reduce = Reduce {
                    kind,
                    shapes,
                    layout,
                };
                let x = lay(layout, &x, &case.shape);
                let dy = lay(layout, &dy, &output);
                way(
                    &format!("{kind:?} {layout} {case:?}"),
                    |context| {
                        let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                        let mut scratch = result(reduce.scratch_len());
                        let x = operand(&x);
                        reduce.forward(context, &x, &mut y, &mut scratch);
                        let mut scratch = result(reduce.backward_scratch_len());
                        let dy = operand(&dy);
                        reduce.backward(context, &dy, &x, &y, &mut dx, &mut scratch);
                        vec![unlay(layout, &y, &output), unlay(layout, &dx, &case.shape)]
                    },
                    |problem, got| {
                        assert_exact(problem, &got[0], &want);
                        assert_exact(problem, &got[1], &want_dx);
                    },
                );
            }
        }
    }
}

#[test]
fn a_long_sum_of_reals_is_rounded_once() {
    let x = Draw::new(5).reals(300_000);
    let want: f64 = x.iter().map(|&v| f64::from(v)).sum();
    let shapes = Reduction::resolve(&[0], &[x.len()]).unwrap();
    let reduce = Reduce {
        kind: ReduceKind::Sum,
        shapes,
        layout: Layout::Nchw,
    };
    way(
        "a long sum",
        |context| {
            let (mut y, mut scratch) = (result(1), result(reduce.scratch_len()));
            reduce.forward(context, &operand(&x), &mut y, &mut scratch);
            vec![y.to_vec()]
        },
        // A few parts of it, and it, are rounded to f32.
        |problem, got| assert_close(problem, &got[0], &[want], &[1e-4]),
    );
}

#[test]
fn a_nan_reaches_the_maximum() {
    let shapes = Reduction::resolve(&[1], &[2, 300]).unwrap();
    let reduce = Reduce {
        kind: ReduceKind::Max,
        shapes,
        layout: Layout::Nchw,
    };
    for place in [0, 31, 255, 256, 299] {
        let mut x = vec![-1.0; 600];
        x[place] = f32::NAN;
        way(
            "NaN",
            |context| {
                let (mut y, mut scratch) = (result(2), result(reduce.scratch_len()));
                reduce.forward(context, &operand(&x), &mut y, &mut scratch);
                vec![y.to_vec()]
            },
            |problem, got| assert_exact(problem, &got[0], &[f64::NAN, -1.0]),
        );
    }
}
