//! The Fire module (Iandola et al. 2016, arXiv:1602.07360), named as torchvision names it.

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

/// Few channels, then many by two kernels, `[n, c, h, w] → [n, 2·expand, h, w]`:
///
/// ```text
///                                ┌─▶ expand1x1 1×1 ─▶ relu ─┐
///  x ─▶ squeeze 1×1 ─▶ relu ─────┤                       concat ─▶ y
///                                └─▶ expand3x3 3×3 ─▶ relu ─┘
/// ```
///
/// # Errors
/// An input without two spatial axes, channels of zero, or names in use.
pub fn fire(
    network: &mut NetworkBuilder,
    x: ValueId,
    squeeze: usize,
    expand: usize,
) -> Result<ValueId, GraphError> {
    let x = network.conv("squeeze", x, ConvDesc::new(squeeze, 1), true)?;
    let x = network.relu(x)?;
    let pointwise = network.conv("expand1x1", x, ConvDesc::new(expand, 1), true)?;
    let pointwise = network.relu(pointwise)?;
    let spatial = ConvDesc::new(expand, 3).padding(1);
    let spatial = network.conv("expand3x3", x, spatial, true)?;
    let spatial = network.relu(spatial)?;
    network.concat(&[pointwise, spatial])
}
