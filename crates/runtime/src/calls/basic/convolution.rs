//! Convolutions, transposed ones and linear layers, by direction, and the gradient of their bias.

use std::sync::Arc;

use geometry::{ConvGeometry, MAX_RANK, PaddingMode, Window};
use graph::{Activation, Op, TransposedOp};
use kernels::conv::{Direction, Epilogue, reference};
use kernels::{Context, Real, reduce};

use super::{Extents, Generic, Kernel, Lies, Operands, Shapes, made};
use crate::execute::kernel_activation;

pub(super) fn kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    let plain = |geometry, direction| Conv {
        geometry,
        direction,
        bias: false,
        activation: None,
    };
    // The shapes were verified, so every descriptor fits them.
    Some(Arc::new(match op {
        Op::Conv {
            desc,
            bias,
            activation,
            ..
        } => Conv {
            geometry: desc.resolve(shapes.input(0)).ok()?,
            direction: Direction::Forward,
            bias: *bias,
            activation: *activation,
        },
        Op::ConvBackwardData { desc, input } => {
            plain(desc.resolve(input).ok()?, Direction::BackwardData)
        }
        Op::ConvBackwardWeights { desc } => plain(
            desc.resolve(shapes.input(0)).ok()?,
            Direction::BackwardWeights,
        ),
        Op::Linear { bias } => Conv {
            geometry: linear(shapes.input(0), shapes.output(0)),
            direction: Direction::Forward,
            bias: *bias,
            activation: None,
        },
        Op::LinearBackwardData => plain(
            linear(shapes.output(0), shapes.input(0)),
            Direction::BackwardData,
        ),
        Op::LinearBackwardWeights => plain(
            linear(shapes.input(0), shapes.input(1)),
            Direction::BackwardWeights,
        ),
        Op::Transposed(op) => transposed(op, shapes)?,
        Op::ChannelSum => {
            return Some(Arc::new(ChannelSum {
                map: Extents::of(shapes.input(0)),
            }));
        }
        _ => return None,
    }))
}

/// A transposed convolution is the backward-data pass of a convolution, and its gradients are the two
/// others.
fn transposed(op: &TransposedOp, shapes: Shapes<'_>) -> Option<Conv> {
    let (desc, input, direction, bias, activation) = match op {
        TransposedOp::Conv {
            desc,
            bias,
            activation,
            ..
        } => {
            let direction = Direction::BackwardData;
            (desc, shapes.input(0), direction, *bias, *activation)
        }
        TransposedOp::BackwardData { desc, input } => {
            (desc, &input[..], Direction::Forward, false, None)
        }
        TransposedOp::BackwardWeights { desc } => {
            let direction = Direction::BackwardWeights;
            (desc, shapes.input(1), direction, false, None)
        }
    };
    Some(Conv {
        geometry: desc.resolve(input).ok()?,
        direction,
        bias,
        activation,
    })
}

/// A linear layer from `x [n, f]` to `y [n, o]`: a convolution of maps of one position.
fn linear(x: &[usize], y: &[usize]) -> ConvGeometry {
    ConvGeometry {
        batch: x[0],
        in_channels: x[1],
        out_channels: y[1],
        groups: 1,
        rank: 1,
        padding_mode: PaddingMode::Zeros,
        windows: [Window::UNIT; MAX_RANK],
    }
}

/// `x, weight, [bias], [residual] → y`, `dy, weight, [bias], [residual] → dx` or `x, dy → dweight`
#[derive(Debug)]
struct Conv {
    geometry: ConvGeometry,
    direction: Direction,
    bias: bool,
    activation: Option<Activation>,
}

impl Conv {
    /// The place of the residual.
    fn residual(&self) -> usize {
        2 + usize::from(self.bias)
    }
}

impl Generic for Conv {
    fn reads(&self, place: usize) -> Lies {
        let map = match self.direction {
            Direction::BackwardWeights => true,
            _ => place == 0 || place == self.residual(),
        };
        if map { Lies::Map } else { Lies::Plain }
    }

    fn makes(&self, _place: usize) -> Lies {
        match self.direction {
            Direction::BackwardWeights => Lies::Plain,
            _ => Lies::Map,
        }
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (first, second) = (operands.real(0), operands.real(1));
        let epilogue = Epilogue {
            bias: self.bias.then(|| operands.real(2)),
            residual: operands.inputs.get(self.residual()).map(|r| r.real()),
            activation: self.activation.map(kernel_activation),
        };
        let (layout, g) = (operands.layout, &self.geometry);
        let [made] = made(operands.outputs);
        match self.direction {
            Direction::Forward => {
                reference::forward(ctx, layout, g, first, second, epilogue, made);
            }
            Direction::BackwardData => {
                reference::backward_data(ctx, layout, g, first, second, epilogue, made);
            }
            Direction::BackwardWeights => {
                reference::backward_weights(ctx, layout, g, first, second, made);
            }
        }
    }
}

/// `dy → db`
#[derive(Debug)]
struct ChannelSum {
    map: Extents,
}

impl Generic for ChannelSum {
    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let Extents {
            batch,
            channels,
            area,
        } = self.map;
        let (layout, dy) = (operands.layout, operands.real(0));
        let [db] = made(operands.outputs);
        reduce::reference::channel_sums(ctx, layout, batch, channels, area, dy, db);
    }
}
