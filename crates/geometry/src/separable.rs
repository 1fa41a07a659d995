//! Depthwise-separable convolution: one filter for each channel, then a mixture of channels.

use crate::conv::split_shape;
use crate::rational::gcd;
use crate::{ConvDesc, ConvGeometry, Cost, GeometryError, Window};

/// A depthwise convolution with a depth multiplier, followed by a pointwise one or by nothing.
///
/// `z[n, c·m + q, p] = Σ_t x[n, c, p·s + t·d − before] · w[c·m + q, t]` and
/// `y[n, o, p] = Σ_j z[n, j, p] · v[o, j]`: input channel `c` has `m` filters of its own, whose results
/// stand side by side, and every output channel is a mixture of them all (Sifre 2014, section 6.2; Howard
/// et al. 2017, arXiv:1704.04861). It is `separable_convolution2d` of TensorFlow-Slim, whose depthwise
/// weight `[kernel…, c, m]` is here `[c·m, 1, kernel…]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeparableDesc {
    /// Window of the depthwise stage; `out_channels` belongs to the pointwise stage and is 0 when
    /// there is none, `groups` is 1.
    pub conv: ConvDesc,
    /// Depthwise output channels for each input channel.
    pub multiplier: usize,
}

/// A separable convolution on a given input, every number checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeparableGeometry {
    /// The filters: `[n, c, spatial…] → [n, c·m, spatial'…]`, weight `[c·m, 1, kernel…]`.
    pub depthwise: ConvGeometry,
    /// The mixture: `[n, c·m, spatial'…] → [n, o, spatial'…]`, weight `[o, c·m, 1…]`.
    pub pointwise: Option<ConvGeometry>,
}

impl SeparableDesc {
    /// One filter for each channel, with this window; `conv.out_channels` is what the pointwise stage
    /// makes, or 0 for the depthwise stage alone.
    pub fn new(conv: ConvDesc) -> Self {
        Self {
            conv,
            multiplier: 1,
        }
    }

    /// Sets the number of filters for each channel.
    pub fn multiplier(mut self, multiplier: usize) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// The two convolutions it is made of, for an input of `channels` channels: a depthwise one, and a
    /// pointwise one where there are output channels.
    ///
    /// ```
    /// use geometry::{ConvDesc, SeparableDesc};
    ///
    /// let separable = SeparableDesc::new(ConvDesc::new(64, 3).padding(1)).multiplier(2);
    /// let (depthwise, pointwise) = separable.stages(32)?;
    /// assert_eq!(depthwise, ConvDesc::new(64, 3).padding(1).groups(32));
    /// assert_eq!(pointwise, Some(ConvDesc::new(64, 1)));
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// A multiplier or a number of channels that is 0 or too large, and
    /// [`GeometryError::SeparableGroups`].
    pub fn stages(&self, channels: usize) -> Result<(ConvDesc, Option<ConvDesc>), GeometryError> {
        let what = "depth multiplier";
        if self.multiplier == 0 {
            return Err(GeometryError::Zero { what });
        }
        let groups = self.conv.groups;
        if groups != 1 {
            return Err(GeometryError::SeparableGroups { groups });
        }
        let filters = channels.checked_mul(self.multiplier);
        let depthwise = ConvDesc {
            out_channels: filters.ok_or(GeometryError::Overflow { what })?,
            groups: channels,
            ..self.conv.clone()
        };
        let outputs = self.conv.out_channels;
        let pointwise = (outputs > 0).then(|| ConvDesc::new(outputs, 1));
        Ok((depthwise, pointwise))
    }

    /// Checks the descriptor against an input of shape `[n, c, (d, (h,)) w]`.
    ///
    /// # Errors
    /// As [`SeparableDesc::stages`]; [`GeometryError::DilatedStride`] for a dilation beside a stride,
    /// which TensorFlow has no kernels for; and all that a convolution is refused for.
    pub fn resolve(&self, input: &[usize]) -> Result<SeparableGeometry, GeometryError> {
        let (_, channels, _) = split_shape(input)?;
        if channels == 0 {
            let what = "input channels";
            return Err(GeometryError::Zero { what });
        }
        let (depthwise, pointwise) = self.stages(channels)?;
        let depthwise = depthwise.resolve(input)?;
        let windows = depthwise.spatial();
        let dilation = windows.iter().map(|window| window.dilation).max();
        let strided = windows.iter().position(|window| window.stride > 1);
        if let (Some(dilation @ 2..), Some(axis)) = (dilation, strided) {
            return Err(GeometryError::DilatedStride {
                axis,
                stride: windows[axis].stride,
                dilation,
            });
        }
        let pointwise = pointwise
            .map(|stage| stage.resolve(&depthwise.output_shape()))
            .transpose()?;
        Ok(SeparableGeometry {
            depthwise,
            pointwise,
        })
    }
}

impl SeparableGeometry {
    /// `[n, o, spatial'…]`, or with `c·m` channels where there is no pointwise stage.
    pub fn output_shape(&self) -> Vec<usize> {
        self.pointwise.unwrap_or(self.depthwise).output_shape()
    }

    /// Weights, multiply-accumulates and receptive field of both stages together.
    pub fn cost(&self) -> Cost {
        let stages: Vec<_> = [self.depthwise].into_iter().chain(self.pointwise).collect();
        // The mixture looks at one place, and so the filters alone decide how far both see.
        let windows = self.depthwise.spatial().iter();
        Cost::seeing(&stages, windows.map(Window::effective_kernel).collect())
    }

    /// The convolution of the same window, input and output that filters and mixes at once.
    ///
    /// # Errors
    /// [`GeometryError::Overflow`], as it is the larger one.
    pub fn dense(&self) -> Result<ConvGeometry, GeometryError> {
        let last = self.pointwise.unwrap_or(self.depthwise);
        let dense = ConvGeometry {
            out_channels: last.out_channels,
            groups: 1,
            ..self.depthwise
        };
        dense.checked_macs()?;
        Ok(dense)
    }

    /// What it costs in comparison with [`SeparableGeometry::dense`], as a fraction in lowest terms. It
    /// holds for weights and for multiply-accumulates alike, as every weight is used once at every place of
    /// the output. With `o` outputs, a kernel of `k` taps and a multiplier of 1 it is `1/o + 1/k`.
    ///
    /// ```
    /// use geometry::{ConvDesc, SeparableDesc};
    ///
    /// let separable = SeparableDesc::new(ConvDesc::new(64, 3).padding(1));
    /// let resolved = separable.resolve(&[1, 32, 56, 56])?;
    /// assert_eq!(resolved.cost().parameters, 32 * 9 + 32 * 64);
    /// // 1/64 + 1/9
    /// assert_eq!(resolved.ratio()?, (73, 576));
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// As [`SeparableGeometry::dense`].
    pub fn ratio(&self) -> Result<(usize, usize), GeometryError> {
        let (separable, dense) = (self.cost().parameters, self.dense()?.weight_count());
        let divisor = gcd(separable as u128, dense as u128) as usize;
        Ok((separable / divisor, dense / divisor))
    }
}
