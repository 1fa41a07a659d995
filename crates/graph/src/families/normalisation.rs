//! Normalisation over groups, layers and neighbouring channels.

use super::Family;
use crate::OpError;
use crate::infer::ValueType;
use crate::operands::Operands;

/// A normalisation other than that of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum NormOp {}

impl Family for NormOp {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn outputs(&self, _read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match *self {}
    }
}
