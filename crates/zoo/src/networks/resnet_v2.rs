//! Pre-activation residual networks (He et al. 2016): for 224×224 images as timm builds and names them, for 32×32 as
//! the paper does.
//!
//! ```text
//! stem.conv 7×7 /2 ─▶ pool 3×3 /2 ─▶ stages.0 … stages.3 ─▶ norm ─▶ relu ─▶ mean ─▶ head.fc (a 1×1 convolution)
//! conv1 3×3 ─▶ layer1: 16 channels ─▶ layer2: 32, /2 ─▶ layer3: 64, /2 ─▶ norm ─▶ relu ─▶ mean ─▶ fc
//! ```
//! Nothing but sums lies between the first convolution and the last norm on the identity path.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{basic_preactivation, bottleneck_preactivation};
use crate::{Model, Task, Width};

const PAPER: &str = "He et al. 2016, Identity mappings in deep residual networks, arXiv:1603.05027";

/// One for images of 224×224, of so many blocks in each of its four stages.
macro_rules! large {
    ($name:literal, $block:ident, $stages:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: PAPER,
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| {
                large(builder, Block::$block, $stages, width, classes)
            },
        }
    };
}

/// One for images of 32×32, of so many blocks in each of its three stages.
macro_rules! small {
    ($name:literal, $block:ident, $blocks:literal $what:literal) => {
        Model {
            name: $name,
            summary: concat!(
                "pre-activation residual network for 32×32 images, ",
                $blocks,
                " ",
                $what,
                " a stage"
            ),
            paper: PAPER,
            task: Task::Classification,
            input: [3, 32, 32],
            classes: 10,
            network: |builder, width, classes| {
                small(builder, Block::$block, $blocks, width, classes)
            },
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    small!("preact_resnet20", Basic, 3 "blocks"),
    small!("preact_resnet56", Basic, 9 "blocks"),
    small!("preact_resnet110", Basic, 18 "blocks"),
    small!("preact_resnet164", Bottleneck, 18 "bottlenecks"),
    large!(
        "resnetv2_18",
        Basic,
        [2, 2, 2, 2],
        "pre-activation residual network of basic blocks, 18 layers"
    ),
    large!(
        "resnetv2_34",
        Basic,
        [3, 4, 6, 3],
        "pre-activation residual network of basic blocks, 34 layers"
    ),
    large!(
        "resnetv2_50",
        Bottleneck,
        [3, 4, 6, 3],
        "pre-activation residual network of bottlenecks, 50 layers"
    ),
    large!(
        "resnetv2_101",
        Bottleneck,
        [3, 4, 23, 3],
        "pre-activation residual network of bottlenecks, 101 layers"
    ),
    large!(
        "resnetv2_152",
        Bottleneck,
        [3, 8, 36, 3],
        "pre-activation residual network of bottlenecks, 152 layers"
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

impl Block {
    fn build(
        self,
        network: &mut NetworkBuilder,
        x: ValueId,
        channels: usize,
        stride: usize,
    ) -> Result<ValueId, GraphError> {
        match self {
            Self::Basic => basic_preactivation(network, x, channels, stride),
            Self::Bottleneck => bottleneck_preactivation(network, x, channels, stride),
        }
    }
}

/// Channels and stride of the stages for 224×224.
const LARGE: [(usize, usize); 4] = [(64, 1), (128, 2), (256, 2), (512, 2)];
/// And for 32×32.
const SMALL: [(usize, usize); 3] = [(16, 1), (32, 2), (64, 2)];

/// `[n, c, h, w] → [n, classes]` with so many blocks in each stage.
fn large(
    network: &mut NetworkBuilder,
    block: Block,
    blocks: [usize; 4],
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let stem = ConvDesc::new(width.channels(64), 7).stride(2).padding(3);
    let mut x = network.input();
    x = network.conv("stem.conv", x, stem, false)?;
    let pool = PoolDesc::max(3).stride(2).padding(1);
    x = network.max_pool("stem.pool", x, pool)?;
    for (stage, ((channels, stride), blocks)) in LARGE.into_iter().zip(blocks).enumerate() {
        let name = |block| format!("stages.{stage}.blocks.{block}");
        let channels = width.channels(channels);
        x = self::stage(network, x, block, blocks, channels, stride, name)?;
    }
    x = network.batch_norm("norm", x)?;
    x = network.relu(x)?;
    x = network.global_average_pool(x)?;
    network.conv_init(WeightInit::Normal { deviation: 0.01 });
    x = network.conv("head.fc", x, ConvDesc::new(classes, 1), true)?;
    network.flatten(x)
}

/// The same for small images.
fn small(
    network: &mut NetworkBuilder,
    block: Block,
    blocks: usize,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let stem = ConvDesc::new(width.channels(SMALL[0].0), 3).padding(1);
    let mut x = network.input();
    x = network.conv("conv1", x, stem, false)?;
    for (stage, (channels, stride)) in SMALL.into_iter().enumerate() {
        let name = |block| format!("layer{}.{block}", stage + 1);
        let channels = width.channels(channels);
        x = self::stage(network, x, block, blocks, channels, stride, name)?;
    }
    x = network.batch_norm("norm", x)?;
    x = network.relu(x)?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}

/// Blocks of the same width, the first of them with the stride.
fn stage(
    network: &mut NetworkBuilder,
    x: ValueId,
    block: Block,
    blocks: usize,
    channels: usize,
    stride: usize,
    name: impl Fn(usize) -> String,
) -> Result<ValueId, GraphError> {
    (0..blocks).try_fold(x, |x, place| {
        let stride = if place == 0 { stride } else { 1 };
        network.scope(&name(place), |network| {
            block.build(network, x, channels, stride)
        })
    })
}
