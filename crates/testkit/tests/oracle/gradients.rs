//! Every backward function of the oracle against central differences of its forward function.

use crate::dot;
use testkit::activation::{relu, relu_backward, relu6, relu6_backward};
use testkit::compare::widen;
use testkit::dense::DenseCase;
use testkit::gradient::{check, numeric};
use testkit::loss::CrossEntropy;
use testkit::normalise::{BatchNorm, Statistics};
use testkit::{AdaptiveCase, ConvCase, Draw, PoolCase, unpool};

fn reals(draw: &mut Draw, len: usize) -> Vec<f64> {
    widen(&draw.reals(len))
}

/// Checks a gradient of `⟨dy, f(at)⟩`.
#[track_caller]
fn assert_gradient(f: impl Fn(&[f64]) -> Vec<f64>, at: &[f64], dy: &[f64], analytic: &[f64]) {
    if let Err(mismatch) = check(|at| dot(dy, &f(at)), at, analytic) {
        panic!("{mismatch}");
    }
}

#[test]
fn convolution() {
    let mut draw = Draw::new(4);
    let cases = [
        ConvCase::new(2, 3, 2, [7], [3]).stride([3]).padding([1]),
        ConvCase::new(2, 4, 6, [5, 6], [3, 2])
            .stride([2, 3])
            .dilation([2, 1])
            .padding_sides([1, 0], [2, 1])
            .groups(2),
        ConvCase::new(1, 2, 2, [3, 4, 3], [1, 3, 2])
            .stride([1, 2, 1])
            .dilation([1, 1, 2])
            .groups(2),
    ];
    for case in cases {
        let x = reals(&mut draw, case.input_len());
        let w = reals(&mut draw, case.weight_len());
        let b = reals(&mut draw, case.out_channels);
        let dy = reals(&mut draw, case.output_len());
        let y = |x: &[f64], w: &[f64], b: &[f64]| case.forward(x, w, Some(b));
        assert_gradient(|x| y(x, &w, &b), &x, &dy, &case.backward_data(&dy, &w));
        assert_gradient(|w| y(&x, w, &b), &w, &dy, &case.backward_weights(&x, &dy));
        assert_gradient(|b| y(&x, &w, b), &b, &dy, &case.backward_bias(&dy));
    }
}

#[test]
fn pooling() {
    let mut draw = Draw::new(5);
    let window = PoolCase::new(2, 2, [6, 7], [3, 2])
        .stride([2, 3])
        .padding_sides([1, 0], [1, 1]);
    let cases = [
        window.clone().ceil(),
        window.dilation([1, 3]),
        PoolCase::global(2, 3, [4, 5]),
        PoolCase::new(1, 2, [9], [4])
            .stride([4])
            .padding([2])
            .ceil(),
    ];
    for case in cases {
        let x = reals(&mut draw, case.input_len());
        let dy = reals(&mut draw, case.output_len());
        let max = |x: &[f64]| case.max_forward(x).values;
        assert_gradient(max, &x, &dy, &case.max_backward(&x, &dy));
        for counted in [false, true] {
            let average = |x: &[f64]| case.average_forward(x, counted);
            assert_gradient(average, &x, &dy, &case.average_backward(&dy, counted));
        }
        for p in [1.0, 1.5, 2.0, 3.0] {
            let norm = |x: &[f64]| case.lp_forward(x, p);
            assert_gradient(norm, &x, &dy, &case.lp_backward(&x, &dy, p));
        }
    }
}

#[test]
fn adaptive_pooling() {
    let mut draw = Draw::new(9);
    for case in [
        AdaptiveCase::new(2, 2, [7], [3]),
        AdaptiveCase::new(1, 3, [5, 4], [2, 6]),
        AdaptiveCase::new(2, 1, [3, 4, 5], [2, 1, 3]),
    ] {
        let x = reals(&mut draw, case.input_len());
        let dy = reals(&mut draw, case.output_len());
        let max = |x: &[f64]| case.max_forward(x).values;
        assert_gradient(max, &x, &dy, &case.max_backward(&x, &dy));
        let average = |x: &[f64]| case.average_forward(x);
        assert_gradient(average, &x, &dy, &case.average_backward(&dy));
        for p in [1.0, 1.5, 2.0, 3.0] {
            let norm = |x: &[f64]| case.lp_forward(x, p);
            assert_gradient(norm, &x, &dy, &case.lp_backward(&x, &dy, p));
        }
    }
}

#[test]
fn unpooling() {
    // No two values share a place, for the gradient of one that is written over is a convention.
    let mut draw = Draw::new(10);
    let places = [Some(4), None, Some(0), Some(5), Some(2), Some(1)];
    let (x, dy) = (reals(&mut draw, 6), reals(&mut draw, 14));
    let y = |x: &[f64]| unpool::forward(x, &places, 2, 7);
    assert_gradient(y, &x, &dy, &unpool::backward(&dy, &places, 2, 7));
}

#[test]
fn batch_norm() {
    let mut draw = Draw::new(6);
    let norm = BatchNorm {
        batch: 3,
        channels: 2,
        spatial: 4,
        epsilon: 1e-3,
    };
    let x = reals(&mut draw, 24);
    let gamma = reals(&mut draw, 2);
    let beta = reals(&mut draw, 2);
    let dy = reals(&mut draw, 24);

    let train =
        |x: &[f64], gamma: &[f64], beta: &[f64]| norm.forward(x, gamma, beta, &norm.statistics(x));
    let gradients = norm.backward_training(&x, &gamma, &dy);
    assert_gradient(|x| train(x, &gamma, &beta), &x, &dy, &gradients.dx);
    assert_gradient(|g| train(&x, g, &beta), &gamma, &dy, &gradients.dgamma);
    assert_gradient(|b| train(&x, &gamma, b), &beta, &dy, &gradients.dbeta);

    let fixed = Statistics {
        mean: vec![0.3, -0.2],
        variance: vec![0.5, 2.0],
    };
    let infer = |x: &[f64], gamma: &[f64], beta: &[f64]| norm.forward(x, gamma, beta, &fixed);
    let gradients = norm.backward_inference(&x, &gamma, &dy, &fixed);
    assert_gradient(|x| infer(x, &gamma, &beta), &x, &dy, &gradients.dx);
    assert_gradient(|g| infer(&x, g, &beta), &gamma, &dy, &gradients.dgamma);
    assert_gradient(|b| infer(&x, &gamma, b), &beta, &dy, &gradients.dbeta);
}

#[test]
fn dense() {
    let mut draw = Draw::new(7);
    let case = DenseCase {
        batch: 3,
        inputs: 4,
        outputs: 2,
    };
    let (x, w) = (reals(&mut draw, 12), reals(&mut draw, 8));
    let (b, dy) = (reals(&mut draw, 2), reals(&mut draw, 6));
    let y = |x: &[f64], w: &[f64], b: &[f64]| case.forward(x, w, Some(b));
    assert_gradient(|x| y(x, &w, &b), &x, &dy, &case.backward_data(&dy, &w));
    assert_gradient(|w| y(&x, w, &b), &w, &dy, &case.backward_weights(&x, &dy));
    assert_gradient(|b| y(&x, &w, b), &b, &dy, &case.backward_bias(&dy));
}

#[test]
fn activations() {
    let x = [-7.0, -0.5, 0.25, 3.0, 5.5, 6.5, 9.0];
    let dy = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    assert_gradient(relu, &x, &dy, &relu_backward(&x, &dy));
    assert_gradient(relu6, &x, &dy, &relu6_backward(&x, &dy));
}

#[test]
fn cross_entropy() {
    let mut draw = Draw::new(8);
    let logits = reals(&mut draw, 15);
    for smoothing in [0.0, 0.1, 1.0] {
        let loss = CrossEntropy {
            classes: 5,
            labels: &[4, 0, 2],
            smoothing,
        };
        check(|z| loss.loss(z), &logits, &loss.gradient(&logits)).unwrap();
    }
}

#[test]
fn the_check_finds_the_worst_component() {
    let f = |x: &[f64]| x[0] * x[1] + x[2].powi(2);
    let at = [2.0, 3.0, 4.0];
    assert!(check(f, &at, &[3.0, 2.0, 8.0]).is_ok());
    let mismatch = check(f, &at, &[3.01, 2.0, -8.0]).unwrap_err();
    assert_eq!((mismatch.index, mismatch.analytic), (2, -8.0));
    let mismatch = check(f, &at, &[3.0, f64::NAN, 8.0]).unwrap_err();
    assert_eq!(mismatch.index, 1);
    crate::assert_near(&numeric(f, &at), &[3.0, 2.0, 8.0], 1e-8);
}
