//! The inverted residual with a linear bottleneck (Sandler et al. 2018, arXiv:1801.04381), named as torchvision
//! names it.

use geometry::ConvDesc;
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::channels as channels_of;
use super::normalised::{conv_norm, depthwise};

/// Wide in the middle and narrow at the ends, `[n, c, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ 1×1 to expansion·c, bn, relu6 ─▶ 3×3 depthwise /stride, bn, relu6 ─▶ 1×1, bn ─┐
///  x ──┤                                                                               (+)─▶ y
///      └─▶ x, where the shapes agree ───────────────────────────────────────────────────┘
/// ```
///
/// No activation follows the last convolution: it would lose what the narrow map holds. Without expansion (a factor
/// of 1) the first convolution is left out. Layers are `conv.0`, `conv.1`, ….
///
/// # Errors
/// An input without two spatial axes, a stride or expansion of zero, or names in use.
pub fn inverted_residual(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
    expansion: usize,
) -> Result<ValueId, GraphError> {
    let relu6 = Some(Activation::Relu6);
    let given = channels_of(network, x)?;
    let y = network.scope("conv", |network| {
        let mut place = 0;
        let mut y = x;
        if expansion != 1 {
            let wide = ConvDesc::new(given.saturating_mul(expansion), 1);
            y = conv_norm(network, y, ["0.0", "0.1"], wide, relu6)?;
            place += 1;
        }
        let [conv, norm] = [0, 1].map(|part| format!("{place}.{part}"));
        let spatial = depthwise(network, y, stride)?;
        y = conv_norm(network, y, [&conv, &norm], spatial, relu6)?;
        let [conv, norm] = [1, 2].map(|next| (place + next).to_string());
        let narrow = ConvDesc::new(channels, 1);
        conv_norm(network, y, [&conv, &norm], narrow, None)
    })?;
    match stride == 1 && given == channels {
        true => network.add(y, x),
        false => Ok(y),
    }
}
