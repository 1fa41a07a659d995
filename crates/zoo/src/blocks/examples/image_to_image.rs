//! Blocks of networks that make maps: segmentation and generation.

use geometry::PoolDesc;

use super::BlockExample;
use crate::blocks::{aspp, double_conv, generator_step, unet_up};

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "aspp",
        summary: "convolutions of several dilations side by side (DeepLab v3)",
        paper: "Chen et al. 2017, arXiv:1706.05587",
        input: [2048, 28, 28],
        build: |network, x| aspp(network, x, 256, &[12, 24, 36]),
    },
    BlockExample {
        name: "unet-double-conv",
        summary: "two 3×3",
        paper: "Ronneberger et al. 2015, arXiv:1505.04597",
        input: [64, 128, 128],
        build: |network, x| double_conv(network, x, 64),
    },
    BlockExample {
        name: "unet-up",
        summary: "a transposed convolution meets the map of the way down",
        paper: "Ronneberger et al. 2015, arXiv:1505.04597",
        input: [64, 128, 128],
        build: |network, x| {
            let down = network.max_pool("down", x, PoolDesc::max(2).stride(2))?;
            unet_up(network, down, x, 64)
        },
    },
    BlockExample {
        name: "generator-step",
        summary: "a transposed convolution that doubles the map (DCGAN)",
        paper: "Radford et al. 2015, arXiv:1511.06434",
        input: [512, 8, 8],
        build: |network, x| generator_step(network, x, ["conv", "norm"], 256, 2, 1),
    },
];
