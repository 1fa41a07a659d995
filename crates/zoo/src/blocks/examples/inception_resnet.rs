//! Inception blocks beside an identity, of both versions.

use super::BlockExample;
use super::inception::V4;
use crate::Width;
use crate::blocks::{
    Ending, InceptionResnet, inception_resnet_a, inception_resnet_b, inception_resnet_c,
    inception_resnet_reduction_a, inception_resnet_reduction_b, inception_resnet_stem,
};

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "inception-resnet-v1-stem",
        summary: "from the image to 35×35 (figure 14)",
        paper: V4,
        input: [3, 299, 299],
        build: |network, x| {
            inception_resnet_stem(network, x, InceptionResnet::V1, Width::default())
        },
    },
    BlockExample {
        name: "inception-resnet-v1-a",
        summary: "the block on 35×35 (figure 10)",
        paper: V4,
        input: [256, 35, 35],
        build: |network, x| {
            inception_resnet_a(network, x, InceptionResnet::V1, Width::default(), 0.17)
        },
    },
    BlockExample {
        name: "inception-resnet-v1-b",
        summary: "the block on 17×17 (figure 11)",
        paper: V4,
        input: [896, 17, 17],
        build: |network, x| {
            inception_resnet_b(network, x, InceptionResnet::V1, Width::default(), 0.1)
        },
    },
    BlockExample {
        name: "inception-resnet-v1-c",
        summary: "the block on 8×8 (figure 13)",
        paper: V4,
        input: [1792, 8, 8],
        build: |network, x| {
            inception_resnet_c(
                network,
                x,
                InceptionResnet::V1,
                Width::default(),
                0.2,
                Ending::Relu,
            )
        },
    },
    BlockExample {
        name: "inception-resnet-v1-reduction-a",
        summary: "from 35×35 to 17×17 (figure 7, table 1)",
        paper: V4,
        input: [256, 35, 35],
        build: |network, x| {
            inception_resnet_reduction_a(network, x, InceptionResnet::V1, Width::default())
        },
    },
    BlockExample {
        name: "inception-resnet-v1-reduction-b",
        summary: "from 17×17 to 8×8 (figure 12)",
        paper: V4,
        input: [896, 17, 17],
        build: |network, x| {
            inception_resnet_reduction_b(network, x, InceptionResnet::V1, Width::default())
        },
    },
    BlockExample {
        name: "inception-resnet-v2-stem",
        summary: "from the image to 35×35, as published weights have it",
        paper: V4,
        input: [3, 299, 299],
        build: |network, x| {
            inception_resnet_stem(network, x, InceptionResnet::V2, Width::default())
        },
    },
    BlockExample {
        name: "inception-resnet-v2-a",
        summary: "the block on 35×35 (figure 16)",
        paper: V4,
        input: [320, 35, 35],
        build: |network, x| {
            inception_resnet_a(network, x, InceptionResnet::V2, Width::default(), 0.17)
        },
    },
    BlockExample {
        name: "inception-resnet-v2-b",
        summary: "the block on 17×17 (figure 17)",
        paper: V4,
        input: [1088, 17, 17],
        build: |network, x| {
            inception_resnet_b(network, x, InceptionResnet::V2, Width::default(), 0.1)
        },
    },
    BlockExample {
        name: "inception-resnet-v2-c",
        summary: "the block on 8×8 (figure 19)",
        paper: V4,
        input: [2080, 8, 8],
        build: |network, x| {
            inception_resnet_c(
                network,
                x,
                InceptionResnet::V2,
                Width::default(),
                0.2,
                Ending::Relu,
            )
        },
    },
    BlockExample {
        name: "inception-resnet-v2-reduction-a",
        summary: "from 35×35 to 17×17 (figure 7, table 1)",
        paper: V4,
        input: [320, 35, 35],
        build: |network, x| {
            inception_resnet_reduction_a(network, x, InceptionResnet::V2, Width::default())
        },
    },
    BlockExample {
        name: "inception-resnet-v2-reduction-b",
        summary: "from 17×17 to 8×8 (figure 18)",
        paper: V4,
        input: [1088, 17, 17],
        build: |network, x| {
            inception_resnet_reduction_b(network, x, InceptionResnet::V2, Width::default())
        },
    },
];
