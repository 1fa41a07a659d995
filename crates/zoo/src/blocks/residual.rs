//! Residual blocks (He et al. 2015, arXiv:1512.03385), named as torchvision names them.

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::Bottleneck;

/// Channels that leave a bottleneck for each in its middle.
pub const BOTTLENECK_EXPANSION: usize = 4;

/// The basic block, `[n, c, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ conv1 3×3 /stride ─▶ bn1 ─▶ relu ─▶ conv2 3×3 ─▶ bn2 ─┐
///  x ──┤                                                        (+)─▶ relu ─▶ y
///      └─▶ x as it is, or downsample (1×1 /stride, bn) ──────────┘
/// ```
///
/// The shortcut is a projection where the block changes the shape.
///
/// # Errors
/// An input without two spatial axes, a stride of zero, or names in use.
pub fn basic_residual(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let spatial = ConvDesc::new(channels, 3).padding(1);
    let y = network.conv("conv1", x, spatial.clone().stride(stride), false)?;
    let y = network.batch_norm("bn1", y)?;
    let y = network.relu(y)?;
    let y = network.conv("conv2", y, spatial, false)?;
    let y = network.batch_norm("bn2", y)?;
    let shortcut = shortcut(network, x, channels, stride)?;
    let sum = network.add(y, shortcut)?;
    network.relu(sum)
}

/// The bottleneck of ResNets, `[n, c, h, w] → [n, 4·channels, ⌈h/stride⌉, ⌈w/stride⌉]`: a
/// [`Bottleneck`](super::Bottleneck) without further settings.
///
/// # Errors
/// As [`basic_residual`].
pub fn bottleneck_residual(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    Bottleneck::new(channels, stride).build(network, x)
}

/// `x` as it is where the shapes agree, else projected.
pub(super) fn shortcut(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    if stride == 1 && network.shape(x)?.get(1) == Some(&channels) {
        return Ok(x);
    }
    network.scope("downsample", |network| {
        let projection = ConvDesc::new(channels, 1).stride(stride);
        let projected = network.conv("0", x, projection, false)?;
        network.batch_norm("1", projected)
    })
}
