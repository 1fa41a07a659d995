//! Transposed convolution: the backward-data pass of a convolution, as a layer.

use geometry::{ConvGeometry, TransposedDesc};

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{Activation, GraphError, Op, OpError, Value};

/// A transposed convolution or a gradient of one.
#[derive(Clone, Debug, PartialEq)]
pub enum TransposedOp {
    /// Transposed convolution: `x, weight, [bias], [residual] → y`,
    /// `y = activation(convᵀ(x) + bias + residual)`. Weight `[c, o/g, kernel…]`, bias `[o]`, residual
    /// as `y`; output rows that no tap reaches hold bias and residual alone.
    Conv {
        /// Kernel, stride, padding, dilation, groups, output padding.
        desc: TransposedDesc,
        /// There is a bias.
        bias: bool,
        /// There is a residual.
        residual: bool,
        /// Applied last.
        activation: Option<Activation>,
    },
    /// Gradient of the input: `dy, weight → dx`, a convolution.
    BackwardData {
        /// The layer.
        desc: TransposedDesc,
        /// Shape of `dx`, the layer's input.
        input: Vec<usize>,
    },
    /// Gradient of the weight: `dy, x → dweight`. In this order it is the backward-weights pass of a
    /// convolution whose input is `dy`.
    BackwardWeights {
        /// The layer.
        desc: TransposedDesc,
    },
}

impl TransposedOp {
    /// The convolution behind a layer that reads `input`.
    fn resolve(&self, desc: &TransposedDesc, input: &[usize]) -> Result<ConvGeometry, OpError> {
        desc.resolve(input).map_err(OpError::on(self.name(), input))
    }
}

impl Family for TransposedOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "transposed conv",
            Self::BackwardData { .. } => "transposed conv backward-data",
            Self::BackwardWeights { .. } => "transposed conv backward-weights",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        let made = match self {
            Self::Conv {
                desc,
                bias,
                residual,
                activation: _,
            } => {
                let x = read.float("x")?;
                let weight = read.float("weight")?;
                let geometry = self.resolve(desc, x.shape)?;
                weight.must_be(&geometry.weight_shape(), x)?;
                if *bias {
                    read.float("bias")?
                        .must_be(&[geometry.in_channels], weight)?;
                }
                let output = geometry.input_shape();
                if *residual {
                    read.float("residual")?.must_be(&output, x)?;
                }
                output
            }
            Self::BackwardData { desc, input } => {
                let dy = read.float("dy")?;
                let weight = read.float("weight")?;
                let geometry = self.resolve(desc, input)?;
                dy.must_fit(&geometry.input_shape(), "forward input", input)?;
                weight.must_fit(&geometry.weight_shape(), "forward input", input)?;
                input.clone()
            }
            Self::BackwardWeights { desc } => {
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                let geometry = self.resolve(desc, x.shape)?;
                dy.must_be(&geometry.input_shape(), x)?;
                geometry.weight_shape()
            }
        };
        Ok(vec![ValueType::float(made)])
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let Self::Conv {
            desc,
            bias,
            residual,
            activation,
        } = self
        else {
            return Err(step.refuse(""));
        };
        let [x, weight] = [step.input(0), step.input(1)];
        let dy = step.before_activation(*activation)?;
        if *residual {
            step.pass(2 + usize::from(*bias), dy)?;
        }
        if *bias {
            step.give(Op::ChannelSum, vec![dy], &[2])?;
        }
        let (desc, input) = (desc.clone(), step.shape(x).to_vec());
        let weights = Self::BackwardWeights { desc: desc.clone() };
        step.give(Op::Transposed(weights), vec![dy, x], &[1])?;
        let data = Self::BackwardData { desc, input };
        step.give(Op::Transposed(data), vec![dy, weight], &[0])
    }

    fn macs(&self, inputs: &[&Value]) -> Option<u64> {
        let (Self::Conv { desc, .. }, [x, ..]) = (self, inputs) else {
            return None;
        };
        // Every element of the layer's input meets every weight of its channel: counted there.
        let geometry = desc.resolve(&x.shape).ok()?;
        u64::try_from(geometry.with_batch(1).macs()).ok()
    }
}
