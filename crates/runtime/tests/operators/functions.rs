//! Functions of one element, prelu and softmax.

use graph::{Op, SoftmaxKind, SoftmaxOp, UnaryOp};
use runtime::RuntimeError;
use tensor::{Tensor, Unary};
use testkit::Draw;
use testkit::softmax::SoftmaxCase;
use testkit::unary::{self as oracle, Point};

use crate::case::{Case, engines, reals};

const DIMS: [usize; 4] = [2, 3, 4, 3];

#[test]
fn every_function() {
    let (quarter, half) = (0.25f32, 0.5f32);
    /// A function and its oracle.
    type Judged = (Unary, fn(f64) -> Point);
    let list: Vec<Judged> = vec![
        (Unary::Relu, oracle::relu),
        (Unary::LeakyRelu { alpha: quarter }, |x| {
            oracle::leaky_relu(x, 0.25)
        }),
        (Unary::Elu { alpha: half }, |x| oracle::selu(x, 0.5, 1.0)),
        (
            Unary::Selu {
                alpha: half,
                gamma: quarter,
            },
            |x| oracle::selu(x, 0.5, 0.25),
        ),
        (Unary::Celu { alpha: half }, |x| oracle::celu(x, 0.5)),
        (Unary::ThresholdedRelu { alpha: quarter }, |x| {
            oracle::thresholded_relu(x, 0.25)
        }),
        (Unary::Sigmoid, oracle::sigmoid),
        (
            Unary::HardSigmoid {
                alpha: quarter,
                beta: half,
            },
            |x| oracle::hard_sigmoid(x, 0.25, 0.5),
        ),
        (Unary::HardSwish, oracle::hard_swish),
        (Unary::Tanh, oracle::tanh),
        (Unary::Softplus, oracle::softplus),
        (Unary::Softsign, oracle::softsign),
        (Unary::Gelu, oracle::gelu),
        (Unary::GeluTanh, oracle::gelu_tanh),
        (Unary::Mish, oracle::mish),
        (Unary::SILU, |x| oracle::swish(x, 1.0)),
        (
            Unary::Clip {
                min: -0.5,
                max: quarter,
            },
            |x| oracle::clip(x, -0.5, 0.25),
        ),
        (Unary::RELU6, |x| oracle::hard_tanh(x, 0.0, 6.0)),
        (
            Unary::Shrink {
                bias: quarter,
                lambd: half,
            },
            |x| oracle::shrink(x, 0.25, 0.5),
        ),
        (Unary::Erf, oracle::error_function),
        (Unary::Exp, oracle::exp),
        (Unary::Log, oracle::log),
        (Unary::Sqrt, oracle::sqrt),
        (Unary::Neg, oracle::neg),
        (Unary::Abs, oracle::abs),
        (Unary::Reciprocal, oracle::reciprocal),
        (Unary::Floor, oracle::floor),
        (Unary::Ceil, oracle::ceil),
        (Unary::Round, oracle::round),
        (Unary::Sign, oracle::sign),
    ];
    let mut draw = Draw::new(1);
    for (f, point) in list {
        // Away from the kinks, which lie on quarters, and from 0; above it where the function asks for that.
        let positive = matches!(f, Unary::Log | Unary::Sqrt);
        let x: Vec<f64> = (0..72)
            .map(|_| {
                let quarters = draw.below(25) as f64 / 4.0 + 0.125;
                let sign = if positive || draw.once_in(2) {
                    1.0
                } else {
                    -1.0
                };
                sign * quarters
            })
            .collect();
        let dy = reals(&mut draw, &DIMS);
        let points: Vec<Point> = x.iter().map(|&x| point(x)).collect();
        Case {
            op: Op::Unary(UnaryOp::Apply(f)),
            y: points.iter().map(|p| p.0).collect(),
            gradients: vec![points.iter().zip(&dy).map(|(p, dy)| p.1 * dy).collect()],
            inputs: vec![(DIMS.to_vec(), x)],
            dy,
        }
        .prove();
    }
}

#[test]
fn prelu() {
    let mut draw = Draw::new(2);
    for dims in [&DIMS[..], &[5, 3], &[2, 3, 70]] {
        for slopes in [1, 3] {
            let x: Vec<f64> = reals(&mut draw, dims)
                .iter()
                .map(|x| x + 0.125 * x.signum())
                .collect();
            let slope = reals(&mut draw, &[slopes]);
            let dy = reals(&mut draw, dims);
            let area: usize = dims[2..].iter().product();
            let (y, dx, dslope) = oracle::prelu(&x, &slope, &dy, |i| i / area % 3 % slopes);
            Case {
                op: Op::Unary(UnaryOp::Prelu),
                inputs: vec![(dims.to_vec(), x), (vec![slopes], slope)],
                dy,
                y,
                gradients: vec![dx, dslope],
            }
            .prove();
        }
    }
}

#[test]
fn softmax_along_every_axis() {
    let mut draw = Draw::new(3);
    for dims in [&DIMS[..], &[4, 7], &[5], &[2, 3, 4, 2, 3]] {
        for axis in 0..dims.len() {
            let case = SoftmaxCase {
                outer: dims[..axis].iter().product(),
                len: dims[axis],
                inner: dims[axis + 1..].iter().product(),
            };
            let x: Vec<f64> = reals(&mut draw, dims).iter().map(|x| 4.0 * x).collect();
            let dy = reals(&mut draw, dims);
            for kind in [SoftmaxKind::Softmax, SoftmaxKind::LogSoftmax] {
                let (y, dx) = match kind {
                    SoftmaxKind::Softmax => (case.softmax(&x), case.softmax_backward(&x, &dy)),
                    SoftmaxKind::LogSoftmax => {
                        (case.log_softmax(&x), case.log_softmax_backward(&x, &dy))
                    }
                };
                Case {
                    op: Op::Softmaxes(SoftmaxOp::Along { kind, axis }),
                    inputs: vec![(dims.to_vec(), x.clone())],
                    dy: dy.clone(),
                    y,
                    gradients: vec![dx],
                }
                .prove();
            }
        }
    }
}

#[test]
fn what_has_no_meaning_is_refused() {
    let (_, eager) = engines().swap_remove(0);
    let x = Tensor::from_slice(&[2, 3], &[0.0f32; 6]).unwrap();
    let refused = |made: Result<Tensor<f32>, RuntimeError>| made.unwrap_err().to_string();
    assert_eq!(
        refused(eager.softmax(&x, 2)),
        "axis 2 of a tensor of shape [2, 3]"
    );
    assert_eq!(
        refused(eager.softmax(&x, -3)),
        "axis -3 of a tensor of shape [2, 3]"
    );
    assert_eq!(
        refused(eager.softmax(&x, i64::MIN)),
        format!("axis {} of a tensor of shape [2, 3]", i64::MIN)
    );
    let slope = Tensor::from_slice(&[2], &[0.0f32; 2]).unwrap();
    assert_eq!(
        refused(eager.prelu(&x, &slope)),
        "layer prelu: prelu slope [2] does not fit x [2, 3]: it must be [3]"
    );
    assert_eq!(
        refused(eager.unary(&x, Unary::Celu { alpha: -1.0 })),
        "layer celu: celu: alpha is -1, outside 0 < alpha < ∞"
    );
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    for (_, eager) in engines() {
        let x = Tensor::<f32>::zeros(&[0, 3, 2, 2]).unwrap();
        assert_eq!(eager.gelu(&x).unwrap().dims(), [0, 3, 2, 2]);
        assert_eq!(eager.softmax(&x, 1).unwrap().dims(), [0, 3, 2, 2]);
        let slope = Tensor::<f32>::zeros(&[3]).unwrap();
        assert_eq!(eager.prelu(&x, &slope).unwrap().dims(), [0, 3, 2, 2]);
    }
}
