//! Operators that only move elements.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// An operator that only moves elements.
#[derive(Clone, Debug, PartialEq)]
pub enum RearrangeOp {}

impl Family for RearrangeOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
