//! Every block once, with the sizes that its paper or network gives it: what can be looked at by a name.

use geometry::PoolDesc;
use graph::{Graph, GraphError, NetworkBuilder, ValueId};

use super::{
    Bottleneck, Ending, InceptionBn, InceptionBnPool, InceptionResnet, InceptionV1, InceptionV2A,
    InceptionV2B, InceptionV2C, ReductionA, Sampling, ShuffleUnit, WideKernel, XceptionBlock, aspp,
    basic_preactivation, basic_residual, bottleneck_dense_layer, bottleneck_preactivation,
    bottleneck_residual, dense_block, dense_layer, depthwise_separable, double_conv, fire,
    generator_step, inception_bn, inception_bn_reduction, inception_reduction_a,
    inception_resnet_a, inception_resnet_b, inception_resnet_c, inception_resnet_reduction_a,
    inception_resnet_reduction_b, inception_resnet_stem, inception_v1, inception_v1_naive,
    inception_v2_a, inception_v2_b, inception_v2_c, inception_v3_a, inception_v3_b, inception_v3_c,
    inception_v3_d, inception_v3_e, inception_v3_stem, inception_v4_a, inception_v4_b,
    inception_v4_c, inception_v4_reduction_b, inception_v4_stem, inverted_residual,
    shuffle_unit_v2, shuffle_unit_v2_down, squeeze_excite, transition, unet_up, xception_block,
};
use crate::registry::nearest_of;
use crate::{Width, ZooError};

/// A block with the sizes of a place where it stands.
#[derive(Debug)]
pub struct BlockExample {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// Channels, height and width of what comes in.
    pub input: [usize; 3],
    build: fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
}

impl BlockExample {
    /// The block as a graph of its own, on one map.
    ///
    /// # Errors
    /// None, unless a block is changed so that it no longer fits its own example.
    pub fn graph(&self) -> Result<Graph, ZooError> {
        let [channels, height, width] = self.input;
        let mut network = NetworkBuilder::new(self.name, [1, channels, height, width]);
        let x = network.input();
        (self.build)(&mut network, x)
            .and_then(|y| network.finish(y))
            .map_err(|source| ZooError::Graph {
                name: self.name.to_owned(),
                source,
            })
    }
}

/// Every block by its name.
///
/// ```
/// let block = zoo::blocks::example("inception-v4-a")?.graph()?;
/// assert_eq!(block.value(block.outputs[0]).shape, [1, 384, 35, 35]);
/// # Ok::<(), zoo::ZooError>(())
/// ```
///
/// # Errors
/// [`ZooError::UnknownBlock`] with the nearest names.
pub fn example(name: &str) -> Result<&'static BlockExample, ZooError> {
    let found = EXAMPLES.iter().find(|block| block.name == name);
    found.ok_or_else(|| ZooError::UnknownBlock {
        name: name.to_owned(),
        nearest: nearest_of(EXAMPLES.iter().map(|block| block.name), name),
    })
}

/// All of them, in the order of publication.
pub fn examples() -> impl Iterator<Item = &'static BlockExample> {
    EXAMPLES.iter()
}

const GOOGLENET: &str = "Szegedy et al. 2014, arXiv:1409.4842";
const RETHINKING: &str = "Szegedy et al. 2015, arXiv:1512.00567";
const RESNET: &str = "He et al. 2015, arXiv:1512.03385";
const IDENTITY: &str = "He et al. 2016, arXiv:1603.05027";
const V4: &str = "Szegedy et al. 2016, arXiv:1602.07261";
const DENSENET: &str = "Huang et al. 2016, arXiv:1608.06993";
const DEFORMABLE: &str = "Dai et al. 2017, arXiv:1703.06211";
const SHUFFLENET_V1: &str = "Zhang et al. 2017, arXiv:1707.01083";
const SHUFFLENET_V2: &str = "Ma et al. 2018, arXiv:1807.11164";

/// Channels of `inception (3a)` in table 1 of the first paper.
const INCEPTION_3A: InceptionV1 = InceptionV1 {
    pointwise: 64,
    reduce3: 96,
    conv3: 128,
    reduce5: 16,
    conv5: 32,
    pool: 32,
};

const EXAMPLES: &[BlockExample] = &[
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
    BlockExample {
        name: "fire",
        summary: "few channels, then many by 1×1 and 3×3",
        paper: "Iandola et al. 2016, arXiv:1602.07360",
        input: [96, 55, 55],
        build: |network, x| fire(network, x, 16, 64),
    },
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
