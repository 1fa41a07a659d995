//! U-Net (Ronneberger et al. 2015) as it is mostly built today: convolutions are padded, so that the result has the
//! size of the image, and batch-normalised.
//!
//! ```text
//! inc 64 ───────────────────────────────────────────────▶ up4 64 ─▶ outc 1×1 to the classes
//!   └▶ down1 128 ─────────────────────────────▶ up3 128 ──┘
//!        └▶ down2 256 ──────────────▶ up2 256 ──┘
//!             └▶ down3 512 ─▶ up1 512 ──┘
//!                  └▶ down4 1024 ─┘
//! ```

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::extents::channels as channels_of;
use crate::blocks::{double_conv, unet_down, unet_up};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "unet",
    summary: "segmentation down to a sixteenth of the size and up again, with skips",
    paper: "Ronneberger et al. 2015, U-Net, arXiv:1505.04597",
    task: Task::Segmentation,
    input: [3, 256, 256],
    classes: 2,
    network,
}];

/// Channels on the way down.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 1024];

/// `[n, c, h, w] → [n, classes, h, w]`.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::UniformFanIn);
    let [first, deeper @ ..] = CHANNELS.map(|channels| width.channels(channels));
    let x = network.input();
    let mut x = network.scope("inc", |network| double_conv(network, x, first))?;
    let mut skips = Vec::new();
    for (step, channels) in (1..).zip(deeper) {
        skips.push(x);
        x = network.scope(&format!("down{step}"), |network| {
            unet_down(network, x, channels)
        })?;
    }
    for (step, skip) in (1..).zip(skips.into_iter().rev()) {
        let channels = channels_of(network, skip)?;
        x = network.scope(&format!("up{step}"), |network| {
            unet_up(network, x, skip, channels)
        })?;
    }
    network.conv("outc.conv", x, ConvDesc::new(classes, 1), true)
}
