//! The depthwise-separable block (Howard et al. 2017, arXiv:1704.04861), named as timm names it.

use geometry::ConvDesc;
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::normalised::{conv_norm, depthwise};

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
    let relu6 = Some(Activation::Relu6);
    let spatial = depthwise(network, x, stride)?;
    let y = conv_norm(network, x, ["conv_dw", "bn1"], spatial, relu6)?;
    let pointwise = ConvDesc::new(channels, 1);
    conv_norm(network, y, ["conv_pw", "bn2"], pointwise, relu6)
}
