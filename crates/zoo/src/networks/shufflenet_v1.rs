//! ShuffleNet v1 (Zhang et al. 2017) for every number of groups of the paper's table 1.
//!
//! ```text
//! conv1 3×3 /2 24, bn1, relu ─▶ maxpool 3×3 /2 ─▶ stage2: 4 units ─▶ stage3: 8 ─▶ stage4: 4 ─▶ mean ─▶ fc
//! ```
//! The first unit of a stage halves the size and, from stage to stage, doubles the channels. The very first
//! pointwise convolution has no groups: only 24 channels come in. Parameters are named after the paper's layers, as
//! neither torchvision nor timm has the network.

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use crate::blocks::{ShuffleUnit, conv_norm};
use crate::{Model, Task, Width};

/// A ShuffleNet of so many groups, by the channels of its stage 2.
macro_rules! model {
    ($groups:literal, $channels:literal) => {
        Model {
            name: concat!("shufflenet_v1_g", $groups),
            summary: concat!(
                "grouped pointwise convolutions with shuffled channels, groups: ",
                $groups
            ),
            paper: "Zhang et al. 2017, ShuffleNet, arXiv:1707.01083",
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| network(builder, $groups, $channels, width, classes),
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(1, 144),
    model!(2, 200),
    model!(3, 240),
    model!(4, 272),
    model!(8, 384),
];

/// Units of the three stages.
const UNITS: [usize; 3] = [4, 8, 4];

/// `[n, c, h, w] → [n, classes]`.
fn network(
    network: &mut NetworkBuilder,
    groups: usize,
    channels: usize,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    // The stem, every stage and a quarter of each must divide into the groups.
    let stem = ConvDesc::new(width.multiple(24, groups), 3);
    let mut x = network.input();
    let relu = Some(Activation::Relu);
    let stem = stem.stride(2).padding(1);
    x = conv_norm(network, x, ["conv1", "bn1"], stem, relu)?;
    x = network.max_pool("maxpool", x, PoolDesc::max(3).stride(2).padding(1))?;
    for (stage, units) in UNITS.into_iter().enumerate() {
        let channels = width.multiple(channels << stage, 4 * groups);
        for unit in 0..units {
            let first = stage == 0 && unit == 0;
            let settings = ShuffleUnit {
                channels,
                stride: if unit == 0 { 2 } else { 1 },
                groups,
                first_groups: if first { 1 } else { groups },
            };
            x = network.scope(&format!("stage{}.{unit}", stage + 2), |network| {
                settings.build(network, x)
            })?;
        }
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}
