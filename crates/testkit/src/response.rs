//! Local response normalisation over `[batch, channels, area]` (Krizhevsky et al. 2012).

/// One problem: `y = x/(k + α/n · Σ x²)^β`, the sum over `n` channels around each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponse {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub area: usize,
    /// Channels of the window before the one in question.
    pub before: usize,
    /// Channels of the window behind it.
    pub after: usize,
    /// α
    pub alpha: f64,
    /// β
    pub beta: f64,
    /// k
    pub k: f64,
}

impl LocalResponse {
    /// The normalised map.
    #[must_use]
    pub fn forward(&self, x: &[f64]) -> Vec<f64> {
        let scales = self.scales(x);
        let pairs = x.iter().zip(scales);
        pairs.map(|(x, s)| x / s.powf(self.beta)).collect()
    }

    /// The gradient of the input: each output hands its gradient to every element of its window.
    #[must_use]
    pub fn backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let scales = self.scales(x);
        let mut dx = vec![0.0; x.len()];
        for i in 0..x.len() {
            dx[i] += dy[i] / scales[i].powf(self.beta);
            let dscale = dy[i] * x[i] * -self.beta * scales[i].powf(-self.beta - 1.0);
            for j in self.window(i) {
                dx[j] += dscale * self.alpha / self.size() * 2.0 * x[j];
            }
        }
        dx
    }

    /// `k + α/n · Σ x²` of each element.
    #[must_use]
    pub fn scales(&self, x: &[f64]) -> Vec<f64> {
        let len = self.batch * self.channels * self.area;
        assert_eq!(x.len(), len, "{self:?}: number of elements");
        let sum = |i: usize| self.window(i).map(|j| x[j] * x[j]).sum::<f64>();
        (0..len)
            .map(|i| self.k + self.alpha / self.size() * sum(i))
            .collect()
    }

    fn size(&self) -> f64 {
        (self.before + 1 + self.after) as f64
    }

    /// The elements in the window of element `i`.
    fn window(&self, i: usize) -> impl Iterator<Item = usize> {
        let channel = i / self.area % self.channels;
        let first = i - channel * self.area;
        let Self {
            before,
            after,
            area,
            channels,
            ..
        } = *self;
        (0..channels)
            .filter(move |&c| c + before >= channel && c <= channel + after)
            .map(move |c| first + c * area)
    }
}
