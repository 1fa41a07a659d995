//! Inception blocks of factorised convolutions (Szegedy et al. 2015, arXiv:1512.00567, figures 5 to 7), the models
//! A, B and C of the v2 and v3 networks, named in torchvision's manner. v3 has B and C as its
//! [C](super::inception_v3_c) and [E](super::inception_v3_e).

use geometry::PoolDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::conv_norm::{chain, column, pointwise, row, square};

/// Channels of [`inception_v2_a`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionV2A {
    /// Of the 1×1 convolution.
    pub pointwise: usize,
    /// Of the reduction before the 3×3 convolution.
    pub reduce3: usize,
    /// Of the 3×3 convolution.
    pub conv3: usize,
    /// Of the reduction before the two 3×3 convolutions.
    pub reduce_double: usize,
    /// Of each of the two.
    pub double: usize,
    /// Of the projection after the pool.
    pub pool: usize,
}

/// Channels of [`inception_v2_b`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionV2B {
    /// Of the 1×1 convolution.
    pub pointwise: usize,
    /// Inside both factorised branches.
    pub hidden: usize,
    /// Of each factorised branch.
    pub factorised: usize,
    /// Of the projection after the pool.
    pub pool: usize,
}

/// Channels of [`inception_v2_c`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionV2C {
    /// Of the 1×1 convolution.
    pub pointwise: usize,
    /// Of the reduction before the first pair.
    pub reduce: usize,
    /// Of the reduction before the 3×3 convolution.
    pub reduce_double: usize,
    /// Of the 3×3 convolution.
    pub conv3: usize,
    /// Of each of the four that stand side by side.
    pub side: usize,
    /// Of the projection after the pool.
    pub pool: usize,
}

/// Model A (figure 5): two 3×3 convolutions see what one of 5×5 does, for 18/25 of the work.
///
/// ```text
///      ┌─▶ branch1x1: 1×1 ─────────────────────────────────────────────────┐
///      ├─▶ branch3x3_1: 1×1 ─▶ _2: 3×3 ────────────────────────────────────┤
///  x ──┤                                                                 concat ─▶ y
///      ├─▶ branch3x3dbl_1: 1×1 ─▶ _2: 3×3 ─▶ _3: 3×3 ──────────────────────┤
///      └─▶ average pool 3×3 ─▶ branch_pool: 1×1 ───────────────────────────┘
/// ```
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_v2_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: InceptionV2A,
) -> Result<ValueId, GraphError> {
    let single = [
        ("branch3x3_1", pointwise(channels.reduce3)),
        ("branch3x3_2", square(channels.conv3, 3)),
    ];
    let double = [
        ("branch3x3dbl_1", pointwise(channels.reduce_double)),
        ("branch3x3dbl_2", square(channels.double, 3)),
        ("branch3x3dbl_3", square(channels.double, 3)),
    ];
    let branches = [
        chain(network, x, [("branch1x1", pointwise(channels.pointwise))])?,
        chain(network, x, single)?,
        chain(network, x, double)?,
        pooled(network, x, channels.pool)?,
    ];
    network.concat(&branches)
}

/// Model B (figure 6): n×n as 1×n and n×1, for 2/n of the work. Good on maps of 12 to 20 pixels, with n = 7.
///
/// ```text
///      ┌─▶ branch1x1: 1×1 ─────────────────────────────────────────────────┐
///      ├─▶ branchNxN_1: 1×1 ─▶ _2: 1×n ─▶ _3: n×1 ─────────────────────────┤
///  x ──┤                                                                 concat ─▶ y
///      ├─▶ branchNxNdbl_1: 1×1 ─▶ _2: n×1 ─▶ _3: 1×n ─▶ _4: n×1 ─▶ _5: 1×n ┤
///      └─▶ average pool 3×3 ─▶ branch_pool: 1×1 ───────────────────────────┘
/// ```
/// `N` in the names is n: `branch7x7_1`.
///
/// # Errors
/// As [`inception_v2_a`].
pub fn inception_v2_b(
    network: &mut NetworkBuilder,
    x: ValueId,
    n: usize,
    channels: InceptionV2B,
) -> Result<ValueId, GraphError> {
    let InceptionV2B {
        hidden, factorised, ..
    } = channels;
    let single = [
        (format!("branch{n}x{n}_1"), pointwise(hidden)),
        (format!("branch{n}x{n}_2"), row(hidden, n)),
        (format!("branch{n}x{n}_3"), column(factorised, n)),
    ];
    let double = [
        (format!("branch{n}x{n}dbl_1"), pointwise(hidden)),
        (format!("branch{n}x{n}dbl_2"), column(hidden, n)),
        (format!("branch{n}x{n}dbl_3"), row(hidden, n)),
        (format!("branch{n}x{n}dbl_4"), column(hidden, n)),
        (format!("branch{n}x{n}dbl_5"), row(factorised, n)),
    ];
    let [single, double] = [&single[..], &double[..]].map(|units| {
        let units = units.iter();
        units.map(|(name, desc)| (name.as_str(), desc.clone()))
    });
    let branches = [
        chain(network, x, [("branch1x1", pointwise(channels.pointwise))])?,
        chain(network, x, single)?,
        chain(network, x, double)?,
        pooled(network, x, channels.pool)?,
    ];
    network.concat(&branches)
}

/// Model C (figure 7), the widened one: 1×3 and 3×1 side by side instead of one after the other, for the coarsest
/// maps, where many channels are wanted.
///
/// ```text
///      ┌─▶ branch1x1: 1×1 ──────────────────────────────────────────────┐
///      │                      ┌─▶ branch3x3_2a: 1×3 ─┐                  │
///      ├─▶ branch3x3_1: 1×1 ──┤                    concat ──────────────┤
///      │                      └─▶ branch3x3_2b: 3×1 ─┘                  │
///  x ──┤                                                              concat ─▶ y
///      │                                     ┌─▶ branch3x3dbl_3a: 1×3 ─┐│
///      ├─▶ branch3x3dbl_1: 1×1 ─▶ _2: 3×3 ───┤                      concat
///      │                                     └─▶ branch3x3dbl_3b: 3×1 ─┘│
///      └─▶ average pool 3×3 ─▶ branch_pool: 1×1 ────────────────────────┘
/// ```
///
/// # Errors
/// As [`inception_v2_a`].
pub fn inception_v2_c(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: InceptionV2C,
) -> Result<ValueId, GraphError> {
    let side = channels.side;
    let branch1 = chain(network, x, [("branch1x1", pointwise(channels.pointwise))])?;

    let reduced = chain(network, x, [("branch3x3_1", pointwise(channels.reduce))])?;
    let single = side_by_side(network, reduced, side, ["branch3x3_2a", "branch3x3_2b"])?;

    let spatial = [
        ("branch3x3dbl_1", pointwise(channels.reduce_double)),
        ("branch3x3dbl_2", square(channels.conv3, 3)),
    ];
    let spatial = chain(network, x, spatial)?;
    let double = side_by_side(
        network,
        spatial,
        side,
        ["branch3x3dbl_3a", "branch3x3dbl_3b"],
    )?;

    let pool = pooled(network, x, channels.pool)?;
    network.concat(&[branch1, single, double, pool])
}

/// 1×3 and 3×1 of the same map.
pub(super) fn side_by_side(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    [first, second]: [&str; 2],
) -> Result<ValueId, GraphError> {
    let across = chain(network, x, [(first, row(channels, 3))])?;
    let down = chain(network, x, [(second, column(channels, 3))])?;
    network.concat(&[across, down])
}

/// The branch of the pool; the padding counts, as in torchvision.
pub(super) fn pooled(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let around = PoolDesc::average(3).stride(1).padding(1);
    let mean = network.average_pool("pool", x, around)?;
    chain(network, mean, [("branch_pool", pointwise(channels))])
}
