//! Arithmetic, functions of one element, softmax and its loss.

use graph::{Activation, ArithmeticOp, BinaryOp, Op, ReduceOp, SoftmaxKind, SoftmaxOp, UnaryOp};
use tensor::Unary;

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    let along = |kind| {
        let axis = s.get("axis");
        Op::Softmaxes(SoftmaxOp::Along { kind, axis })
    };
    Some(match case.op.as_str() {
        "add" => Op::Add,
        "binary" => Op::Arithmetic(ArithmeticOp::Binary(binary(&s.get::<String>("of")))),
        "reduce" => Op::Arithmetic(ArithmeticOp::Reduce {
            op: match s.get::<String>("of").as_str() {
                "sum" => ReduceOp::Sum,
                "mean" => ReduceOp::Mean,
                "max" => ReduceOp::Max,
                other => panic!("reduction {other}"),
            },
            axes: s.get("axes"),
        }),
        "activation" => Op::Activation(match s.get::<String>("of").as_str() {
            "relu" => Activation::Relu,
            "relu6" => Activation::Relu6,
            other => panic!("activation {other}"),
        }),
        "prelu" => Op::Unary(UnaryOp::Prelu),
        "softmax" => along(SoftmaxKind::Softmax),
        "log softmax" => along(SoftmaxKind::LogSoftmax),
        "softmax of rows" => Op::Softmax,
        "cross-entropy" => Op::CrossEntropy {
            label_smoothing: s.get("smoothing"),
        },
        name => Op::Unary(UnaryOp::Apply(unary(name, s)?)),
    })
}

fn binary(name: &str) -> BinaryOp {
    match name {
        "add" => BinaryOp::Add,
        "sub" => BinaryOp::Sub,
        "mul" => BinaryOp::Mul,
        "div" => BinaryOp::Div,
        "min" => BinaryOp::Min,
        "max" => BinaryOp::Max,
        "pow" => BinaryOp::Pow,
        other => panic!("operation {other}"),
    }
}

fn unary(name: &str, s: &Settings) -> Option<Unary> {
    let alpha = || s.get("alpha");
    Some(match name {
        "relu" => Unary::Relu,
        "leaky relu" => Unary::LeakyRelu { alpha: alpha() },
        "elu" => Unary::Elu { alpha: alpha() },
        "selu" if s.is_empty() => Unary::SELU,
        "selu" => Unary::Selu {
            alpha: alpha(),
            gamma: s.get("gamma"),
        },
        "celu" => Unary::Celu { alpha: alpha() },
        "thresholded relu" => Unary::ThresholdedRelu { alpha: alpha() },
        "sigmoid" => Unary::Sigmoid,
        "hard sigmoid" => Unary::HARD_SIGMOID,
        "hard swish" => Unary::HardSwish,
        "tanh" => Unary::Tanh,
        "softplus" => Unary::Softplus,
        "softsign" => Unary::Softsign,
        "gelu" => Unary::Gelu,
        "gelu tanh" => Unary::GeluTanh,
        "mish" => Unary::Mish,
        "swish" => Unary::Swish { alpha: alpha() },
        "clip" => Unary::Clip {
            min: s.get("min"),
            max: s.get("max"),
        },
        "hard tanh" => Unary::HardTanh {
            min: s.get("min"),
            max: s.get("max"),
        },
        "shrink" => Unary::Shrink {
            bias: s.get("bias"),
            lambd: s.get("lambda"),
        },
        "erf" => Unary::Erf,
        "exp" => Unary::Exp,
        "log" => Unary::Log,
        "sqrt" => Unary::Sqrt,
        "neg" => Unary::Neg,
        "abs" => Unary::Abs,
        "reciprocal" => Unary::Reciprocal,
        _ => return None,
    })
}
