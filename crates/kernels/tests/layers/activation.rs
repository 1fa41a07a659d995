use kernels::Activation;
use kernels::activation::{backward, forward, forward_in_place};
use testkit::activation as oracle;
use testkit::compare::{assert_exact, widen};
use testkit::{Draw, compare};

use crate::every::{operand, result, way};

type Oracle = (fn(&[f64]) -> Vec<f64>, fn(&[f64], &[f64]) -> Vec<f64>);

const KINDS: [(Activation, Oracle); 2] = [
    (Activation::Relu, (oracle::relu, oracle::relu_backward)),
    (Activation::Relu6, (oracle::relu6, oracle::relu6_backward)),
];

#[test]
fn equals_the_oracle_at_and_around_the_kinks() {
    for (kind, (want_forward, want_backward)) in KINDS {
        for len in [0, 1, 7, 16, 33, 70_001] {
            let mut draw = Draw::new(len as u64);
            let x: Vec<f32> = draw.integers(len).iter().map(|v| v * 1.5).collect();
            let dy = draw.reals(len);
            let y: Vec<f32> = want_forward(&widen(&x)).iter().map(|&v| v as f32).collect();
            way(
                &format!("{kind:?} of {len}"),
                |context| {
                    let (mut out, mut dx) = (result(len), result(len));
                    let mut in_place = operand(&x);
                    forward(context, kind, &operand(&x), &mut out);
                    forward_in_place(context, kind, &mut in_place);
                    backward(context, kind, &operand(&dy), &operand(&y), &mut dx);
                    vec![out.to_vec(), in_place.to_vec(), dx.to_vec()]
                },
                |problem, got| {
                    let want = want_forward(&widen(&x));
                    assert_exact(problem, &got[0], &want);
                    assert_exact(problem, &got[1], &want);
                    // The oracle reads the slope off the input, the kernel off the output.
                    assert_exact(problem, &got[2], &want_backward(&widen(&x), &widen(&dy)));
                },
            );
        }
    }
}

#[test]
fn a_nan_goes_through_and_infinities_are_cut() {
    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0];
    for (kind, top) in [(Activation::Relu, f64::INFINITY), (Activation::Relu6, 6.0)] {
        way(
            &format!("{kind:?}"),
            |context| {
                let mut y = result(4);
                forward(context, kind, &operand(&x), &mut y);
                vec![y.to_vec()]
            },
            |problem, got| compare::assert_exact(problem, &got[0], &[f64::NAN, top, 0.0, 0.0]),
        );
    }
}
