//! Pooling over windows, over bins and whole planes, and max unpooling.
//!
//! Maxima and averages over windows are steps of their own in a program; their kernels here serve
//! f64.

use std::sync::Arc;

use geometry::{
    AdaptiveDesc, AdaptiveGeometry, AdaptiveKind, GeometryError, PoolDesc, PoolGeometry, PoolKind,
    UnpoolDesc, UnpoolGeometry,
};
use graph::{Op, PoolingOp};
use kernels::pool::global::whole_planes;
use kernels::pool::{adaptive, average, lp, max, unpool};
use kernels::{Context, Real};

use super::{Generic, Kernel, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &PoolingOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match op {
        PoolingOp::Adaptive { desc, .. } => Arc::new(Adaptive(bins(desc, shapes.input(0)))),
        PoolingOp::AdaptiveBackward { desc, input } => {
            Arc::new(AdaptiveBackward(bins(desc, input)))
        }
        PoolingOp::MaxUnpool { desc } => Arc::new(MaxUnpool(unpooled(desc, shapes.input(0)))),
        PoolingOp::MaxUnpoolBackward { desc, input } => {
            Arc::new(MaxUnpoolBackward(unpooled(desc, input)))
        }
    }
}

/// The kernel of a pool that belongs to no family; none for another operator.
pub(super) fn window_kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    let whole = |input: &[usize]| {
        let extent = |axis: usize| input.get(axis).copied().unwrap_or(1);
        let area = input.iter().skip(2).product();
        whole_planes(AdaptiveKind::Average, extent(0), extent(1), area)
    };
    Some(match op {
        Op::Pool { desc, .. } => Arc::new(Window(windows(desc, shapes.input(0)))),
        Op::PoolBackward { desc, input } => Arc::new(WindowBackward(windows(desc, input))),
        Op::GlobalAveragePool => Arc::new(Adaptive(whole(shapes.input(0)))),
        Op::GlobalAveragePoolBackward { input } => Arc::new(AdaptiveBackward(whole(input))),
        _ => return None,
    })
}

fn windows(desc: &PoolDesc, input: &[usize]) -> PoolGeometry {
    verified(desc.resolve(input))
}

fn bins(desc: &AdaptiveDesc, input: &[usize]) -> AdaptiveGeometry {
    verified(desc.resolve(input))
}

fn unpooled(desc: &UnpoolDesc, input: &[usize]) -> UnpoolGeometry {
    verified(desc.resolve(input))
}

fn verified<G>(geometry: Result<G, GeometryError>) -> G {
    geometry.expect("inference resolved the same descriptor")
}

#[derive(Debug)]
struct Window(PoolGeometry);

impl Generic for Window {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (geometry, layout, x) = (&self.0, operands.layout, operands.real(0));
        let Some((y, indices)) = operands.outputs.split_first_mut() else {
            return;
        };
        let y = y.real();
        match geometry.kind {
            PoolKind::Max => {
                let indices = indices.first_mut().map(|indices| indices.index());
                max::forward(ctx, layout, geometry, x, y, indices);
            }
            PoolKind::Average { .. } => average::forward(ctx, layout, geometry, x, y),
            PoolKind::Lp { .. } => lp::forward(ctx, layout, geometry, x, y),
        }
    }
}

#[derive(Debug)]
struct WindowBackward(PoolGeometry);

impl Generic for WindowBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (geometry, layout, dy) = (&self.0, operands.layout, operands.real(0));
        match geometry.kind {
            PoolKind::Max => {
                let indices = operands.index(1);
                max::backward(ctx, layout, geometry, dy, indices, made(operands));
            }
            PoolKind::Average { .. } => {
                average::backward(ctx, layout, geometry, dy, made(operands));
            }
            PoolKind::Lp { .. } => {
                let (x, y) = (operands.real(1), operands.real(2));
                lp::backward(ctx, layout, geometry, x, y, dy, made(operands));
            }
        }
    }
}

#[derive(Debug)]
struct Adaptive(AdaptiveGeometry);

impl Generic for Adaptive {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (geometry, layout, x) = (&self.0, operands.layout, operands.real(0));
        let Some((y, indices)) = operands.outputs.split_first_mut() else {
            return;
        };
        let y = y.real();
        match geometry.kind {
            AdaptiveKind::Max => {
                let indices = indices.first_mut().map(|indices| indices.index());
                adaptive::max::forward(ctx, layout, geometry, x, y, indices);
            }
            AdaptiveKind::Average => adaptive::average::forward(ctx, layout, geometry, x, y),
            AdaptiveKind::Lp(_) => adaptive::lp::forward(ctx, layout, geometry, x, y),
        }
    }
}

#[derive(Debug)]
struct AdaptiveBackward(AdaptiveGeometry);

impl Generic for AdaptiveBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (geometry, layout, dy) = (&self.0, operands.layout, operands.real(0));
        match geometry.kind {
            AdaptiveKind::Max => {
                let indices = operands.index(1);
                adaptive::max::backward(ctx, layout, geometry, dy, indices, made(operands));
            }
            AdaptiveKind::Average => {
                adaptive::average::backward(ctx, layout, geometry, dy, made(operands));
            }
            AdaptiveKind::Lp(_) => {
                let (x, y) = (operands.real(1), operands.real(2));
                adaptive::lp::backward(ctx, layout, geometry, x, y, dy, made(operands));
            }
        }
    }
}

#[derive(Debug)]
struct MaxUnpool(UnpoolGeometry);

impl Generic for MaxUnpool {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (x, places, layout) = (operands.real(0), operands.index(1), operands.layout);
        unpool::forward(ctx, layout, &self.0, x, places, made(operands));
    }
}

#[derive(Debug)]
struct MaxUnpoolBackward(UnpoolGeometry);

impl Generic for MaxUnpoolBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (dy, places, layout) = (operands.real(0), operands.index(1), operands.layout);
        unpool::backward(ctx, layout, &self.0, dy, places, made(operands));
    }
}

/// The only output.
fn made<'b, T>(operands: Operands<'_, 'b, T>) -> &'b mut [T] {
    operands.outputs[0].real()
}
