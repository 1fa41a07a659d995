//! Operators that only move elements.

use std::sync::Arc;

use graph::Op;
use kernels::{Context, Real, concat};

use super::{Extents, Generic, Kernel, Lies, Operands, Shapes, made};

pub(super) fn kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    Some(match *op {
        Op::Concat => Arc::new(Concat {
            whole: Extents::of(shapes.output(0)),
            counts: (0..shapes.inputs())
                .map(|place| Extents::of(shapes.input(place)).channels)
                .collect(),
        }),
        Op::ChannelSlice { start, count } => Arc::new(ChannelSlice {
            whole: Extents::of(shapes.input(0)),
            start,
            count,
        }),
        Op::Flatten | Op::Unflatten { .. } => Arc::new(Reshape),
        _ => return None,
    })
}

/// Inputs side by side along the channels.
#[derive(Debug)]
struct Concat {
    whole: Extents,
    /// Channels of each input.
    counts: Vec<usize>,
}

impl Generic for Concat {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let Extents {
            batch,
            channels,
            area,
        } = self.whole;
        let layout = operands.layout;
        let [y] = made(operands.outputs);
        let mut first = 0;
        for (x, &count) in operands.inputs.iter().zip(&self.counts) {
            let (from, to) = ((x.real(), count, 0), (&mut *y, channels, first));
            concat::copy_channels(ctx, layout, batch, area, from, to, count);
            first += count;
        }
    }
}

#[derive(Debug)]
struct ChannelSlice {
    whole: Extents,
    start: usize,
    count: usize,
}

impl Generic for ChannelSlice {
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let Extents {
            batch,
            channels,
            area,
        } = self.whole;
        let layout = operands.layout;
        let from = (operands.real(0), channels, self.start);
        let [y] = made(operands.outputs);
        let to = (y, self.count, 0);
        concat::copy_channels(ctx, layout, batch, area, from, to, self.count);
    }
}

/// The same elements under another shape.
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
        let [y] = made(operands.outputs);
        y.copy_from_slice(x);
    }
}
