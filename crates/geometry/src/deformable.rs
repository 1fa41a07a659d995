//! Deformable convolution: the samples of every placement are moved by learned offsets.

use crate::error::checked_product;
use crate::{ConvDesc, ConvGeometry, GeometryError};

/// A deformable convolution: every tap of every placement is moved by a learned offset
/// (Dai et al. 2017), and with `modulated` also weighted by a mask (Zhu et al. 2018).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeformableDesc {
    /// The undeformed convolution.
    pub conv: ConvDesc,
    /// Groups of input channels that share offsets.
    pub offset_groups: usize,
    /// A mask multiplies every sample (version 2).
    pub modulated: bool,
}

impl DeformableDesc {
    /// The first version: one set of offsets for all channels, no mask.
    pub fn new(conv: ConvDesc) -> Self {
        Self {
            conv,
            offset_groups: 1,
            modulated: false,
        }
    }

    /// Sets the groups of input channels that share offsets.
    pub fn offset_groups(mut self, groups: usize) -> Self {
        self.offset_groups = groups;
        self
    }

    /// Sets whether a mask multiplies every sample.
    pub fn modulated(mut self, modulated: bool) -> Self {
        self.modulated = modulated;
        self
    }

    /// Checks the descriptor against an input of shape `[n, c, h, w]`.
    ///
    /// # Errors
    /// Every combination without meaning, with its numbers; see [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<DeformableGeometry, GeometryError> {
        let conv = self.conv.resolve(input)?;
        if conv.rank != 2 {
            return Err(GeometryError::SpatialAxes {
                what: "deformable convolution",
                needed: 2,
                given: conv.rank,
            });
        }
        if !conv.pads_with_zeros() {
            return Err(GeometryError::ZerosOnly {
                what: "deformable convolution",
                mode: conv.padding_mode,
            });
        }
        if self.offset_groups == 0 {
            return Err(GeometryError::Zero {
                what: "offset groups",
            });
        }
        if conv.in_channels % self.offset_groups != 0 {
            return Err(GeometryError::OffsetGroups {
                channels: conv.in_channels,
                groups: self.offset_groups,
            });
        }
        let geometry = DeformableGeometry {
            conv,
            offset_groups: self.offset_groups,
            modulated: self.modulated,
        };
        checked_product("the offsets", &geometry.offset_shape())?;
        Ok(geometry)
    }
}

/// A deformable convolution on a given input, every number checked.
///
/// Tap `t` of placement `p` samples at `p·s + t·d − before + offset[p, t]`, between pixels by bilinear
/// interpolation, and 0 off the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeformableGeometry {
    /// The undeformed convolution, two spatial axes.
    pub conv: ConvGeometry,
    /// Groups of input channels that share offsets; divides the input channels.
    pub offset_groups: usize,
    /// A mask multiplies every sample.
    pub modulated: bool,
}

impl DeformableGeometry {
    /// `[n, f·kh·kw·2, oh, ow]`: offset group by offset group, tap by tap in row-major order, down
    /// before across.
    pub fn offset_shape(&self) -> Vec<usize> {
        self.per_sample(2)
    }

    /// `[n, f·kh·kw, oh, ow]`, in the order of the offsets; none where nothing is modulated.
    pub fn mask_shape(&self) -> Option<Vec<usize>> {
        self.modulated.then(|| self.per_sample(1))
    }

    /// Samples of one placement: every tap of every offset group.
    pub fn samples(&self) -> usize {
        self.offset_groups * self.conv.kernel_area()
    }

    /// Input channels that share offsets.
    pub fn channels_per_offset_group(&self) -> usize {
        self.conv.in_channels / self.offset_groups
    }

    fn per_sample(&self, numbers: usize) -> Vec<usize> {
        let mut shape = self.conv.output_shape();
        // Saturating, so that `resolve` can ask for the shape it is about to refuse.
        shape[1] = self.samples().saturating_mul(numbers);
        shape
    }
}
