//! The operators that belong to no family.

use std::sync::Arc;

use graph::Op;
use kernels::{Context, Real};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator; none for one that only a pass can turn into something to run.
pub(super) fn kernel(op: &Op, _shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    Some(match op {
        &Op::Fill { value, .. } => Arc::new(Fill { value }),
        _ => return None,
    })
}

/// The same number everywhere.
#[derive(Debug)]
struct Fill {
    value: f32,
}

impl Generic for Fill {
    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, _ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        operands.outputs[0].real().fill(T::of(self.value.into()));
    }
}
