//! The blocks of Inception v4 (Szegedy et al. 2016, arXiv:1602.07261), named as timm names them.
//!
//! Channels are the published ones times a width multiplier. Averages do not count the padding.

use geometry::{PoolDesc, PoolKind};
use graph::{GraphError, NetworkBuilder, ValueId};

use super::conv_norm::{chain, column, halving, pointwise, row, square};
use super::inception_v2::side_by_side;
use crate::Width;

/// Channels of [`inception_reduction_a`], by the letters of the paper's table 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReductionA {
    /// Of the 1×1 convolution.
    pub k: usize,
    /// Of the 3×3 convolution after it.
    pub l: usize,
    /// Of the strided one after that.
    pub m: usize,
    /// Of the strided convolution that stands alone.
    pub n: usize,
}

/// The layers before the first block (figure 3), `[n, 3, 299, 299] → [n, 384, 35, 35]`:
///
/// ```text
///  x ─▶ 0: 3×3 /2, 32 ─▶ 1: 3×3, 32 ─▶ 2: 3×3 padded, 64
///          ┌─▶ 3.maxpool: 3×3 /2 ──┐
///    ──────┤                     concat: 160
///          └─▶ 3.conv: 3×3 /2, 96 ─┘
///          ┌─▶ 4.branch0: 1×1, 64 ─▶ 3×3, 96 ──────────────────────────┐
///    ──────┤                                                         concat: 192
///          └─▶ 4.branch1: 1×1, 64 ─▶ 1×7, 64 ─▶ 7×1, 64 ─▶ 3×3, 96 ────┘
///          ┌─▶ 5.conv: 3×3 /2, 192 ─┐
///    ──────┤                      concat: 384 ─▶ y
///          └─▶ 5.maxpool: 3×3 /2 ───┘
/// ```
///
/// # Errors
/// Images of less than 27×27 pixels, or names in use.
pub fn inception_v4_stem(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let unpadded = |channels| square(channels, 3).padding(0);
    let pool = PoolDesc::max(3).stride(2);
    let first = [
        ("0", halving(c(32))),
        ("1", unpadded(c(32))),
        ("2", square(c(64), 3)),
    ];
    let x = chain(network, x, first)?;

    let pooled = network.max_pool("3.maxpool", x, pool.clone())?;
    let strided = chain(network, x, [("3.conv", halving(c(96)))])?;
    let x = network.concat(&[pooled, strided])?;

    let short = [
        ("4.branch0.0", pointwise(c(64))),
        ("4.branch0.1", unpadded(c(96))),
    ];
    let long = [
        ("4.branch1.0", pointwise(c(64))),
        ("4.branch1.1", row(c(64), 7)),
        ("4.branch1.2", column(c(64), 7)),
        ("4.branch1.3", unpadded(c(96))),
    ];
    let branches = [chain(network, x, short)?, chain(network, x, long)?];
    let x = network.concat(&branches)?;

    let strided = chain(network, x, [("5.conv", halving(c(192)))])?;
    let pooled = network.max_pool("5.maxpool", x, pool)?;
    network.concat(&[strided, pooled])
}

/// Block A (figure 4), `[n, c, h, w] → [n, 384, h, w]`, for maps of 35×35:
///
/// ```text
///      ┌─▶ branch0: 1×1, 96 ──────────────────────────────────────┐
///      ├─▶ branch1.0: 1×1, 64 ─▶ .1: 3×3, 96 ─────────────────────┤
///  x ──┤                                                        concat ─▶ y
///      ├─▶ branch2.0: 1×1, 64 ─▶ .1: 3×3, 96 ─▶ .2: 3×3, 96 ──────┤
///      └─▶ average pool 3×3 ─▶ branch3.1: 1×1, 96 ────────────────┘
/// ```
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_v4_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let single = [
        ("branch1.0", pointwise(c(64))),
        ("branch1.1", square(c(96), 3)),
    ];
    let double = [
        ("branch2.0", pointwise(c(64))),
        ("branch2.1", square(c(96), 3)),
        ("branch2.2", square(c(96), 3)),
    ];
    let branches = [
        chain(network, x, [("branch0", pointwise(c(96)))])?,
        chain(network, x, single)?,
        chain(network, x, double)?,
        pooled(network, x, c(96))?,
    ];
    network.concat(&branches)
}

/// Block B (figure 5), `[n, c, h, w] → [n, 1024, h, w]`, for maps of 17×17:
///
/// ```text
///      ┌─▶ branch0: 1×1, 384 ─────────────────────────────────────────────────────────────────────┐
///      ├─▶ branch1.0: 1×1, 192 ─▶ .1: 1×7, 224 ─▶ .2: 7×1, 256 ───────────────────────────────────┤
///  x ──┤                                                                                        concat ─▶ y
///      ├─▶ branch2.0: 1×1, 192 ─▶ .1: 7×1, 192 ─▶ .2: 1×7, 224 ─▶ .3: 7×1, 224 ─▶ .4: 1×7, 256 ───┤
///      └─▶ average pool 3×3 ─▶ branch3.1: 1×1, 128 ───────────────────────────────────────────────┘
/// ```
///
/// # Errors
/// As [`inception_v4_a`].
pub fn inception_v4_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let single = [
        ("branch1.0", pointwise(c(192))),
        ("branch1.1", row(c(224), 7)),
        ("branch1.2", column(c(256), 7)),
    ];
    let double = [
        ("branch2.0", pointwise(c(192))),
        ("branch2.1", column(c(192), 7)),
        ("branch2.2", row(c(224), 7)),
        ("branch2.3", column(c(224), 7)),
        ("branch2.4", row(c(256), 7)),
    ];
    let branches = [
        chain(network, x, [("branch0", pointwise(c(384)))])?,
        chain(network, x, single)?,
        chain(network, x, double)?,
        pooled(network, x, c(128))?,
    ];
    network.concat(&branches)
}

/// Block C (figure 6), `[n, c, h, w] → [n, 1536, h, w]`, for maps of 8×8:
///
/// ```text
///      ┌─▶ branch0: 1×1, 256 ───────────────────────────────────────────────────────────┐
///      │                         ┌─▶ branch1_1a: 1×3, 256 ─┐                            │
///      ├─▶ branch1_0: 1×1, 384 ──┤                       concat ────────────────────────┤
///      │                         └─▶ branch1_1b: 3×1, 256 ─┘                            │
///  x ──┤                                                                              concat ─▶ y
///      │                                                       ┌─▶ _3a: 1×3, 256 ─┐     │
///      ├─▶ branch2_0: 1×1, 384 ─▶ _1: 3×1, 448 ─▶ _2: 1×3, 512 ┤                concat ─┤
///      │                                                       └─▶ _3b: 3×1, 256 ─┘     │
///      └─▶ average pool 3×3 ─▶ branch3.1: 1×1, 256 ─────────────────────────────────────┘
/// ```
///
/// # Errors
/// As [`inception_v4_a`].
pub fn inception_v4_c(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let branch0 = chain(network, x, [("branch0", pointwise(c(256)))])?;

    let reduced = chain(network, x, [("branch1_0", pointwise(c(384)))])?;
    let branch1 = side_by_side(network, reduced, c(256), ["branch1_1a", "branch1_1b"])?;

    let deep = [
        ("branch2_0", pointwise(c(384))),
        ("branch2_1", column(c(448), 3)),
        ("branch2_2", row(c(512), 3)),
    ];
    let deep = chain(network, x, deep)?;
    let branch2 = side_by_side(network, deep, c(256), ["branch2_3a", "branch2_3b"])?;

    let branch3 = pooled(network, x, c(256))?;
    network.concat(&[branch0, branch1, branch2, branch3])
}

/// Reduction A (figure 7), from 35×35 to 17×17, `[n, c, h, w] → [n, n + m + c, ⌊(h−1)/2⌋, ⌊(w−1)/2⌋]`. Inception v4 and
/// both Inception-ResNets have it, with other channels:
///
/// ```text
///      ┌─▶ branch0: 3×3 /2, n ─────────────────────────────────────┐
///  x ──┼─▶ branch1.0: 1×1, k ─▶ .1: 3×3, l ─▶ .2: 3×3 /2, m ─────concat ─▶ y
///      └─▶ max pool 3×3 /2 ────────────────────────────────────────┘
/// ```
///
/// # Errors
/// Maps of less than 3×3, or names in use.
pub fn inception_reduction_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
    ReductionA { k, l, m, n }: ReductionA,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let double = [
        ("branch1.0", pointwise(c(k))),
        ("branch1.1", square(c(l), 3)),
        ("branch1.2", halving(c(m))),
    ];
    let branches = [
        chain(network, x, [("branch0", halving(c(n)))])?,
        chain(network, x, double)?,
        network.max_pool("branch2", x, PoolDesc::max(3).stride(2))?,
    ];
    network.concat(&branches)
}

/// Reduction B (figure 8), from 17×17 to 8×8, `[n, c, h, w] → [n, c + 512, ⌊(h−1)/2⌋, ⌊(w−1)/2⌋]`:
///
/// ```text
///      ┌─▶ branch0.0: 1×1, 192 ─▶ .1: 3×3 /2, 192 ──────────────────────────────────────┐
///  x ──┼─▶ branch1.0: 1×1, 256 ─▶ .1: 1×7, 256 ─▶ .2: 7×1, 320 ─▶ .3: 3×3 /2, 320 ────concat ─▶ y
///      └─▶ max pool 3×3 /2 ─────────────────────────────────────────────────────────────┘
/// ```
///
/// # Errors
/// As [`inception_reduction_a`].
pub fn inception_v4_reduction_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let small = [
        ("branch0.0", pointwise(c(192))),
        ("branch0.1", halving(c(192))),
    ];
    let large = [
        ("branch1.0", pointwise(c(256))),
        ("branch1.1", row(c(256), 7)),
        ("branch1.2", column(c(320), 7)),
        ("branch1.3", halving(c(320))),
    ];
    let branches = [
        chain(network, x, small)?,
        chain(network, x, large)?,
        network.max_pool("branch2", x, PoolDesc::max(3).stride(2))?,
    ];
    network.concat(&branches)
}

/// The branch of the pool.
pub(super) fn pooled(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let around = PoolDesc {
        kind: PoolKind::Average {
            count_padding: false,
        },
        ..PoolDesc::average(3)
    };
    let mean = network.average_pool("branch3.0", x, around.stride(1).padding(1))?;
    chain(network, mean, [("branch3.1", pointwise(channels))])
}
