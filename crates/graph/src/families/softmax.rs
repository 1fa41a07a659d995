//! Softmax along any axis.

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError};

/// A softmax, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SoftmaxKind {
    /// `exp(x) / Σ exp(x)`
    Softmax,
    /// `x − ln Σ exp(x)`
    LogSoftmax,
}

/// A softmax along any axis.
#[derive(Clone, Debug, PartialEq)]
pub enum SoftmaxOp {
    /// `x → y`, the sums along one axis of the shape; any shape that has it.
    Along {
        /// Softmax or its logarithm.
        kind: SoftmaxKind,
        /// The axis, counted from the outermost.
        axis: usize,
    },
    /// `dy, y → dx`: the gradient is read off the output.
    Backward {
        /// Softmax or its logarithm.
        kind: SoftmaxKind,
        /// The axis.
        axis: usize,
    },
}

impl Family for SoftmaxOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Along { kind, .. } => match kind {
                SoftmaxKind::Softmax => "softmax",
                SoftmaxKind::LogSoftmax => "log-softmax",
            },
            Self::Backward { kind, .. } => match kind {
                SoftmaxKind::Softmax => "softmax backward",
                SoftmaxKind::LogSoftmax => "log-softmax backward",
            },
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {
            Self::Along { axis, .. } => {
                let x = read.float("x")?;
                x.must_have_axis(axis)?;
                Ok(vec![ValueType::float(x.shape)])
            }
            Self::Backward { axis, .. } => {
                let dy = read.float("dy")?;
                let y = read.float("y")?;
                y.must_have_axis(axis)?;
                dy.must_be(y.shape, y)?;
                Ok(vec![ValueType::float(y.shape)])
            }
        }
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let Self::Along { kind, axis } = *self else {
            return Err(step.refuse(""));
        };
        let inputs = vec![step.upstream()?, step.output(0)];
        step.give(Op::Softmaxes(Self::Backward { kind, axis }), inputs, &[0])
    }
}
