//! AlexNet in one tower (Krizhevsky 2014), as torchvision builds and names it: the network of Krizhevsky et al. 2012
//! without its split over two devices and without response normalisation.
//!
//! ```text
//! 11×11 /4 64 ─▶ max 3×3 /2 ─▶ 5×5 192 ─▶ max ─▶ 3×3 384 ─▶ 3×3 256 ─▶ 3×3 256 ─▶ max ─▶ 6×6 means
//!     ─▶ dropout ─▶ 4096 ─▶ dropout ─▶ 4096 ─▶ classes
//! ```

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "alexnet",
    summary: "five convolutions and three linear layers, the first to win on ImageNet",
    paper: "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// `[n, c, h, w] → [n, classes]`; the means make 6×6 of any map.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let conv = |channels, kernel| ConvDesc::new(width.channels(channels), kernel);
    // Place among the features, the convolution, and whether a pool follows.
    let layers = [
        (0, conv(64, 11).stride(4).padding(2), true),
        (3, conv(192, 5).padding(2), true),
        (6, conv(384, 3).padding(1), false),
        (8, conv(256, 3).padding(1), false),
        (10, conv(256, 3).padding(1), true),
    ];
    network.conv_init(WeightInit::UniformFanIn);
    let mut x = network.input();
    for (place, desc, pooled) in layers {
        x = network.conv(&format!("features.{place}"), x, desc, true)?;
        x = network.relu(x)?;
        if pooled {
            let pool = PoolDesc::max(3).stride(2);
            x = network.max_pool(&format!("features.{}", place + 2), x, pool)?;
        }
    }
    x = network.adaptive_average_pool("avgpool", x, 6)?;
    x = network.flatten(x)?;
    for layer in ["classifier.1", "classifier.4"] {
        x = network.dropout(x, 0.5)?;
        x = network.linear(layer, x, width.channels(4096))?;
        x = network.relu(x)?;
    }
    network.linear("classifier.6", x, classes)
}
