//! The steps of U-Net (Ronneberger et al. 2015, arXiv:1505.04597), padded and batch-normalised as is usual today.

use geometry::{ConvDesc, PadDesc, PadMode, PoolDesc, TransposedDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::space;
use super::normalised::conv_norm;

/// Two convolutions, `[n, c, h, w] → [n, channels, h, w]`:
///
/// ```text
///  x ─▶ double_conv.0 3×3 ─▶ double_conv.1 bn ─▶ relu ─▶ double_conv.3 3×3 ─▶ double_conv.4 bn ─▶ relu ─▶ y
/// ```
///
/// # Errors
/// An input without two spatial axes, channels of zero, or names in use.
pub fn double_conv(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let spatial = ConvDesc::new(channels, 3).padding(1);
    let relu = Some(Activation::Relu);
    network.scope("double_conv", |network| {
        let x = conv_norm(network, x, ["0", "1"], spatial.clone(), relu)?;
        conv_norm(network, x, ["3", "4"], spatial, relu)
    })
}

/// A step down, `[n, c, h, w] → [n, channels, ⌊h/2⌋, ⌊w/2⌋]`:
///
/// ```text
///  x ─▶ max of 2×2 /2 ─▶ maxpool_conv.1: double conv ─▶ y
/// ```
///
/// # Errors
/// As [`double_conv`].
pub fn unet_down(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let halved = PoolDesc::max(2).stride(2);
    network.scope("maxpool_conv", |network| {
        let x = network.max_pool("0", x, halved)?;
        network.scope("1", |network| double_conv(network, x, channels))
    })
}

/// A step up, `[n, c, h, w]` and a skip `[n, s, h', w']` from the way down `→ [n, channels, h', w']`:
///
/// ```text
///  skip ────────────────────────────────────────────────────────┐
///                                                            concat ─▶ conv: double conv ─▶ y
///  x ─▶ up: transposed 2×2 /2, c → ⌊c/2⌋ or 1 ─▶ padded to h'×w' ─────┘
/// ```
///
/// The padding is there where the way down has dropped an odd row or column.
///
/// # Errors
/// As [`double_conv`], or a skip of another batch.
pub fn unet_up(
    network: &mut NetworkBuilder,
    x: ValueId,
    skip: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let given = super::extents::channels(network, x)?;
    let twice = TransposedDesc::new(ConvDesc::new((given / 2).max(1), 2).stride(2));
    let up = network.conv_transposed("up", x, twice, true)?;
    let amounts: Vec<(i64, i64)> = space(network, skip)?
        .into_iter()
        .zip(space(network, up)?)
        .map(|(wanted, given)| wanted as i64 - given as i64)
        .map(|missing| (missing / 2, missing - missing / 2))
        .collect();
    let up = match amounts.iter().all(|&amount| amount == (0, 0)) {
        true => up,
        false => network.pad(up, PadDesc::spatial(PadMode::Constant, &amounts), 0.0)?,
    };
    let both = network.concat(&[skip, up])?;
    network.scope("conv", |network| double_conv(network, both, channels))
}
