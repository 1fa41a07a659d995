//! Deformable convolution.

use std::sync::Arc;

use graph::DeformableOp;

use super::{Kernel, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &DeformableOp, _shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match *op {}
}
