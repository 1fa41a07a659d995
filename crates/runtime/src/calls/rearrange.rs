//! Operators that only move elements.

use std::sync::Arc;

use geometry::{
    ChannelShuffle, ConcatGeometry, PadGeometry, PermuteGeometry, PixelShuffleGeometry,
    SliceGeometry,
};
use graph::RearrangeOp;
use kernels::rearrange::{concat, pad, permute, shuffle, slice};
use kernels::{Context, Real};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &RearrangeOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match op {
        RearrangeOp::Pad { desc, value } => Arc::new(Pad {
            geometry: inferred(desc.resolve(shapes.input(0))),
            value: *value,
        }),
        RearrangeOp::PadBackward { desc, input } => Arc::new(PadBackward {
            geometry: inferred(desc.resolve(input)),
        }),
        RearrangeOp::Slice { desc } => Arc::new(Slice {
            geometry: inferred(desc.resolve(shapes.input(0))),
        }),
        RearrangeOp::SliceBackward { desc, input } => Arc::new(SliceBackward {
            geometry: inferred(desc.resolve(input)),
        }),
        RearrangeOp::Concat { axis } => {
            let inputs: Vec<_> = (0..shapes.inputs()).map(|i| shapes.input(i)).collect();
            Arc::new(Concat {
                geometry: inferred(ConcatGeometry::resolve(*axis, &inputs)),
            })
        }
        RearrangeOp::Permute { axes } => Arc::new(Permute {
            geometry: inferred(PermuteGeometry::resolve(axes, shapes.input(0))),
        }),
        RearrangeOp::PixelShuffle { desc } => Arc::new(ToPixels {
            geometry: inferred(desc.resolve_deep(shapes.input(0))),
        }),
        RearrangeOp::PixelUnshuffle { desc } => Arc::new(ToChannels {
            geometry: inferred(desc.resolve_wide(shapes.input(0))),
        }),
        RearrangeOp::ChannelShuffle { groups } => Arc::new(Channels {
            geometry: inferred(ChannelShuffle::resolve(*groups, shapes.input(0))),
        }),
        RearrangeOp::Reshape { .. } => Arc::new(Reshape),
    }
}

/// A geometry that shape inference has resolved before.
fn inferred<G>(resolved: Result<G, geometry::AxisError>) -> G {
    resolved.unwrap_or_else(|error| unreachable!("inference resolved it: {error}"))
}

#[derive(Debug)]
struct Pad {
    geometry: PadGeometry,
    value: f32,
}

impl Generic for Pad {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (x, value) = (operands.real(0), T::of(self.value.into()));
        let y = operands.outputs[0].real();
        pad::forward(ctx, operands.layout, &self.geometry, x, value, y);
    }
}

#[derive(Debug)]
struct PadBackward {
    geometry: PadGeometry,
}

impl Generic for PadBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let dy = operands.real(0);
        let dx = operands.outputs[0].real();
        pad::backward(ctx, operands.layout, &self.geometry, dy, dx);
    }
}

#[derive(Debug)]
struct Slice {
    geometry: SliceGeometry,
}

impl Generic for Slice {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        slice::forward(ctx, operands.layout, &self.geometry, x, y);
    }
}

#[derive(Debug)]
struct SliceBackward {
    geometry: SliceGeometry,
}

impl Generic for SliceBackward {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let dy = operands.real(0);
        let dx = operands.outputs[0].real();
        slice::backward(ctx, operands.layout, &self.geometry, dy, dx);
    }
}

#[derive(Debug)]
struct Concat {
    geometry: ConcatGeometry,
}

impl Generic for Concat {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        for (index, x) in operands.inputs.iter().enumerate() {
            let y = operands.outputs[0].real();
            concat::join(ctx, operands.layout, &self.geometry, index, x.real(), y);
        }
    }
}

#[derive(Debug)]
struct Permute {
    geometry: PermuteGeometry,
}

impl Generic for Permute {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        permute::forward(ctx, operands.layout, &self.geometry, x, y);
    }
}

#[derive(Debug)]
struct ToPixels {
    geometry: PixelShuffleGeometry,
}

impl Generic for ToPixels {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        shuffle::to_pixels(ctx, operands.layout, &self.geometry, x, y);
    }
}

#[derive(Debug)]
struct ToChannels {
    geometry: PixelShuffleGeometry,
}

impl Generic for ToChannels {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        shuffle::to_channels(ctx, operands.layout, &self.geometry, x, y);
    }
}

#[derive(Debug)]
struct Channels {
    geometry: ChannelShuffle,
}

impl Generic for Channels {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let y = operands.outputs[0].real();
        shuffle::channels(ctx, operands.layout, &self.geometry, x, y);
    }
}

/// Elements in the order of the shape stay where they are.
#[derive(Debug)]
struct Reshape;

impl Generic for Reshape {
    fn reads(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, _ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        operands.outputs[0].real().copy_from_slice(x);
    }
}
