//! Max, average, Lp and global pooling, forward and backward, as PyTorch and ONNX define them.

use crate::window::{Axis, Cell, axes, visits};

/// One pooling problem of 1–3 spatial axes; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolCase {
    /// Images; 0 is legal and gives empty results.
    pub batch: usize,
    /// Channels, each pooled by itself.
    pub channels: usize,
    /// Spatial size of the input.
    pub input: Vec<usize>,
    /// Taps per axis.
    pub kernel: Vec<usize>,
    /// Stride per axis.
    pub stride: Vec<usize>,
    /// Dilation per axis; 1 = dense.
    pub dilation: Vec<usize>,
    /// Padding before the image, per axis.
    pub before: Vec<usize>,
    /// Padding after the image, per axis.
    pub after: Vec<usize>,
    /// Whether the last window may hang over the end (see [`Axis::starts`]).
    pub ceil: bool,
}

/// The result of max pooling.
#[derive(Clone, Debug, PartialEq)]
pub struct Maxima {
    /// The maximum of each window, `[batch, channels, …output_size]`; −∞ where it sees no image at all.
    pub values: Vec<f64>,
    /// Where each maximum stands, as a row-major index into its channel's image (PyTorch's
    /// `return_indices`); `None` where the window sees no image at all.
    pub indices: Vec<Option<usize>>,
}

impl PoolCase {
    /// A pool with stride 1, dilation 1, no padding, floor mode; refine it with the methods below.
    pub fn new(
        batch: usize,
        channels: usize,
        input: impl Into<Vec<usize>>,
        kernel: impl Into<Vec<usize>>,
    ) -> Self {
        let input = input.into();
        let rank = input.len();
        Self {
            batch,
            channels,
            input,
            kernel: kernel.into(),
            stride: vec![1; rank],
            dilation: vec![1; rank],
            before: vec![0; rank],
            after: vec![0; rank],
            ceil: false,
        }
    }

    /// Global pooling: one window, the whole image.
    pub fn global(batch: usize, channels: usize, input: impl Into<Vec<usize>>) -> Self {
        let input = input.into();
        Self::new(batch, channels, input.clone(), input)
    }

    /// The same case with these strides.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Vec<usize>>) -> Self {
        self.stride = stride.into();
        self
    }

    /// The same case with these dilations.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Vec<usize>>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// The same case with this padding on both sides of each axis.
    #[must_use]
    pub fn padding(self, both: impl Into<Vec<usize>>) -> Self {
        let both = both.into();
        self.padding_sides(both.clone(), both)
    }

    /// The same case with this padding before and after each axis.
    #[must_use]
    pub fn padding_sides(
        mut self,
        before: impl Into<Vec<usize>>,
        after: impl Into<Vec<usize>>,
    ) -> Self {
        (self.before, self.after) = (before.into(), after.into());
        self
    }

    /// The same case in ceil mode.
    #[must_use]
    pub fn ceil(mut self) -> Self {
        self.ceil = true;
        self
    }

    /// Spatial size of the output: the number of windows placed on each axis. A 0 means that the window
    /// fits nowhere, for which production code must return an error.
    #[must_use]
    pub fn output_size(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| axis.starts().len()).collect()
    }

    /// Elements of the input `[batch, channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.input.iter().product::<usize>()
    }

    /// Elements of the output `[batch, channels, …output_size]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.channels * self.output_size().iter().product::<usize>()
    }

    /// The maximum of each window. Padding is −∞, the first of equal values wins, and a NaN beats
    /// everything, the last one where there are several (PyTorch `MaxPoolKernel.cpp`).
    #[must_use]
    pub fn max_forward(&self, x: &[f64]) -> Maxima {
        let mut values = vec![f64::NEG_INFINITY; self.output_len()];
        let mut indices = vec![None; self.output_len()];
        self.each_visit(x.len(), |output, base, cell| {
            let Cell::Image(index) = cell else { return };
            let value = x[base + index];
            // A window full of −∞ still has a maximum, and the first cell is it.
            if indices[output].is_none() || value > values[output] || value.is_nan() {
                (values[output], indices[output]) = (value, Some(index));
            }
        });
        Maxima { values, indices }
    }

    /// The gradient of the input of max pooling: each window hands its whole gradient to its maximum.
    #[must_use]
    pub fn max_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        assert_eq!(dy.len(), self.output_len(), "length of dy");
        let image: usize = self.input.iter().product();
        let map: usize = self.output_size().iter().product();
        let mut dx = vec![0.0; x.len()];
        for (output, index) in self.max_forward(x).indices.into_iter().enumerate() {
            if let Some(index) = index {
                dx[output / map * image + index] += dy[output];
            }
        }
        dx
    }

    /// The average of each window: the sum of the cells of the image it sees, divided by their number, or
    /// with `count_padding` by the number of its taps on image *and* padding. Taps beyond the padded axis
    /// never count. A window whose taps all miss the image is 0, as in PyTorch.
    #[must_use]
    pub fn average_forward(&self, x: &[f64], count_padding: bool) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_visit(x.len(), |output, base, cell| {
            if let Cell::Image(index) = cell {
                y[output] += x[base + index];
            }
        });
        for (sum, divisor) in y.iter_mut().zip(self.divisors(count_padding)) {
            if divisor > 0.0 {
                *sum /= divisor;
            }
        }
        y
    }

    /// The gradient of the input of average pooling: each window spreads its gradient evenly.
    #[must_use]
    pub fn average_backward(&self, dy: &[f64], count_padding: bool) -> Vec<f64> {
        assert_eq!(dy.len(), self.output_len(), "length of dy");
        let divisors = self.divisors(count_padding);
        let mut dx = vec![0.0; self.input_len()];
        self.each_visit(self.input_len(), |output, base, cell| {
            if let Cell::Image(index) = cell {
                dx[base + index] += dy[output] / divisors[output];
            }
        });
        dx
    }

    /// The norm of each window, `(Σ|x|ᵖ)^(1/p)` over the cells of the image it sees (ONNX `LpPool`).
    #[must_use]
    pub fn lp_forward(&self, x: &[f64], p: f64) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_visit(x.len(), |output, base, cell| {
            if let Cell::Image(index) = cell {
                y[output] += x[base + index].abs().powf(p);
            }
        });
        y.iter().map(|sum: &f64| sum.powf(1.0 / p)).collect()
    }

    /// The gradient of the input of Lp pooling; a window of norm 0 hands on nothing.
    #[must_use]
    pub fn lp_backward(&self, x: &[f64], dy: &[f64], p: f64) -> Vec<f64> {
        assert_eq!(dy.len(), self.output_len(), "length of dy");
        let y = self.lp_forward(x, p);
        let mut dx = vec![0.0; x.len()];
        self.each_visit(x.len(), |output, base, cell| {
            if let Cell::Image(index) = cell {
                dx[base + index] += dy[output] * lp_slope(x[base + index], y[output], p);
            }
        });
        dx
    }

    /// By how much each window's sum is divided, one value per output element; 0 where nothing counts.
    #[must_use]
    pub fn divisors(&self, count_padding: bool) -> Vec<f64> {
        let mut counts = vec![0.0; self.output_len()];
        self.each_visit(self.input_len(), |output, _, cell| {
            counts[output] += match cell {
                Cell::Image(_) => 1.0,
                Cell::Padding if count_padding => 1.0,
                Cell::Padding | Cell::Beyond => 0.0,
            };
        });
        counts
    }

    fn axes(&self) -> Vec<Axis> {
        axes(
            &self.input,
            &self.kernel,
            &self.stride,
            &self.dilation,
            (&self.before, &self.after),
            self.ceil,
        )
    }

    /// Calls `visit(output index, index of the channel's first input, cell)` for every tap.
    fn each_visit(&self, input_len: usize, mut visit: impl FnMut(usize, usize, Cell)) {
        assert_eq!(input_len, self.input_len(), "length of x");
        let image: usize = self.input.iter().product();
        let map: usize = self.output_size().iter().product();
        let all = visits(&self.axes());
        for plane in 0..self.batch * self.channels {
            for one in &all {
                visit(plane * map + one.output, plane * image, one.cell);
            }
        }
    }
}

/// `∂y/∂x` of `y = (Σ|x|ᵖ)^(1/p)`: `|x|^(p−1)·sign(x)·y^(1−p)`, and 0 where `x` or `y` is 0.
pub(crate) fn lp_slope(x: f64, y: f64, p: f64) -> f64 {
    if x == 0.0 || y == 0.0 {
        return 0.0;
    }
    x.signum() * x.abs().powf(p - 1.0) * y.powf(1.0 - p)
}
