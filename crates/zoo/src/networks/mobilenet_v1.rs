//! MobileNet v1 (Howard et al. 2017), as timm builds and names it.
//!
//! ```text
//! conv_stem 3×3 /2, bn1, relu6 ─▶ 13 depthwise-separable blocks in 5 stages ─▶ mean ─▶ classifier
//! ```

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use crate::blocks::depthwise_separable;
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "mobilenet_v1",
    summary: "depthwise-separable convolutions for small devices",
    paper: "Howard et al. 2017, MobileNets, arXiv:1704.04861",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// Channels, blocks and stride of the first block of the five stages.
const STAGES: [(usize, usize, usize); 5] = [
    (64, 1, 1),
    (128, 2, 2),
    (256, 2, 2),
    (512, 6, 2),
    (1024, 2, 2),
];

/// `[n, c, h, w] → [n, classes]`; the multiplier thins every layer, the stem included.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let stem = ConvDesc::new(width.channels(32), 3).stride(2).padding(1);
    let mut x = network.input();
    x = network.conv("conv_stem", x, stem, false)?;
    x = network.batch_norm("bn1", x)?;
    x = network.relu6(x)?;
    for (stage, (channels, blocks, stride)) in STAGES.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            x = network.scope(&format!("blocks.{stage}.{block}"), |network| {
                depthwise_separable(network, x, width.channels(channels), stride)
            })?;
        }
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("classifier", x, classes)
}
