//! Functions of one element.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// A function applied element by element.
#[derive(Clone, Debug, PartialEq)]
pub enum UnaryOp {}

impl Family for UnaryOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
