//! Batch norm, linear, activations and loss with known answers.

use crate::{assert_near, counting};
use testkit::activation::{relu, relu_backward, relu6, relu6_backward};
use testkit::dense::DenseCase;
use testkit::loss::{CrossEntropy, softmax};
use testkit::normalise::{BatchNorm, Statistics};
use testkit::{ConvCase, Draw, compare::widen};

#[test]
fn batch_norm_by_hand() {
    // Channel 0 holds 1, 2, 5, 6 over the two images, channel 1 the rest.
    let norm = BatchNorm {
        batch: 2,
        channels: 2,
        spatial: 2,
        epsilon: 0.0,
    };
    let statistics = norm.statistics(&counting(8));
    assert_eq!(statistics.mean, [3.5, 5.5]);
    assert_eq!(statistics.variance, [4.25, 4.25]);

    let y = norm.forward(&counting(8), &[2.0, 1.0], &[0.0, 10.0], &statistics);
    let deviation = 4.25f64.sqrt();
    assert_near(&y[..2], &[-5.0 / deviation, -3.0 / deviation], 1e-15);
    assert_near(
        &y[2..4],
        &[10.0 - 2.5 / deviation, 10.0 - 1.5 / deviation],
        1e-15,
    );

    let old = Statistics {
        mean: vec![1.0, 0.0],
        variance: vec![1.0, 0.0],
    };
    let running = norm.running(&old, &statistics, 0.1);
    assert_near(&running.mean, &[1.25, 0.55], 1e-15);
    // Unbiased: 4.25 · 4/3 = 17/3.
    assert_near(&running.variance, &[0.9 + 1.7 / 3.0, 1.7 / 3.0], 1e-15);
}

#[test]
fn batch_norm_gradient_ignores_shift_and_scale_of_the_input() {
    // The output does not change when x is shifted or (with ε = 0) scaled, so dx is orthogonal to both.
    let norm = BatchNorm {
        batch: 2,
        channels: 1,
        spatial: 5,
        epsilon: 0.0,
    };
    let mut draw = Draw::new(9);
    let (x, dy) = (widen(&draw.reals(10)), widen(&draw.reals(10)));
    let dx = norm.backward_training(&x, &[1.5], &dy).dx;
    assert_near(&[dx.iter().sum(), crate::dot(&dx, &x)], &[0.0, 0.0], 1e-12);
}

#[test]
fn dense_is_a_convolution_of_single_cells() {
    let case = DenseCase {
        batch: 3,
        inputs: 5,
        outputs: 4,
    };
    let conv = ConvCase::new(3, 5, 4, [1, 1], [1, 1]);
    let mut draw = Draw::new(10);
    let (x, w) = (widen(&draw.integers(15)), widen(&draw.integers(20)));
    let (b, dy) = (widen(&draw.integers(4)), widen(&draw.integers(12)));
    assert_eq!(
        case.forward(&x, &w, Some(&b)),
        conv.forward(&x, &w, Some(&b))
    );
    assert_eq!(case.backward_data(&dy, &w), conv.backward_data(&dy, &w));
    assert_eq!(
        case.backward_weights(&x, &dy),
        conv.backward_weights(&x, &dy)
    );
    assert_eq!(case.backward_bias(&dy), conv.backward_bias(&dy));
}

#[test]
fn activations_at_the_kinks() {
    let x = [-1.0, 0.0, 2.0, 6.0, 7.0];
    assert_eq!(relu(&x), [0.0, 0.0, 2.0, 6.0, 7.0]);
    assert_eq!(relu6(&x), [0.0, 0.0, 2.0, 6.0, 6.0]);
    assert_eq!(relu_backward(&x, &[1.0; 5]), [0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(relu6_backward(&x, &[1.0; 5]), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert!(relu(&[f64::NAN])[0].is_nan() && relu6(&[f64::NAN])[0].is_nan());
}

#[test]
fn cross_entropy_by_hand() {
    // ln(e + e² + e³) = 3.40760596444438
    let plain = |label: usize, smoothing: f64| {
        CrossEntropy {
            classes: 3,
            labels: &[[0], [1], [2]][label],
            smoothing,
        }
        .loss(&[1.0, 2.0, 3.0])
    };
    assert_near(
        &[plain(2, 0.0), plain(0, 0.0)],
        &[0.40760596444438, 2.40760596444438],
        1e-13,
    );
    // 0.9 · 0.4076… + 0.1 · (0.4076… + 1.4076… + 2.4076…)/3
    assert_near(&[plain(2, 0.1)], &[0.50760596444438], 1e-13);
    assert_near(&[plain(0, 1.0)], &[plain(2, 1.0)], 1e-15);
}

#[test]
fn cross_entropy_is_the_mean_and_does_not_overflow() {
    let loss = CrossEntropy {
        classes: 2,
        labels: &[0, 1],
        smoothing: 0.0,
    };
    let logits = [1000.0, 0.0, 1000.0, 0.0];
    assert_eq!(loss.loss(&logits), 500.0);
    assert_eq!(loss.gradient(&logits), [0.0, 0.0, 0.5, -0.5]);
}

#[test]
fn softmax_by_hand() {
    let p = softmax(&[0.0, 3f64.ln(), 5.0, 5.0], 2);
    assert_near(&p, &[0.25, 0.75, 0.5, 0.5], 1e-15);
}
