//! The residual networks for 224×224 images (He et al. 2015), as torchvision builds and names them.
//!
//! ```text
//! conv1 7×7 /2, bn1, relu ─▶ maxpool 3×3 /2 ─▶ layer1: 64 ─▶ layer2: 128, /2
//!                                ─▶ layer3: 256, /2 ─▶ layer4: 512, /2 ─▶ mean ─▶ fc
//! ```

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId};

use crate::blocks::{basic_residual, bottleneck_residual};
use crate::{Model, Width};

pub(super) const PAPER: &str =
    "He et al. 2015, Deep residual learning for image recognition, arXiv:1512.03385";

/// A ResNet of so many blocks in each of its four stages.
macro_rules! model {
    ($name:literal, $block:ident, $stages:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: PAPER,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| {
                network(builder, Block::$block, $stages, width, classes)
            },
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(
        "resnet18",
        Basic,
        [2, 2, 2, 2],
        "residual network of basic blocks, 18 layers"
    ),
    model!(
        "resnet34",
        Basic,
        [3, 4, 6, 3],
        "residual network of basic blocks, 34 layers"
    ),
    model!(
        "resnet50",
        Bottleneck,
        [3, 4, 6, 3],
        "residual network of bottlenecks, 50 layers"
    ),
    model!(
        "resnet101",
        Bottleneck,
        [3, 4, 23, 3],
        "residual network of bottlenecks, 101 layers"
    ),
    model!(
        "resnet152",
        Bottleneck,
        [3, 8, 36, 3],
        "residual network of bottlenecks, 152 layers"
    ),
];

/// What the stages are made of.
#[derive(Clone, Copy, Debug)]
enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3, 1×1 with four times the channels at the end.
    Bottleneck,
}

/// Channels and stride of the four stages.
const STAGES: [(usize, usize); 4] = [(64, 1), (128, 2), (256, 2), (512, 2)];

/// `[n, c, h, w] → [n, classes]` with so many blocks in each stage.
fn network(
    network: &mut NetworkBuilder,
    block: Block,
    blocks: [usize; 4],
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let residual = match block {
        Block::Basic => basic_residual,
        Block::Bottleneck => bottleneck_residual,
    };
    let stem = ConvDesc::new(width.channels(64), 7).stride(2).padding(3);
    let pool = PoolDesc::max(3).stride(2).padding(1);
    let mut x = network.input();
    x = network.conv("conv1", x, stem, false)?;
    x = network.batch_norm("bn1", x)?;
    x = network.relu(x)?;
    x = network.max_pool("maxpool", x, pool)?;
    for (stage, ((channels, stride), blocks)) in STAGES.into_iter().zip(blocks).enumerate() {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            x = network.scope(&format!("layer{}.{block}", stage + 1), |network| {
                residual(network, x, width.channels(channels), stride)
            })?;
        }
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}
