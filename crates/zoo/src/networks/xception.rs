//! Xception (Chollet 2016), as timm builds and names it.
//!
//! ```text
//! conv1 3×3 /2 ─▶ conv2 3×3 ─▶ block1, 2, 3: /2 each ─▶ block4 … 11: 728 channels ─▶ block12 /2
//!     ─▶ conv3, conv4: separable ─▶ mean ─▶ fc
//! ```

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use crate::blocks::{XceptionBlock, xception_block, xception_separable};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "xception",
    summary: "Inception taken to its end: separable convolutions with shortcuts",
    paper: "Chollet 2016, Xception, arXiv:1610.02357",
    task: Task::Classification,
    input: [3, 299, 299],
    classes: 1000,
    network,
}];

/// Blocks of the middle, all alike.
const MIDDLE: usize = 8;

/// `[n, c, h, w] → [n, classes]`
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let mut x = network.input();
    x = network.conv("conv1", x, ConvDesc::new(c(32), 3).stride(2), false)?;
    x = network.batch_norm("bn1", x)?;
    x = network.relu(x)?;
    x = network.conv("conv2", x, ConvDesc::new(c(64), 3), false)?;
    x = network.batch_norm("bn2", x)?;
    x = network.relu(x)?;

    let entry = [128, 256, 728].map(|channels| (vec![c(channels); 2], 2));
    let middle = std::iter::repeat_n((vec![c(728); 3], 1), MIDDLE);
    let exit = (vec![c(728), c(1024)], 2);
    let blocks = entry.into_iter().chain(middle).chain([exit]);
    for (place, (channels, stride)) in (1..).zip(blocks) {
        let block = XceptionBlock {
            channels: &channels,
            stride,
            // The first stands behind a ReLU.
            leading_relu: place > 1,
        };
        x = network.scope(&format!("block{place}"), |network| {
            xception_block(network, x, &block)
        })?;
    }

    for (place, channels) in [(3, 1536), (4, 2048)] {
        x = xception_separable(network, &format!("conv{place}"), x, c(channels))?;
        x = network.batch_norm(&format!("bn{place}"), x)?;
        x = network.relu(x)?;
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    x = network.dropout(x, 0.5)?;
    network.linear("fc", x, classes)
}
