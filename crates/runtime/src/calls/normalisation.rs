//! Normalisation over groups, layers and neighbouring channels.

use std::sync::Arc;

use graph::{Affine, LocalResponse, NormOp};
use kernels::norm::channel::{self, ChannelGeometry};
use kernels::norm::group::{self, GroupGeometry};
use kernels::norm::layer::{self, LayerGeometry};
use kernels::norm::response::{self, ResponseGeometry};
use kernels::{Context, Real};
use tensor::Layout;

use super::{Generic, Kernel, Lies, Operands, Shapes, Target};

/// The kernel of an operator.
pub(super) fn kernel(op: &NormOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    match *op {
        NormOp::Group {
            groups,
            epsilon,
            affine,
        } => Arc::new(Forward {
            over: Over::group(shapes.input(0), groups),
            epsilon,
            affine,
        }),
        NormOp::GroupBackward { groups, affine } => Arc::new(Backward {
            over: Over::group(shapes.input(1), groups),
            affine,
        }),
        NormOp::Layer {
            axis,
            epsilon,
            affine,
        } => Arc::new(Forward {
            over: Over::layer(shapes.input(0), axis),
            epsilon,
            affine,
        }),
        NormOp::LayerBackward { axis, affine } => Arc::new(Backward {
            over: Over::layer(shapes.input(1), axis),
            affine,
        }),
        NormOp::Channel { epsilon, affine } => Arc::new(Forward {
            over: Over::channel(shapes.input(0)),
            epsilon,
            affine,
        }),
        NormOp::ChannelBackward { affine } => Arc::new(Backward {
            over: Over::channel(shapes.input(1)),
            affine,
        }),
        NormOp::LocalResponse(settings) => {
            Arc::new(Response(response_geometry(shapes.input(0), settings)))
        }
        NormOp::LocalResponseBackward(settings) => Arc::new(ResponseBackward(response_geometry(
            shapes.input(1),
            settings,
        ))),
    }
}

/// Batch, channels and positions of a feature map.
fn map(x: &[usize]) -> [usize; 3] {
    [x[0], x[1], x[2..].iter().product()]
}

/// What is normalised together.
#[derive(Clone, Copy, Debug)]
enum Over {
    Group(GroupGeometry),
    Layer(LayerGeometry),
    Channel(ChannelGeometry),
}

impl Over {
    fn group(x: &[usize], groups: usize) -> Self {
        let [batch, channels, area] = map(x);
        Self::Group(GroupGeometry {
            batch,
            channels,
            groups,
            area,
            layout: Layout::Nchw,
        })
    }

    fn layer(x: &[usize], axis: usize) -> Self {
        Self::Layer(LayerGeometry {
            rows: x[..axis].iter().product(),
            len: x[axis..].iter().product(),
        })
    }

    fn channel(x: &[usize]) -> Self {
        let [batch, channels, area] = map(x);
        Self::Channel(ChannelGeometry {
            batch,
            channels,
            area,
            layout: Layout::Nchw,
        })
    }

    /// The same in a layout.
    fn lies(self, layout: Layout) -> Self {
        match self {
            Self::Group(geometry) => Self::Group(GroupGeometry { layout, ..geometry }),
            Self::Channel(geometry) => Self::Channel(ChannelGeometry { layout, ..geometry }),
            Self::Layer(_) => self,
        }
    }

    /// How the map lies: trailing axes are those of the shape, whatever the layout.
    fn map(self) -> Lies {
        match self {
            Self::Layer(_) => Lies::Plain,
            Self::Group(_) | Self::Channel(_) => Lies::Map,
        }
    }

    /// Scratch memory of either direction, in whichever layout.
    fn scratch_lens(self) -> [usize; 2] {
        let lens = Layout::ALL.map(|layout| match self.lies(layout) {
            Self::Group(g) => [g.forward_scratch_len(), g.backward_scratch_len()],
            Self::Layer(g) => [g.forward_scratch_len(), g.backward_scratch_len()],
            Self::Channel(g) => [g.forward_scratch_len(), g.backward_scratch_len()],
        });
        [0, 1].map(|direction| lens[0][direction].max(lens[1][direction]))
    }
}

/// `x, [gamma], [beta] → y, mean, inv_std`
#[derive(Debug)]
struct Forward {
    over: Over,
    epsilon: f32,
    affine: Affine,
}

impl Generic for Forward {
    fn reads(&self, place: usize) -> Lies {
        match place {
            0 => self.over.map(),
            _ => Lies::Plain,
        }
    }

    fn makes(&self, place: usize) -> Lies {
        Generic::reads(self, place)
    }

    fn scratch_len(&self, _threads: usize) -> usize {
        self.over.scratch_lens()[0]
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let x = operands.real(0);
        let parameter =
            |place: usize| (place <= self.affine.parameters()).then(|| operands.real(place));
        let (gamma, beta) = (parameter(1), parameter(2));
        let [y, mean, inv_std] = operands.outputs else {
            unreachable!("inference gave three outputs");
        };
        let (y, mean, inv_std) = (y.real(), mean.real(), inv_std.real());
        let (epsilon, scratch) = (self.epsilon, operands.scratch);
        match self.over.lies(operands.layout) {
            Over::Group(g) => {
                group::forward(ctx, &g, epsilon, x, gamma, beta, y, mean, inv_std, scratch);
            }
            Over::Layer(g) => {
                layer::forward(ctx, &g, epsilon, x, gamma, beta, y, mean, inv_std, scratch);
            }
            Over::Channel(g) => {
                channel::forward(ctx, &g, epsilon, x, gamma, beta, y, mean, inv_std, scratch);
            }
        }
    }
}

/// `dy, x, mean, inv_std, [gamma] → dx, [dgamma], [dbeta]`
#[derive(Debug)]
struct Backward {
    over: Over,
    affine: Affine,
}

impl Generic for Backward {
    fn reads(&self, place: usize) -> Lies {
        match place {
            0 | 1 => self.over.map(),
            _ => Lies::Plain,
        }
    }

    fn makes(&self, place: usize) -> Lies {
        match place {
            0 => self.over.map(),
            _ => Lies::Plain,
        }
    }

    fn scratch_len(&self, _threads: usize) -> usize {
        self.over.scratch_lens()[1]
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [dy, x, mean, inv_std] = [0, 1, 2, 3].map(|place| operands.real(place));
        let gamma = (self.affine != Affine::None).then(|| operands.real(4));
        let (dx, parameters) = operands
            .outputs
            .split_first_mut()
            .expect("inference gave at least one output");
        let mut parameters = parameters.iter_mut().map(Target::real);
        let (dx, dgamma, dbeta) = (dx.real(), parameters.next(), parameters.next());
        let scratch = operands.scratch;
        match self.over.lies(operands.layout) {
            Over::Group(g) => group::backward(
                ctx, &g, x, gamma, mean, inv_std, dy, dx, dgamma, dbeta, scratch,
            ),
            Over::Layer(g) => layer::backward(
                ctx, &g, x, gamma, mean, inv_std, dy, dx, dgamma, dbeta, scratch,
            ),
            Over::Channel(g) => channel::backward(
                ctx, &g, x, gamma, mean, inv_std, dy, dx, dgamma, dbeta, scratch,
            ),
        }
    }
}

fn response_geometry(x: &[usize], settings: LocalResponse) -> ResponseGeometry {
    let [batch, channels, area] = map(x);
    let LocalResponse {
        before,
        after,
        alpha,
        beta,
        k,
    } = settings;
    ResponseGeometry {
        batch,
        channels,
        area,
        layout: Layout::Nchw,
        before,
        after,
        alpha,
        beta,
        k,
    }
}

/// `x → y`
#[derive(Debug)]
struct Response(ResponseGeometry);

impl Generic for Response {
    fn scratch_len(&self, threads: usize) -> usize {
        let lens = Layout::ALL
            .map(|layout| ResponseGeometry { layout, ..self.0 }.forward_scratch_len(threads));
        lens[0].max(lens[1])
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let layout = operands.layout;
        let geometry = ResponseGeometry { layout, ..self.0 };
        let (x, y) = (operands.real(0), operands.outputs[0].real());
        response::forward(ctx, &geometry, x, y, operands.scratch);
    }
}

/// `dy, x → dx`
#[derive(Debug)]
struct ResponseBackward(ResponseGeometry);

impl Generic for ResponseBackward {
    fn scratch_len(&self, threads: usize) -> usize {
        let lens = Layout::ALL
            .map(|layout| ResponseGeometry { layout, ..self.0 }.backward_scratch_len(threads));
        lens[0].max(lens[1])
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let layout = operands.layout;
        let geometry = ResponseGeometry { layout, ..self.0 };
        let (dy, x) = (operands.real(0), operands.real(1));
        response::backward(
            ctx,
            &geometry,
            x,
            dy,
            operands.outputs[0].real(),
            operands.scratch,
        );
    }
}
