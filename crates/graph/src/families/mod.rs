//! Operators by family: what each is, what it makes of its inputs, and its gradient, side by side.
//!
//! [`Op`](crate::Op) has one variant a family. A family is an enum of operators that answers the
//! questions of [`Family`]; the rest of the crate asks through that trait and knows no operator of
//! any family by name.

mod arithmetic;
mod deformable;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod sampling;
mod softmax;
mod transposed;
mod unary;

pub use arithmetic::{ArithmeticOp, BinaryOp, ReduceOp, Side};
pub use deformable::DeformableOp;
pub use normalisation::{Affine, LocalResponse, NormOp};
pub use pooling::PoolingOp;
pub(crate) use pooling::check_places;
pub use rearrange::RearrangeOp;
pub use regions::{AlignSettings, RegionOp};
pub use sampling::{Resizing, SamplingOp};
pub use softmax::{SoftmaxKind, SoftmaxOp};
pub use transposed::TransposedOp;
pub use unary::UnaryOp;

use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError, Value};

/// What an operator of a family tells the graph.
pub(crate) trait Family {
    /// Its name in listings and messages.
    fn name(&self) -> &'static str;

    /// Reads its inputs one by one, checks them, and says what it makes.
    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError>;

    /// Adds the gradients of its inputs to the graph; by default it has none.
    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        Err(step.refuse(""))
    }

    /// What an output after the first is called.
    fn output_suffix(&self, place: usize) -> &'static str {
        let _ = place;
        ""
    }

    /// Multiply-accumulates of a forward run on one image, where they are its work.
    fn macs(&self, inputs: &[&Value]) -> Option<u64> {
        let _ = inputs;
        None
    }
}

impl Op {
    /// The operator as one of a family, if it is of one.
    pub(crate) fn family(&self) -> Option<&dyn Family> {
        Some(match self {
            Self::Arithmetic(op) => op,
            Self::Deformable(op) => op,
            Self::Norm(op) => op,
            Self::Pooling(op) => op,
            Self::Rearrange(op) => op,
            Self::Region(op) => op,
            Self::Sampling(op) => op,
            Self::Softmaxes(op) => op,
            Self::Transposed(op) => op,
            Self::Unary(op) => op,
            _ => return None,
        })
    }
}
