//! Channels turned into pixels and back, and channels mixed between groups.

use crate::axis_error::addressable;
use crate::conv::{lifted_shape, split_shape};
use crate::{Axes, AxisError, MAX_RANK};

/// How the channels of a block of pixels are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelOrder {
    /// Channel, then place in the block: channel `c·b + place` (PyTorch's PixelShuffle; *CRD*, for
    /// column, row, depth, in ONNX's DepthToSpace).
    ChannelMajor,
    /// Place in the block, then channel: channel `place·C + c` (*DCR* in ONNX's DepthToSpace, and the
    /// only order of SpaceToDepth).
    BlockMajor,
}

/// Pixels shuffled out of channels (Shi et al. 2016): between a *deep* map `[n, C·b, d, h, w]` and a
/// *wide* one `[n, C, d·f₀, h·f₁, w·f₂]`, where `b = f₀·f₁·f₂`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PixelShuffleDesc {
    /// How many times the wide map is as long on each axis.
    pub factor: Axes,
    /// How channels are numbered.
    pub order: PixelOrder,
}

impl PixelShuffleDesc {
    /// A shuffle in PyTorch's order.
    pub fn new(factor: impl Into<Axes>) -> Self {
        Self {
            factor: factor.into(),
            order: PixelOrder::ChannelMajor,
        }
    }

    /// Sets the order.
    pub fn order(mut self, order: PixelOrder) -> Self {
        self.order = order;
        self
    }

    /// Checks the descriptor against the shape of a deep map.
    ///
    /// # Errors
    /// A shape that is no feature map, a factor of 0, channels that do not divide, overflow.
    pub fn resolve_deep(&self, shape: &[usize]) -> Result<PixelShuffleGeometry, AxisError> {
        let (mut geometry, block) = self.base(shape)?;
        if geometry.channels % block != 0 {
            return Err(AxisError::Indivisible {
                what: "the number of channels",
                extent: geometry.channels,
                parts: block,
            });
        }
        geometry.channels /= block;
        addressable("the wide map", &geometry.wide_shape())?;
        Ok(geometry)
    }

    /// Checks the descriptor against the shape of a wide map.
    ///
    /// # Errors
    /// A shape that is no feature map, a factor of 0, an extent that does not divide, overflow.
    pub fn resolve_wide(&self, shape: &[usize]) -> Result<PixelShuffleGeometry, AxisError> {
        let (mut geometry, block) = self.base(shape)?;
        // Where the map is empty, its size says nothing about the product of these.
        addressable("the deep map", &[geometry.channels, block])?;
        for (extent, &parts) in geometry.coarse.iter_mut().zip(&geometry.factors) {
            if *extent % parts != 0 {
                return Err(AxisError::Indivisible {
                    what: "the spatial extent",
                    extent: *extent,
                    parts,
                });
            }
            *extent /= parts;
        }
        Ok(geometry)
    }

    /// The geometry with the shape as it was given, and the pixels of a block.
    fn base(&self, shape: &[usize]) -> Result<(PixelShuffleGeometry, usize), AxisError> {
        let (batch, channels, spatial) = map_shape("a pixel shuffle", shape)?;
        addressable("the input", shape)?;
        let rank = spatial.len();
        let (mut factors, mut coarse) = ([1; MAX_RANK], [1; MAX_RANK]);
        coarse[MAX_RANK - rank..].copy_from_slice(spatial);
        let given = self.factor.as_slice();
        for (axis, factor) in factors[MAX_RANK - rank..].iter_mut().enumerate() {
            *factor = match given {
                [same] => *same,
                all if all.len() == rank => all[axis],
                all => {
                    return Err(AxisError::EntryCount {
                        what: "the factor",
                        given: all.len(),
                        rank,
                    });
                }
            };
            if *factor == 0 {
                return Err(AxisError::Zero { what: "the factor" });
            }
        }
        let block = addressable("the block of pixels", &factors)?;
        let geometry = PixelShuffleGeometry {
            order: self.order,
            batch,
            channels,
            rank,
            factors,
            coarse,
        };
        Ok((geometry, block))
    }
}

/// A pixel shuffle on given shapes, every number checked; three spatial axes always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelShuffleGeometry {
    /// How channels are numbered.
    pub order: PixelOrder,
    /// Images.
    pub batch: usize,
    /// Channels of the wide map.
    pub channels: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// Extents of a block.
    pub factors: [usize; MAX_RANK],
    /// Spatial extents of the deep map.
    pub coarse: [usize; MAX_RANK],
}

impl PixelShuffleGeometry {
    /// Pixels of a block.
    pub fn block(&self) -> usize {
        self.factors.iter().product()
    }

    /// `[n, C·b, spatial…]`
    pub fn deep_shape(&self) -> Vec<usize> {
        let channels = self.channels * self.block();
        lifted_shape(self.batch, channels, self.rank, self.coarse)
    }

    /// `[n, C, spatial·f…]`
    pub fn wide_shape(&self) -> Vec<usize> {
        // A product that overflows stays too large to be addressed.
        let extent = |axis: usize| self.coarse[axis].saturating_mul(self.factors[axis]);
        let lifted = std::array::from_fn(extent);
        lifted_shape(self.batch, self.channels, self.rank, lifted)
    }
}

/// A channel shuffle (Zhang et al. 2018, *ShuffleNet*): channels written as `[groups, c/groups]` and
/// transposed, so that the next grouped convolution sees channels of every group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelShuffle {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Groups before the shuffle; divides the channels.
    pub groups: usize,
    /// Elements of a channel of an image.
    pub area: usize,
}

impl ChannelShuffle {
    /// The channel that channel `output` of the result was: channels are written as `[groups, each]` and transposed.
    pub fn source(&self, output: usize) -> usize {
        output % self.groups * (self.channels / self.groups) + output / self.groups
    }

    /// Checks that the channels of a map divide into groups.
    ///
    /// # Errors
    /// A shape that is no feature map, groups that are 0 or do not divide the channels, overflow.
    pub fn resolve(groups: usize, shape: &[usize]) -> Result<Self, AxisError> {
        let (batch, channels, spatial) = map_shape("a channel shuffle", shape)?;
        addressable("the input", shape)?;
        if groups == 0 {
            return Err(AxisError::Zero {
                what: "the number of groups",
            });
        }
        if channels % groups != 0 {
            return Err(AxisError::Indivisible {
                what: "the number of channels",
                extent: channels,
                parts: groups,
            });
        }
        Ok(Self {
            batch,
            channels,
            groups,
            area: spatial.iter().product(),
        })
    }

    /// The shuffle back, which is the gradient: one of `channels / groups` groups.
    pub fn inverse(mut self) -> Self {
        // Without channels there is nothing to shuffle, in any number of groups.
        self.groups = (self.channels / self.groups).max(1);
        self
    }
}

/// Batch, channels and spatial axes of a feature map.
fn map_shape<'a>(
    what: &'static str,
    shape: &'a [usize],
) -> Result<(usize, usize, &'a [usize]), AxisError> {
    if shape.len() > MAX_RANK + 2 {
        return Err(AxisError::TooManyAxes { axes: shape.len() });
    }
    split_shape(shape).map_err(|_| AxisError::TooFewAxes {
        what,
        needed: 3,
        shape: shape.to_vec(),
    })
}
