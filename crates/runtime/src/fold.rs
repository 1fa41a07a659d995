//! Folding fixed statistics into the convolution in front of them.

use kernels::Real;

/// A batch normalisation with fixed statistics, one element a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm<'a, T = f32> {
    pub(crate) epsilon: f32,
    pub(crate) gamma: &'a [T],
    pub(crate) beta: &'a [T],
    pub(crate) mean: &'a [T],
    pub(crate) variance: &'a [T],
}

/// Weight `[o, …]` and bias of the convolution that equals convolution and normalisation:
/// `w'ₒ = wₒ·γₒ/√(σ²ₒ + ε)` and `b'ₒ = (bₒ − μₒ)·γₒ/√(σ²ₒ + ε) + βₒ`. Scales are computed in f64,
/// so that folding rounds each weight once.
pub(crate) fn fold<T: Real>(
    norm: Norm<'_, T>,
    weight: &[T],
    bias: Option<&[T]>,
    folded_weight: &mut [T],
    folded_bias: &mut [T],
) {
    let channels = norm.gamma.len();
    if channels == 0 {
        return;
    }
    let rows = weight.len() / channels;
    for channel in 0..channels {
        let deviation = (norm.variance[channel].wide() + f64::from(norm.epsilon)).sqrt();
        let scale = norm.gamma[channel].wide() / deviation;
        let row = channel * rows..(channel + 1) * rows;
        for (folded, &weight) in folded_weight[row.clone()].iter_mut().zip(&weight[row]) {
            *folded = T::of(weight.wide() * scale);
        }
        let bias = bias.map_or(0.0, |bias| bias[channel].wide());
        let shift = (bias - norm.mean[channel].wide()) * scale;
        folded_bias[channel] = T::of(shift + norm.beta[channel].wide());
    }
}
