//! Depthwise-separable convolution, as the two convolutions it is made of.
//!
//! A convolution with a group for each input channel and `m` outputs a group gives filter `q` of channel `c`
//! the output channel `c·m + q`; one of a single tap then mixes the channels. Every gradient is that of the
//! one, carried on through the other.

use std::fmt;

use crate::ConvCase;

/// One separable problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeparableCase {
    /// The filters, in a group for each channel.
    pub depthwise: ConvCase,
    /// The mixture of their results, if there is one.
    pub pointwise: Option<ConvCase>,
}

/// The gradients of everything the output was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// That of the input.
    pub x: Vec<f64>,
    /// That of the depthwise weight.
    pub depthwise: Vec<f64>,
    /// That of the pointwise weight; empty where there is none.
    pub pointwise: Vec<f64>,
    /// That of the bias.
    pub bias: Vec<f64>,
}

impl SeparableCase {
    /// Filters with the window of a dense case, `multiplier` for each of its input channels, mixed to its
    /// output channels, or left alone where those are 0.
    #[must_use]
    pub fn new(window: &ConvCase, multiplier: usize) -> Self {
        let filters = window.in_channels * multiplier;
        let depthwise = ConvCase {
            out_channels: filters,
            groups: window.in_channels,
            ..window.clone()
        };
        let outputs = window.out_channels;
        let single = vec![1; window.input.len()];
        let middle = depthwise.output_size();
        let pointwise = ConvCase::new(window.batch, filters, outputs, middle, single);
        Self {
            depthwise,
            pointwise: (outputs > 0).then_some(pointwise),
        }
    }

    /// The stage whose output is the whole's.
    #[must_use]
    pub fn last(&self) -> &ConvCase {
        self.pointwise.as_ref().unwrap_or(&self.depthwise)
    }

    /// The output for input `x`, depthwise weights `w [c·m, 1, …kernel]`, pointwise weights `p [o, c·m]`, which
    /// are not looked at where there is no such stage, and a bias.
    #[must_use]
    pub fn forward(&self, x: &[f64], w: &[f64], p: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        match &self.pointwise {
            Some(mixture) => mixture.forward(&self.depthwise.forward(x, w, None), p, bias),
            None => self.depthwise.forward(x, w, bias),
        }
    }

    /// The gradients, given that of the output.
    #[must_use]
    pub fn backward(&self, x: &[f64], w: &[f64], p: &[f64], dy: &[f64]) -> Gradients {
        let (dz, pointwise) = match &self.pointwise {
            Some(mixture) => {
                let z = self.depthwise.forward(x, w, None);
                let dp = mixture.backward_weights(&z, dy);
                (mixture.backward_data(dy, p), dp)
            }
            None => (dy.to_vec(), Vec::new()),
        };
        Gradients {
            x: self.depthwise.backward_data(&dz, w),
            depthwise: self.depthwise.backward_weights(x, &dz),
            pointwise,
            bias: self.last().backward_bias(dy),
        }
    }
}

impl fmt::Display for SeparableCase {
    /// `conv-separable:n1c32h56w56:o64k3p1m2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs = self.pointwise.as_ref().map_or(0, |case| case.out_channels);
        let window = ConvCase {
            out_channels: outputs,
            groups: 1,
            ..self.depthwise.clone()
        };
        let multiplier = self.depthwise.out_channels / self.depthwise.in_channels;
        let dense = window.to_string();
        let settings = dense.strip_prefix("conv:").unwrap_or(&dense);
        write!(f, "conv-separable:{settings}m{multiplier}")
    }
}
