//! Arithmetic of two tensors, with broadcasting, and reductions of axes.

use std::sync::Arc;

use geometry::{Broadcast, Reduction};
use graph::{ArithmeticOp, BinaryOp, ReduceOp};
use kernels::arithmetic::{Arithmetic, Binary, Reduce, ReduceKind, Select, Side};
use kernels::{Context, Real};
use tensor::Layout;

use super::{Generic, Kernel, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &ArithmeticOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match op {
        ArithmeticOp::Binary(op) => Arc::new(Forward {
            op: binary(*op),
            shapes: inferred(Broadcast::resolve(shapes.input(0), shapes.input(1))),
        }),
        ArithmeticOp::Select => {
            let three = [0, 1, 2].map(|place| shapes.input(place));
            Arc::new(Selected(inferred(Select::new(three))))
        }
        ArithmeticOp::BinaryBackward { op, side } => Arc::new(Backward {
            op: binary(*op),
            shapes: inferred(Broadcast::resolve(shapes.input(1), shapes.input(2))),
            side: match side {
                graph::Side::Left => Side::Left,
                graph::Side::Right => Side::Right,
            },
        }),
        ArithmeticOp::SumTo { shape, negative } => {
            // The gradient of an operand that was added to, or subtracted from, a tensor of dy's shape.
            let shapes = inferred(Broadcast::resolve(shapes.input(0), shape));
            let op = if *negative { Binary::Sub } else { Binary::Add };
            Arc::new(SumTo { op, shapes })
        }
        ArithmeticOp::Reduce { op, axes } => Arc::new(Reduced {
            kind: reduce(*op),
            shapes: inferred(Reduction::resolve(axes, shapes.input(0))),
        }),
        ArithmeticOp::ReduceBackward { op, axes, input } => Arc::new(ReducedBackward {
            kind: reduce(*op),
            shapes: inferred(Reduction::resolve(axes, input)),
        }),
    }
}

fn binary(op: BinaryOp) -> Binary {
    match op {
        BinaryOp::Add => Binary::Add,
        BinaryOp::Sub => Binary::Sub,
        BinaryOp::Mul => Binary::Mul,
        BinaryOp::Div => Binary::Div,
        BinaryOp::Min => Binary::Min,
        BinaryOp::Max => Binary::Max,
        BinaryOp::Pow => Binary::Pow,
        BinaryOp::Equal => Binary::Equal,
        BinaryOp::Greater => Binary::Greater,
        BinaryOp::GreaterOrEqual => Binary::GreaterOrEqual,
    }
}

fn reduce(op: ReduceOp) -> ReduceKind {
    match op {
        ReduceOp::Sum => ReduceKind::Sum,
        ReduceOp::Mean => ReduceKind::Mean,
        ReduceOp::Max => ReduceKind::Max,
    }
}

/// Shapes that shape inference has resolved before.
fn inferred<G>(resolved: Result<G, geometry::AxisError>) -> G {
    resolved.unwrap_or_else(|error| unreachable!("inference resolved it: {error}"))
}

/// What a plan says of scratch memory in either layout: a kernel hears its layout only when it runs.
fn either_layout(scratch_len: impl Fn(Layout) -> usize) -> usize {
    Layout::ALL.into_iter().map(scratch_len).max().unwrap_or(0)
}

#[derive(Debug)]
struct Forward {
    op: Binary,
    shapes: Broadcast,
}

impl Generic for Forward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (a, b) = (operands.real(0), operands.real(1));
        let y = operands.outputs[0].real();
        Arithmetic::new(self.op, self.shapes, operands.layout).forward(ctx, a, b, y);
    }
}

#[derive(Debug)]
struct Selected(Select);

impl Generic for Selected {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let three = [0, 1, 2].map(|place| operands.real(place));
        let (y, layout) = (operands.outputs[0].real(), operands.layout);
        self.0.forward(ctx, layout, three, y);
    }
}

#[derive(Debug)]
struct Backward {
    op: Binary,
    shapes: Broadcast,
    side: Side,
}

impl Generic for Backward {
    fn scratch_len(&self, _threads: usize) -> usize {
        either_layout(|layout| Arithmetic::new(self.op, self.shapes, layout).scratch_len(self.side))
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [dy, a, b] = [0, 1, 2].map(|place| operands.real(place));
        let d = operands.outputs[0].real();
        let arithmetic = Arithmetic::new(self.op, self.shapes, operands.layout);
        arithmetic.backward(ctx, self.side, dy, a, b, d, operands.scratch);
    }
}

#[derive(Debug)]
struct SumTo {
    op: Binary,
    shapes: Broadcast,
}

impl Generic for SumTo {
    fn scratch_len(&self, _threads: usize) -> usize {
        either_layout(|layout| {
            Arithmetic::new(self.op, self.shapes, layout).scratch_len(Side::Right)
        })
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let dy = operands.real(0);
        let d = operands.outputs[0].real();
        let arithmetic = Arithmetic::new(self.op, self.shapes, operands.layout);
        arithmetic.backward(ctx, Side::Right, dy, &[], &[], d, operands.scratch);
    }
}

#[derive(Debug)]
struct Reduced {
    kind: ReduceKind,
    shapes: Reduction,
}

impl Reduced {
    fn plan(&self, layout: Layout) -> Reduce {
        Reduce {
            kind: self.kind,
            shapes: self.shapes,
            layout,
        }
    }
}

impl Generic for Reduced {
    fn scratch_len(&self, _threads: usize) -> usize {
        either_layout(|layout| self.plan(layout).scratch_len())
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        let plan = self.plan(operands.layout);
        plan.forward(ctx, x, y, operands.scratch);
    }
}

#[derive(Debug)]
struct ReducedBackward {
    kind: ReduceKind,
    shapes: Reduction,
}

impl ReducedBackward {
    fn plan(&self, layout: Layout) -> Reduce {
        Reduce {
            kind: self.kind,
            shapes: self.shapes,
            layout,
        }
    }
}

impl Generic for ReducedBackward {
    fn scratch_len(&self, _threads: usize) -> usize {
        either_layout(|layout| self.plan(layout).backward_scratch_len())
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let given = |place: usize| match operands.inputs.get(place) {
            Some(source) => source.real(),
            None => &[],
        };
        let (dy, x, y) = (operands.real(0), given(1), given(2));
        let plan = self.plan(operands.layout);
        let dx = operands.outputs[0].real();
        plan.backward(ctx, dy, x, y, dx, operands.scratch);
    }
}
