//! Blocks that append: dense layers, blocks and transitions.

use super::BlockExample;
use crate::blocks::{bottleneck_dense_layer, dense_block, dense_layer, transition};

const DENSENET: &str = "Huang et al. 2016, arXiv:1608.06993";

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "dense-layer",
        summary: "3×3 whose maps the block appends",
        paper: DENSENET,
        input: [64, 56, 56],
        build: |network, x| {
            let y = dense_layer(network, x, 32)?;
            network.concat(&[x, y])
        },
    },
    BlockExample {
        name: "dense-bottleneck",
        summary: "1×1 to four times the growth, then 3×3",
        paper: DENSENET,
        input: [64, 56, 56],
        build: |network, x| {
            let y = bottleneck_dense_layer(network, x, 32, 4)?;
            network.concat(&[x, y])
        },
    },
    BlockExample {
        name: "dense-block",
        summary: "four layers, each of which reads all before it",
        paper: DENSENET,
        input: [16, 32, 32],
        build: |network, x| dense_block(network, x, 4, 12, None),
    },
    BlockExample {
        name: "dense-transition",
        summary: "1×1 and a mean pool between two dense blocks",
        paper: DENSENET,
        input: [256, 56, 56],
        build: |network, x| transition(network, x, 128),
    },
];
