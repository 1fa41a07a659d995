use graph::{Activation, Op};
use kernels::dropout::{DropoutKey, dropout};
use kernels::{Context, Isa, Team};
use testkit::activation::{relu, relu_backward, relu6, relu6_backward};

use super::case::{Case, RUN};

const MAP: [usize; 4] = [2, 17, 3, 5];

#[test]
fn activations() {
    for (activation, forward, backward) in [
        (
            Activation::Relu,
            relu as fn(&[f64]) -> _,
            relu_backward as fn(&[f64], &[f64]) -> _,
        ),
        (Activation::Relu6, relu6, relu6_backward),
    ] {
        let case = Case::of(Op::Activation(activation)).around(&MAP, 0.25, 8.0);
        let y: Vec<f64> = forward(case.values(0));
        case.check(&[y]);
        // Off the kinks, where the output tells as much as the input.
        let case = Case::of(Op::ActivationBackward(activation));
        let case = case.given(&MAP, 0.0, 1.0).given(&MAP, 0.25, 8.0);
        let dx = backward(case.values(1), case.values(0));
        case.check(&[dx]);
    }
}

#[test]
fn sums() {
    let case = Case::of(Op::Add).real(&MAP).real(&MAP);
    let pairs = case.values(0).iter().zip(case.values(1));
    let y = pairs.map(|(a, b)| a + b).collect();
    case.check(&[y]);
}

#[test]
fn constants() {
    let shape = MAP.to_vec();
    let case = Case::of(Op::Fill { shape, value: 0.1 });
    case.check(&[vec![f64::from(0.1f32); 2 * 17 * 15]]);
}

/// The mask is that of the kernel, whose own tests say what it has to be; its gradient has the same.
#[test]
fn dropout_masks_belong_to_the_run() {
    let (rate, stream) = (0.3, 2);
    let case = Case::of(Op::Dropout { rate, stream }).real(&MAP);
    let team = Team::new(1).unwrap();
    let ctx = Context {
        team: &team,
        isa: Isa::best(),
    };
    let key = DropoutKey {
        seed: RUN.seed,
        step: RUN.step,
        stream,
    };
    let mut y = vec![0.0; case.values(0).len()];
    dropout(&ctx, case.values(0), rate, key, &mut y);
    assert!(y.contains(&0.0) && y.iter().any(|&y| y != 0.0));
    case.check(&[y]);
}
