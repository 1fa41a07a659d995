//! Residual blocks: basic, bottleneck, pre-activation, grouped, deformable.

use super::BlockExample;
use crate::blocks::{
    Bottleneck, Sampling, basic_preactivation, basic_residual, bottleneck_preactivation,
    bottleneck_residual,
};

const RESNET: &str = "He et al. 2015, arXiv:1512.03385";
const IDENTITY: &str = "He et al. 2016, arXiv:1603.05027";
const DEFORMABLE: &str = "Dai et al. 2017, arXiv:1703.06211";

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "residual-basic",
        summary: "two 3×3 beside the identity (figure 5, left)",
        paper: RESNET,
        input: [64, 56, 56],
        build: |network, x| basic_residual(network, x, 64, 1),
    },
    BlockExample {
        name: "residual-basic-down",
        summary: "the same that halves the map, with a projection",
        paper: RESNET,
        input: [64, 56, 56],
        build: |network, x| basic_residual(network, x, 128, 2),
    },
    BlockExample {
        name: "residual-bottleneck",
        summary: "3×3 between two 1×1, beside the identity (figure 5, right)",
        paper: RESNET,
        input: [256, 56, 56],
        build: |network, x| bottleneck_residual(network, x, 64, 1),
    },
    BlockExample {
        name: "residual-bottleneck-down",
        summary: "the same that halves the map, with a projection",
        paper: RESNET,
        input: [256, 56, 56],
        build: |network, x| bottleneck_residual(network, x, 128, 2),
    },
    BlockExample {
        name: "residual-preactivation",
        summary: "norm and ReLU before each of two 3×3",
        paper: IDENTITY,
        input: [64, 56, 56],
        build: |network, x| basic_preactivation(network, x, 64, 1),
    },
    BlockExample {
        name: "residual-preactivation-bottleneck",
        summary: "norm and ReLU before each of 1×1, 3×3, 1×1",
        paper: IDENTITY,
        input: [256, 56, 56],
        build: |network, x| bottleneck_preactivation(network, x, 64, 1),
    },
    BlockExample {
        name: "residual-grouped",
        summary: "a bottleneck whose 3×3 has 32 groups",
        paper: "Xie et al. 2016, arXiv:1611.05431",
        input: [256, 56, 56],
        build: |network, x| {
            let block = Bottleneck {
                middle: 128,
                out: 256,
                groups: 32,
                ..Bottleneck::new(64, 1)
            };
            block.build(network, x)
        },
    },
    BlockExample {
        name: "residual-deformable",
        summary: "a bottleneck whose 3×3 learns where to look",
        paper: DEFORMABLE,
        input: [2048, 14, 14],
        build: |network, x| {
            let block = Bottleneck {
                sampling: Sampling::Deformable,
                ..Bottleneck::new(512, 1)
            };
            block.build(network, x)
        },
    },
    BlockExample {
        name: "residual-modulated",
        summary: "the same, whose samples have weights",
        paper: "Zhu et al. 2018, arXiv:1811.11168",
        input: [2048, 14, 14],
        build: |network, x| {
            let block = Bottleneck {
                sampling: Sampling::Modulated,
                ..Bottleneck::new(512, 1)
            };
            block.build(network, x)
        },
    },
];
