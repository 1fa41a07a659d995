//! Functions of one element, softmax and dropout.

use graph::{Activation, ArithmeticOp, BinaryOp, Op, SoftmaxKind, SoftmaxOp, UnaryOp};
use tensor::Unary;

use super::{Batch, check};
use crate::sketch::Sketch;

#[test]
fn functions_of_one_element() {
    let functions = [
        Unary::Relu,
        Unary::LeakyRelu { alpha: 0.1 },
        Unary::Elu { alpha: 0.7 },
        Unary::SELU,
        Unary::Celu { alpha: 0.6 },
        Unary::ThresholdedRelu { alpha: 0.2 },
        Unary::Sigmoid,
        Unary::HARD_SIGMOID,
        Unary::HardSwish,
        Unary::Tanh,
        Unary::Softplus,
        Unary::Softsign,
        Unary::Gelu,
        Unary::GeluTanh,
        Unary::Mish,
        Unary::SILU,
        Unary::Swish { alpha: 1.7 },
        Unary::Clip {
            min: -0.25,
            max: f32::INFINITY,
        },
        Unary::Clip {
            min: f32::NEG_INFINITY,
            max: 0.5,
        },
        Unary::Clip {
            min: f32::NEG_INFINITY,
            max: f32::INFINITY,
        },
        Unary::RELU6,
        Unary::Shrink {
            bias: 0.1,
            lambd: 0.3,
        },
        Unary::Erf,
        Unary::Exp,
        Unary::Neg,
        Unary::Abs,
        Unary::Reciprocal,
        Unary::Floor,
        Unary::Ceil,
        Unary::Round,
        Unary::Sign,
    ];
    for f in functions {
        check(f.name(), 13, Batch::Open, |s| {
            let x = s.input(&[3, 40]);
            vec![s.op(Op::Unary(UnaryOp::Apply(f)), &[x])]
        });
    }
    for f in [Unary::Log, Unary::Sqrt] {
        check(f.name(), 13, Batch::Open, |s| {
            let x = s.input(&[40]);
            let x = s.op(Op::Unary(UnaryOp::Apply(Unary::Abs)), &[x]);
            vec![s.op(Op::Unary(UnaryOp::Apply(f)), &[x])]
        });
    }
    for f in [Activation::Relu, Activation::Relu6] {
        check("activation", 13, Batch::Open, |s| {
            let x = s.input(&[3, 40]);
            vec![s.op(Op::Activation(f), &[x])]
        });
    }
}

/// What a cast to another type does to numbers, which stay floats.
#[test]
fn casts() {
    let integers = |min, max| Unary::Truncate { min, max };
    for f in [
        Unary::Float16,
        Unary::Bfloat16,
        integers(-128.0, 127.0),
        integers(0.0, 255.0),
        integers(-32768.0, 32767.0),
        integers(-2_147_483_648.0, 2_147_483_648.0),
        integers(0.0, 18_446_744_073_709_551_616.0),
    ] {
        check(&format!("{f:?}"), 13, Batch::Open, |s| {
            let x = s.input(&[3, 40]);
            let wide = s.op(
                Op::Fill {
                    shape: vec![],
                    value: 300.7,
                },
                &[],
            );
            let x = s.op(
                Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul)),
                &[x, wide],
            );
            let root = s.op(Op::Unary(UnaryOp::Apply(Unary::Sqrt)), &[x]);
            // Integers are never NaN, as every other of these roots is.
            let root = match f {
                Unary::Truncate { .. } => root,
                _ => x,
            };
            let cast = |s: &mut Sketch, x| s.op(Op::Unary(UnaryOp::Apply(f)), &[x]);
            vec![cast(s, x), cast(s, root)]
        });
    }
}

#[test]
fn learned_slopes() {
    for slopes in [1, 3] {
        check("prelu", 13, Batch::Open, |s| {
            let x = s.input(&[3, 4, 5]);
            let slope = s.parameter("slope", &[slopes]);
            vec![s.op(Op::Unary(UnaryOp::Prelu), &[x, slope])]
        });
    }
}

#[test]
fn softmaxes() {
    for kind in [SoftmaxKind::Softmax, SoftmaxKind::LogSoftmax] {
        for axis in [1, 2, 3] {
            check("softmax", 13, Batch::Open, |s| {
                let x = s.input(&[3, 4, 5]);
                vec![s.op(Op::Softmaxes(SoftmaxOp::Along { kind, axis }), &[x])]
            });
        }
    }
    check("softmax of the batch", 13, Batch::Fixed, |s| {
        let x = s.input(&[4]);
        let kind = SoftmaxKind::Softmax;
        vec![s.op(Op::Softmaxes(SoftmaxOp::Along { kind, axis: 0 }), &[x])]
    });
    check("softmax of logits", 13, Batch::Open, |s| {
        let x = s.input(&[7]);
        vec![s.op(Op::Softmax, &[x])]
    });
}

#[test]
fn dropout_stays_and_does_nothing() {
    check("dropout", 13, Batch::Open, |s| {
        let x = s.input(&[7]);
        let x = s.op(
            Op::Dropout {
                rate: 0.4,
                stream: 0,
            },
            &[x],
        );
        vec![s.op(Op::Activation(Activation::Relu), &[x])]
    });
}
