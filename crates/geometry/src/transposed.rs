//! Descriptors of the other convolutions the notation names: transposed, deformable, separable.

use crate::conv::split_shape;
use crate::window::effective_kernel;
use crate::{Axes, ConvDesc, ConvGeometry, GeometryError, Padding};

/// A transposed (fractionally strided) convolution: the backward-data pass of a convolution, used
/// as a layer. Its settings are those of that convolution, whose output is this layer's input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransposedDesc {
    /// Channels of this layer's output, kernel, stride, dilation, padding and groups.
    pub conv: ConvDesc,
    /// Rows added at the far side only, `a < max(stride, dilation)`.
    pub output_padding: Axes,
}

impl TransposedDesc {
    /// The convolution whose backward-data pass this is, for an input `[n, c, spatial…]` of the
    /// transposed layer: `out = (n−1)·s − before − after + ke + a`.
    ///
    /// `same` padding asks for an output of `n·s`, as Keras does.
    ///
    /// # Errors
    /// See [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<ConvGeometry, GeometryError> {
        let (batch, in_channels, spatial) = split_shape(input)?;
        let rank = spatial.len();
        let kernel = self.conv.kernel.expand("kernel", rank)?;
        let stride = self.conv.stride.expand("stride", rank)?;
        let dilation = self.conv.dilation.expand("dilation", rank)?;
        let extra = self.output_padding.expand("output padding", rank)?;
        let overflow = || GeometryError::Overflow { what: "the output" };
        let mut shape = vec![batch, self.conv.out_channels];
        let mut pads = Vec::with_capacity(rank);
        for axis in 0..rank {
            for (what, value) in [
                ("kernel", kernel[axis]),
                ("stride", stride[axis]),
                ("dilation", dilation[axis]),
                ("the input of a transposed convolution", spatial[axis]),
            ] {
                if value == 0 {
                    return Err(GeometryError::Zero { what });
                }
            }
            let below = stride[axis].max(dilation[axis]);
            if extra[axis] >= below {
                return Err(GeometryError::OutputPadding {
                    axis,
                    given: extra[axis],
                    below,
                });
            }
            let effective = effective_kernel(kernel[axis], dilation[axis])?;
            let full = (spatial[axis] - 1)
                .checked_mul(stride[axis])
                .and_then(|f| f.checked_add(effective))
                .and_then(|f| f.checked_add(extra[axis]))
                .ok_or_else(overflow)?;
            let (before, after) = match self.conv.padding {
                Padding::Same | Padding::SameLower => {
                    let wanted = spatial[axis]
                        .checked_mul(stride[axis])
                        .ok_or_else(overflow)?;
                    let total = full.saturating_sub(wanted);
                    if self.conv.padding == Padding::Same {
                        (total / 2, total - total / 2)
                    } else {
                        (total - total / 2, total / 2)
                    }
                }
                _ => {
                    self.conv
                        .padding
                        .amounts(axis, rank, spatial[axis], effective, stride[axis])?
                }
            };
            let padding = before.checked_add(after).ok_or_else(overflow)?;
            shape.push(full.checked_sub(padding).filter(|&o| o > 0).ok_or(
                GeometryError::EmptyTransposed {
                    axis,
                    full,
                    padding,
                },
            )?);
            pads.push((before, after));
        }
        let conv = ConvDesc {
            out_channels: in_channels,
            padding: Padding::Explicit(pads),
            ..self.conv.clone()
        };
        conv.resolve(&shape)
    }
}

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

/// A depthwise convolution with a depth multiplier, followed by a pointwise one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeparableDesc {
    /// Window of the depthwise stage; `out_channels` belongs to the pointwise stage and is 0 when
    /// there is none.
    pub conv: ConvDesc,
    /// Depthwise output channels for each input channel.
    pub multiplier: usize,
}
