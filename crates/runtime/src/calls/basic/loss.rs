//! Softmax and cross-entropy.

use std::sync::Arc;

use graph::Op;
use kernels::softmax::{CrossEntropy, reference};
use kernels::{Context, Real};

use super::{Generic, Kernel, Operands, Shapes, made};

pub(super) fn kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    let &[rows, classes] = shapes.input(0) else {
        return None;
    };
    Some(match *op {
        Op::Softmax => Arc::new(Softmax { rows, classes }),
        Op::CrossEntropy { label_smoothing } => Arc::new(Loss {
            rows,
            classes,
            label_smoothing,
        }),
        Op::CrossEntropyBackward {
            label_smoothing, ..
        } => Arc::new(LossBackward {
            classes,
            label_smoothing,
        }),
        _ => return None,
    })
}

#[derive(Debug)]
struct Softmax {
    rows: usize,
    classes: usize,
}

impl Generic for Softmax {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let [y] = made(operands.outputs);
        reference::softmax(ctx, x, self.rows, self.classes, y);
    }
}

#[derive(Debug)]
struct Loss {
    rows: usize,
    classes: usize,
    label_smoothing: f32,
}

impl Generic for Loss {
    fn scratch_len(&self, _threads: usize) -> usize {
        CrossEntropy::scratch_len(self.rows)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let problem = CrossEntropy {
            labels: operands.index(1),
            classes: self.classes,
            label_smoothing: self.label_smoothing,
        };
        let logits = operands.real(0);
        let [loss] = made(operands.outputs);
        loss[0] = reference::cross_entropy(ctx, &problem, logits, operands.scratch);
    }
}

#[derive(Debug)]
struct LossBackward {
    classes: usize,
    label_smoothing: f32,
}

impl Generic for LossBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let problem = CrossEntropy {
            labels: operands.index(1),
            classes: self.classes,
            label_smoothing: self.label_smoothing,
        };
        let logits = operands.real(0);
        let dloss = operands.inputs.get(2).map_or(T::one(), |x| x.real()[0]);
        let [dlogits] = made(operands.outputs);
        reference::cross_entropy_backward(ctx, &problem, logits, dloss, dlogits);
    }
}
