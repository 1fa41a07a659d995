//! Batch normalisation over `[batch, channels, spatial]` (Ioffe & Szegedy 2015, as PyTorch's `BatchNorm2d`).

/// One batch-normalisation problem; `spatial` is the number of positions of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Images.
    pub batch: usize,
    /// Channels, each normalised by itself.
    pub channels: usize,
    /// Positions of one map, `h·w`.
    pub spatial: usize,
    /// ε, added to the variance.
    pub epsilon: f64,
}

/// Mean and *biased* variance of each channel of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// `[channels]`
    pub mean: Vec<f64>,
    /// `[channels]`, the mean squared deviation.
    pub variance: Vec<f64>,
}

/// Gradients of the input, the scale and the shift.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// `[batch, channels, spatial]`
    pub dx: Vec<f64>,
    /// `[channels]`
    pub dgamma: Vec<f64>,
    /// `[channels]`
    pub dbeta: Vec<f64>,
}

impl BatchNorm {
    /// The statistics of a batch.
    #[must_use]
    pub fn statistics(&self, x: &[f64]) -> Statistics {
        let mean = self.sums(x, |_, v| v);
        let mean: Vec<f64> = mean.iter().map(|sum| sum / self.count()).collect();
        let squares = self.sums(x, |i, v| (v - mean[self.channel(i)]).powi(2));
        let variance = squares.iter().map(|sum| sum / self.count()).collect();
        Statistics { mean, variance }
    }

    /// `y = γ·(x − μ)/√(σ² + ε) + β` with the given statistics: those of the batch in training, the running
    /// ones in inference.
    #[must_use]
    pub fn forward(
        &self,
        x: &[f64],
        gamma: &[f64],
        beta: &[f64],
        statistics: &Statistics,
    ) -> Vec<f64> {
        let normalised = self.normalised(x, statistics).into_iter().enumerate();
        normalised
            .map(|(i, v)| gamma[self.channel(i)] * v + beta[self.channel(i)])
            .collect()
    }

    /// The running statistics after a batch: `(1 − m)·old + m·batch`, the batch's variance made *unbiased*.
    ///
    /// # Panics
    /// If a channel has fewer than two values, of which there is no unbiased variance.
    #[must_use]
    pub fn running(&self, old: &Statistics, batch: &Statistics, momentum: f64) -> Statistics {
        assert!(self.count() > 1.0, "an unbiased variance needs two values");
        let unbiased = self.count() / (self.count() - 1.0);
        let blend = |old: &[f64], new: &[f64], factor: f64| {
            let pairs = old.iter().zip(new);
            pairs
                .map(|(old, new)| (1.0 - momentum) * old + momentum * factor * new)
                .collect()
        };
        Statistics {
            mean: blend(&old.mean, &batch.mean, 1.0),
            variance: blend(&old.variance, &batch.variance, unbiased),
        }
    }

    /// The gradients in training, where the statistics depend on `x`: the chain rule of the paper's §3 term
    /// by term, through x̂, σ² and μ.
    #[must_use]
    pub fn backward_training(&self, x: &[f64], gamma: &[f64], dy: &[f64]) -> Gradients {
        let statistics = self.statistics(x);
        let m = self.count();
        let centred = |i: usize| x[i] - statistics.mean[self.channel(i)];
        let spread = |c: usize| statistics.variance[c] + self.epsilon;

        let dnormalised: Vec<f64> = (0..x.len())
            .map(|i| dy[i] * gamma[self.channel(i)])
            .collect();
        let dvariance: Vec<f64> = self
            .sums(&dnormalised, |i, d| d * centred(i))
            .iter()
            .enumerate()
            .map(|(c, sum)| sum * -0.5 * spread(c).powf(-1.5))
            .collect();
        let total_centred = self.sums(x, |i, _| centred(i));
        let dmean: Vec<f64> = self
            .sums(&dnormalised, |_, d| d)
            .iter()
            .enumerate()
            .map(|(c, sum)| -sum / spread(c).sqrt() + dvariance[c] * -2.0 * total_centred[c] / m)
            .collect();
        let dx = (0..x.len())
            .map(|i| {
                let c = self.channel(i);
                dnormalised[i] / spread(c).sqrt()
                    + dvariance[c] * 2.0 * centred(i) / m
                    + dmean[c] / m
            })
            .collect();
        self.with_parameter_gradients(x, dy, &statistics, dx)
    }

    /// The gradients in inference, where the statistics are constants.
    #[must_use]
    pub fn backward_inference(
        &self,
        x: &[f64],
        gamma: &[f64],
        dy: &[f64],
        statistics: &Statistics,
    ) -> Gradients {
        let dx = (0..x.len())
            .map(|i| {
                let c = self.channel(i);
                dy[i] * gamma[c] / (statistics.variance[c] + self.epsilon).sqrt()
            })
            .collect();
        self.with_parameter_gradients(x, dy, statistics, dx)
    }

    /// `dγ = Σ dy·x̂`, `dβ = Σ dy`, beside a given `dx`.
    fn with_parameter_gradients(
        &self,
        x: &[f64],
        dy: &[f64],
        statistics: &Statistics,
        dx: Vec<f64>,
    ) -> Gradients {
        let normalised = self.normalised(x, statistics);
        Gradients {
            dx,
            dgamma: self.sums(dy, |i, d| d * normalised[i]),
            dbeta: self.sums(dy, |_, d| d),
        }
    }

    fn normalised(&self, x: &[f64], statistics: &Statistics) -> Vec<f64> {
        let values = x.iter().enumerate();
        values
            .map(|(i, v)| {
                let c = self.channel(i);
                (v - statistics.mean[c]) / (statistics.variance[c] + self.epsilon).sqrt()
            })
            .collect()
    }

    /// The sum of `term(index, value)` over each channel.
    fn sums(&self, values: &[f64], term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let len = self.batch * self.channels * self.spatial;
        assert_eq!(values.len(), len, "{self:?}: number of elements");
        let mut sums = vec![0.0; self.channels];
        for (i, &value) in values.iter().enumerate() {
            sums[self.channel(i)] += term(i, value);
        }
        sums
    }

    /// The channel of a flat index.
    fn channel(&self, index: usize) -> usize {
        index / self.spatial % self.channels
    }

    /// Values per channel.
    fn count(&self) -> f64 {
        (self.batch * self.spatial) as f64
    }
}
