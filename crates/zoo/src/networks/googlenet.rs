//! GoogLeNet (Szegedy et al. 2014), as torchvision builds and names it: with batch normalisation, 3×3 kernels where
//! the paper has 5×5, and both auxiliary heads.
//!
//! ```text
//! conv1 7×7 /2 ─▶ pool /2 ─▶ conv2 1×1 ─▶ conv3 3×3 ─▶ pool /2
//!     ─▶ inception3a, b ─▶ pool /2 ─▶ inception4a ──┬──▶ 4b, c, d ──┬──▶ 4e ─▶ pool /2 ─▶ inception5a, b ─▶ mean ─▶ fc
//!                                                   └─▶ aux1        └─▶ aux2       (in training only)
//! ```

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{InceptionV1, WideKernel, chain, conv_norm_relu, inception_v1};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "googlenet",
    summary: "Inception v1: kernels of several sizes side by side, two auxiliary heads",
    paper: "Szegedy et al. 2014, Going deeper with convolutions, arXiv:1409.4842",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// The loss of each auxiliary head counts so much.
const AUXILIARY_WEIGHT: f32 = 0.3;

/// Pixels a side of the map that an auxiliary head looks at.
const AUXILIARY_MAP: usize = 4;

/// Name and channels of each block; a pool of so many pixels, with stride 2, stands before those that have one.
const BLOCKS: [(&str, Option<usize>, [usize; 6]); 9] = [
    ("inception3a", None, [64, 96, 128, 16, 32, 32]),
    ("inception3b", None, [128, 128, 192, 32, 96, 64]),
    ("inception4a", Some(3), [192, 96, 208, 16, 48, 64]),
    ("inception4b", None, [160, 112, 224, 24, 64, 64]),
    ("inception4c", None, [128, 128, 256, 24, 64, 64]),
    ("inception4d", None, [112, 144, 288, 32, 64, 64]),
    ("inception4e", None, [256, 160, 320, 32, 128, 128]),
    ("inception5a", Some(2), [256, 160, 320, 32, 128, 128]),
    ("inception5b", None, [384, 192, 384, 48, 128, 128]),
];

/// The auxiliary heads and the blocks that they read.
const HEADS: [(&str, &str); 2] = [("aux1", "inception4a"), ("aux2", "inception4d")];

/// `[n, c, h, w] → [n, classes]`
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let small = WeightInit::Normal { deviation: 0.01 };
    network.conv_init(small).linear_init(small);
    let c = |channels| width.channels(channels);
    let halve = |pixels: usize| PoolDesc::max(pixels).stride(2).ceil(true);
    let stem = ConvDesc::new(c(64), 7).stride(2).padding(3);
    let detail = [
        ("conv2", ConvDesc::new(c(64), 1)),
        ("conv3", ConvDesc::new(c(192), 3).padding(1)),
    ];

    let mut x = network.input();
    x = conv_norm_relu(network, "conv1", x, stem)?;
    x = network.max_pool("maxpool1", x, halve(3))?;
    x = chain(network, x, detail)?;
    x = network.max_pool("maxpool2", x, halve(3))?;
    let mut pools = 2;
    let mut read = Vec::new();
    for (name, pool, channels) in BLOCKS {
        if let Some(pixels) = pool {
            pools += 1;
            x = network.max_pool(&format!("maxpool{pools}"), x, halve(pixels))?;
        }
        let [pointwise, reduce3, conv3, reduce5, conv5, pool] = channels.map(c);
        let channels = InceptionV1 {
            pointwise,
            reduce3,
            conv3,
            reduce5,
            conv5,
            pool,
        };
        x = network.scope(name, |network| {
            inception_v1(network, x, channels, WideKernel::Three)
        })?;
        read.extend(
            HEADS
                .iter()
                .filter(|head| head.1 == name)
                .map(|head| (head.0, x)),
        );
    }
    // After the blocks, where torchvision lists their parameters.
    for (name, x) in read {
        let logits = network.scope(name, |network| auxiliary(network, x, width, classes))?;
        network.auxiliary(logits, AUXILIARY_WEIGHT);
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    x = network.dropout(x, 0.2)?;
    network.linear("fc", x, classes)
}

/// An auxiliary head: adaptive average pool to 4×4, `conv` 1×1, `fc1`, `fc2`.
fn auxiliary(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let y = network.adaptive_average_pool("pool", x, AUXILIARY_MAP)?;
    let y = conv_norm_relu(network, "conv", y, ConvDesc::new(width.channels(128), 1))?;
    let y = network.flatten(y)?;
    let y = network.linear("fc1", y, width.channels(1024))?;
    let y = network.relu(y)?;
    let y = network.dropout(y, 0.7)?;
    network.linear("fc2", y, classes)
}
