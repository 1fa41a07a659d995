//! Softmax along any axis.

use std::sync::Arc;

use graph::{SoftmaxKind, SoftmaxOp};
use kernels::softmax::axis::{Axis, Kind, backward, forward};
use kernels::{Context, Real};
use tensor::Layout;

use super::{Generic, Kernel, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &SoftmaxOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match *op {
        SoftmaxOp::Along { kind, axis } => Arc::new(Forward(Along::new(kind, axis, shapes))),
        SoftmaxOp::Backward { kind, axis } => Arc::new(Backward(Along::new(kind, axis, shapes))),
    }
}

/// Which softmax, and its axis as it lies in memory.
#[derive(Debug)]
struct Along {
    kind: Kind,
    channels_first: Axis,
    channels_last: Axis,
}

impl Along {
    fn new(kind: SoftmaxKind, axis: usize, shapes: Shapes<'_>) -> Self {
        let dims = shapes.input(0);
        let channels_first = Axis::of(dims, axis);
        let channels_last = match dims {
            [batch, channels, spatial @ ..] if !spatial.is_empty() => {
                let dims = [&[*batch], spatial, &[*channels]].concat();
                let axis = match axis {
                    0 => 0,
                    1 => dims.len() - 1,
                    spatial => spatial - 1,
                };
                Axis::of(&dims, axis)
            }
            _ => channels_first,
        };
        Self {
            kind: match kind {
                SoftmaxKind::Softmax => Kind::Softmax,
                SoftmaxKind::LogSoftmax => Kind::LogSoftmax,
            },
            channels_first,
            channels_last,
        }
    }

    fn axis(&self, layout: Layout) -> Axis {
        match layout {
            Layout::Nchw => self.channels_first,
            Layout::Nhwc => self.channels_last,
        }
    }
}

#[derive(Debug)]
struct Forward(Along);

impl Generic for Forward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let axis = self.0.axis(operands.layout);
        let x = operands.real(0);
        forward(ctx, self.0.kind, axis, x, operands.outputs[0].real());
    }
}

#[derive(Debug)]
struct Backward(Along);

impl Generic for Backward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let axis = self.0.axis(operands.layout);
        let (dy, y) = (operands.real(0), operands.real(1));
        backward(ctx, self.0.kind, axis, y, dy, operands.outputs[0].real());
    }
}
