//! Residual blocks whose norms and activations come before the convolutions, so that the sum is an identity from
//! block to block (He et al. 2016, arXiv:1603.05027), named as timm's `resnetv2` names them.

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::extents::channels as channels_of;
use super::normalised::norm_relu_conv;
use super::residual::BOTTLENECK_EXPANSION;

/// The basic block, `[n, c, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ norm1 ─▶ relu ─┬─▶ conv1 3×3 /stride ─▶ norm2 ─▶ relu ─▶ conv2 3×3 ─┐
///  x ──┤                  │                                                   (+)─▶ y
///      │                  └─▶ downsample.conv 1×1 /stride, or … ───────────────┤
///      └─▶ … x as it is ───────────────────────────────────────────────────────┘
/// ```
///
/// The shortcut is a projection, of the normalised map, where the block changes the shape.
///
/// # Errors
/// An input without two spatial axes, a stride of zero, or names in use.
pub fn basic_preactivation(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let spatial = ConvDesc::new(channels, 3).padding(1);
    let (activated, shortcut) = entry(network, x, channels, stride)?;
    let y = network.conv("conv1", activated, spatial.clone().stride(stride), false)?;
    let y = norm_relu_conv(network, y, ["norm2", "conv2"], spatial)?;
    network.add(y, shortcut)
}

/// The bottleneck, `[n, c, h, w] → [n, 4·channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ norm1 ─▶ relu ─┬─▶ conv1 1×1 ─▶ norm2 ─▶ relu ─▶ conv2 3×3 /stride ─▶ norm3 ─▶ relu ─▶ conv3 1×1 ─┐
///  x ──┤                  │                                                                                (+)─▶ y
///      │                  └─▶ downsample.conv 1×1 /stride, or … ────────────────────────────────────────────┤
///      └─▶ … x as it is ────────────────────────────────────────────────────────────────────────────────────┘
/// ```
///
/// # Errors
/// As [`basic_preactivation`].
pub fn bottleneck_preactivation(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let expanded = channels.saturating_mul(BOTTLENECK_EXPANSION);
    let spatial = ConvDesc::new(channels, 3).padding(1).stride(stride);
    let (activated, shortcut) = entry(network, x, expanded, stride)?;
    let y = network.conv("conv1", activated, ConvDesc::new(channels, 1), false)?;
    let y = norm_relu_conv(network, y, ["norm2", "conv2"], spatial)?;
    let wide = ConvDesc::new(expanded, 1);
    let y = norm_relu_conv(network, y, ["norm3", "conv3"], wide)?;
    network.add(y, shortcut)
}

/// What the convolutions read, and what is added to what they make.
fn entry(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<(ValueId, ValueId), GraphError> {
    let activated = network.batch_norm("norm1", x)?;
    let activated = network.relu(activated)?;
    if stride == 1 && channels_of(network, x)? == channels {
        return Ok((activated, x));
    }
    let projection = ConvDesc::new(channels, 1).stride(stride);
    let shortcut = network.conv("downsample.conv", activated, projection, false)?;
    Ok((activated, shortcut))
}
