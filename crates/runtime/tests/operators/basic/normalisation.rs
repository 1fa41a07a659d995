use graph::{Activation, Op};
use testkit::activation::{relu, relu6};
use testkit::normalise::{BatchNorm, Statistics};

use super::case::Case;

const EPSILON: f32 = 1e-3;
const MOMENTUM: f32 = 0.2;
const MAPS: [&[usize]; 4] = [&[3, 5], &[3, 17, 4], &[2, 3, 4, 3], &[2, 2, 3, 2, 2]];

fn oracle(map: &[usize]) -> BatchNorm {
    BatchNorm {
        batch: map[0],
        channels: map[1],
        spatial: map[2..].iter().product(),
        epsilon: f64::from(EPSILON),
    }
}

/// What becomes of a normalised map behind the normalisation.
fn finished(y: Vec<f64>, residual: Option<&[f64]>, activation: Option<Activation>) -> Vec<f64> {
    let y: Vec<f64> = match residual {
        None => y,
        Some(residual) => y.iter().zip(residual).map(|(y, r)| y + r).collect(),
    };
    match activation {
        None => y,
        Some(Activation::Relu) => relu(&y),
        Some(Activation::Relu6) => relu6(&y),
    }
}

/// Without and with a residual and an activation.
const ENDS: [(bool, Option<Activation>); 4] = [
    (false, None),
    (false, Some(Activation::Relu6)),
    (true, None),
    (true, Some(Activation::Relu)),
];

#[test]
fn training() {
    for map in MAPS {
        let oracle = oracle(map);
        let channels = &map[1..2];
        for (residual, activation) in ENDS {
            let mut case = Case::of(Op::BatchNormTraining {
                epsilon: EPSILON,
                momentum: MOMENTUM,
                residual,
                activation,
            })
            .around(map, 0.5, 2.0)
            .around(channels, 3.0, 1.0)
            .around(channels, 2.0, 1.0)
            .given(channels, 0.0, 1.0)
            .given(channels, 2.0, 1.0);
            if residual {
                case = case.real(map);
            }
            let statistics = oracle.statistics(case.values(0));
            let y = oracle.forward(case.values(0), case.values(1), case.values(2), &statistics);
            let y = finished(y, residual.then(|| case.values(5)), activation);
            let old = Statistics {
                mean: case.values(3).to_vec(),
                variance: case.values(4).to_vec(),
            };
            let running = oracle.running(&old, &statistics, f64::from(MOMENTUM));
            let inv_std = statistics.variance.iter();
            let inv_std = inv_std.map(|v| 1.0 / (v + oracle.epsilon).sqrt()).collect();
            case.check(&[y, statistics.mean, inv_std, running.mean, running.variance]);
        }
    }
}

#[test]
fn fixed_statistics() {
    for map in MAPS {
        let channels = &map[1..2];
        for (residual, activation) in ENDS {
            let mut case = Case::of(Op::BatchNormInference {
                epsilon: EPSILON,
                residual,
                activation,
            })
            .given(map, 0.5, 2.0)
            .given(channels, 3.0, 1.0)
            .given(channels, 2.0, 1.0)
            .given(channels, 0.0, 1.0)
            .given(channels, 2.0, 1.0);
            if residual {
                case = case.given(map, 0.0, 1.0);
            }
            let fixed = Statistics {
                mean: case.values(3).to_vec(),
                variance: case.values(4).to_vec(),
            };
            let y = oracle(map).forward(case.values(0), case.values(1), case.values(2), &fixed);
            let y = finished(y, residual.then(|| case.values(5)), activation);
            case.check(&[y]);
        }
    }
}

/// `w·γ/√(σ² + ε)` and `(b − μ)·γ/√(σ² + ε) + β`
#[test]
fn folded_statistics() {
    let weight = [5, 3, 2, 2];
    for bias in [false, true] {
        let mut case = Case::of(Op::FoldBatchNorm {
            epsilon: EPSILON,
            bias,
        })
        .given(&weight, 0.0, 1.0);
        if bias {
            case = case.given(&[5], 0.0, 1.0);
        }
        let first = case.operands();
        case = case
            .given(&[5], 3.0, 1.0)
            .given(&[5], 2.0, 1.0)
            .given(&[5], 0.0, 1.0)
            .given(&[5], 2.0, 1.0);
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|at| case.values(first + at));
        let scale = |o: usize| gamma[o] / (variance[o] + f64::from(EPSILON)).sqrt();
        let weights = case.values(0).iter().enumerate();
        let folded = weights.map(|(i, w)| w * scale(i / 12)).collect();
        let old = |o: usize| if bias { case.values(1)[o] } else { 0.0 };
        let shift = (0..5)
            .map(|o| (old(o) - mean[o]) * scale(o) + beta[o])
            .collect();
        case.check(&[folded, shift]);
    }
}
