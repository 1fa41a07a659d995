//! Normalisations.

use graph::{Activation, Affine, LocalResponse, NormOp, Op, ValueId};

use super::{Batch, check};
use crate::sketch::Sketch;

fn statistics(s: &mut Sketch, channels: usize) -> Vec<ValueId> {
    vec![
        s.parameter("norm.weight", &[channels]),
        s.parameter("norm.bias", &[channels]),
        s.state("norm.running_mean", &[channels]),
        s.state("norm.running_var", &[channels]),
    ]
}

#[test]
fn by_running_statistics() {
    check("as the author writes it", 13, Batch::Open, |s| {
        let x = s.input(&[3, 4, 5]);
        let inputs = [vec![x], statistics(s, 3)].concat();
        let op = Op::BatchNorm {
            epsilon: 1e-3,
            momentum: 0.2,
        };
        vec![s.op(op, &inputs)]
    });
    check("after the inference pass", 13, Batch::Open, |s| {
        let x = s.input(&[3, 4, 5]);
        let residual = s.input(&[3, 4, 5]);
        let inputs = [vec![x], statistics(s, 3), vec![residual]].concat();
        let op = Op::BatchNormInference {
            epsilon: 1e-5,
            residual: true,
            activation: Some(Activation::Relu6),
        };
        vec![s.op(op, &inputs)]
    });
}

const AFFINE: [Affine; 3] = [Affine::None, Affine::Scale, Affine::ScaleShift];

/// `x`, and gamma and beta of a shape.
fn with(s: &mut Sketch, x: ValueId, affine: Affine, shape: &[usize]) -> Vec<ValueId> {
    let names = ["norm.weight", "norm.bias"]
        .into_iter()
        .take(affine.parameters());
    let parameters: Vec<_> = names.map(|name| s.parameter(name, shape)).collect();
    [vec![x], parameters].concat()
}

#[test]
fn over_groups() {
    for affine in AFFINE {
        for groups in [1, 2, 6] {
            for spatial in [vec![4, 5], vec![7], vec![2, 3, 4], vec![]] {
                check(
                    &format!("{groups} groups of 6×{spatial:?}"),
                    13,
                    Batch::Open,
                    |s| {
                        if groups == 6 && spatial.is_empty() {
                            // A group of one number: nothing is left of it.
                            let x = s.input(&[6]);
                            return vec![s.op(Op::Activation(Activation::Relu), &[x])];
                        }
                        let x = s.input(&[&[6], &*spatial].concat());
                        let inputs = with(s, x, affine, &[6]);
                        let op = NormOp::Group {
                            groups,
                            epsilon: 1e-4,
                            affine,
                        };
                        vec![s.op(Op::Norm(op), &inputs)]
                    },
                );
            }
        }
    }
}

#[test]
fn over_layers_and_channels() {
    for affine in AFFINE {
        for axis in [1, 2, 3] {
            check("layer norm", 13, Batch::Open, |s| {
                let shape = [6, 4, 5];
                let x = s.input(&shape);
                let inputs = with(s, x, affine, &shape[axis - 1..]);
                let op = NormOp::Layer {
                    axis,
                    epsilon: 1e-4,
                    affine,
                };
                vec![s.op(Op::Norm(op), &inputs)]
            });
        }
        check("channel norm", 13, Batch::Open, |s| {
            let x = s.input(&[6, 4, 5]);
            let inputs = with(s, x, affine, &[6]);
            vec![s.op(
                Op::Norm(NormOp::Channel {
                    epsilon: 1e-4,
                    affine,
                }),
                &inputs,
            )]
        });
    }
}

#[test]
fn over_neighbouring_channels() {
    for settings in [
        LocalResponse::new(5),
        LocalResponse::new(4),
        LocalResponse::onnx(4),
    ] {
        for spatial in [vec![4, 5], vec![7], vec![2, 3, 4]] {
            check("local response", 13, Batch::Open, |s| {
                let x = s.input(&[&[6], &*spatial].concat());
                let settings = LocalResponse {
                    alpha: 0.3,
                    k: 1.5,
                    ..settings
                };
                vec![s.op(Op::Norm(NormOp::LocalResponse(settings)), &[x])]
            });
        }
    }
}
