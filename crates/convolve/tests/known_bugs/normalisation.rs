//! Batch normalisation in training.

use convolve::runtime::eager::Parameters;
use testkit::Draw;
use testkit::compare::{assert_close, widen};
use testkit::normalise::{BatchNorm, Statistics};

use crate::ways::{tensor, ways};

/// ORT#29790: what a batch norm gives in training does not depend on the momentum, which moves the running
/// statistics and nothing else.
#[test]
fn the_output_in_training_does_not_depend_on_the_momentum() {
    let mut draw = Draw::new(5);
    let dims = [4, 19, 3, 5];
    let x = draw.reals(dims.iter().product());
    let [gamma, beta, mean, var] = [0; 4].map(|_| draw.reals(19));
    let case = BatchNorm {
        batch: 4,
        channels: 19,
        spatial: 15,
        epsilon: f64::from(1e-5f32),
    };
    let statistics = case.statistics(&widen(&x));
    let want = case.forward(&widen(&x), &widen(&gamma), &widen(&beta), &statistics);
    for way in ways().iter().filter(|way| way.algorithm.is_none()) {
        let vector = |values: &[f32]| tensor::<f32>(&[19], values);
        let (gamma, beta) = (vector(&gamma), vector(&beta));
        let made = [0.0, 0.1, 0.5, 0.9, 1.0].map(|momentum| {
            let parameters = Parameters::new(&gamma, &beta);
            let (x, mean, var) = (tensor(&dims, &x), vector(&mean), vector(&var));
            way.eager
                .batch_norm_training(&x, &mean, &var, parameters, 1e-5, momentum)
                .unwrap()
        });
        for other in &made {
            assert_eq!(other.y.data(), made[0].y.data(), "{}", way.name);
            assert_eq!(other.mean.data(), made[0].mean.data(), "{}", way.name);
        }
        let bound = vec![1e-5; want.len()];
        assert_close(&way.name, made[0].y.data(), &want, &bound);
    }
}

/// onnxscript PR#1289: ONNX's momentum is the part of the old statistics that stays, one minus PyTorch's,
/// which is the part of the batch that comes in. Here it is PyTorch's.
#[test]
fn momentum_is_the_part_of_the_batch() {
    let x = [1.0, 1.0, 3.0, 3.0];
    // Mean 2; variance 1, and 4/3 unbiased.
    let (pytorch, onnx) = (0.25f32, 0.75);
    let want = (onnx * 8.0 + pytorch * 2.0, onnx * 4.0 + pytorch * 4.0 / 3.0);
    let case = BatchNorm {
        batch: 2,
        channels: 1,
        spatial: 2,
        epsilon: 0.0,
    };
    let old = Statistics {
        mean: vec![8.0],
        variance: vec![4.0],
    };
    let oracle = case.running(&old, &case.statistics(&widen(&x)), f64::from(pytorch));
    assert!((oracle.mean[0] - f64::from(want.0)).abs() < 1e-6);
    for way in ways().iter().filter(|way| way.algorithm.is_none()) {
        let vector = |value| tensor::<f32>(&[1], &[value]);
        let (x, mean, var) = (tensor(&[2, 1, 2], &x), vector(8.0), vector(4.0));
        let made = way
            .eager
            .batch_norm_training(&x, &mean, &var, Parameters::none(), 0.0, pytorch)
            .unwrap();
        assert_eq!(made.running_mean.data(), [want.0], "{}", way.name);
        let bound = [1e-6];
        assert_close(&way.name, made.running_var.data(), &oracle.variance, &bound);
        assert!((made.running_var.data()[0] - want.1).abs() < 1e-6);
    }
}
