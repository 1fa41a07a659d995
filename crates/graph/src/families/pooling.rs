//! Pooling beyond maximum and average over a window.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// A pooling operator.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolingOp {}

impl Family for PoolingOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
