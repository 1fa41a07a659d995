//! The depthwise-separable block (Howard et al. 2017, arXiv:1704.04861), named as timm names it.

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

/// A filter for each channel, then a mixture of channels,
/// `[n, c, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///  x ─▶ conv_dw 3×3 /stride, c groups ─▶ bn1 ─▶ relu6 ─▶ conv_pw 1×1 ─▶ bn2 ─▶ relu6 ─▶ y
/// ```
///
/// Costs `1/channels + 1/9` of a dense 3×3 convolution.
///
/// # Errors
/// An input without two spatial axes, a stride of zero, or names in use.
pub fn depthwise_separable(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let groups = network.shape(x)?.get(1).copied().unwrap_or(0);
    let depthwise = ConvDesc::new(groups, 3)
        .padding(1)
        .stride(stride)
        .groups(groups);
    let y = network.conv("conv_dw", x, depthwise, false)?;
    let y = network.batch_norm("bn1", y)?;
    let y = network.relu6(y)?;
    let y = network.conv("conv_pw", y, ConvDesc::new(channels, 1), false)?;
    let y = network.batch_norm("bn2", y)?;
    network.relu6(y)
}
