//! Deformable convolution by its definition, for f64; in f32 it is lowered to plans.

use std::sync::Arc;

use geometry::DeformableGeometry;
use graph::DeformableOp;
use kernels::deformable::{Gradients, Sources, reference};
use kernels::{Context, Real};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &DeformableOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    let (desc, x, direction) = match op {
        DeformableOp::Conv { desc, .. } => (desc, 0, Direction::Forward),
        DeformableOp::BackwardData { desc } => (desc, 1, Direction::BackwardData),
        DeformableOp::BackwardWeights { desc } => (desc, 1, Direction::BackwardWeights),
    };
    let geometry = desc.resolve(shapes.input(x));
    Arc::new(Deformable {
        geometry: geometry.expect("inference resolved the same"),
        direction,
    })
}

#[derive(Debug)]
struct Deformable {
    geometry: DeformableGeometry,
    direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Direction {
    Forward,
    BackwardData,
    BackwardWeights,
}

impl Deformable {
    /// The place of `x` among the inputs, behind which offsets and perhaps a mask stand.
    fn first(&self) -> usize {
        usize::from(self.direction != Direction::Forward)
    }

    /// The place of the weight.
    fn weight(&self) -> usize {
        self.first() + 2 + usize::from(self.geometry.modulated)
    }
}

impl Generic for Deformable {
    fn reads(&self, place: usize) -> Lies {
        if place < self.weight() {
            Lies::Map
        } else {
            Lies::Plain
        }
    }

    fn makes(&self, _place: usize) -> Lies {
        match self.direction {
            Direction::BackwardWeights => Lies::Plain,
            _ => Lies::Map,
        }
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (g, layout, first) = (&self.geometry, operands.layout, self.first());
        let sources = Sources {
            x: operands.real(first),
            offset: operands.real(first + 1),
            mask: g.modulated.then(|| operands.real(first + 2)),
        };
        let inputs = operands.inputs;
        let weight = |place: usize| inputs.get(place).map(|weight| weight.real());
        let outputs = &mut *operands.outputs;
        match self.direction {
            Direction::Forward => {
                let (w, bias) = (weight(self.weight()), weight(self.weight() + 1));
                let w = w.expect("inference counted the inputs");
                reference::forward(ctx, layout, g, sources, w, bias, outputs[0].real());
            }
            Direction::BackwardData => {
                let w = weight(self.weight()).expect("inference counted the inputs");
                let (dx, rest) = outputs.split_at_mut(1);
                let (doffset, dmask) = rest.split_at_mut(1);
                let gradients = Gradients {
                    x: dx[0].real(),
                    offset: doffset[0].real(),
                    mask: dmask.first_mut().map(|mask| mask.real()),
                };
                let dy = inputs[0].real();
                reference::backward_data(ctx, layout, g, sources, dy, w, gradients);
            }
            Direction::BackwardWeights => {
                let (dy, dw) = (inputs[0].real(), outputs[0].real());
                reference::backward_weights(ctx, layout, g, sources, dy, dw);
            }
        }
    }
}
