//! Softmax along the middle axis of `[outer, len, inner]`.

/// The extents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxCase {
    /// Elements of the axes outside.
    pub outer: usize,
    /// Extent of the axis.
    pub len: usize,
    /// Elements of the axes inside.
    pub inner: usize,
}

impl SoftmaxCase {
    /// Elements of the tensor.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.outer * self.len * self.inner
    }

    /// `x − ln Σ exp(x)`
    #[must_use]
    pub fn log_softmax(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; x.len()];
        for places in self.fibres() {
            let top = places
                .iter()
                .map(|&i| x[i])
                .fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = places.iter().map(|&i| (x[i] - top).exp()).sum();
            for i in places {
                y[i] = x[i] - top - sum.ln();
            }
        }
        y
    }

    /// `exp(x)/Σ exp(x)`
    #[must_use]
    pub fn softmax(&self, x: &[f64]) -> Vec<f64> {
        self.log_softmax(x).iter().map(|y| y.exp()).collect()
    }

    /// The gradient of [`softmax`](Self::softmax): the product with its Jacobian, `∂yⱼ/∂xᵢ = yⱼ·([i = j] − yᵢ)`.
    #[must_use]
    pub fn softmax_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let y = self.softmax(x);
        self.product(dy, |i, j| y[j] * (same(i, j) - y[i]))
    }

    /// The gradient of [`log_softmax`](Self::log_softmax): `∂yⱼ/∂xᵢ = [i = j] − pᵢ`.
    #[must_use]
    pub fn log_softmax_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let p = self.softmax(x);
        self.product(dy, |i, j| same(i, j) - p[i])
    }

    fn product(&self, dy: &[f64], jacobian: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut dx = vec![0.0; dy.len()];
        for places in self.fibres() {
            for &i in &places {
                dx[i] = places.iter().map(|&j| dy[j] * jacobian(i, j)).sum();
            }
        }
        dx
    }

    /// The places of the elements that share a softmax.
    fn fibres(&self) -> impl Iterator<Item = Vec<usize>> {
        let Self { outer, len, inner } = *self;
        (0..outer * inner).map(move |fibre| {
            let start = fibre / inner * len * inner + fibre % inner;
            (0..len).map(|k| start + k * inner).collect()
        })
    }
}

fn same(i: usize, j: usize) -> f64 {
    if i == j { 1.0 } else { 0.0 }
}
