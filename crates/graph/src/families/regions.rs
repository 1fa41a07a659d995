//! Pooling over regions of interest.

use geometry::{RegionsDesc, RegionsGeometry};

use super::Family;
use crate::infer::ValueType;
use crate::operands::{Operand, Operands};
use crate::step::Step;
use crate::{GraphError, Op, OpError};

/// An operator on regions of interest.
///
/// Regions are a matrix `[r, 5]` of `(image, x1, y1, x2, y2)`; `scale` is the pixels of the map for a unit
/// of their coordinates. A region of an image that is not there, or with a NaN in it, gives zeros. No
/// gradient flows to the regions.
#[derive(Clone, Debug, PartialEq)]
pub enum RegionOp {
    /// RoI align (He et al. 2017), with offsets deformable RoI pooling (Dai et al. 2017):
    /// `x, regions, [offset] → y`; offset `[r, 2, kh, kw]`, across before down, is an input exactly when
    /// the settings have a gamma.
    Align {
        /// The bins.
        desc: RegionsDesc,
        /// The sampling points.
        settings: AlignSettings,
    },
    /// Gradient of the feature map: `dy, regions, [offset] → dx`.
    AlignBackward {
        /// The bins.
        desc: RegionsDesc,
        /// The sampling points.
        settings: AlignSettings,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Gradient of the offsets: `dy, x, regions, offset → doffset`.
    AlignBackwardOffset {
        /// The bins.
        desc: RegionsDesc,
        /// The sampling points.
        settings: AlignSettings,
    },
    /// The largest pixel of each bin (Girshick 2015): `x, regions → y, indices`.
    Max {
        /// The bins.
        desc: RegionsDesc,
        /// Pixels for a unit of the regions' coordinates.
        scale: f64,
    },
    /// `dy, regions, indices → dx`
    MaxBackward {
        /// The bins.
        desc: RegionsDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// The mean of each bin over whole pixels, usually of channels of its own (Dai et al. 2016):
    /// `x, regions → y`.
    Average {
        /// The bins.
        desc: RegionsDesc,
        /// Pixels for a unit of the regions' coordinates.
        scale: f64,
    },
    /// `dy, regions → dx`
    AverageBackward {
        /// The bins.
        desc: RegionsDesc,
        /// Pixels for a unit of the regions' coordinates.
        scale: f64,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
}

/// How the sampling points of aligned regions are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignSettings {
    /// Pixels of the map for a unit of the regions' coordinates, 1 by default.
    pub scale: f64,
    /// Sampling points of a bin down and across; 0, the default, is as many as it has pixels, rounded up.
    pub sampling: usize,
    /// The coordinates are those of pixels' corners, so that pixel centres lie half a pixel in; so by
    /// default. Without it a region has at least the extent of a pixel.
    pub aligned: bool,
    /// Bins move by offsets, in extents of their region times this; 0.1 in the publication. By default
    /// they do not.
    pub gamma: Option<f64>,
}

impl Default for AlignSettings {
    fn default() -> Self {
        Self {
            scale: 1.0,
            sampling: 0,
            aligned: true,
            gamma: None,
        }
    }
}

impl RegionOp {
    fn desc(&self) -> &RegionsDesc {
        match self {
            Self::Align { desc, .. }
            | Self::AlignBackward { desc, .. }
            | Self::AlignBackwardOffset { desc, .. }
            | Self::Max { desc, .. }
            | Self::MaxBackward { desc, .. }
            | Self::Average { desc, .. }
            | Self::AverageBackward { desc, .. } => desc,
        }
    }

    /// Numbers that must be positive, or at least finite.
    fn check_settings(&self) -> Result<(), OpError> {
        let (scale, gamma) = match self {
            Self::Align { settings, .. }
            | Self::AlignBackward { settings, .. }
            | Self::AlignBackwardOffset { settings, .. } => {
                (settings.scale, settings.gamma.unwrap_or(0.0))
            }
            Self::Max { scale, .. }
            | Self::Average { scale, .. }
            | Self::AverageBackward { scale, .. } => (*scale, 0.0),
            Self::MaxBackward { .. } => (1.0, 0.0),
        };
        let check = |within, setting, value: f64, range| {
            OpError::unless(within, self.name(), setting, value as f32, range)
        };
        let positive = scale.is_finite() && scale > 0.0;
        check(positive, "scale", scale, "the positive numbers")?;
        check(gamma.is_finite(), "gamma", gamma, "the finite numbers")
    }

    fn resolve(&self, input: &[usize], regions: &[usize]) -> Result<RegionsGeometry, OpError> {
        let resolved = self.desc().resolve(input, regions);
        resolved.map_err(OpError::on(self.name(), input))
    }

    /// Gradient operators that know the feature map by its shape only.
    fn backward(
        &self,
        dy: Operand<'_>,
        regions: Operand<'_>,
        input: &[usize],
    ) -> Result<RegionsGeometry, OpError> {
        let geometry = self.resolve(input, regions.shape)?;
        dy.must_fit(&geometry.output_shape(), "forward input", input)?;
        Ok(geometry)
    }
}

impl Family for RegionOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Align { .. } => "region align",
            Self::AlignBackward { .. } => "region align backward",
            Self::AlignBackwardOffset { .. } => "region align backward-offset",
            Self::Max { .. } => "region max pool",
            Self::MaxBackward { .. } => "region max pool backward",
            Self::Average { .. } => "region average pool",
            Self::AverageBackward { .. } => "region average pool backward",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        self.check_settings()?;
        let one = |shape: &[usize]| vec![ValueType::float(shape)];
        Ok(match self {
            Self::Align { settings, .. } => {
                let (x, regions) = (read.float("x")?, read.float("regions")?);
                let geometry = self.resolve(x.shape, regions.shape)?;
                if settings.gamma.is_some() {
                    read.float("offset")?
                        .must_be(&geometry.offset_shape(), regions)?;
                }
                one(&geometry.output_shape())
            }
            Self::AlignBackward {
                settings, input, ..
            } => {
                let (dy, regions) = (read.float("dy")?, read.float("regions")?);
                let geometry = self.backward(dy, regions, input)?;
                if settings.gamma.is_some() {
                    read.float("offset")?
                        .must_be(&geometry.offset_shape(), regions)?;
                }
                one(input)
            }
            Self::AlignBackwardOffset { settings, .. } => {
                let (given, range) = (settings.gamma.is_some(), "the finite numbers");
                OpError::unless(given, self.name(), "gamma", f32::NAN, range)?;
                let dy = read.float("dy")?;
                let (x, regions) = (read.float("x")?, read.float("regions")?);
                let geometry = self.resolve(x.shape, regions.shape)?;
                dy.must_be(&geometry.output_shape(), x)?;
                let offset = read.float("offset")?;
                offset.must_be(&geometry.offset_shape(), regions)?;
                one(offset.shape)
            }
            Self::Max { .. } => {
                let (x, regions) = (read.float("x")?, read.float("regions")?);
                let shape = self.resolve(x.shape, regions.shape)?.output_shape();
                vec![ValueType::float(shape), ValueType::index(shape)]
            }
            Self::Average { .. } => {
                let (x, regions) = (read.float("x")?, read.float("regions")?);
                one(&self.resolve(x.shape, regions.shape)?.output_shape())
            }
            Self::MaxBackward { input, .. } => {
                let (dy, regions) = (read.float("dy")?, read.float("regions")?);
                self.backward(dy, regions, input)?;
                read.index("indices")?.must_be(dy.shape, dy)?;
                one(input)
            }
            Self::AverageBackward { input, .. } => {
                let (dy, regions) = (read.float("dy")?, read.float("regions")?);
                self.backward(dy, regions, input)?;
                one(input)
            }
        })
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let dy = step.upstream()?;
        let (x, regions) = (step.input(0), step.input(1));
        let input = step.shape(x).to_vec();
        let desc = self.desc().clone();
        match self {
            &Self::Align { settings, .. } => {
                let offset = settings.gamma.map(|_| step.input(2));
                let back = Self::AlignBackward {
                    desc: desc.clone(),
                    settings,
                    input,
                };
                let inputs = [dy, regions].into_iter().chain(offset).collect();
                step.give(Op::Region(back), inputs, &[0])?;
                let Some(offset) = offset else {
                    return Ok(());
                };
                let back = Self::AlignBackwardOffset { desc, settings };
                step.give(Op::Region(back), vec![dy, x, regions, offset], &[2])
            }
            Self::Max { .. } => {
                let indices = step.output(1);
                let back = Self::MaxBackward { desc, input };
                step.give(Op::Region(back), vec![dy, regions, indices], &[0])
            }
            &Self::Average { scale, .. } => {
                let back = Self::AverageBackward { desc, scale, input };
                step.give(Op::Region(back), vec![dy, regions], &[0])
            }
            _ => Err(step.refuse("")),
        }
    }

    fn output_suffix(&self, place: usize) -> &'static str {
        match (self, place) {
            (Self::Max { .. }, 1) => "indices",
            _ => "",
        }
    }
}
