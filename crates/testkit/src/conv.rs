//! Convolution in its three directions, by enumerating every product.
//!
//! The forward definition (cross-correlation, as every framework means "convolution") is
//! `y[n, o, u] = bias[o] + Σ x[n, i, v] · w[o, i, t]` over the input channels `i` of `o`'s group and the taps
//! `t`, where tap `t` of window `u` looks at `v`. It is a sum over triples (output, input, weight), and it is
//! bilinear; so a triple that adds `x·w` to `y` adds `dy·w` to `dx` and `dy·x` to `dw`. The three directions
//! share the enumeration of the triples and nothing else.
//!
//! A transposed convolution is the backward-data direction: describe the convolution whose *input* is the
//! transposed one's output, and call [`ConvCase::backward_data`]. Output padding of a stride or more, where the
//! remainder cannot hide it, is so much less padding after.

use crate::compare::{magnitude, rounding_bound};
use crate::window::{Axis, Cell, axes, visits};

/// One convolution problem of 1–3 spatial axes; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvCase {
    /// Images; 0 is legal and gives empty results.
    pub batch: usize,
    /// Channels of the input, over all groups.
    pub in_channels: usize,
    /// Channels of the output, over all groups.
    pub out_channels: usize,
    /// Groups; divides both channel counts.
    pub groups: usize,
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
}

/// Flat indices of one product `x[input] · w[weight]`, a term of `y[output]`.
struct Product {
    output: usize,
    input: usize,
    weight: usize,
}

impl ConvCase {
    /// A convolution with stride 1, dilation 1, no padding and one group; refine it with the methods below.
    pub fn new(
        batch: usize,
        in_channels: usize,
        out_channels: usize,
        input: impl Into<Vec<usize>>,
        kernel: impl Into<Vec<usize>>,
    ) -> Self {
        let input = input.into();
        let rank = input.len();
        Self {
            batch,
            in_channels,
            out_channels,
            groups: 1,
            input,
            kernel: kernel.into(),
            stride: vec![1; rank],
            dilation: vec![1; rank],
            before: vec![0; rank],
            after: vec![0; rank],
        }
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

    /// The same case with this number of groups.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Spatial size of the output: the number of windows that fit on each padded axis. A 0 means that the
    /// window fits nowhere, for which production code must return an error.
    #[must_use]
    pub fn output_size(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| axis.starts().len()).collect()
    }

    /// Elements of the input `[batch, in_channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.in_channels * self.input.iter().product::<usize>()
    }

    /// Elements of the weights `[out_channels, in_channels / groups, …kernel]`.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.group_inputs() * self.kernel.iter().product::<usize>()
    }

    /// Elements of the output `[batch, out_channels, …output_size]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_channels * self.output_size().iter().product::<usize>()
    }

    /// Products of an input cell and a weight; taps that look at padding make none.
    #[must_use]
    pub fn products(&self) -> usize {
        let mut count = 0;
        self.each_product(|_| count += 1);
        count
    }

    /// The output for input `x` and weights `w`, plus `bias[out_channels]` if given.
    #[must_use]
    pub fn forward(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        self.expect("x", x.len(), self.input_len());
        self.expect("w", w.len(), self.weight_len());
        let mut y = vec![0.0; self.output_len()];
        if let Some(bias) = bias {
            self.expect("bias", bias.len(), self.out_channels);
            let map: usize = self.output_size().iter().product();
            for (index, value) in y.iter_mut().enumerate() {
                *value = bias[index / map % self.out_channels];
            }
        }
        self.each_product(|p| y[p.output] += x[p.input] * w[p.weight]);
        y
    }

    /// The gradient of the input, given that of the output.
    #[must_use]
    pub fn backward_data(&self, dy: &[f64], w: &[f64]) -> Vec<f64> {
        self.expect("dy", dy.len(), self.output_len());
        self.expect("w", w.len(), self.weight_len());
        let mut dx = vec![0.0; self.input_len()];
        self.each_product(|p| dx[p.input] += dy[p.output] * w[p.weight]);
        dx
    }

    /// The gradient of the weights, given that of the output.
    #[must_use]
    pub fn backward_weights(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        self.expect("x", x.len(), self.input_len());
        self.expect("dy", dy.len(), self.output_len());
        let mut dw = vec![0.0; self.weight_len()];
        self.each_product(|p| dw[p.weight] += dy[p.output] * x[p.input]);
        dw
    }

    /// The gradient of the bias, given that of the output.
    #[must_use]
    pub fn backward_bias(&self, dy: &[f64]) -> Vec<f64> {
        self.expect("dy", dy.len(), self.output_len());
        let map: usize = self.output_size().iter().product();
        let mut db = vec![0.0; self.out_channels];
        for (index, value) in dy.iter().enumerate() {
            db[index / map % self.out_channels] += value;
        }
        db
    }

    /// How far an f32 output may be from [`forward`](Self::forward): `K·2⁻²⁴·conv(|x|, |w|)` element by
    /// element, `K` the number of terms of that element.
    #[must_use]
    pub fn forward_bound(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        let terms = self.forward(
            &vec![1.0; x.len()],
            &vec![1.0; w.len()],
            bias.map(|b| vec![1.0; b.len()]).as_deref(),
        );
        let size = self.forward(&magnitude(x), &magnitude(w), bias.map(magnitude).as_deref());
        rounding_bound(&terms, &size)
    }

    /// How far an f32 gradient may be from [`backward_data`](Self::backward_data).
    #[must_use]
    pub fn backward_data_bound(&self, dy: &[f64], w: &[f64]) -> Vec<f64> {
        let terms = self.backward_data(&vec![1.0; dy.len()], &vec![1.0; w.len()]);
        rounding_bound(&terms, &self.backward_data(&magnitude(dy), &magnitude(w)))
    }

    /// How far an f32 gradient may be from [`backward_weights`](Self::backward_weights).
    #[must_use]
    pub fn backward_weights_bound(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let terms = self.backward_weights(&vec![1.0; x.len()], &vec![1.0; dy.len()]);
        rounding_bound(
            &terms,
            &self.backward_weights(&magnitude(x), &magnitude(dy)),
        )
    }

    fn group_inputs(&self) -> usize {
        assert!(
            self.groups > 0
                && self.in_channels.is_multiple_of(self.groups)
                && self.out_channels.is_multiple_of(self.groups),
            "{} groups must divide {} and {} channels",
            self.groups,
            self.in_channels,
            self.out_channels
        );
        self.in_channels / self.groups
    }

    fn axes(&self) -> Vec<Axis> {
        axes(
            &self.input,
            &self.kernel,
            &self.stride,
            &self.dilation,
            (&self.before, &self.after),
            false,
        )
    }

    fn expect(&self, name: &str, got: usize, want: usize) {
        assert_eq!(got, want, "{self}: length of {name}");
    }

    fn each_product(&self, mut product: impl FnMut(Product)) {
        let axes = self.axes();
        let image: usize = self.input.iter().product();
        let map: usize = self.output_size().iter().product();
        let taps: usize = self.kernel.iter().product();
        let group_inputs = self.group_inputs();
        let group_outputs = self.out_channels / self.groups;
        let seen: Vec<(usize, usize, usize)> = visits(&axes)
            .into_iter()
            .filter_map(|visit| match visit.cell {
                Cell::Image(cell) => Some((visit.output, cell, visit.tap)),
                Cell::Padding | Cell::Beyond => None,
            })
            .collect();
        for n in 0..self.batch {
            for o in 0..self.out_channels {
                let first_input = o / group_outputs * group_inputs;
                for i in 0..group_inputs {
                    for &(window, cell, tap) in &seen {
                        product(Product {
                            output: (n * self.out_channels + o) * map + window,
                            input: (n * self.in_channels + first_input + i) * image + cell,
                            weight: (o * group_inputs + i) * taps + tap,
                        });
                    }
                }
            }
        }
    }
}
