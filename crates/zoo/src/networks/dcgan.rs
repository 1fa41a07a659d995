//! The generator of DCGAN (Radford et al. 2015), built and named as in PyTorch's example of it.
//!
//! ```text
//! noise 100×1×1 ─▶ 512×4×4 ─▶ 256×8×8 ─▶ 128×16×16 ─▶ 64×32×32 ─▶ tanh of 3×64×64
//! ```
//! The paper's figure has twice the channels: `dcgan_generator:2`.

use geometry::{ConvDesc, TransposedDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};
use tensor::Unary;

use crate::blocks::generator_step;
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "dcgan_generator",
    summary: "pictures of 64×64 out of noise by transposed convolutions",
    paper: "Radford et al. 2015, Unsupervised representation learning with DCGANs, arXiv:1511.06434",
    task: Task::Generation,
    input: [100, 1, 1],
    classes: 3,
    network,
}];

/// Channels, stride and padding of the steps.
const STEPS: [(usize, usize, usize); 4] = [(512, 1, 0), (256, 2, 1), (128, 2, 1), (64, 2, 1)];

/// `[n, c, h, w] → [n, colours, 16·(h + 3), 16·(w + 3)]`, in ±1.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    colours: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::Normal { deviation: 0.02 });
    let x = network.input();
    network.scope("main", |network| {
        let mut x = x;
        for (step, (channels, stride, padding)) in STEPS.into_iter().enumerate() {
            // Convolution, norm and activation are numbered through.
            let [conv, norm] = [0, 1].map(|part| (3 * step + part).to_string());
            let channels = width.channels(channels);
            x = generator_step(network, x, [&conv, &norm], channels, stride, padding)?;
        }
        let last = ConvDesc::new(colours, 4).stride(2).padding(1);
        let last = TransposedDesc::new(last);
        let name = (3 * STEPS.len()).to_string();
        let y = network.conv_transposed(&name, x, last, false)?;
        network.unary(y, Unary::Tanh)
    })
}
