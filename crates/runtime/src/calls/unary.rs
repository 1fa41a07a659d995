//! Functions of one element.

use std::sync::Arc;

use graph::UnaryOp;
use kernels::unary::prelu::{self, PreluGeometry};
use kernels::unary::{backward, forward};
use kernels::{Context, Real};
use tensor::{Layout, Unary};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &UnaryOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match *op {
        UnaryOp::Apply(f) => Arc::new(Apply(f)),
        UnaryOp::Backward(f) => Arc::new(Backward(f)),
        UnaryOp::Prelu => Arc::new(Prelu(Map::of(shapes.input(0), shapes.input(1)))),
        UnaryOp::PreluBackward => {
            Arc::new(PreluBackward(Map::of(shapes.input(1), shapes.input(2))))
        }
    }
}

#[derive(Debug)]
struct Apply(Unary);

impl Generic for Apply {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        forward(ctx, self.0, operands.real(0), operands.outputs[0].real());
    }
}

#[derive(Debug)]
struct Backward(Unary);

impl Generic for Backward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (dy, x) = (operands.real(0), operands.real(1));
        backward(ctx, self.0, x, dy, operands.outputs[0].real());
    }
}

/// A feature map and how its channels share slopes, but for the layout.
#[derive(Clone, Copy, Debug)]
struct Map {
    batch: usize,
    channels: usize,
    area: usize,
    shared: bool,
}

impl Map {
    fn of(x: &[usize], slope: &[usize]) -> Self {
        Self {
            batch: x[0],
            channels: x[1],
            area: x[2..].iter().product(),
            shared: slope != &x[1..2],
        }
    }

    fn lies(self, layout: Layout) -> PreluGeometry {
        let Self {
            batch,
            channels,
            area,
            shared,
        } = self;
        PreluGeometry {
            batch,
            channels,
            area,
            shared,
            layout,
        }
    }
}

#[derive(Debug)]
struct Prelu(Map);

impl Generic for Prelu {
    fn reads(&self, place: usize) -> Lies {
        [Lies::Map, Lies::Plain][place]
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let geometry = self.0.lies(operands.layout);
        let (x, slope) = (operands.real(0), operands.real(1));
        prelu::forward(ctx, &geometry, x, slope, operands.outputs[0].real());
    }
}

#[derive(Debug)]
struct PreluBackward(Map);

impl Generic for PreluBackward {
    fn reads(&self, place: usize) -> Lies {
        [Lies::Map, Lies::Map, Lies::Plain][place]
    }

    fn makes(&self, place: usize) -> Lies {
        [Lies::Map, Lies::Plain][place]
    }

    fn scratch_len(&self, _threads: usize) -> usize {
        let lens = Layout::ALL.map(|layout| self.0.lies(layout).scratch_len());
        lens.into_iter().max().unwrap_or(0)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let geometry = self.0.lies(operands.layout);
        let (dy, x, slope) = (operands.real(0), operands.real(1), operands.real(2));
        let [dx, dslope] = operands.outputs else {
            unreachable!("inference gave two outputs");
        };
        prelu::backward(
            ctx,
            &geometry,
            x,
            slope,
            dy,
            dx.real(),
            dslope.real(),
            operands.scratch,
        );
    }
}
