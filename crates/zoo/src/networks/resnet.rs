//! The residual networks for 224×224 images (He et al. 2015), as torchvision builds and names them.
//!
//! ```text
//! conv1 7×7 /2, bn1, relu ─▶ maxpool 3×3 /2 ─▶ layer1: 64 ─▶ layer2: 128, /2
//!                                ─▶ layer3: 256, /2 ─▶ layer4: 512, /2 ─▶ mean ─▶ fc
//! ```

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use crate::blocks::{Bottleneck, basic_residual, conv_norm};
use crate::{Model, Task, Width};

pub(super) const PAPER: &str =
    "He et al. 2015, Deep residual learning for image recognition, arXiv:1512.03385";

/// A ResNet of so many blocks in each of its four stages.
macro_rules! model {
    ($name:literal, $block:expr, $stages:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: PAPER,
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| network(builder, $block, $stages, width, classes),
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(
        "resnet18",
        Block::Basic,
        [2, 2, 2, 2],
        "residual network of basic blocks, 18 layers"
    ),
    model!(
        "resnet34",
        Block::Basic,
        [3, 4, 6, 3],
        "residual network of basic blocks, 34 layers"
    ),
    model!(
        "resnet50",
        PLAIN,
        [3, 4, 6, 3],
        "residual network of bottlenecks, 50 layers"
    ),
    model!(
        "resnet101",
        PLAIN,
        [3, 4, 23, 3],
        "residual network of bottlenecks, 101 layers"
    ),
    model!(
        "resnet152",
        PLAIN,
        [3, 8, 36, 3],
        "residual network of bottlenecks, 152 layers"
    ),
];

/// What the stages are made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3, 1×1 with four times the channels at the end.
    Bottleneck {
        /// Groups of the 3×3.
        groups: usize,
        /// Channels of a group in the first stage.
        group_width: usize,
    },
}

/// The bottleneck of ResNets.
pub(super) const PLAIN: Block = Block::Bottleneck {
    groups: 1,
    group_width: STAGES[0].0,
};

/// Channels and stride of the four stages.
const STAGES: [(usize, usize); 4] = [(64, 1), (128, 2), (256, 2), (512, 2)];

/// `[n, c, h, w] → [n, classes]` with so many blocks in each stage.
pub(super) fn network(
    network: &mut NetworkBuilder,
    block: Block,
    blocks: [usize; 4],
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let [.., mut x] = body(network, block, blocks, STAGES.len(), width)?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}

/// Everything but the head: what each stage makes. From the stage `dilated` on, counted from 0, dilation takes the
/// place of strides, so that maps keep their size and filters still see as much of the image.
pub(super) fn body(
    network: &mut NetworkBuilder,
    block: Block,
    blocks: [usize; 4],
    dilated: usize,
    width: Width,
) -> Result<[ValueId; 4], GraphError> {
    let stem = ConvDesc::new(width.channels(64), 7).stride(2).padding(3);
    let pool = PoolDesc::max(3).stride(2).padding(1);
    let mut x = network.input();
    x = conv_norm(network, x, ["conv1", "bn1"], stem, Some(Activation::Relu))?;
    x = network.max_pool("maxpool", x, pool)?;
    let mut dilation = 1;
    let mut made = [x; 4];
    for (stage, ((channels, stride), blocks)) in STAGES.into_iter().zip(blocks).enumerate() {
        for place in 0..blocks {
            let strides = place == 0 && stage < dilated;
            let stride = if strides { stride } else { 1 };
            x = network.scope(&format!("layer{}.{place}", stage + 1), |network| {
                block.build(network, x, channels, stride, dilation, width)
            })?;
            // The first block of a stage still reads the map of the stage before.
            if place == 0 && stage >= dilated {
                dilation *= STAGES[stage].1;
            }
        }
        made[stage] = x;
    }
    Ok(made)
}

impl Block {
    fn build(
        self,
        network: &mut NetworkBuilder,
        x: ValueId,
        channels: usize,
        stride: usize,
        dilation: usize,
        width: Width,
    ) -> Result<ValueId, GraphError> {
        match self {
            Self::Basic => basic_residual(network, x, width.channels(channels), stride),
            Self::Bottleneck {
                groups,
                group_width,
            } => Bottleneck {
                middle: width.multiple(channels / STAGES[0].0 * group_width * groups, groups),
                groups,
                dilation,
                ..Bottleneck::new(width.channels(channels), stride)
            }
            .build(network, x),
        }
    }
}
