//! Inception-ResNet v1 and v2 (Szegedy et al. 2016): v1 as facenet-pytorch builds and names it for faces, v2 as timm
//! does for ImageNet.
//!
//! ```text
//! stem /8 ─▶ 5 | 10 × A ─▶ mixed_6a /2 ─▶ 10 | 20 × B ─▶ mixed_7a /2 ─▶ 5 | 9 × C ─▶ block8: C, linear
//!     v1: ─▶ mean ─▶ last_linear, last_bn: 512 features ─▶ logits
//!     v2: ─▶ conv2d_7b 1×1 ─▶ mean ─▶ classif
//! ```

use geometry::ConvDesc;
use graph::{BatchNormOptions, GraphError, NetworkBuilder, ValueId, WeightInit};

use super::inception_v4::PAPER;
use crate::blocks::{
    Ending, InceptionResnet, conv_norm_relu, inception_resnet_a, inception_resnet_b,
    inception_resnet_c, inception_resnet_reduction_a, inception_resnet_reduction_b,
    inception_resnet_stem,
};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "inception_resnet_v1",
        summary: "Inception with residual connections, as used for faces",
        paper: PAPER,
        task: Task::Classification,
        input: [3, 160, 160],
        classes: 8631,
        network: v1,
    },
    Model {
        name: "inception_resnet_v2",
        summary: "Inception with residual connections, wider",
        paper: PAPER,
        task: Task::Classification,
        input: [3, 299, 299],
        classes: 1000,
        network: v2,
    },
];

/// Factors on the residuals of blocks A, B and C.
const SCALES: [f32; 3] = [0.17, 0.1, 0.2];

/// `[n, c, h, w] → [n, classes]`, by way of 512 numbers that describe a face.
fn v1(network: &mut NetworkBuilder, width: Width, classes: usize) -> Result<ValueId, GraphError> {
    let repeats = [("repeat_1", 5), ("repeat_2", 10), ("repeat_3", 5)];
    let x = body(network, InceptionResnet::V1, repeats, width)?;
    let x = network.global_average_pool(x)?;
    let x = network.dropout(x, 0.6)?;
    let x = network.flatten(x)?;
    let x = network.linear_without_bias("last_linear", x, width.channels(512))?;
    let options = BatchNormOptions {
        epsilon: 1e-3,
        ..BatchNormOptions::default()
    };
    let x = network.batch_norm_with("last_bn", x, options)?;
    network.linear("logits", x, classes)
}

/// `[n, c, h, w] → [n, classes]`
fn v2(network: &mut NetworkBuilder, width: Width, classes: usize) -> Result<ValueId, GraphError> {
    let repeats = [("repeat", 10), ("repeat_1", 20), ("repeat_2", 9)];
    let x = body(network, InceptionResnet::V2, repeats, width)?;
    let mixed = ConvDesc::new(width.channels(1536), 1);
    let x = conv_norm_relu(network, "conv2d_7b", x, mixed)?;
    let x = network.global_average_pool(x)?;
    let x = network.flatten(x)?;
    let x = network.dropout(x, 0.2)?;
    network.linear("classif", x, classes)
}

/// Everything up to the last block: names and numbers of blocks A, B and C.
fn body(
    network: &mut NetworkBuilder,
    version: InceptionResnet,
    [(first, a), (second, b), (third, c)]: [(&str, usize); 3],
    width: Width,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::KaimingNormalFanIn);
    let [scale_a, scale_b, scale_c] = SCALES;
    let mut x = network.input();
    x = inception_resnet_stem(network, x, version, width)?;
    for block in 0..a {
        x = network.scope(&format!("{first}.{block}"), |network| {
            inception_resnet_a(network, x, version, width, scale_a)
        })?;
    }
    x = network.scope("mixed_6a", |network| {
        inception_resnet_reduction_a(network, x, version, width)
    })?;
    for block in 0..b {
        x = network.scope(&format!("{second}.{block}"), |network| {
            inception_resnet_b(network, x, version, width, scale_b)
        })?;
    }
    x = network.scope("mixed_7a", |network| {
        inception_resnet_reduction_b(network, x, version, width)
    })?;
    for block in 0..c {
        x = network.scope(&format!("{third}.{block}"), |network| {
            inception_resnet_c(network, x, version, width, scale_c, Ending::Relu)
        })?;
    }
    network.scope("block8", |network| {
        inception_resnet_c(network, x, version, width, 1.0, Ending::Linear)
    })
}
