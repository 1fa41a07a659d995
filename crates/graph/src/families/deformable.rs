//! Deformable convolution.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// An operator of deformable convolution.
#[derive(Clone, Debug, PartialEq)]
pub enum DeformableOp {}

impl Family for DeformableOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
