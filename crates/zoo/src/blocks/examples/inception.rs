//! Inception blocks, v1 to v4, with the channels of their networks.

use super::BlockExample;
use crate::Width;
use crate::blocks::{
    InceptionBn, InceptionBnPool, InceptionV1, InceptionV2A, InceptionV2B, InceptionV2C,
    ReductionA, WideKernel, inception_bn, inception_bn_reduction, inception_reduction_a,
    inception_v1, inception_v1_naive, inception_v2_a, inception_v2_b, inception_v2_c,
    inception_v3_a, inception_v3_b, inception_v3_c, inception_v3_d, inception_v3_e,
    inception_v3_stem, inception_v4_a, inception_v4_b, inception_v4_c, inception_v4_reduction_b,
    inception_v4_stem,
};

const GOOGLENET: &str = "Szegedy et al. 2014, arXiv:1409.4842";
const RETHINKING: &str = "Szegedy et al. 2015, arXiv:1512.00567";
pub(super) const V4: &str = "Szegedy et al. 2016, arXiv:1602.07261";

/// Channels of `inception (3a)` in table 1 of the first paper.
const INCEPTION_3A: InceptionV1 = InceptionV1 {
    pointwise: 64,
    reduce3: 96,
    conv3: 128,
    reduce5: 16,
    conv5: 32,
    pool: 32,
};

pub(super) const EXAMPLES: &[BlockExample] = &[
    BlockExample {
        name: "inception-v1-naive",
        summary: "kernels of three sizes and a pool side by side",
        paper: GOOGLENET,
        input: [192, 28, 28],
        build: |network, x| inception_v1_naive(network, x, [64, 128, 32]),
    },
    BlockExample {
        name: "inception-v1",
        summary: "the same with 1×1 reductions before the dear kernels",
        paper: GOOGLENET,
        input: [192, 28, 28],
        build: |network, x| inception_v1(network, x, INCEPTION_3A, WideKernel::Five),
    },
    BlockExample {
        name: "inception-bn",
        summary: "5×5 as two 3×3, every convolution normalised",
        paper: "Ioffe and Szegedy 2015, arXiv:1502.03167",
        input: [192, 28, 28],
        build: |network, x| {
            let channels = InceptionBn {
                pointwise: 64,
                reduce3: 64,
                conv3: 64,
                reduce_double: 64,
                double: 96,
                projection: 32,
                pool: InceptionBnPool::Average,
            };
            inception_bn(network, "inception_3a", x, channels)
        },
    },
    BlockExample {
        name: "inception-bn-reduction",
        summary: "the same that halves the map",
        paper: "Ioffe and Szegedy 2015, arXiv:1502.03167",
        input: [320, 28, 28],
        build: |network, x| {
            inception_bn_reduction(network, "inception_3c", x, [128, 160], [64, 96])
        },
    },
    BlockExample {
        name: "inception-v2-a",
        summary: "5×5 as two 3×3 (figure 5)",
        paper: RETHINKING,
        input: [288, 35, 35],
        build: |network, x| {
            let channels = InceptionV2A {
                pointwise: 64,
                reduce3: 64,
                conv3: 96,
                reduce_double: 64,
                double: 96,
                pool: 64,
            };
            inception_v2_a(network, x, channels)
        },
    },
    BlockExample {
        name: "inception-v2-b",
        summary: "7×7 as 1×7 and 7×1 (figure 6)",
        paper: RETHINKING,
        input: [768, 17, 17],
        build: |network, x| {
            let channels = InceptionV2B {
                pointwise: 192,
                hidden: 128,
                factorised: 192,
                pool: 192,
            };
            inception_v2_b(network, x, 7, channels)
        },
    },
    BlockExample {
        name: "inception-v2-c",
        summary: "1×3 and 3×1 side by side: wider (figure 7)",
        paper: RETHINKING,
        input: [1280, 8, 8],
        build: |network, x| {
            let channels = InceptionV2C {
                pointwise: 320,
                reduce: 384,
                reduce_double: 448,
                conv3: 384,
                side: 384,
                pool: 192,
            };
            inception_v2_c(network, x, channels)
        },
    },
    BlockExample {
        name: "inception-v3-stem",
        summary: "from the image to 35×35",
        paper: RETHINKING,
        input: [3, 299, 299],
        build: |network, x| inception_v3_stem(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v3-a",
        summary: "the block on 35×35",
        paper: RETHINKING,
        input: [192, 35, 35],
        build: |network, x| inception_v3_a(network, x, Width::default(), 32),
    },
    BlockExample {
        name: "inception-v3-b",
        summary: "from 35×35 to 17×17",
        paper: RETHINKING,
        input: [288, 35, 35],
        build: |network, x| inception_v3_b(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v3-c",
        summary: "the block on 17×17, with 7×7 factorised",
        paper: RETHINKING,
        input: [768, 17, 17],
        build: |network, x| inception_v3_c(network, x, Width::default(), 128),
    },
    BlockExample {
        name: "inception-v3-d",
        summary: "from 17×17 to 8×8",
        paper: RETHINKING,
        input: [768, 17, 17],
        build: |network, x| inception_v3_d(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v3-e",
        summary: "the wide block on 8×8",
        paper: RETHINKING,
        input: [1280, 8, 8],
        build: |network, x| inception_v3_e(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v4-stem",
        summary: "from the image to 35×35, of Inception v4 and Inception-ResNet v2 (figure 3)",
        paper: V4,
        input: [3, 299, 299],
        build: |network, x| inception_v4_stem(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v4-a",
        summary: "the block on 35×35 (figure 4)",
        paper: V4,
        input: [384, 35, 35],
        build: |network, x| inception_v4_a(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v4-b",
        summary: "the block on 17×17 (figure 5)",
        paper: V4,
        input: [1024, 17, 17],
        build: |network, x| inception_v4_b(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v4-c",
        summary: "the block on 8×8 (figure 6)",
        paper: V4,
        input: [1536, 8, 8],
        build: |network, x| inception_v4_c(network, x, Width::default()),
    },
    BlockExample {
        name: "inception-v4-reduction-a",
        summary: "from 35×35 to 17×17 (figure 7)",
        paper: V4,
        input: [384, 35, 35],
        build: |network, x| {
            let channels = ReductionA {
                k: 192,
                l: 224,
                m: 256,
                n: 384,
            };
            inception_reduction_a(network, x, Width::default(), channels)
        },
    },
    BlockExample {
        name: "inception-v4-reduction-b",
        summary: "from 17×17 to 8×8 (figure 8)",
        paper: V4,
        input: [1024, 17, 17],
        build: |network, x| inception_v4_reduction_b(network, x, Width::default()),
    },
];
