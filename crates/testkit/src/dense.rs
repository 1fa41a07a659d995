//! The linear (fully connected) layer: `y = x·wᵀ + bias`, `w` of shape `[outputs, inputs]`.
//!
//! Rounding bounds come from [`ConvCase`](crate::ConvCase): a linear layer is a 1×1 convolution of a 1×1 map.

/// One linear problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseCase {
    /// Rows of `x` and `y`.
    pub batch: usize,
    /// Columns of `x`.
    pub inputs: usize,
    /// Columns of `y`.
    pub outputs: usize,
}

impl DenseCase {
    /// `y[batch, outputs]` of `x[batch, inputs]`.
    #[must_use]
    pub fn forward(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        let mut y = vec![0.0; self.batch * self.outputs];
        for n in 0..self.batch {
            for o in 0..self.outputs {
                let mut sum = bias.map_or(0.0, |bias| bias[o]);
                for i in 0..self.inputs {
                    sum += x[n * self.inputs + i] * w[o * self.inputs + i];
                }
                y[n * self.outputs + o] = sum;
            }
        }
        y
    }

    /// `dx = dy·w`.
    #[must_use]
    pub fn backward_data(&self, dy: &[f64], w: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.batch * self.inputs];
        for n in 0..self.batch {
            for o in 0..self.outputs {
                for i in 0..self.inputs {
                    dx[n * self.inputs + i] += dy[n * self.outputs + o] * w[o * self.inputs + i];
                }
            }
        }
        dx
    }

    /// `dw = dyᵀ·x`.
    #[must_use]
    pub fn backward_weights(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let mut dw = vec![0.0; self.outputs * self.inputs];
        for n in 0..self.batch {
            for o in 0..self.outputs {
                for i in 0..self.inputs {
                    dw[o * self.inputs + i] += dy[n * self.outputs + o] * x[n * self.inputs + i];
                }
            }
        }
        dw
    }

    /// `dbias`: the column sums of `dy`.
    #[must_use]
    pub fn backward_bias(&self, dy: &[f64]) -> Vec<f64> {
        let column = |o| (0..self.batch).map(|n| dy[n * self.outputs + o]).sum();
        (0..self.outputs).map(column).collect()
    }
}
