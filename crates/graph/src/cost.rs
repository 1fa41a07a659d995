//! What a layer costs, in multiply-accumulates.

use crate::{Op, Value};

impl Op {
    /// Multiply-accumulates of a forward operator on one image, or nothing for an operator whose
    /// work is not of that kind. Products with padding are counted, biases are not; FLOPs are twice
    /// this.
    pub fn macs(&self, inputs: &[&Value]) -> Option<u64> {
        if let Some(family) = self.family() {
            return family.macs(inputs);
        }
        match (self, inputs) {
            (Self::Conv { desc, .. }, [x, ..]) => {
                let geometry = desc.resolve(&x.shape).ok()?;
                u64::try_from(geometry.with_batch(1).macs()).ok()
            }
            // One product for every weight.
            (Self::Linear { .. }, [_, weight, ..]) => elements(&weight.shape),
            _ => None,
        }
    }
}

/// Elements of a shape.
pub(crate) fn elements(shape: &[usize]) -> Option<u64> {
    tensor::Shape::new(shape)
        .ok()
        .and_then(|shape| u64::try_from(shape.len()).ok())
}
