//! MobileNet v2 (Sandler et al. 2018), as torchvision builds and names it.
//!
//! ```text
//! 3×3 /2 32, bn, relu6 ─▶ 17 inverted residuals in 7 stages ─▶ 1×1 1280, bn, relu6 ─▶ mean ─▶ dropout ─▶ classifier
//! ```

use geometry::ConvDesc;
use graph::{Activation, GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{conv_norm, inverted_residual};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "mobilenet_v2",
    summary: "inverted residuals with linear bottlenecks for small devices",
    paper: "Sandler et al. 2018, MobileNetV2, arXiv:1801.04381",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// Expansion, channels, blocks and stride of the first block of the seven stages (table 2).
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// Channels are multiples of this.
const DIVISOR: usize = 8;

/// `[n, c, h, w] → [n, classes]`; the multiplier thins every layer but the last, which it can only widen.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.linear_init(WeightInit::Normal { deviation: 0.01 });
    let relu6 = Some(Activation::Relu6);
    let mut x = network.input();
    let mut blocks = 0;
    x = network.scope("features", |network| {
        let stem = ConvDesc::new(width.multiple(32, DIVISOR), 3);
        let stem = stem.stride(2).padding(1);
        x = conv_norm(network, x, ["0.0", "0.1"], stem, relu6)?;
        for (expansion, channels, repeats, stride) in STAGES {
            for block in 0..repeats {
                blocks += 1;
                let stride = if block == 0 { stride } else { 1 };
                let channels = width.multiple(channels, DIVISOR);
                x = network.scope(&blocks.to_string(), |network| {
                    inverted_residual(network, x, channels, stride, expansion)
                })?;
            }
        }
        let last = ConvDesc::new(width.at_least_one().multiple(1280, DIVISOR), 1);
        let [conv, norm] = [0, 1].map(|part| format!("{}.{part}", blocks + 1));
        conv_norm(network, x, [&conv, &norm], last, relu6)
    })?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    x = network.dropout(x, 0.2)?;
    network.linear("classifier.1", x, classes)
}
