//! SqueezeNet (Iandola et al. 2016), as torchvision builds and names it.
//!
//! ```text
//! 1.0: 7×7 /2 96 ─▶ max ─▶ 3 fires ─▶ max ─▶ 4 fires ─▶ max ─▶ 1 fire  ─┐
//! 1.1: 3×3 /2 64 ─▶ max ─▶ 2 fires ─▶ max ─▶ 2 fires ─▶ max ─▶ 4 fires ─┴▶ dropout ─▶ 1×1 classes ─▶ relu ─▶ mean
//! ```
//! Pools are 3×3 with stride 2 and round up.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::fire;
use crate::{Model, Task, Width};

/// A SqueezeNet by its first convolution and its layers.
macro_rules! model {
    ($name:literal, $channels:literal, $kernel:literal, $layers:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: "Iandola et al. 2016, SqueezeNet, arXiv:1602.07360",
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| {
                network(builder, ($channels, $kernel), $layers, width, classes)
            },
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(
        "squeezenet1_0",
        96,
        7,
        &[POOL, A, A, B, POOL, B, C, C, D, POOL, D],
        "Fire modules: the accuracy of AlexNet with a fiftieth of its parameters"
    ),
    model!(
        "squeezenet1_1",
        64,
        3,
        &[POOL, A, A, POOL, B, B, POOL, C, C, D, D],
        "Fire modules on smaller maps, less than half the work of 1.0"
    ),
];

/// A layer behind the first convolution.
#[derive(Clone, Copy, Debug)]
enum Layer {
    /// Channels squeezed to and expanded to by each kernel.
    Fire(usize, usize),
    Pool,
}

const POOL: Layer = Layer::Pool;
const A: Layer = Layer::Fire(16, 64);
const B: Layer = Layer::Fire(32, 128);
const C: Layer = Layer::Fire(48, 192);
const D: Layer = Layer::Fire(64, 256);

/// `[n, c, h, w] → [n, classes]`.
fn network(
    network: &mut NetworkBuilder,
    (channels, kernel): (usize, usize),
    layers: &[Layer],
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::KaimingUniformFanIn);
    let mut x = network.input();
    let stem = ConvDesc::new(width.channels(channels), kernel).stride(2);
    x = network.conv("features.0", x, stem, true)?;
    x = network.relu(x)?;
    for (place, &layer) in (2..).zip(layers) {
        let name = format!("features.{place}");
        x = match layer {
            Layer::Pool => network.max_pool(&name, x, PoolDesc::max(3).stride(2).ceil(true))?,
            Layer::Fire(squeeze, expand) => {
                let [squeeze, expand] = [squeeze, expand].map(|channels| width.channels(channels));
                network.scope(&name, |network| fire(network, x, squeeze, expand))?
            }
        };
    }
    x = network.dropout(x, 0.5)?;
    network.conv_init(WeightInit::Normal { deviation: 0.01 });
    x = network.conv("classifier.1", x, ConvDesc::new(classes, 1), true)?;
    x = network.relu(x)?;
    x = network.global_average_pool(x)?;
    network.flatten(x)
}
