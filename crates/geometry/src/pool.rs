//! Pooling: what was asked for, and what it comes to on a given input.

use crate::conv::{lifted_shape, resolve_windows, split_shape};
use crate::error::checked_product;
use crate::{Axes, GeometryError, MAX_RANK, NormOrder, Padding, Window};

/// What a pool makes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolKind {
    /// The largest element; padding never wins.
    Max,
    /// The mean. Whether elements of the padding count towards the divisor; the overhang of ceil
    /// mode never does.
    Average {
        /// Padding counts (PyTorch's `count_include_pad`).
        count_padding: bool,
    },
    /// The norm `(Σ|x|ᵖ)^(1/p)`, as ONNX's `LpPool`; padding counts as zeros.
    Lp {
        /// The order p.
        order: NormOrder,
    },
}

/// A pooling as a user asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolDesc {
    /// Maximum, average or norm.
    pub kind: PoolKind,
    /// Window extent.
    pub kernel: Axes,
    /// Stride, 1 by default.
    pub stride: Axes,
    /// Dilation, 1 by default.
    pub dilation: Axes,
    /// Padding rule, none by default.
    pub padding: Padding,
    /// Round the output size up.
    pub ceil: bool,
}

impl PoolDesc {
    /// Max pooling of stride one without padding.
    pub fn max(kernel: impl Into<Axes>) -> Self {
        Self {
            kind: PoolKind::Max,
            kernel: kernel.into(),
            stride: 1.into(),
            dilation: 1.into(),
            padding: Padding::Valid,
            ceil: false,
        }
    }

    /// Average pooling of stride one without padding; padding, where set, counts.
    pub fn average(kernel: impl Into<Axes>) -> Self {
        Self {
            kind: PoolKind::Average {
                count_padding: true,
            },
            ..Self::max(kernel)
        }
    }

    /// Pooling by the Lp norm, of stride one without padding.
    pub fn lp(order: NormOrder, kernel: impl Into<Axes>) -> Self {
        Self {
            kind: PoolKind::Lp { order },
            ..Self::max(kernel)
        }
    }

    /// Sets the stride.
    pub fn stride(mut self, stride: impl Into<Axes>) -> Self {
        self.stride = stride.into();
        self
    }

    /// Sets the dilation.
    pub fn dilation(mut self, dilation: impl Into<Axes>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// Sets the padding.
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Rounds the output size up.
    pub fn ceil(mut self, ceil: bool) -> Self {
        self.ceil = ceil;
        self
    }

    /// Checks the descriptor against an input of shape `[n, c, (d, (h,)) w]`.
    ///
    /// # Errors
    /// Every combination without meaning, with its numbers; see [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<PoolGeometry, GeometryError> {
        let (batch, channels, spatial) = split_shape(input)?;
        let geometry = PoolGeometry {
            kind: self.kind,
            batch,
            channels,
            rank: spatial.len(),
            windows: resolve_windows(
                spatial,
                &self.kernel,
                &self.stride,
                &self.dilation,
                &self.padding,
                self.ceil,
            )?,
        };
        checked_product("the input", input)?;
        checked_product("the output", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// A pooling on a given input, every number checked; three axes always, as in
/// [`ConvGeometry`](crate::ConvGeometry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolGeometry {
    /// Maximum, average or norm.
    pub kind: PoolKind,
    /// Images.
    pub batch: usize,
    /// Channels, pooled one by one.
    pub channels: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// Depth, height and width.
    pub windows: [Window; MAX_RANK],
}

impl PoolGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        self.shape(|w| w.input)
    }

    /// `[n, c, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        self.shape(|w| w.output)
    }

    /// The divisor of an average at one placement: taps on the image, or on the image and its
    /// padding. A window on the overhang of ceil mode alone has a divisor of 0.
    pub fn divisor(&self, placement: [usize; MAX_RANK]) -> usize {
        let counts_padding = matches!(
            self.kind,
            PoolKind::Average {
                count_padding: true
            }
        );
        self.windows
            .iter()
            .zip(placement)
            .map(|(window, o)| match counts_padding {
                true => window.taps_inside_padding(o),
                false => window.taps_inside(o).len(),
            })
            .product()
    }

    fn shape(&self, extent: fn(&Window) -> usize) -> Vec<usize> {
        let lifted = self.windows.each_ref().map(extent);
        lifted_shape(self.batch, self.channels, self.rank, lifted)
    }
}
