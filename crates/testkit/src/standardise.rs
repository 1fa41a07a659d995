//! Normalisation by mean and deviation, over whatever elements belong together.
//!
//! Group, instance, layer and channel normalisation differ only in which elements share their statistics
//! and which share their parameters. So here a problem *is* those two lists.

/// Which elements are normalised together, and which have a scale and a shift in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardise {
    /// The set of each element.
    pub set: Vec<usize>,
    /// The parameter of each element.
    pub parameter: Vec<usize>,
    /// ε, added to the variance.
    pub epsilon: f64,
}

/// Gradients of the input, the scale and the shift.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// One an element.
    pub dx: Vec<f64>,
    /// One a parameter.
    pub dgamma: Vec<f64>,
    /// One a parameter.
    pub dbeta: Vec<f64>,
}

impl Standardise {
    /// `[batch, channels, area]` in groups of channels, parameters one a channel (Wu & He 2018).
    ///
    /// # Panics
    /// When the groups do not divide the channels.
    #[must_use]
    pub fn groups(batch: usize, channels: usize, area: usize, groups: usize, epsilon: f64) -> Self {
        assert_eq!(
            channels % groups,
            0,
            "{groups} groups of {channels} channels"
        );
        Self::new(batch * channels * area, epsilon, |i| {
            let (image, channel) = (i / area / channels, i / area % channels);
            (image * groups + channel / (channels / groups), channel)
        })
    }

    /// `[rows, len]`, each row by itself, parameters one a column (Ba et al. 2016).
    #[must_use]
    pub fn rows(rows: usize, len: usize, epsilon: f64) -> Self {
        Self::new(rows * len, epsilon, |i| (i / len, i % len))
    }

    /// `[batch, channels, area]`, each pixel by itself, parameters one a channel.
    #[must_use]
    pub fn pixels(batch: usize, channels: usize, area: usize, epsilon: f64) -> Self {
        Self::new(batch * channels * area, epsilon, |i| {
            let (image, channel) = (i / area / channels, i / area % channels);
            (image * area + i % area, channel)
        })
    }

    fn new(len: usize, epsilon: f64, place: impl Fn(usize) -> (usize, usize)) -> Self {
        let (set, parameter) = (0..len).map(place).unzip();
        Self {
            set,
            parameter,
            epsilon,
        }
    }

    /// Mean and biased variance of each set.
    #[must_use]
    pub fn statistics(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let counts = self.counts();
        let mut mean = vec![0.0; counts.len()];
        for (x, &set) in x.iter().zip(&self.set) {
            mean[set] += x / counts[set];
        }
        let mut variance = vec![0.0; counts.len()];
        for (x, &set) in x.iter().zip(&self.set) {
            variance[set] += (x - mean[set]).powi(2) / counts[set];
        }
        (mean, variance)
    }

    /// `(x − μ)/√(σ² + ε)`
    #[must_use]
    pub fn normalised(&self, x: &[f64]) -> Vec<f64> {
        let (mean, variance) = self.statistics(x);
        let elements = x.iter().zip(&self.set);
        elements
            .map(|(x, &set)| (x - mean[set]) / (variance[set] + self.epsilon).sqrt())
            .collect()
    }

    /// `y = γ·(x − μ)/√(σ² + ε) + β`
    #[must_use]
    pub fn forward(&self, x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
        let normalised = self.normalised(x).into_iter().zip(&self.parameter);
        normalised
            .map(|(v, &parameter)| gamma[parameter] * v + beta[parameter])
            .collect()
    }

    /// The gradients, by the chain rule through x̂, σ² and μ, one after the other.
    #[must_use]
    pub fn backward(&self, x: &[f64], gamma: &[f64], dy: &[f64]) -> Gradients {
        let counts = self.counts();
        let (mean, variance) = self.statistics(x);
        let normalised = self.normalised(x);
        let sets = counts.len();
        let (mut dvariance, mut dmean) = (vec![0.0; sets], vec![0.0; sets]);
        let mut dgamma = vec![0.0; gamma.len()];
        let mut dbeta = vec![0.0; gamma.len()];
        let mut dnormalised = vec![0.0; x.len()];
        for i in 0..x.len() {
            let (set, parameter) = (self.set[i], self.parameter[i]);
            let spread = variance[set] + self.epsilon;
            dgamma[parameter] += dy[i] * normalised[i];
            dbeta[parameter] += dy[i];
            dnormalised[i] = dy[i] * gamma[parameter];
            dvariance[set] += dnormalised[i] * (x[i] - mean[set]) * -0.5 * spread.powf(-1.5);
            dmean[set] -= dnormalised[i] / spread.sqrt();
        }
        let dx = (0..x.len())
            .map(|i| {
                let set = self.set[i];
                dnormalised[i] / (variance[set] + self.epsilon).sqrt()
                    + dvariance[set] * 2.0 * (x[i] - mean[set]) / counts[set]
                    + dmean[set] / counts[set]
            })
            .collect();
        Gradients { dx, dgamma, dbeta }
    }

    /// Elements of each set.
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.set.iter().max().map_or(0, |last| last + 1)];
        for &set in &self.set {
            counts[set] += 1.0;
        }
        counts
    }
}
