//! ZFNet (Zeiler & Fergus 2013), AlexNet with a finer first layer, which its authors chose by looking at what the
//! layers had learned.
//!
//! ```text
//! 7×7 /2 96 ─▶ max 3×3 /2 ─▶ norm ─▶ 5×5 /2 256 ─▶ max ─▶ norm ─▶ 3×3 384 ─▶ 3×3 384 ─▶ 3×3 256 ─▶ max
//!     ─▶ dropout ─▶ 4096 ─▶ dropout ─▶ 4096 ─▶ classes
//! ```
//! Sizes are those of the paper's figure 3: maps of 110, 55, 26, 13 and 6 pixels on images of 224. The paper says no
//! more of the normalisation than that it is across maps; its settings here are those of AlexNet.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, LocalResponse, NetworkBuilder, ValueId, WeightInit};

use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "zfnet",
    summary: "AlexNet with a finer first layer",
    paper: "Zeiler & Fergus 2013, Visualizing and understanding convolutional networks, arXiv:1311.2901",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// `[n, c, h, w] → [n, classes]`; means make 6×6 of maps of another size.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let conv = |channels, kernel| ConvDesc::new(width.channels(channels), kernel);
    let pool = PoolDesc::max(3).stride(2).ceil(true);
    let response = LocalResponse {
        alpha: 5.0 * 1e-4,
        k: 2.0,
        ..LocalResponse::new(5)
    };
    let init = WeightInit::Normal { deviation: 0.01 };
    network.conv_init(init).linear_init(init);
    let mut x = network.input();
    for (layer, desc) in (1..).zip([conv(96, 7).stride(2).padding(1), conv(256, 5).stride(2)]) {
        x = network.conv(&format!("conv{layer}"), x, desc, true)?;
        x = network.relu(x)?;
        x = network.max_pool(&format!("pool{layer}"), x, pool.clone())?;
        x = network.local_response_norm(x, response)?;
    }
    for (layer, channels) in (3..).zip([384, 384, 256]) {
        x = network.conv(
            &format!("conv{layer}"),
            x,
            conv(channels, 3).padding(1),
            true,
        )?;
        x = network.relu(x)?;
    }
    x = network.max_pool("pool5", x, pool)?;
    x = network.adaptive_average_pool("avgpool", x, 6)?;
    x = network.flatten(x)?;
    for layer in ["fc6", "fc7"] {
        x = network.dropout(x, 0.5)?;
        x = network.linear(layer, x, width.channels(4096))?;
        x = network.relu(x)?;
    }
    network.linear("fc8", x, classes)
}
