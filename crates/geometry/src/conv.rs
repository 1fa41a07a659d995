//! Convolution: what was asked for, and what it comes to on a given input.

use crate::error::checked_product;
use crate::{Axes, GeometryError, MAX_RANK, Padding, PaddingMode, Window};

/// A convolution as a user asks for it: output channels, kernel, stride, dilation, padding and what it
/// holds, groups.
///
/// The operator is the cross-correlation of deep learning,
/// `y[n, o, p] = b[o] + Σ_{c, t} x[n, c, p·s + t·d − before] · w[o, c, t]`
/// (Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*, 2016).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvDesc {
    /// Output channels.
    pub out_channels: usize,
    /// Kernel extent.
    pub kernel: Axes,
    /// Stride, 1 by default.
    pub stride: Axes,
    /// Dilation, 1 by default: dense.
    pub dilation: Axes,
    /// Padding rule, none by default.
    pub padding: Padding,
    /// What the padding holds, zeros by default.
    pub padding_mode: PaddingMode,
    /// Groups, 1 by default; as many as input channels makes it depthwise.
    pub groups: usize,
}

impl ConvDesc {
    /// A dense, unpadded convolution of stride one.
    pub fn new(out_channels: usize, kernel: impl Into<Axes>) -> Self {
        Self {
            out_channels,
            kernel: kernel.into(),
            stride: 1.into(),
            dilation: 1.into(),
            padding: Padding::Valid,
            padding_mode: PaddingMode::Zeros,
            groups: 1,
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

    /// Sets what the padding holds.
    pub fn padding_mode(mut self, mode: PaddingMode) -> Self {
        self.padding_mode = mode;
        self
    }

    /// Sets the groups.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Checks the descriptor against an input of shape `[n, c, (d, (h,)) w]`.
    ///
    /// # Errors
    /// Every combination without meaning, with its numbers; see [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<ConvGeometry, GeometryError> {
        let (batch, in_channels, spatial) = split_shape(input)?;
        let rank = spatial.len();
        for (what, value) in [
            ("groups", self.groups),
            ("output channels", self.out_channels),
            ("input channels", in_channels),
        ] {
            if value == 0 {
                return Err(GeometryError::Zero { what });
            }
        }
        for (side, channels) in [("input", in_channels), ("output", self.out_channels)] {
            if channels % self.groups != 0 {
                return Err(GeometryError::Groups {
                    side,
                    channels,
                    groups: self.groups,
                });
            }
        }
        let windows = resolve_windows(
            spatial,
            &self.kernel,
            &self.stride,
            &self.dilation,
            &self.padding,
            false,
        )?;
        for (axis, window) in windows[MAX_RANK - rank..].iter().enumerate() {
            self.padding_mode.check(axis, window)?;
        }
        let geometry = ConvGeometry {
            batch,
            in_channels,
            out_channels: self.out_channels,
            groups: self.groups,
            rank,
            padding_mode: self.padding_mode,
            windows,
        };
        checked_product("the input", input)?;
        if !geometry.pads_with_zeros() {
            // An engine will make it.
            checked_product("the padded input", &geometry.padded().input_shape())?;
        }
        checked_product("the output", &geometry.output_shape())?;
        checked_product("the weight", &geometry.weight_shape())?;
        geometry.checked_macs()?;
        Ok(geometry)
    }
}

/// A convolution on a given input, every number checked. Three axes always (depth, height, width):
/// those that the problem does not have are [`Window::UNIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Images.
    pub batch: usize,
    /// Input channels, all groups together.
    pub in_channels: usize,
    /// Output channels, all groups together.
    pub out_channels: usize,
    /// Groups; divides both channel counts.
    pub groups: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// What the padding holds.
    pub padding_mode: PaddingMode,
    /// Depth, height and width.
    pub windows: [Window; MAX_RANK],
}

impl ConvGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        self.shape(self.in_channels, |w| w.input)
    }

    /// `[n, o, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        self.shape(self.out_channels, |w| w.output)
    }

    /// `[o, c / groups, kernel…]`
    pub fn weight_shape(&self) -> Vec<usize> {
        let mut shape = vec![self.out_channels, self.in_channels_per_group()];
        shape.extend(self.spatial().iter().map(|w| w.kernel));
        shape
    }

    /// The windows the problem has, outermost first.
    pub fn spatial(&self) -> &[Window] {
        &self.windows[MAX_RANK - self.rank..]
    }

    /// Input channels that one output channel sees.
    pub fn in_channels_per_group(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels of one group.
    pub fn out_channels_per_group(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Elements of one input channel of one image.
    pub fn input_area(&self) -> usize {
        self.windows.iter().map(|w| w.input).product()
    }

    /// Elements of one output channel of one image.
    pub fn output_area(&self) -> usize {
        self.windows.iter().map(|w| w.output).product()
    }

    /// Taps of the kernel, all axes together.
    pub fn kernel_area(&self) -> usize {
        self.windows.iter().map(|w| w.kernel).product()
    }

    /// Every group has one input channel: nothing is summed over channels.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.in_channels && self.groups > 1
    }

    /// The same problem on another number of images.
    pub fn with_batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Whether the padding is zeros, or there is none: what lies outside the input adds nothing.
    pub fn pads_with_zeros(&self) -> bool {
        let unpadded = |w: &Window| w.before == 0 && w.after == 0;
        self.padding_mode == PaddingMode::Zeros || self.windows.iter().all(unpadded)
    }

    /// The same convolution over the input as it is once padded: its input takes the padding in, and
    /// its own windows add none. An engine whose kernels pad with zeros pads by itself and computes
    /// this.
    pub fn padded(mut self) -> Self {
        for window in &mut self.windows {
            window.input = window.padded();
            (window.before, window.after) = (0, 0);
        }
        self.padding_mode = PaddingMode::Zeros;
        self
    }

    fn shape(&self, channels: usize, extent: fn(&Window) -> usize) -> Vec<usize> {
        let lifted = self.windows.each_ref().map(extent);
        lifted_shape(self.batch, channels, self.rank, lifted)
    }
}

/// Batch, channels and spatial axes of a shape.
pub(crate) fn split_shape(shape: &[usize]) -> Result<(usize, usize, &[usize]), GeometryError> {
    match shape {
        [batch, channels, spatial @ ..] if (1..=MAX_RANK).contains(&spatial.len()) => {
            Ok((*batch, *channels, spatial))
        }
        _ => Err(GeometryError::Rank {
            shape: shape.to_vec(),
        }),
    }
}

/// `[n, c, spatial…]`: the shape of maps whose extents are lifted to [`MAX_RANK`] axes.
pub(crate) fn lifted_shape(
    batch: usize,
    channels: usize,
    rank: usize,
    lifted: [usize; MAX_RANK],
) -> Vec<usize> {
    [&[batch, channels], &lifted[MAX_RANK - rank..]].concat()
}

/// What the axes are called, the outermost first.
pub(crate) const AXES: [&str; MAX_RANK] = ["depth", "height", "width"];

/// The windows of all axes, lifted to [`MAX_RANK`].
pub(crate) fn resolve_windows(
    spatial: &[usize],
    kernel: &Axes,
    stride: &Axes,
    dilation: &Axes,
    padding: &Padding,
    ceil: bool,
) -> Result<[Window; MAX_RANK], GeometryError> {
    let rank = spatial.len();
    let kernel = kernel.expand("kernel", rank)?;
    let stride = stride.expand("stride", rank)?;
    let dilation = dilation.expand("dilation", rank)?;
    let mut windows = [Window::UNIT; MAX_RANK];
    for axis in 0..rank {
        windows[MAX_RANK - rank + axis] = Window::resolve(
            axis,
            rank,
            spatial[axis],
            [kernel[axis], stride[axis], dilation[axis]],
            padding,
            ceil,
        )
        .map_err(|error| match error {
            GeometryError::WindowTooLarge { .. } if spatial[axis] == 0 => GeometryError::Zero {
                what: AXES[MAX_RANK - rank + axis],
            },
            other => other,
        })?;
    }
    Ok(windows)
}
