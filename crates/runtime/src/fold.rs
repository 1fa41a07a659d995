//! Folding fixed statistics into the convolution in front of them.

/// A batch normalisation with fixed statistics, one element a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm<'a> {
    pub(crate) epsilon: f32,
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) mean: &'a [f32],
    pub(crate) variance: &'a [f32],
}

/// Weight `[o, …]` and bias of the convolution that equals convolution and normalisation:
/// `w'ₒ = wₒ·γₒ/√(σ²ₒ + ε)` and `b'ₒ = (bₒ − μₒ)·γₒ/√(σ²ₒ + ε) + βₒ`. Scales are computed in f64,
/// so that folding rounds each weight once.
pub(crate) fn fold(
    norm: Norm<'_>,
    weight: &[f32],
    bias: Option<&[f32]>,
    folded_weight: &mut [f32],
    folded_bias: &mut [f32],
) {
    let channels = norm.gamma.len();
    if channels == 0 {
        return;
    }
    let rows = weight.len() / channels;
    for channel in 0..channels {
        let deviation = (f64::from(norm.variance[channel]) + f64::from(norm.epsilon)).sqrt();
        let scale = f64::from(norm.gamma[channel]) / deviation;
        let row = channel * rows..(channel + 1) * rows;
        for (folded, &weight) in folded_weight[row.clone()].iter_mut().zip(&weight[row]) {
            *folded = (f64::from(weight) * scale) as f32;
        }
        let bias = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        let shift = (bias - f64::from(norm.mean[channel])) * scale;
        folded_bias[channel] = (shift + f64::from(norm.beta[channel])) as f32;
    }
}
