//! BN-Inception, the first Inception v2 (Ioffe and Szegedy 2015), with the names of the weights that were published
//! of it.
//!
//! ```text
//! conv1 7×7 /2 ─▶ pool /2 ─▶ conv2 1×1, 3×3 ─▶ pool /2
//!     ─▶ inception_3a, b ─▶ 3c /2 ─▶ 4a, b, c, d ─▶ 4e /2 ─▶ 5a, b ─▶ mean ─▶ last_linear
//! ```

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{
    InceptionBn, InceptionBnPool, conv_bias_norm_relu, inception_bn, inception_bn_reduction,
};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "bn_inception",
    summary: "Inception v2: batch normalisation, two 3×3 kernels for one of 5×5",
    paper: "Ioffe and Szegedy 2015, Batch normalization, arXiv:1502.03167",
    task: Task::Classification,
    input: [3, 224, 224],
    classes: 1000,
    network,
}];

/// What stands at a place of the network.
enum Block {
    /// Six numbers of channels, in the order of [`InceptionBn`].
    Inception([usize; 6], InceptionBnPool),
    /// The branch of one 3×3 convolution and that of two.
    Reduction([usize; 2], [usize; 2]),
}

use Block::{Inception, Reduction};
use InceptionBnPool::{Average, Max};

const BLOCKS: [(&str, Block); 10] = [
    ("3a", Inception([64, 64, 64, 64, 96, 32], Average)),
    ("3b", Inception([64, 64, 96, 64, 96, 64], Average)),
    ("3c", Reduction([128, 160], [64, 96])),
    ("4a", Inception([224, 64, 96, 96, 128, 128], Average)),
    ("4b", Inception([192, 96, 128, 96, 128, 128], Average)),
    ("4c", Inception([160, 128, 160, 128, 160, 128], Average)),
    ("4d", Inception([96, 128, 192, 160, 192, 128], Average)),
    ("4e", Reduction([128, 192], [192, 256])),
    ("5a", Inception([352, 192, 320, 160, 224, 128], Average)),
    ("5b", Inception([352, 192, 320, 192, 224, 128], Max)),
];

/// `[n, c, h, w] → [n, classes]`
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::XavierUniform);
    let c = |channels| width.channels(channels);
    let halve = PoolDesc::max(3).stride(2).ceil(true);
    let stem = ConvDesc::new(c(64), 7).stride(2).padding(3);
    let detail = ConvDesc::new(c(192), 3).padding(1);

    let mut x = network.input();
    x = conv_bias_norm_relu(network, "conv1_7x7_s2", x, stem)?;
    x = network.max_pool("pool1_3x3_s2", x, halve.clone())?;
    x = conv_bias_norm_relu(network, "conv2_3x3_reduce", x, ConvDesc::new(c(64), 1))?;
    x = conv_bias_norm_relu(network, "conv2_3x3", x, detail)?;
    x = network.max_pool("pool2_3x3_s2", x, halve)?;
    for (name, block) in BLOCKS {
        let name = format!("inception_{name}");
        x = match block {
            Inception(channels, pool) => {
                let [pointwise, reduce3, conv3, reduce_double, double, projection] =
                    channels.map(c);
                let channels = InceptionBn {
                    pointwise,
                    reduce3,
                    conv3,
                    reduce_double,
                    double,
                    projection,
                    pool,
                };
                inception_bn(network, &name, x, channels)?
            }
            Reduction(single, double) => {
                inception_bn_reduction(network, &name, x, single.map(c), double.map(c))?
            }
        };
    }
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    network.linear("last_linear", x, classes)
}
