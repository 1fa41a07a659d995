//! The operators of a graph. A backward pass is made of ordinary operators.
//!
//! Shapes are written channels first, `[n, c, spatial…]`, whatever layout the engine computes in.
//! Inputs and outputs of each operator are listed in order; an input in brackets is optional and is
//! there exactly when the field that names it says so.

use geometry::{ConvDesc, PoolDesc};

use crate::families::{
    ArithmeticOp, DeformableOp, NormOp, PoolingOp, RearrangeOp, RegionOp, SamplingOp, SoftmaxOp,
    TransposedOp, UnaryOp,
};

/// An elementwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)` (MobileNet)
    Relu6,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Convolution: `x, weight, [bias], [residual] → y`, `y = activation(conv(x) + bias + residual)`.
    /// Weight `[o, c/g, kernel…]`, bias `[o]`, residual as `y`.
    Conv {
        /// Kernel, stride, padding, dilation, groups.
        desc: ConvDesc,
        /// There is a bias.
        bias: bool,
        /// There is a residual.
        residual: bool,
        /// Applied last.
        activation: Option<Activation>,
    },
    /// Gradient of a convolution's input: `dy, weight → dx`.
    ConvBackwardData {
        /// The forward convolution.
        desc: ConvDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Gradient of a convolution's weight: `x, dy → dweight`.
    ConvBackwardWeights {
        /// The forward convolution.
        desc: ConvDesc,
    },
    /// Sum over batch and space, the gradient of a bias: `dy [n, c, …] → db [c]`.
    ChannelSum,
    /// Fully connected: `x [n, f], weight [o, f], [bias [o]] → y [n, o]`.
    Linear {
        /// There is a bias.
        bias: bool,
    },
    /// `dy [n, o], weight [o, f] → dx [n, f]`
    LinearBackwardData,
    /// `x [n, f], dy [n, o] → dweight [o, f]`
    LinearBackwardWeights,
    /// Pooling: `x → y`, and for max pooling in training `x → y, indices`.
    Pool {
        /// Kind, kernel, stride, padding.
        desc: PoolDesc,
        /// Max pooling also gives the places of the maxima, for its backward pass. Of no meaning
        /// for other kinds.
        indices: bool,
    },
    /// `dy → dx` of averages, `dy, indices → dx` of maxima, `dy, x, y → dx` of norms.
    PoolBackward {
        /// The forward pooling.
        desc: PoolDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Mean over space: `x [n, c, h, w] → y [n, c, 1, 1]`.
    GlobalAveragePool,
    /// `dy [n, c, 1, 1] → dx`
    GlobalAveragePoolBackward {
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Batch normalisation as the network's author writes it; a pass turns it into
    /// [`Op::BatchNormTraining`] or [`Op::BatchNormInference`].
    /// `x, gamma, beta, running_mean, running_var → y`; all statistics `[c]`.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// Weight of the batch in the running statistics, PyTorch's sense.
        momentum: f32,
    },
    /// `x, gamma, beta, running_mean, running_var, [residual] → y, mean, inv_std, new_mean, new_var`,
    /// `y = activation(gamma·(x − mean)·inv_std + beta + residual)` with the batch's statistics.
    BatchNormTraining {
        /// Added to the variance.
        epsilon: f32,
        /// Weight of the batch in the running statistics.
        momentum: f32,
        /// There is a residual.
        residual: bool,
        /// Applied last.
        activation: Option<Activation>,
    },
    /// `dy, x, gamma, mean, inv_std, [y] → dx, dgamma, dbeta, [dresidual]`; `y` is an input when
    /// there is an activation, `dresidual` an output when there was a residual.
    BatchNormBackward {
        /// There was a residual.
        residual: bool,
        /// What was applied last.
        activation: Option<Activation>,
    },
    /// `x, gamma, beta, mean, var, [residual] → y` with fixed statistics.
    BatchNormInference {
        /// Added to the variance.
        epsilon: f32,
        /// There is a residual.
        residual: bool,
        /// Applied last.
        activation: Option<Activation>,
    },
    /// Folds fixed statistics into the convolution before them:
    /// `weight, [bias], gamma, beta, mean, var → weight', bias'`.
    FoldBatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// The convolution had a bias.
        bias: bool,
    },
    /// `x → y`
    Activation(Activation),
    /// `dy, y → dx`: the slope is read off the output.
    ActivationBackward(Activation),
    /// `a, b → a + b`, equal shapes.
    Add,
    /// Inputs side by side along the channels: `x1, x2, … → y`.
    Concat,
    /// Channels `start .. start + count`: `x → y`. The gradient of [`Op::Concat`].
    ChannelSlice {
        /// First channel.
        start: usize,
        /// How many.
        count: usize,
    },
    /// `[n, c, h, w] → [n, c·h·w]`, channels outermost whatever the layout.
    Flatten,
    /// The inverse: `[n, f] → shape`.
    Unflatten {
        /// The shape of the result.
        shape: Vec<usize>,
    },
    /// Zeroes elements with probability `rate`, scales the others by `1 / (1 − rate)`: `x → y`.
    /// The mask is a function of the run's seed, the step, `stream` and the element, so applied to a
    /// gradient it is its own backward pass.
    Dropout {
        /// Probability of a zero.
        rate: f32,
        /// Which dropout of the network this is.
        stream: u32,
    },
    /// Softmax along the last axis: `logits [n, k] → probabilities [n, k]`.
    Softmax,
    /// Mean softmax cross-entropy: `logits [n, k], labels [n] → loss []`.
    CrossEntropy {
        /// Share of the target that is spread over all classes (Szegedy et al. 2016).
        label_smoothing: f32,
    },
    /// `logits, labels, [dloss []] → dlogits`, the gradient of the mean loss, times `dloss` where it
    /// is given.
    CrossEntropyBackward {
        /// As in [`Op::CrossEntropy`].
        label_smoothing: f32,
        /// There is a gradient of the loss.
        upstream: bool,
    },
    /// The same number everywhere: `→ y`.
    Fill {
        /// The shape of the result.
        shape: Vec<usize>,
        /// The number.
        value: f32,
    },
    /// Arithmetic of two tensors.
    Arithmetic(ArithmeticOp),
    /// Deformable convolution.
    Deformable(DeformableOp),
    /// Normalisation other than that of a batch.
    Norm(NormOp),
    /// Pooling beyond maximum and average over a window.
    Pooling(PoolingOp),
    /// Operators that only move elements.
    Rearrange(RearrangeOp),
    /// Pooling over regions of interest.
    Region(RegionOp),
    /// Spatial transformers and resizing.
    Sampling(SamplingOp),
    /// Softmax along any axis.
    Softmaxes(SoftmaxOp),
    /// Transposed convolution.
    Transposed(TransposedOp),
    /// Functions of one element.
    Unary(UnaryOp),
}

impl Op {
    /// The operator's name in listings and messages.
    pub fn name(&self) -> &'static str {
        if let Some(family) = self.family() {
            return family.name();
        }
        match self {
            Self::Conv { .. } => "conv",
            Self::ConvBackwardData { .. } => "conv backward-data",
            Self::ConvBackwardWeights { .. } => "conv backward-weights",
            Self::ChannelSum => "channel sum",
            Self::Linear { .. } => "linear",
            Self::LinearBackwardData => "linear backward-data",
            Self::LinearBackwardWeights => "linear backward-weights",
            Self::Pool { .. } => "pool",
            Self::PoolBackward { .. } => "pool backward",
            Self::GlobalAveragePool => "global average pool",
            Self::GlobalAveragePoolBackward { .. } => "global average pool backward",
            Self::BatchNorm { .. } => "batch norm",
            Self::BatchNormTraining { .. } => "batch norm training",
            Self::BatchNormBackward { .. } => "batch norm backward",
            Self::BatchNormInference { .. } => "batch norm inference",
            Self::FoldBatchNorm { .. } => "fold batch norm",
            Self::Activation(Activation::Relu) => "relu",
            Self::Activation(Activation::Relu6) => "relu6",
            Self::ActivationBackward(_) => "activation backward",
            Self::Add => "add",
            Self::Concat => "concat",
            Self::ChannelSlice { .. } => "channel slice",
            Self::Flatten => "flatten",
            Self::Unflatten { .. } => "unflatten",
            Self::Dropout { .. } => "dropout",
            Self::Softmax => "softmax",
            Self::CrossEntropy { .. } => "cross-entropy",
            Self::CrossEntropyBackward { .. } => "cross-entropy backward",
            Self::Fill { .. } => "fill",
            Self::Arithmetic(_)
            | Self::Deformable(_)
            | Self::Norm(_)
            | Self::Pooling(_)
            | Self::Rearrange(_)
            | Self::Region(_)
            | Self::Sampling(_)
            | Self::Softmaxes(_)
            | Self::Transposed(_)
            | Self::Unary(_) => unreachable!("named by its family"),
        }
    }
}
