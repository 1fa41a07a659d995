//! Spatial transformers and resizing.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// An operator that samples a feature map at other places.
#[derive(Clone, Debug, PartialEq)]
pub enum SamplingOp {}

impl Family for SamplingOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
