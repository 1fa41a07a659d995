//! DenseNets with bottlenecks and compression (Huang et al. 2016, "DenseNet-BC"), as torchvision builds and names them.
//!
//! ```text
//! conv0 7×7 /2, norm0, relu ─▶ pool0 3×3 /2 ─▶ denseblock1 ─▶ transition1 ─▶ … ─▶ denseblock4
//!     ─▶ norm5 ─▶ relu ─▶ mean ─▶ classifier
//! ```
//! A transition halves the channels and the size.

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{conv_norm, dense_block, transition};
use crate::{Model, Task, Width};

/// A DenseNet of so many layers in each of its four blocks.
macro_rules! model {
    ($name:literal, $stem:literal, $growth:literal, $layers:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: "Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993",
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| {
                network(builder, $stem, $growth, $layers, width, classes)
            },
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(
        "densenet121",
        64,
        32,
        [6, 12, 24, 16],
        "densely connected network, growth 32, 121 layers"
    ),
    model!(
        "densenet161",
        96,
        48,
        [6, 12, 36, 24],
        "densely connected network, growth 48, 161 layers"
    ),
    model!(
        "densenet169",
        64,
        32,
        [6, 12, 32, 32],
        "densely connected network, growth 32, 169 layers"
    ),
    model!(
        "densenet201",
        64,
        32,
        [6, 12, 48, 32],
        "densely connected network, growth 32, 201 layers"
    ),
];

/// Channels of a layer's bottleneck for each that the layer adds.
const BOTTLENECK: usize = 4;

/// `[n, c, h, w] → [n, classes]`; the multiplier is one on the stem and on the growth.
fn network(
    network: &mut NetworkBuilder,
    stem: usize,
    growth: usize,
    layers: [usize; 4],
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::KaimingNormalFanIn);
    let growth = width.channels(growth);
    let mut channels = width.channels(stem);
    let stem = ConvDesc::new(channels, 7).stride(2).padding(3);
    let mut x = network.input();
    x = network.scope("features", |network| {
        x = conv_norm(network, x, ["conv0", "norm0"], stem, Some(Activation::Relu))?;
        x = network.max_pool("pool0", x, PoolDesc::max(3).stride(2).padding(1))?;
        for (block, layers) in (1..).zip(layers) {
            if block > 1 {
                channels = (channels / 2).max(1);
                x = network.scope(&format!("transition{}", block - 1), |network| {
                    transition(network, x, channels)
                })?;
            }
            x = network.scope(&format!("denseblock{block}"), |network| {
                dense_block(network, x, layers, growth, Some(BOTTLENECK))
            })?;
            channels = channels.saturating_add(layers.saturating_mul(growth));
        }
        network.batch_norm("norm5", x)
    })?;
    x = network.relu(x)?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("classifier", x, classes)
}
