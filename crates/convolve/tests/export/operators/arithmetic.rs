//! Arithmetic and reductions.

use graph::{ArithmeticOp, BinaryOp, Op, ReduceOp, UnaryOp, ValueId};
use tensor::Unary;

use super::{Batch, check};
use crate::sketch::Sketch;

fn binary(op: BinaryOp) -> Op {
    Op::Arithmetic(ArithmeticOp::Binary(op))
}

#[test]
fn operations_on_two_tensors() {
    for op in [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Min,
        BinaryOp::Max,
    ] {
        check(&format!("{op:?}"), 13, Batch::Open, |s| {
            let a = s.input(&[3, 4, 5]);
            let b = s.parameter("other", &[3, 1, 5]);
            vec![s.op(binary(op), &[a, b]), s.op(binary(op), &[b, a])]
        });
    }
    check("power", 13, Batch::Open, |s| {
        let a = s.input(&[6]);
        let a = s.op(Op::Unary(UnaryOp::Apply(Unary::Exp)), &[a]);
        let b = s.input(&[6]);
        vec![s.op(binary(BinaryOp::Pow), &[a, b])]
    });
    check("equal shapes", 13, Batch::Open, |s| {
        let (a, b) = (s.input(&[3, 4]), s.input(&[3, 4]));
        vec![s.op(Op::Add, &[a, b])]
    });
}

/// The signs of numbers, of which many are equal.
fn signs(s: &mut Sketch, rest: &[usize]) -> ValueId {
    let x = s.input(rest);
    s.op(Op::Unary(UnaryOp::Apply(Unary::Sign)), &[x])
}

#[test]
fn comparisons_make_numbers() {
    for op in [BinaryOp::Equal, BinaryOp::Greater, BinaryOp::GreaterOrEqual] {
        check(&format!("{op:?}"), 13, Batch::Open, |s| {
            let (a, b) = (signs(s, &[3, 4, 5]), signs(s, &[3, 1, 5]));
            let (x, y) = (s.op(binary(op), &[a, b]), s.op(binary(op), &[b, a]));
            // Truths are numbers like any others.
            vec![x, s.op(binary(BinaryOp::Sub), &[x, y])]
        });
    }
}

#[test]
fn choices() {
    let select = || Op::Arithmetic(ArithmeticOp::Select);
    // Signs choose: −1 is a truth as 1 is, though nothing compared made it.
    check("select", 13, Batch::Open, |s| {
        let condition = signs(s, &[3, 4, 5]);
        let zero = s.op(
            Op::Fill {
                shape: vec![],
                value: 0.0,
            },
            &[],
        );
        let above = s.op(binary(BinaryOp::Greater), &[condition, zero]);
        let (a, b) = (s.input(&[3, 4, 5]), s.parameter("other", &[3, 1, 5]));
        vec![
            s.op(select(), &[condition, a, b]),
            s.op(select(), &[above, a, b]),
            s.op(select(), &[above, b, a]),
        ]
    });
}

#[test]
fn a_batch_that_would_move_stays_fixed() {
    check("rows against columns", 13, Batch::Fixed, |s| {
        let a = s.input(&[4]);
        let b = s.fixed_input(&[3, 1, 4]);
        vec![s.op(binary(BinaryOp::Add), &[a, b])]
    });
}

#[test]
fn reductions() {
    for op in [ReduceOp::Sum, ReduceOp::Mean, ReduceOp::Max] {
        for axes in [vec![2, 3], vec![-1], vec![1], vec![]] {
            check(&format!("{op:?} of {axes:?}"), 13, Batch::Open, |s| {
                let x = s.input(&[3, 4, 5]);
                let reduce = |axes: &[i64]| ArithmeticOp::Reduce {
                    op,
                    axes: axes.to_vec(),
                };
                let y = s.op(Op::Unary(UnaryOp::Apply(Unary::Neg)), &[x]);
                vec![s.op(Op::Arithmetic(reduce(&axes)), &[y])]
            });
        }
    }
    check("mean of the batch", 13, Batch::Fixed, |s| {
        let x = s.input(&[3]);
        let op = ReduceOp::Mean;
        vec![s.op(
            Op::Arithmetic(ArithmeticOp::Reduce { op, axes: vec![0] }),
            &[x],
        )]
    });
}

#[test]
fn constants() {
    for shape in [vec![], vec![1, 1], vec![3, 1, 5]] {
        check(&format!("filled {shape:?}"), 13, Batch::Open, |s| {
            let x = s.input(&[3, 4, 5]);
            let value = 0.75;
            let shape = shape.clone();
            let constant = s.op(Op::Fill { shape, value }, &[]);
            vec![s.op(binary(BinaryOp::Mul), &[x, constant])]
        });
    }
}
