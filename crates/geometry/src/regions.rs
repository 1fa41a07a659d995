//! Pooling over regions of a feature map that another part of a network proposed.

use crate::conv::split_shape;
use crate::error::checked_product;
use crate::{Axes, GeometryError};

/// Pooling of regions as a user asks for it: every region is divided into the same number of bins,
/// whatever its size, and every bin becomes one output element a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegionsDesc {
    /// Bins of a region, down and across.
    pub bins: Axes,
    /// Every bin reads channels of its own (Dai et al. 2016, R-FCN): output channel `o` of bin `b`
    /// reads input channel `o · bins + b`.
    pub position_sensitive: bool,
}

impl RegionsDesc {
    /// Pooling into `bins`, all of which read all channels.
    pub fn new(bins: impl Into<Axes>) -> Self {
        Self {
            bins: bins.into(),
            position_sensitive: false,
        }
    }

    /// Sets whether every bin reads channels of its own.
    pub fn position_sensitive(mut self, position_sensitive: bool) -> Self {
        self.position_sensitive = position_sensitive;
        self
    }

    /// Checks the descriptor against an input `[n, c, h, w]` and a list of regions `[r, 5]`, each the
    /// number of an image and two corners: `(image, x1, y1, x2, y2)`.
    ///
    /// # Errors
    /// Every combination without meaning, with its numbers; see [`GeometryError`].
    pub fn resolve(
        &self,
        input: &[usize],
        regions: &[usize],
    ) -> Result<RegionsGeometry, GeometryError> {
        let (batch, channels, spatial) = split_shape(input)?;
        let &[height, width] = spatial else {
            return Err(GeometryError::SpatialAxes {
                what: "pooling of regions",
                needed: 2,
                given: spatial.len(),
            });
        };
        let &[regions, 5] = regions else {
            return Err(GeometryError::RegionList {
                shape: regions.to_vec(),
            });
        };
        let bins = self.bins.expand("bins", 2)?;
        let bins = [bins[0], bins[1]];
        for (what, value) in [
            ("bins", bins[0]),
            ("bins", bins[1]),
            ("input channels", channels),
            ("input height", height),
            ("input width", width),
        ] {
            if value == 0 {
                return Err(GeometryError::Zero { what });
            }
        }
        let area = checked_product("the bins", &bins)?;
        if self.position_sensitive && channels % area != 0 {
            return Err(GeometryError::BinChannels { channels, bins });
        }
        let geometry = RegionsGeometry {
            batch,
            channels,
            height,
            width,
            regions,
            bins,
            position_sensitive: self.position_sensitive,
        };
        checked_product("the input", input)?;
        checked_product("the regions", &[regions, 5])?;
        checked_product("the output", &geometry.output_shape())?;
        checked_product("the offsets", &geometry.offset_shape())?;
        Ok(geometry)
    }
}

/// Pooling of regions on a given input, every number checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegionsGeometry {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Regions, over all images.
    pub regions: usize,
    /// Bins of a region, down and across.
    pub bins: [usize; 2],
    /// Every bin reads channels of its own; the input's channels divide by the bins.
    pub position_sensitive: bool,
}

impl RegionsGeometry {
    /// `[n, c, h, w]`
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.channels, self.height, self.width]
    }

    /// `[r, c, kh, kw]`, and with bins that read channels of their own `[r, c/(kh·kw), kh, kw]`.
    pub fn output_shape(&self) -> [usize; 4] {
        [
            self.regions,
            self.out_channels(),
            self.bins[0],
            self.bins[1],
        ]
    }

    /// `[r, 2, kh, kw]`: how far each bin of deformable pooling moves, across before down.
    pub fn offset_shape(&self) -> [usize; 4] {
        [self.regions, 2, self.bins[0], self.bins[1]]
    }

    /// Channels of the output.
    pub fn out_channels(&self) -> usize {
        if self.position_sensitive {
            self.channels / self.bin_count()
        } else {
            self.channels
        }
    }

    /// Elements of one input channel of one image.
    pub fn input_area(&self) -> usize {
        self.height * self.width
    }

    /// Bins of a region.
    pub fn bin_count(&self) -> usize {
        self.bins[0] * self.bins[1]
    }
}
