//! Adaptive pooling: an image cut into a given number of bins.
//!
//! The image's `n` cells and the `m` bins are laid over the same stretch. A bin is made of every cell that it
//! overlaps, be it by a part: cell `i` stands on `i/n … (i+1)/n`, bin `o` on `o/m … (o+1)/m`. That is PyTorch's
//! `⌊o·n/m⌋ .. ⌈(o+1)·n/m⌉` without the rounding.

use crate::pool::{Maxima, lp_slope};

/// One adaptive pooling problem of 1–3 spatial axes; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdaptiveCase {
    /// Images; 0 is legal and gives empty results.
    pub batch: usize,
    /// Channels, each pooled by itself.
    pub channels: usize,
    /// Spatial size of the input.
    pub input: Vec<usize>,
    /// Bins per axis.
    pub output: Vec<usize>,
}

impl AdaptiveCase {
    /// A case of these sizes.
    pub fn new(
        batch: usize,
        channels: usize,
        input: impl Into<Vec<usize>>,
        output: impl Into<Vec<usize>>,
    ) -> Self {
        Self {
            batch,
            channels,
            input: input.into(),
            output: output.into(),
        }
    }

    /// Elements of the input `[batch, channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.input.iter().product::<usize>()
    }

    /// Elements of the output `[batch, channels, …output]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.channels * self.output.iter().product::<usize>()
    }

    /// The cells of every bin of a channel's image, as row-major indices in ascending order.
    #[must_use]
    pub fn bins(&self) -> Vec<Vec<usize>> {
        assert_eq!(self.input.len(), self.output.len(), "one size per axis");
        let mut bins = vec![vec![0]];
        for (&n, &m) in self.input.iter().zip(&self.output) {
            let overlaps = |o: usize, i: usize| i * m < (o + 1) * n && o * n < (i + 1) * m;
            let mut refined = Vec::new();
            for outer in &bins {
                for o in 0..m {
                    let cells = outer.iter().flat_map(|row| {
                        let columns = (0..n).filter(move |&i| overlaps(o, i));
                        columns.map(move |i| row * n + i)
                    });
                    refined.push(cells.collect());
                }
            }
            bins = refined;
        }
        bins
    }

    /// The maximum of each bin: the first of equal values wins, and a NaN beats everything, the last one where
    /// there are several (PyTorch `AdaptiveMaxPooling2d.cpp`).
    #[must_use]
    pub fn max_forward(&self, x: &[f64]) -> Maxima {
        let (mut values, mut indices) = (Vec::new(), Vec::new());
        self.each_bin(x.len(), |_, base, cells| {
            let mut best = cells[0];
            for &cell in cells {
                let (value, highest) = (x[base + cell], x[base + best]);
                if value > highest || value.is_nan() {
                    best = cell;
                }
            }
            values.push(x[base + best]);
            indices.push(Some(best));
        });
        Maxima { values, indices }
    }

    /// The gradient of the input of adaptive max pooling: each bin hands its whole gradient to its maximum.
    #[must_use]
    pub fn max_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let indices = self.max_forward(x).indices;
        let mut dx = vec![0.0; x.len()];
        self.each_bin(x.len(), |output, base, _| {
            if let Some(index) = indices[output] {
                dx[base + index] += dy[output];
            }
        });
        dx
    }

    /// The mean of each bin.
    #[must_use]
    pub fn average_forward(&self, x: &[f64]) -> Vec<f64> {
        let mut y = Vec::new();
        self.each_bin(x.len(), |_, base, cells| {
            let sum: f64 = cells.iter().map(|cell| x[base + cell]).sum();
            y.push(sum / cells.len() as f64);
        });
        y
    }

    /// The gradient of the input of adaptive average pooling: each bin spreads its gradient evenly.
    #[must_use]
    pub fn average_backward(&self, dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_bin(self.input_len(), |output, base, cells| {
            for cell in cells {
                dx[base + cell] += dy[output] / cells.len() as f64;
            }
        });
        dx
    }

    /// The norm of each bin, `(Σ|x|ᵖ)^(1/p)`.
    #[must_use]
    pub fn lp_forward(&self, x: &[f64], p: f64) -> Vec<f64> {
        let mut y = Vec::new();
        self.each_bin(x.len(), |_, base, cells| {
            let sum: f64 = cells.iter().map(|cell| x[base + cell].abs().powf(p)).sum();
            y.push(sum.powf(1.0 / p));
        });
        y
    }

    /// The gradient of the input of adaptive Lp pooling; a bin of norm 0 hands on nothing.
    #[must_use]
    pub fn lp_backward(&self, x: &[f64], dy: &[f64], p: f64) -> Vec<f64> {
        let y = self.lp_forward(x, p);
        let mut dx = vec![0.0; x.len()];
        self.each_bin(x.len(), |output, base, cells| {
            for cell in cells {
                dx[base + cell] += dy[output] * lp_slope(x[base + cell], y[output], p);
            }
        });
        dx
    }

    /// Calls `visit(output index, index of the channel's first input, cells)` for every bin.
    fn each_bin(&self, input_len: usize, mut visit: impl FnMut(usize, usize, &[usize])) {
        assert_eq!(input_len, self.input_len(), "length of x");
        let image: usize = self.input.iter().product();
        let bins = self.bins();
        for plane in 0..self.batch * self.channels {
            for (index, cells) in bins.iter().enumerate() {
                visit(plane * bins.len() + index, plane * image, cells);
            }
        }
    }
}
