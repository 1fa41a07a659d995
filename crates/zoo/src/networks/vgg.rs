//! VGG (Simonyan & Zisserman 2014), configurations A, B, D and E, as torchvision builds and names them.
//!
//! ```text
//! 3×3 64 … ─▶ max 2×2 /2 ─▶ 3×3 128 … ─▶ max ─▶ 256 … ─▶ max ─▶ 512 … ─▶ max ─▶ 512 … ─▶ max ─▶ 7×7 means
//!     ─▶ 4096 ─▶ dropout ─▶ 4096 ─▶ dropout ─▶ classes
//! ```
//! Those called `_bn` have a batch normalisation behind every convolution.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::{Model, Task, Width};

/// A VGG of so many convolutions in each of its five stages.
macro_rules! model {
    ($name:literal, $stages:expr, $norms:literal, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: "Simonyan & Zisserman 2014, Very deep convolutional networks, arXiv:1409.1556",
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| network(builder, $stages, $norms, width, classes),
        }
    };
}

const A: [usize; 5] = [1, 1, 2, 2, 2];
const B: [usize; 5] = [2, 2, 2, 2, 2];
const D: [usize; 5] = [2, 2, 3, 3, 3];
const E: [usize; 5] = [2, 2, 4, 4, 4];

pub(crate) const MODELS: &[Model] = &[
    model!(
        "vgg11",
        A,
        false,
        "eight 3×3 convolutions and three linear layers"
    ),
    model!("vgg11_bn", A, true, "vgg11 with batch normalisation"),
    model!(
        "vgg13",
        B,
        false,
        "ten 3×3 convolutions and three linear layers"
    ),
    model!("vgg13_bn", B, true, "vgg13 with batch normalisation"),
    model!(
        "vgg16",
        D,
        false,
        "thirteen 3×3 convolutions and three linear layers"
    ),
    model!("vgg16_bn", D, true, "vgg16 with batch normalisation"),
    model!(
        "vgg19",
        E,
        false,
        "sixteen 3×3 convolutions and three linear layers"
    ),
    model!("vgg19_bn", E, true, "vgg19 with batch normalisation"),
];

/// Channels of the five stages.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

/// `[n, c, h, w] → [n, classes]`; the means make 7×7 of any map.
fn network(
    network: &mut NetworkBuilder,
    stages: [usize; 5],
    norms: bool,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.linear_init(WeightInit::Normal { deviation: 0.01 });
    let mut x = network.input();
    // Layers are numbered through, activations and pools too.
    let mut place = 0;
    let mut next = || {
        place += 1;
        format!("features.{}", place - 1)
    };
    for (channels, convolutions) in CHANNELS.into_iter().zip(stages) {
        for _ in 0..convolutions {
            let desc = ConvDesc::new(width.channels(channels), 3).padding(1);
            x = network.conv(&next(), x, desc, true)?;
            if norms {
                x = network.batch_norm(&next(), x)?;
            }
            x = network.relu(x)?;
            next();
        }
        x = network.max_pool(&next(), x, PoolDesc::max(2).stride(2))?;
    }
    x = network.adaptive_average_pool("avgpool", x, 7)?;
    x = network.flatten(x)?;
    for layer in ["classifier.0", "classifier.3"] {
        x = network.linear(layer, x, width.channels(4096))?;
        x = network.relu(x)?;
        x = network.dropout(x, 0.5)?;
    }
    network.linear("classifier.6", x, classes)
}
