//! Arithmetic of two tensors, with broadcasting.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// An arithmetic operator of two tensors.
#[derive(Clone, Debug, PartialEq)]
pub enum ArithmeticOp {}

impl Family for ArithmeticOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
