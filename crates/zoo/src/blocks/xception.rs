//! Xception (Chollet 2016, arXiv:1610.02357): Inception taken to its end, named as timm names it.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId};

/// A depthwise 3×3 convolution and a pointwise one with nothing between them,
/// `[n, c, h, w] → [n, channels, h, w]`:
///
/// ```text
///  x ─▶ NAME.conv1 3×3, c groups ─▶ NAME.pointwise 1×1 ─▶ y
/// ```
/// MobileNet's [`depthwise_separable`](super::depthwise_separable) has a norm and a ReLU after each.
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn xception_separable(
    network: &mut NetworkBuilder,
    name: &str,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let groups = network.shape(x)?.get(1).copied().unwrap_or(0);
    network.scope(name, |network| {
        let depthwise = ConvDesc::new(groups, 3).padding(1).groups(groups);
        let y = network.conv("conv1", x, depthwise, false)?;
        network.conv("pointwise", y, ConvDesc::new(channels, 1), false)
    })
}

/// What an [`xception_block`] is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XceptionBlock<'a> {
    /// Channels that each of its separable convolutions makes.
    pub channels: &'a [usize],
    /// Of its last pool and its shortcut; 1 for neither pool nor projection.
    pub stride: usize,
    /// A ReLU stands before the first convolution too.
    pub leading_relu: bool,
}

/// The block, `[n, c, h, w] → [n, last of channels, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ [relu] ─▶ separable ─▶ norm ─▶ relu ─▶ separable ─▶ norm … ─▶ [max pool 3×3 /stride] ─┐
///  x ──┤                                                                                       (+)─▶ y
///      └─▶ x as it is, or skip (1×1 /stride, skipbn) ────────────────────────────────────────────┘
/// ```
/// Layers of the upper way are numbered `rep.0`, `rep.1`, …, ReLUs among them.
///
/// # Errors
/// An input without two spatial axes, a stride of zero, or names in use.
pub fn xception_block(
    network: &mut NetworkBuilder,
    x: ValueId,
    block: &XceptionBlock<'_>,
) -> Result<ValueId, GraphError> {
    let &XceptionBlock {
        channels,
        stride,
        leading_relu,
    } = block;
    let incoming = network.shape(x)?.get(1).copied();
    let outgoing = channels.last().copied().or(incoming).unwrap_or(0);
    let shortcut = if stride == 1 && incoming == Some(outgoing) {
        x
    } else {
        let projection = ConvDesc::new(outgoing, 1).stride(stride);
        let projected = network.conv("skip", x, projection, false)?;
        network.batch_norm("skipbn", projected)?
    };
    let mut y = x;
    let mut place = 0;
    for (index, &channels) in channels.iter().enumerate() {
        if index > 0 || leading_relu {
            y = network.relu(y)?;
            place += 1;
        }
        y = xception_separable(network, &format!("rep.{place}"), y, channels)?;
        y = network.batch_norm(&format!("rep.{}", place + 1), y)?;
        place += 2;
    }
    if stride != 1 {
        let pool = PoolDesc::max(3).stride(stride).padding(1);
        y = network.max_pool(&format!("rep.{place}"), y, pool)?;
    }
    network.add(y, shortcut)
}
