//! ShuffleNet v2 (Ma et al. 2018), as torchvision builds and names it.
//!
//! ```text
//! conv1 3×3 /2 24, bn, relu ─▶ maxpool 3×3 /2 ─▶ stage2: 4 units ─▶ stage3: 8 ─▶ stage4: 4
//!     ─▶ conv5 1×1, bn, relu ─▶ mean ─▶ fc
//! ```
//! The first unit of a stage halves the size.

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{conv_norm, shuffle_unit_v2, shuffle_unit_v2_down};
use crate::{Model, Task, Width};

/// A ShuffleNet v2 by the channels of its three stages and of the layer behind them.
macro_rules! model {
    ($name:literal, $stages:expr, $last:literal, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: "Ma et al. 2018, ShuffleNet V2, arXiv:1807.11164",
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| network(builder, $stages, $last, width, classes),
        }
    };
}

pub(crate) const MODELS: &[Model] = &[
    model!(
        "shufflenet_v2_x0_5",
        [48, 96, 192],
        1024,
        "split, half left alone and shuffled; half the width"
    ),
    model!(
        "shufflenet_v2_x1_0",
        [116, 232, 464],
        1024,
        "split, half left alone and shuffled"
    ),
    model!(
        "shufflenet_v2_x1_5",
        [176, 352, 704],
        1024,
        "split, half left alone and shuffled; one and a half of the width"
    ),
    model!(
        "shufflenet_v2_x2_0",
        [244, 488, 976],
        2048,
        "split, half left alone and shuffled; twice the width"
    ),
];

/// Units of the three stages.
const UNITS: [usize; 3] = [4, 8, 4];

/// `[n, c, h, w] → [n, classes]`; the multiplier comes on top of the widths of table 5.
fn network(
    network: &mut NetworkBuilder,
    channels: [usize; 3],
    last: usize,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::UniformFanIn);
    let relu = Some(Activation::Relu);
    let stem = ConvDesc::new(width.channels(24), 3).stride(2).padding(1);
    let mut x = network.input();
    x = conv_norm(network, x, ["conv1.0", "conv1.1"], stem, relu)?;
    x = network.max_pool("maxpool", x, PoolDesc::max(3).stride(2).padding(1))?;
    for (stage, (channels, units)) in (2..).zip(channels.into_iter().zip(UNITS)) {
        for unit in 0..units {
            x = network.scope(&format!("stage{stage}.{unit}"), |network| match unit {
                0 => shuffle_unit_v2_down(network, x, width.multiple(channels, 2)),
                _ => shuffle_unit_v2(network, x),
            })?;
        }
    }
    let last = ConvDesc::new(width.channels(last), 1);
    x = conv_norm(network, x, ["conv5.0", "conv5.1"], last, relu)?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}
