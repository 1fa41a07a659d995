//! The blocks of Inception v3 (Szegedy et al. 2015, arXiv:1512.00567), with torchvision's letters and names.
//!
//! Channels are the published ones times a width multiplier.

use geometry::PoolDesc;
use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use super::conv_norm::{chain, column, halving, pointwise, row, square};
use super::inception_v2::{InceptionV2B, InceptionV2C, inception_v2_b, inception_v2_c, pooled};
use crate::Width;

/// The layers before the first block, `[n, 3, 299, 299] → [n, 192, 35, 35]`:
///
/// ```text
///  x ─▶ Conv2d_1a_3x3 /2 ─▶ Conv2d_2a_3x3 ─▶ Conv2d_2b_3x3, padded ─▶ max pool 3×3 /2
///    ─▶ Conv2d_3b_1x1 ─▶ Conv2d_4a_3x3 ─▶ max pool 3×3 /2 ─▶ y
/// ```
///
/// # Errors
/// Images of less than 27×27 pixels, or names in use.
pub fn inception_v3_stem(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let pool = PoolDesc::max(3).stride(2);
    let first = [
        ("Conv2d_1a_3x3", halving(c(32))),
        ("Conv2d_2a_3x3", square(c(32), 3).padding(0)),
        ("Conv2d_2b_3x3", square(c(64), 3)),
    ];
    let second = [
        ("Conv2d_3b_1x1", pointwise(c(80))),
        ("Conv2d_4a_3x3", square(c(192), 3).padding(0)),
    ];
    let x = chain(network, x, first)?;
    let x = network.max_pool("maxpool1", x, pool.clone())?;
    let x = chain(network, x, second)?;
    network.max_pool("maxpool2", x, pool)
}

/// Block A, `[n, c, h, w] → [n, 224 + pool, h, w]`, for maps of 35×35:
///
/// ```text
///      ┌─▶ branch1x1: 1×1, 64 ────────────────────────────────────────────┐
///      ├─▶ branch5x5_1: 1×1, 48 ─▶ _2: 5×5, 64 ───────────────────────────┤
///  x ──┤                                                                concat ─▶ y
///      ├─▶ branch3x3dbl_1: 1×1, 64 ─▶ _2: 3×3, 96 ─▶ _3: 3×3, 96 ─────────┤
///      └─▶ average pool 3×3 ─▶ branch_pool: 1×1, pool ────────────────────┘
/// ```
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_v3_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
    pool: usize,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let wide = [
        ("branch5x5_1", pointwise(c(48))),
        ("branch5x5_2", square(c(64), 5)),
    ];
    let double = [
        ("branch3x3dbl_1", pointwise(c(64))),
        ("branch3x3dbl_2", square(c(96), 3)),
        ("branch3x3dbl_3", square(c(96), 3)),
    ];
    let branches = [
        chain(network, x, [("branch1x1", pointwise(c(64)))])?,
        chain(network, x, wide)?,
        chain(network, x, double)?,
        pooled(network, x, c(pool))?,
    ];
    network.concat(&branches)
}

/// Block B, from 35×35 to 17×17, `[n, c, h, w] → [n, c + 480, ⌊(h−1)/2⌋, ⌊(w−1)/2⌋]`:
///
/// ```text
///      ┌─▶ branch3x3: 3×3 /2, 384 ────────────────────────────────────────┐
///  x ──┼─▶ branch3x3dbl_1: 1×1, 64 ─▶ _2: 3×3, 96 ─▶ _3: 3×3 /2, 96 ────concat ─▶ y
///      └─▶ max pool 3×3 /2 ───────────────────────────────────────────────┘
/// ```
///
/// # Errors
/// Maps of less than 3×3, or names in use.
pub fn inception_v3_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let double = [
        ("branch3x3dbl_1", pointwise(c(64))),
        ("branch3x3dbl_2", square(c(96), 3)),
        ("branch3x3dbl_3", halving(c(96))),
    ];
    let branches = [
        chain(network, x, [("branch3x3", halving(c(384)))])?,
        chain(network, x, double)?,
        network.max_pool("pool", x, PoolDesc::max(3).stride(2))?,
    ];
    network.concat(&branches)
}

/// Block C, `[n, c, h, w] → [n, 768, h, w]`, for maps of 17×17: [`inception_v2_b`] with n = 7, 192 channels a branch
/// and `hidden` inside.
///
/// # Errors
/// As [`inception_v3_a`].
pub fn inception_v3_c(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
    hidden: usize,
) -> Result<ValueId, GraphError> {
    let branch = width.channels(192);
    let channels = InceptionV2B {
        pointwise: branch,
        hidden: width.channels(hidden),
        factorised: branch,
        pool: branch,
    };
    inception_v2_b(network, x, 7, channels)
}

/// Block D, from 17×17 to 8×8, `[n, c, h, w] → [n, c + 512, ⌊(h−1)/2⌋, ⌊(w−1)/2⌋]`:
///
/// ```text
///      ┌─▶ branch3x3_1: 1×1, 192 ─▶ _2: 3×3 /2, 320 ─────────────────────────────────────────┐
///  x ──┼─▶ branch7x7x3_1: 1×1, 192 ─▶ _2: 1×7, 192 ─▶ _3: 7×1, 192 ─▶ _4: 3×3 /2, 192 ─────concat ─▶ y
///      └─▶ max pool 3×3 /2 ──────────────────────────────────────────────────────────────────┘
/// ```
///
/// # Errors
/// As [`inception_v3_b`].
pub fn inception_v3_d(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let small = [
        ("branch3x3_1", pointwise(c(192))),
        ("branch3x3_2", halving(c(320))),
    ];
    let large = [
        ("branch7x7x3_1", pointwise(c(192))),
        ("branch7x7x3_2", row(c(192), 7)),
        ("branch7x7x3_3", column(c(192), 7)),
        ("branch7x7x3_4", halving(c(192))),
    ];
    let branches = [
        chain(network, x, small)?,
        chain(network, x, large)?,
        network.max_pool("pool", x, PoolDesc::max(3).stride(2))?,
    ];
    network.concat(&branches)
}

/// Block E, `[n, c, h, w] → [n, 2048, h, w]`, for maps of 8×8: [`inception_v2_c`] with 384 channels each of the four
/// side by side.
///
/// # Errors
/// As [`inception_v3_a`].
pub fn inception_v3_e(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let c = |channels| width.channels(channels);
    let channels = InceptionV2C {
        pointwise: c(320),
        reduce: c(384),
        reduce_double: c(448),
        conv3: c(384),
        side: c(384),
        pool: c(192),
    };
    inception_v2_c(network, x, channels)
}

/// The auxiliary head with batch normalisation, `[n, c, h, w] → [n, classes]`:
///
/// ```text
///  x ─▶ average pool 5×5 /3 ─▶ conv0: 1×1, 128 ─▶ conv1: 5×5, 768 ─▶ mean ─▶ fc ─▶ logits
/// ```
/// The map must have 17×17 pixels for the second convolution to have one output, as it has for images of 299×299.
/// Where it has less, the pool makes its 5×5 pixels of what there is, so that the network can be built for small
/// images with all its parameters.
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_v3_auxiliary(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    /// Pixels a side that the 5×5 convolution needs, and those of which the pool makes them.
    const POOLED: usize = 5;
    const NEEDED: usize = 17;
    let large_enough = network.shape(x)?.iter().skip(2).all(|&side| side >= NEEDED);
    let pooled = if large_enough {
        network.average_pool("pool", x, PoolDesc::average(5).stride(3))?
    } else {
        network.adaptive_average_pool("pool", x, POOLED)?
    };
    let y = chain(network, pooled, [("conv0", pointwise(width.channels(128)))])?;
    let spatial = square(width.channels(768), POOLED).padding(0);
    let smaller = WeightInit::Normal { deviation: 0.01 };
    let y = network.with_init(smaller, |network| chain(network, y, [("conv1", spatial)]))?;
    let y = network.global_average_pool(y)?;
    let y = network.flatten(y)?;
    let smallest = WeightInit::Normal { deviation: 0.001 };
    network.with_init(smallest, |network| network.linear("fc", y, classes))
}
