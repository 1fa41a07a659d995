//! The kernels that are counted, one of every family with loops of its own.

use geometry::{ConvGeometry, PoolGeometry, Problem};
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::norm::{self, NormGeometry};
use kernels::{Activation, Context, Isa, Team, elementwise, pool};
use tensor::Layout;

/// A kernel, the instructions it uses and the problem it solves, in the problem notation.
pub(crate) struct Case {
    isa: Isa,
    kernel: Kernel,
    problem: &'static str,
}

#[derive(Clone, Copy)]
enum Kernel {
    Conv(Algorithm, Direction),
    MaxPool,
    AveragePool,
    /// On the map that a problem reads.
    Norm,
    Add,
}

const DENSE: &str = "conv:n1c32h14w14:o48k3p1";
const POINTWISE: &str = "conv:n1c64h14w14:o96k1";
const DEPTHWISE: &str = "conv:n1c64h14w14:o64k3p1g64";
const GROUPED: &str = "conv:n1c64h14w14:o64k3p1g16";
const STEM: &str = "conv:n1c3h32w32:o16k3s2p1";
const MAX_POOL: &str = "pool-max:n1c64h28w28:k3s2p1";
const AVERAGE_POOL: &str = "pool-avg:n1c64h28w28:k2s2";

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    use Algorithm::{Depthwise, Direct, Grouped, Planes, Winograd2, Winograd4};
    use Direction::{BackwardData, BackwardWeights, Forward};
    let conv = |algorithm, direction| Kernel::Conv(algorithm, direction);
    let both = [
        (conv(Direct, Forward), DENSE),
        (conv(Direct, BackwardData), DENSE),
        (conv(Direct, BackwardWeights), DENSE),
        (conv(Direct, Forward), POINTWISE),
        (conv(Winograd4, Forward), DENSE),
        (conv(Winograd2, Forward), DENSE),
        (conv(Winograd2, BackwardWeights), DENSE),
        (conv(Depthwise, Forward), DEPTHWISE),
        (conv(Depthwise, BackwardWeights), DEPTHWISE),
        (conv(Grouped, Forward), GROUPED),
        (conv(Planes, BackwardData), STEM),
        (Kernel::MaxPool, MAX_POOL),
        (Kernel::AveragePool, AVERAGE_POOL),
        (Kernel::Norm, DENSE),
        (Kernel::Add, DENSE),
    ];
    let cases = [Isa::Avx2, Isa::Portable].map(|isa| {
        both.map(|(kernel, problem)| Case {
            isa,
            kernel,
            problem,
        })
    });
    cases.into_iter().flatten().collect()
}

impl Case {
    pub(crate) fn name(&self) -> String {
        let kernel = match self.kernel {
            Kernel::Conv(algorithm, direction) => format!("{algorithm} {direction}"),
            Kernel::MaxPool | Kernel::AveragePool => "pool forward".to_owned(),
            Kernel::Norm => "norm inference".to_owned(),
            Kernel::Add => "add".to_owned(),
        };
        format!("{} {kernel} {}", self.isa, self.problem)
    }

    /// Makes the operands and hands the kernel to `run`, which calls it.
    pub(crate) fn run(&self, run: impl FnOnce(&mut dyn FnMut())) {
        let team = Team::new(1).expect("a team of one starts no thread");
        let ctx = Context {
            team: &team,
            isa: self.isa,
        };
        let problem = self.problem.parse().expect("a problem of the list above");
        match (self.kernel, &problem) {
            (Kernel::Conv(algorithm, direction), Problem::Conv(shape, desc)) => {
                let geometry = desc.resolve(&shape.dims).expect("as above");
                convolution(&ctx, algorithm, direction, &geometry, run);
            }
            (_, Problem::Pool(shape, desc)) => {
                let geometry = desc.resolve(&shape.dims).expect("as above");
                pooling(&ctx, self.kernel, &geometry, run);
            }
            (_, Problem::Conv(shape, _)) => elements(&ctx, self.kernel, &shape.dims, run),
            _ => unreachable!("no such problem in the list above"),
        }
    }
}

fn convolution(
    ctx: &Context<'_>,
    algorithm: Algorithm,
    direction: Direction,
    geometry: &ConvGeometry,
    run: impl FnOnce(&mut dyn FnMut()),
) {
    let options = ConvOptions {
        isa: ctx.isa,
        algorithm: Some(algorithm),
        ..ConvOptions::default()
    };
    let plan = ConvPlan::new(geometry, direction, options).expect("an algorithm that serves it");
    let mut x = ones(geometry.input_shape().iter().product());
    let mut w = ones(geometry.weight_count());
    let mut y = ones(geometry.output_shape().iter().product());
    let mut packed = ones(plan.packed_len());
    let mut scratch = ones(plan.scratch_len(1));
    plan.pack(ctx, &w, &mut packed);
    let epilogue = Epilogue::default();
    run(&mut || match direction {
        Direction::Forward => plan.forward(ctx, &x, &packed, epilogue, &mut y, &mut scratch),
        Direction::BackwardData => {
            plan.backward_data(ctx, &y, &packed, epilogue, &mut x, &mut scratch);
        }
        Direction::BackwardWeights => plan.backward_weights(ctx, &x, &y, &mut w, &mut scratch),
    });
}

fn pooling(
    ctx: &Context<'_>,
    kernel: Kernel,
    geometry: &PoolGeometry,
    run: impl FnOnce(&mut dyn FnMut()),
) {
    let x = ones(geometry.input_shape().iter().product());
    let mut y = ones(geometry.output_shape().iter().product());
    let layout = Layout::Nhwc;
    run(&mut || match kernel {
        Kernel::MaxPool => pool::max::forward(ctx, layout, geometry, &x, &mut y, None),
        _ => pool::average::forward(ctx, layout, geometry, &x, &mut y),
    });
}

fn elements(ctx: &Context<'_>, kernel: Kernel, dims: &[usize], run: impl FnOnce(&mut dyn FnMut())) {
    let len = dims.iter().product();
    let (x, b, mut y) = (ones(len), ones(len), ones(len));
    let channels = dims[1];
    let geometry = NormGeometry {
        batch: dims[0],
        channels,
        area: len / (dims[0] * channels),
        layout: Layout::Nhwc,
    };
    let vector = ones(channels);
    run(&mut || match kernel {
        Kernel::Norm => {
            let activation = Some(Activation::Relu);
            norm::inference(
                ctx,
                &geometry,
                1e-5,
                activation,
                (&x, channels),
                None,
                &vector,
                &vector,
                &vector,
                &vector,
                &mut y,
            );
        }
        _ => elementwise::add(ctx, &x, &b, &mut y),
    });
}

/// What is computed with does not matter: no kernel looks at it.
fn ones(len: usize) -> Vec<f32> {
    vec![1.0; len]
}
