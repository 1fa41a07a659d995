//! The unit of ShuffleNet v1 (Zhang et al. 2017, arXiv:1707.01083).

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::channels as channels_of;
use super::normalised::{conv_norm, depthwise};

/// A unit, `[n, c, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]`. With stride 1 (figure 2b) `channels` must be
/// `c`; with a stride (figure 2c) the branch makes the channels that are new:
///
/// ```text
///      ┌─▶ conv1 1×1, groups ─▶ bn1 ─▶ relu ─▶ shuffle ─▶ conv2 3×3 depthwise ─▶ bn2 ─▶ conv3 1×1, groups ─▶ bn3 ─┐
///  x ──┤                                                                                                        (+)─▶ relu ─▶ y
///      └────────────────────────────────────────────────────────────────────────────────────────────────────────┘
///
///      ┌─▶ conv1 … ─▶ conv2 3×3 depthwise /stride ─▶ bn2 ─▶ conv3 1×1, groups ─▶ bn3 ─┐
///  x ──┤                                                                            concat ─▶ relu ─▶ y
///      └─▶ mean of 3×3 /stride ──────────────────────────────────────────────────────┘
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShuffleUnit {
    /// Channels that leave the unit.
    pub channels: usize,
    /// Stride of the depthwise convolution.
    pub stride: usize,
    /// Groups of the pointwise convolutions.
    pub groups: usize,
    /// Groups of the first pointwise convolution: 1 where few channels come in, else as above.
    pub first_groups: usize,
}

impl ShuffleUnit {
    /// Channels of the bottleneck: a quarter of those that leave the unit.
    pub fn middle(&self) -> usize {
        self.channels / 4
    }

    /// Builds it in the open scope.
    ///
    /// # Errors
    /// An input without two spatial axes, groups that do not divide the channels, channels that do not fit the
    /// input, or names in use.
    pub fn build(&self, network: &mut NetworkBuilder, x: ValueId) -> Result<ValueId, GraphError> {
        let given = channels_of(network, x)?;
        let out = match self.stride {
            1 => self.channels,
            _ => self.channels.saturating_sub(given),
        };
        let narrow = ConvDesc::new(self.middle(), 1).groups(self.first_groups);
        let y = conv_norm(network, x, ["conv1", "bn1"], narrow, Some(Activation::Relu))?;
        let y = match self.groups {
            1 => y,
            groups => network.channel_shuffle(y, groups)?,
        };
        let spatial = depthwise(network, y, self.stride)?;
        let y = conv_norm(network, y, ["conv2", "bn2"], spatial, None)?;
        let wide = ConvDesc::new(out, 1).groups(self.groups);
        let y = conv_norm(network, y, ["conv3", "bn3"], wide, None)?;
        let y = match self.stride {
            1 => network.add(y, x)?,
            stride => {
                let pool = PoolDesc::average(3).stride(stride).padding(1);
                let x = network.average_pool("pool", x, pool)?;
                network.concat(&[x, y])?
            }
        };
        network.relu(y)
    }
}
