//! Batch normalisation.

use convolve::runtime::eager::Parameters;

use crate::ways::{tensor, ways};

/// PyTorch: the batch is normalised by its biased variance, and the running variance takes the unbiased.
/// Of 1, 1, 5, 5 the mean is 3, the variance 4, and 16/3 unbiased.
#[test]
fn variance_is_biased_in_the_batch_and_unbiased_in_the_running_value() {
    for way in ways().iter().filter(|way| way.algorithm.is_none()) {
        let vector = |value| tensor::<f32>(&[1], &[value]);
        let x = tensor(&[2, 1, 2], &[1.0, 1.0, 5.0, 5.0]);
        let (mean, var) = (vector(1.0), vector(2.0));
        let made = way
            .eager
            .batch_norm_training(&x, &mean, &var, Parameters::none(), 0.0, 0.25)
            .unwrap();
        assert_eq!(made.y.data(), [-1.0, -1.0, 1.0, 1.0], "{}", way.name);
        assert_eq!(made.inv_std.data(), [0.5], "{}", way.name);
        assert_eq!(
            made.running_mean.data(),
            [0.75 + 0.25 * 3.0],
            "{}",
            way.name
        );
        let running = made.running_var.data()[0];
        assert!(
            (running - (1.5 + 4.0 / 3.0)).abs() < 1e-6,
            "{}: {running}",
            way.name
        );
    }
}
