//! Operators on single elements.

use std::sync::Arc;

use graph::{Activation, Op};
use kernels::dropout::{DropoutKey, dropout};
use kernels::{Context, Real, activation, elementwise};

use super::{Generic, Kernel, Lies, Operands, made};
use crate::execute::kernel_activation;

pub(super) fn kernel(op: &Op) -> Option<Arc<dyn Kernel>> {
    Some(match *op {
        Op::Activation(activation) => Arc::new(Activated { activation }),
        Op::ActivationBackward(activation) => Arc::new(ActivationBackward { activation }),
        Op::Add => Arc::new(Add),
        Op::Dropout { rate, stream } => Arc::new(Dropout { rate, stream }),
        Op::Fill { value, .. } => Arc::new(Fill { value }),
        _ => return None,
    })
}

#[derive(Debug)]
struct Activated {
    activation: Activation,
}

impl Generic for Activated {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let activation = kernel_activation(self.activation);
        let x = operands.real(0);
        let [y] = made(operands.outputs);
        activation::forward(ctx, activation, x, y);
    }
}

#[derive(Debug)]
struct ActivationBackward {
    activation: Activation,
}

impl Generic for ActivationBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let activation = kernel_activation(self.activation);
        let (dy, y) = (operands.real(0), operands.real(1));
        let [dx] = made(operands.outputs);
        activation::backward(ctx, activation, dy, y, dx);
    }
}

#[derive(Debug)]
struct Add;

impl Generic for Add {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (a, b) = (operands.real(0), operands.real(1));
        let [y] = made(operands.outputs);
        elementwise::add(ctx, a, b, y);
    }
}

/// The mask is drawn in the order of memory: maps in another layout have another one.
#[derive(Debug)]
struct Dropout {
    rate: f32,
    stream: u32,
}

impl Generic for Dropout {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let key = DropoutKey {
            seed: operands.run.seed,
            step: operands.run.step,
            stream: self.stream,
        };
        let x = operands.real(0);
        let [y] = made(operands.outputs);
        dropout(ctx, x, self.rate, key, y);
    }
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

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [y] = made(operands.outputs);
        elementwise::fill(ctx, y, T::of(self.value.into()));
    }
}
