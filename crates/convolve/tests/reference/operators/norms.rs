//! Normalisation.

use graph::{Affine, LocalResponse, NormOp, Op};

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    Some(match case.op.as_str() {
        "batch norm training" => Op::BatchNormTraining {
            epsilon: s.get("epsilon"),
            momentum: s.get("momentum"),
            residual: false,
            activation: None,
        },
        "batch norm inference" => Op::BatchNormInference {
            epsilon: s.get("epsilon"),
            residual: false,
            activation: None,
        },
        "group norm" | "instance norm" => Op::Norm(NormOp::Group {
            groups: s.get("groups"),
            epsilon: s.get("epsilon"),
            affine: affine(s),
        }),
        "layer norm" => Op::Norm(NormOp::Layer {
            axis: s.get("axis"),
            epsilon: s.get("epsilon"),
            affine: affine(s),
        }),
        "channel norm" => Op::Norm(NormOp::Channel {
            epsilon: s.get("epsilon"),
            affine: affine(s),
        }),
        "local response norm" => Op::Norm(NormOp::LocalResponse(LocalResponse {
            alpha: s.get("alpha"),
            beta: s.get("beta"),
            k: s.get("k"),
            ..LocalResponse::new(s.get("size"))
        })),
        _ => return None,
    })
}

fn affine(s: &Settings) -> Affine {
    match s.get("parameters") {
        0 => Affine::None,
        1 => Affine::Scale,
        2 => Affine::ScaleShift,
        other => panic!("{other} parameters"),
    }
}
