//! Bottlenecks of every kind: plain (He et al. 2015), grouped (Xie et al. 2016, arXiv:1611.05431), dilated
//! (Chen et al. 2017, arXiv:1706.05587), deformable (Dai et al. 2017, arXiv:1703.06211; Zhu et al. 2018,
//! arXiv:1811.11168). Named as torchvision names them, offsets as mmcv does.

use geometry::{ConvDesc, DeformableDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::normalised::conv_norm;
use super::residual::{BOTTLENECK_EXPANSION, shortcut};

/// What the 3×3 convolution of a bottleneck reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// The regular grid.
    #[default]
    Regular,
    /// Points moved by offsets that a convolution makes of the map (version 1).
    Deformable,
    /// The same, each point weighted by a mask as well (version 2).
    Modulated,
}

/// A bottleneck, `[n, c, h, w] → [n, out, ⌈h/stride⌉, ⌈w/stride⌉]`:
///
/// ```text
///      ┌─▶ conv1 1×1 ─▶ bn1 ─▶ relu ─▶ conv2 3×3 /stride ─▶ bn2 ─▶ relu ─▶ conv3 1×1 ─▶ bn3 ─┐
///      │   c → middle                  groups, dilation,                   middle → out    │
///  x ──┤                               offsets                                            (+)─▶ relu ─▶ y
///      └─▶ x as it is, or downsample (1×1 /stride, bn) ─────────────────────────────────────┘
/// ```
///
/// The stride is on the 3×3 convolution, as in torchvision ("ResNet v1.5"), not on the first.
///
/// ```
/// use graph::NetworkBuilder;
/// use zoo::blocks::{Bottleneck, Sampling};
///
/// let mut network = NetworkBuilder::new("blocks", [1, 256, 14, 14]);
/// let x = network.input();
/// // ResNeXt-50's: 32 groups of 8 channels.
/// let grouped = Bottleneck { middle: 256, groups: 32, ..Bottleneck::new(128, 2) };
/// let x = network.scope("0", |network| grouped.build(network, x))?;
/// assert_eq!(network.shape(x)?, [1, 512, 7, 7]);
/// let deformable = Bottleneck { sampling: Sampling::Modulated, ..Bottleneck::new(128, 1) };
/// network.scope("1", |network| deformable.build(network, x))?;
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// Channels of the 3×3 convolution.
    pub middle: usize,
    /// Channels that leave the block.
    pub out: usize,
    /// Stride of the 3×3 convolution.
    pub stride: usize,
    /// Dilation of the 3×3 convolution, which is padded by as much.
    pub dilation: usize,
    /// Groups of the 3×3 convolution.
    pub groups: usize,
    /// What the 3×3 convolution reads.
    pub sampling: Sampling,
}

impl Bottleneck {
    /// ResNet's: four times as many channels leave the block as are in its middle.
    pub fn new(channels: usize, stride: usize) -> Self {
        Self {
            middle: channels,
            out: channels.saturating_mul(BOTTLENECK_EXPANSION),
            stride,
            dilation: 1,
            groups: 1,
            sampling: Sampling::Regular,
        }
    }

    /// Builds it in the open scope.
    ///
    /// # Errors
    /// An input without two spatial axes, a setting of zero, groups that do not divide the channels, or names in
    /// use.
    pub fn build(&self, network: &mut NetworkBuilder, x: ValueId) -> Result<ValueId, GraphError> {
        let relu = Some(Activation::Relu);
        let narrow = ConvDesc::new(self.middle, 1);
        let y = conv_norm(network, x, ["conv1", "bn1"], narrow, relu)?;
        let spatial = ConvDesc::new(self.middle, 3)
            .padding(self.dilation)
            .dilation(self.dilation)
            .stride(self.stride)
            .groups(self.groups);
        let y = match self.sampling {
            Sampling::Regular => network.conv("conv2", y, spatial, false)?,
            sampling => {
                let modulated = sampling == Sampling::Modulated;
                let desc = DeformableDesc::new(spatial).modulated(modulated);
                network.deformable_layer("conv2", y, desc, false)?
            }
        };
        let y = network.batch_norm("bn2", y)?;
        let y = network.relu(y)?;
        let wide = ConvDesc::new(self.out, 1);
        let y = conv_norm(network, y, ["conv3", "bn3"], wide, None)?;
        let shortcut = shortcut(network, x, self.out, self.stride)?;
        let sum = network.add(y, shortcut)?;
        network.relu(sum)
    }
}
