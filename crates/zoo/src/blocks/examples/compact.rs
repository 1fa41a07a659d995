//! Blocks of networks with few weights and little arithmetic.

use super::BlockExample;
use crate::blocks::{
    ShuffleUnit, XceptionBlock, depthwise_separable, fire, inverted_residual, shuffle_unit_v2,
    shuffle_unit_v2_down, squeeze_excite, xception_block,
};

const SHUFFLENET_V1: &str = "Zhang et al. 2017, arXiv:1707.01083";
const SHUFFLENET_V2: &str = "Ma et al. 2018, arXiv:1807.11164";

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "fire",
        summary: "few channels, then many by 1×1 and 3×3",
        paper: "Iandola et al. 2016, arXiv:1602.07360",
        input: [96, 55, 55],
        build: |network, x| fire(network, x, 16, 64),
    },
    BlockExample {
        name: "depthwise-separable",
        summary: "a filter a channel, then a mixture of channels (MobileNet v1)",
        paper: "Howard et al. 2017, arXiv:1704.04861",
        input: [64, 56, 56],
        build: |network, x| depthwise_separable(network, x, 128, 1),
    },
    BlockExample {
        name: "inverted-residual",
        summary: "wide inside, narrow outside (MobileNet v2)",
        paper: "Sandler et al. 2018, arXiv:1801.04381",
        input: [24, 56, 56],
        build: |network, x| inverted_residual(network, x, 24, 1, 6),
    },
    BlockExample {
        name: "inverted-residual-down",
        summary: "the same that halves the map, without the identity",
        paper: "Sandler et al. 2018, arXiv:1801.04381",
        input: [24, 56, 56],
        build: |network, x| inverted_residual(network, x, 32, 2, 6),
    },
    BlockExample {
        name: "xception",
        summary: "three separable convolutions beside the identity",
        paper: "Chollet 2016, arXiv:1610.02357",
        input: [728, 19, 19],
        build: |network, x| {
            let block = XceptionBlock {
                channels: &[728, 728, 728],
                stride: 1,
                leading_relu: true,
            };
            xception_block(network, x, &block)
        },
    },
    BlockExample {
        name: "shuffle-v1",
        summary: "grouped 1×1, shuffle, depthwise 3×3, grouped 1×1",
        paper: SHUFFLENET_V1,
        input: [240, 28, 28],
        build: |network, x| {
            let unit = ShuffleUnit {
                channels: 240,
                stride: 1,
                groups: 3,
                first_groups: 3,
            };
            unit.build(network, x)
        },
    },
    BlockExample {
        name: "shuffle-v1-down",
        summary: "the same that halves the map and appends",
        paper: SHUFFLENET_V1,
        input: [240, 28, 28],
        build: |network, x| {
            let unit = ShuffleUnit {
                channels: 480,
                stride: 2,
                groups: 3,
                first_groups: 3,
            };
            unit.build(network, x)
        },
    },
    BlockExample {
        name: "shuffle-v2",
        summary: "half of the channels pass, half are convolved",
        paper: SHUFFLENET_V2,
        input: [116, 28, 28],
        build: shuffle_unit_v2,
    },
    BlockExample {
        name: "shuffle-v2-down",
        summary: "the same that halves the map",
        paper: SHUFFLENET_V2,
        input: [116, 28, 28],
        build: |network, x| shuffle_unit_v2_down(network, x, 232),
    },
    BlockExample {
        name: "squeeze-excite",
        summary: "a factor for every channel, from the means of all",
        paper: "Hu et al. 2017, arXiv:1709.01507",
        input: [64, 56, 56],
        build: |network, x| squeeze_excite(network, x, 4),
    },
];
