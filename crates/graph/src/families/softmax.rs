//! Softmax along any axis.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// A softmax along any axis.
#[derive(Clone, Debug, PartialEq)]
pub enum SoftmaxOp {}

impl Family for SoftmaxOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
