//! The residual networks for 32×32 images (He et al. 2015, section 4.2).
//!
//! ```text
//! conv1 3×3, bn1, relu ─▶ layer1: 16 channels ─▶ layer2: 32, /2 ─▶ layer3: 64, /2 ─▶ mean ─▶ fc
//! ```
//! Shortcuts that change the shape are projections ("option B"), where the paper's CIFAR networks
//! pad with zeros.

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::resnet::PAPER;
use crate::blocks::basic_residual;
use crate::{Model, Task, Width};

/// A ResNet of so many blocks a stage; its depth is 6 · blocks + 2.
macro_rules! model {
    ($name:literal, $blocks:literal) => {
        Model {
            name: $name,
            summary: concat!(
                "residual network for 32×32 images, ",
                $blocks,
                " blocks a stage"
            ),
            paper: PAPER,
            task: Task::Classification,
            input: [3, 32, 32],
            classes: 10,
            network: |builder, width, classes| network(builder, $blocks, width, classes),
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!("resnet20", 3),
    model!("resnet32", 5),
    model!("resnet44", 7),
    model!("resnet56", 9),
    model!("resnet110", 18),
];

/// Channels and stride of the three stages.
const STAGES: [(usize, usize); 3] = [(16, 1), (32, 2), (64, 2)];

/// `[n, c, h, w] → [n, classes]` with `blocks` basic blocks a stage.
fn network(
    network: &mut NetworkBuilder,
    blocks: usize,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let stem = ConvDesc::new(width.channels(STAGES[0].0), 3).padding(1);
    let mut x = network.input();
    x = network.conv("conv1", x, stem, false)?;
    x = network.batch_norm("bn1", x)?;
    x = network.relu(x)?;
    for (stage, (channels, stride)) in STAGES.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            x = network.scope(&format!("layer{}.{block}", stage + 1), |network| {
                basic_residual(network, x, width.channels(channels), stride)
            })?;
        }
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}
