//! The blocks of Inception-ResNet v1 and v2 (Szegedy et al. 2016, arXiv:1602.07261), named as timm and facenet-pytorch
//! name them.
//!
//! The two versions differ in channels and stems. Channels are the published ones times a width multiplier.

use geometry::PoolDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::conv_norm::{chain, column, halving, pointwise, row, square};
use super::inception_v4::{ReductionA, inception_reduction_a, pooled};
use crate::Width;

/// Which Inception-ResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InceptionResnet {
    /// As costly as Inception v3.
    V1,
    /// As costly as Inception v4.
    V2,
}

/// What a residual block does with what it has added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// ReLU.
    Relu,
    /// Nothing, as the last block.
    Linear,
}

/// The layers before the first residual block, on images of 299×299 → 35×35. Of v1 (figure 14) 256 channels:
///
/// ```text
///  x ─▶ conv2d_1a: 3×3 /2, 32 ─▶ conv2d_2a: 3×3, 32 ─▶ conv2d_2b: 3×3 padded, 64 ─▶ max pool 3×3 /2
///    ─▶ conv2d_3b: 1×1, 80 ─▶ conv2d_4a: 3×3, 192 ─▶ conv2d_4b: 3×3 /2, 256 ─▶ y
/// ```
/// Of v2, as it was published with weights, 320 (the paper draws that of [Inception v4](super::inception_v4_stem)):
///
/// ```text
///  … conv2d_4a: 3×3, 192 ─▶ max pool 3×3 /2
///               ┌─▶ branch0: 1×1, 96 ────────────────────────────────────┐
///               ├─▶ branch1.0: 1×1, 48 ─▶ .1: 5×5, 64 ───────────────────┤
///    mixed_5b ──┤                                                      concat ─▶ y
///               ├─▶ branch2.0: 1×1, 64 ─▶ .1: 3×3, 96 ─▶ .2: 3×3, 96 ────┤
///               └─▶ average pool 3×3 ─▶ branch3.1: 1×1, 64 ──────────────┘
/// ```
///
/// # Errors
/// Images of less than 27×27 pixels, or names in use.
pub fn inception_resnet_stem(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let pool = PoolDesc::max(3).stride(2);
    let first = [
        ("conv2d_1a", halving(c(32))),
        ("conv2d_2a", square(c(32), 3).padding(0)),
        ("conv2d_2b", square(c(64), 3)),
    ];
    let second = [
        ("conv2d_3b", pointwise(c(80))),
        ("conv2d_4a", square(c(192), 3).padding(0)),
    ];
    let x = chain(network, x, first)?;
    let x = network.max_pool("maxpool_3a", x, pool.clone())?;
    let x = chain(network, x, second)?;
    if version == InceptionResnet::V1 {
        return chain(network, x, [("conv2d_4b", halving(c(256)))]);
    }
    let x = network.max_pool("maxpool_5a", x, pool)?;
    network.scope("mixed_5b", |network| {
        let wide = [
            ("branch1.0", pointwise(c(48))),
            ("branch1.1", square(c(64), 5)),
        ];
        let double = [
            ("branch2.0", pointwise(c(64))),
            ("branch2.1", square(c(96), 3)),
            ("branch2.2", square(c(96), 3)),
        ];
        let branches = [
            chain(network, x, [("branch0", pointwise(c(96)))])?,
            chain(network, x, wide)?,
            chain(network, x, double)?,
            pooled(network, x, c(64))?,
        ];
        network.concat(&branches)
    })
}

/// Block A ("block 35", figures 10 and 16), `[n, c, h, w]` unchanged, for maps of 35×35:
///
/// ```text
///      ┌─▶ branch0: 1×1, 32 ──────────────────────────────────┐
///      ├─▶ branch1.0: 1×1, 32 ─▶ .1: 3×3, 32 ───────────────concat ─▶ conv2d: 1×1, c ─▶ · scale ─┐
///  x ──┤                                                      │                                 (+)─▶ relu ─▶ y
///      ├─▶ branch2.0: 1×1, 32 ─▶ .1: 3×3, a ─▶ .2: 3×3, b ────┘                                  │
///      └─────────────────────────────────────────────────────────────────────────────────────────┘
/// ```
/// (a, b) is (32, 32) in v1 and (48, 64) in v2. Scaling the residual down, to 0.17 here, keeps wide networks from
/// dying early in training (section 3.3).
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_resnet_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
    scale: f32,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let (middle, last) = match version {
        InceptionResnet::V1 => (32, 32),
        InceptionResnet::V2 => (48, 64),
    };
    let single = [
        ("branch1.0", pointwise(c(32))),
        ("branch1.1", square(c(32), 3)),
    ];
    let double = [
        ("branch2.0", pointwise(c(32))),
        ("branch2.1", square(c(middle), 3)),
        ("branch2.2", square(c(last), 3)),
    ];
    let branches = [
        chain(network, x, [("branch0", pointwise(c(32)))])?,
        chain(network, x, single)?,
        chain(network, x, double)?,
    ];
    residual(network, x, &branches, scale, Ending::Relu)
}

/// Block B ("block 17", figures 11 and 17), `[n, c, h, w]` unchanged, for maps of 17×17:
///
/// ```text
///      ┌─▶ branch0: 1×1, a ──────────────────────────────────┐
///  x ──┼─▶ branch1.0: 1×1, 128 ─▶ .1: 1×7, b ─▶ .2: 7×1, a ─concat ─▶ conv2d: 1×1, c ─▶ · scale ─┐
///      └────────────────────────────────────────────────────────────────────────────────────────(+)─▶ relu ─▶ y
/// ```
/// (a, b) is (128, 128) in v1 and (192, 160) in v2; the scale is 0.1.
///
/// # Errors
/// As [`inception_resnet_a`].
pub fn inception_resnet_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
    scale: f32,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let (outer, middle) = match version {
        InceptionResnet::V1 => (128, 128),
        InceptionResnet::V2 => (192, 160),
    };
    let factorised = [
        ("branch1.0", pointwise(c(128))),
        ("branch1.1", row(c(middle), 7)),
        ("branch1.2", column(c(outer), 7)),
    ];
    let branches = [
        chain(network, x, [("branch0", pointwise(c(outer)))])?,
        chain(network, x, factorised)?,
    ];
    residual(network, x, &branches, scale, Ending::Relu)
}

/// Block C ("block 8", figures 13 and 19), `[n, c, h, w]` unchanged, for maps of 8×8:
///
/// ```text
///      ┌─▶ branch0: 1×1, 192 ────────────────────────────────┐
///  x ──┼─▶ branch1.0: 1×1, 192 ─▶ .1: 1×3, a ─▶ .2: 3×1, b ─concat ─▶ conv2d: 1×1, c ─▶ · scale ─┐
///      └────────────────────────────────────────────────────────────────────────────────────────(+)─▶ [relu] ─▶ y
/// ```
/// (a, b) is (192, 192) in v1 and (224, 256) in v2. The scale is 0.2; the last block of a network has 1 and no ReLU.
///
/// # Errors
/// As [`inception_resnet_a`].
pub fn inception_resnet_c(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
    scale: f32,
    ending: Ending,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let (middle, last) = match version {
        InceptionResnet::V1 => (192, 192),
        InceptionResnet::V2 => (224, 256),
    };
    let factorised = [
        ("branch1.0", pointwise(c(192))),
        ("branch1.1", row(c(middle), 3)),
        ("branch1.2", column(c(last), 3)),
    ];
    let branches = [
        chain(network, x, [("branch0", pointwise(c(192)))])?,
        chain(network, x, factorised)?,
    ];
    residual(network, x, &branches, scale, ending)
}

/// Reduction A of a version: [`inception_reduction_a`] with its row of the paper's table 1.
///
/// # Errors
/// As there.
pub fn inception_resnet_reduction_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
) -> Result<ValueId, GraphError> {
    let (k, l, m, n) = match version {
        InceptionResnet::V1 => (192, 192, 256, 384),
        InceptionResnet::V2 => (256, 256, 384, 384),
    };
    inception_reduction_a(network, x, width, ReductionA { k, l, m, n })
}

/// Reduction B (figures 12 and 18), from 17×17 to 8×8, `[n, c, h, w] → [n, c + 384 + a + b, ⌊(h−1)/2⌋, ⌊(w−1)/2⌋]`:
///
/// ```text
///      ┌─▶ branch0.0: 1×1, 256 ─▶ .1: 3×3 /2, 384 ────────────────────────┐
///      ├─▶ branch1.0: 1×1, 256 ─▶ .1: 3×3 /2, a ──────────────────────────┤
///  x ──┤                                                                concat ─▶ y
///      ├─▶ branch2.0: 1×1, 256 ─▶ .1: 3×3, a ─▶ .2: 3×3 /2, b ────────────┤
///      └─▶ max pool 3×3 /2 ───────────────────────────────────────────────┘
/// ```
/// (a, b) is (256, 256) in v1 and (288, 320) in v2.
///
/// # Errors
/// Maps of less than 3×3, or names in use.
pub fn inception_resnet_reduction_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    version: InceptionResnet,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let (middle, last) = match version {
        InceptionResnet::V1 => (256, 256),
        InceptionResnet::V2 => (288, 320),
    };
    let first = [
        ("branch0.0", pointwise(c(256))),
        ("branch0.1", halving(c(384))),
    ];
    let second = [
        ("branch1.0", pointwise(c(256))),
        ("branch1.1", halving(c(middle))),
    ];
    let third = [
        ("branch2.0", pointwise(c(256))),
        ("branch2.1", square(c(middle), 3)),
        ("branch2.2", halving(c(last))),
    ];
    let branches = [
        chain(network, x, first)?,
        chain(network, x, second)?,
        chain(network, x, third)?,
        network.max_pool("branch3", x, PoolDesc::max(3).stride(2))?,
    ];
    network.concat(&branches)
}

/// Branches expanded to the channels of `x`, scaled and added to it. The expansion has a bias and no norm.
fn residual(
    network: &mut NetworkBuilder,
    x: ValueId,
    branches: &[ValueId],
    scale: f32,
    ending: Ending,
) -> Result<ValueId, GraphError> {
    let channels = network.shape(x)?.get(1).copied().unwrap_or(0);
    let y = network.concat(branches)?;
    let y = network.conv("conv2d", y, pointwise(channels), true)?;
    let y = match scale {
        1.0 => y,
        scale => network.scale(y, scale)?,
    };
    let y = network.add(y, x)?;
    match ending {
        Ending::Relu => network.relu(y),
        Ending::Linear => Ok(y),
    }
}
