//! Pooling over regions of interest.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// An operator on regions of interest.
#[derive(Clone, Debug, PartialEq)]
pub enum RegionOp {}

impl Family for RegionOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
