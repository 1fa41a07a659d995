//! Transposed convolution: what was asked for, and the convolution it turns round.

use crate::conv::split_shape;
use crate::window::{effective_kernel, reach};
use crate::{
    Axes, ConvDesc, ConvGeometry, GeometryError, MAX_RANK, Padding, PaddingMode, Stretched, Window,
};

/// A transposed (fractionally strided) convolution: the backward-data pass of a convolution, used
/// as a layer. Its settings are those of that convolution, whose output is this layer's input.
///
/// `out = (n−1)·s − before − after + ke + a`, as PyTorch and ONNX count. With [`Padding::Same`] and
/// [`Padding::SameLower`] the output is `n·s`, as Keras and ONNX have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransposedDesc {
    /// Channels of this layer's output, kernel, stride, dilation, padding and groups.
    pub conv: ConvDesc,
    /// Rows added at the far side only, `a < max(stride, dilation)`.
    pub output_padding: Axes,
}

impl TransposedDesc {
    /// The transposed convolution without output padding.
    pub fn new(conv: ConvDesc) -> Self {
        Self {
            conv,
            output_padding: 0.into(),
        }
    }

    /// Sets the output padding.
    pub fn output_padding(mut self, rows: impl Into<Axes>) -> Self {
        self.output_padding = rows.into();
        self
    }

    /// The transposed convolution that Keras means by these settings: unpadded, its output has
    /// `(n−1)·s + max(ke, s)` rows, for a stride beyond the kernel leaves rows at the far side too.
    ///
    /// # Errors
    /// When kernel, stride and dilation name different numbers of axes, or the kernel is zero.
    pub fn keras(conv: ConvDesc) -> Result<Self, GeometryError> {
        if conv.padding != Padding::Valid {
            return Ok(Self::new(conv));
        }
        let settings = [&conv.kernel, &conv.stride, &conv.dilation].map(Axes::as_slice);
        let rank = settings.map(<[usize]>::len).into_iter().max().unwrap_or(1);
        let kernel = conv.kernel.expand("kernel", rank)?;
        let stride = conv.stride.expand("stride", rank)?;
        let dilation = conv.dilation.expand("dilation", rank)?;
        let mut rows = Vec::with_capacity(rank);
        for axis in 0..rank {
            nonzero("kernel", kernel[axis])?;
            let effective = effective_kernel(kernel[axis], dilation[axis])?;
            rows.push(stride[axis].saturating_sub(effective));
        }
        Ok(Self::new(conv).output_padding(rows))
    }

    /// The same layer with the padding that turns `input` `[n, c, spatial…]` into an output of the
    /// given spatial extents (ONNX's `output_shape`): `total = (n−1)·s + a + ke − out` rows are
    /// taken off, the odd one at the far side under [`Padding::Same`] and at the near side
    /// otherwise. An output larger than that is filled up by output padding.
    ///
    /// # Errors
    /// See [`GeometryError`].
    pub fn for_output(&self, input: &[usize], output: &[usize]) -> Result<Self, GeometryError> {
        let (_, _, spatial) = split_shape(input)?;
        if output.len() != spatial.len() {
            return Err(GeometryError::AxisCount {
                what: "output shape",
                given: output.len(),
                rank: spatial.len(),
            });
        }
        let far_first = self.conv.padding == Padding::Same;
        let (mut pads, mut rows) = (Vec::new(), Vec::new());
        for (axis, &wanted) in self.axes(spatial)?.iter().zip(output) {
            pads.push(split(axis.full.saturating_sub(wanted), far_first));
            rows.push(axis.extra + wanted.saturating_sub(axis.full));
        }
        let conv = self.conv.clone().padding(Padding::Explicit(pads));
        Ok(Self::new(conv).output_padding(rows))
    }

    /// The convolution whose backward-data pass this is, for an input `[n, c, spatial…]` of the
    /// transposed layer: the geometry's *output* is that input, its *input* is this layer's output.
    ///
    /// # Errors
    /// See [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<ConvGeometry, GeometryError> {
        if self.conv.padding_mode != PaddingMode::Zeros {
            return Err(GeometryError::ZerosOnly {
                what: "a transposed convolution",
                mode: self.conv.padding_mode,
            });
        }
        let (batch, in_channels, spatial) = split_shape(input)?;
        let rank = spatial.len();
        let mut shape = vec![batch, self.conv.out_channels];
        let mut pads = Vec::with_capacity(rank);
        for (index, axis) in self.axes(spatial)?.into_iter().enumerate() {
            let below = axis.stride.max(axis.dilation);
            if axis.extra >= below {
                return Err(GeometryError::OutputPadding {
                    axis: index,
                    given: axis.extra,
                    below,
                });
            }
            let (full, (before, after)) = self.padding(index, rank, &axis)?;
            let padding = before.checked_add(after).ok_or_else(overflow)?;
            let output = full.checked_sub(padding).filter(|&rows| rows > 0);
            shape.push(output.ok_or(GeometryError::EmptyTransposed {
                axis: index,
                full,
                padding,
            })?);
            pads.push((before, after));
        }
        let conv = ConvDesc {
            out_channels: in_channels,
            padding: Padding::Explicit(pads),
            ..self.conv.clone()
        };
        let mut geometry = conv.resolve(&shape).map_err(exchange_sides)?;
        // Output padding of a whole stride leaves room for placements that are not there.
        let windows = &mut geometry.windows[MAX_RANK - rank..];
        for (window, &placements) in windows.iter_mut().zip(spatial) {
            window.output = placements;
        }
        Ok(geometry)
    }

    /// The layer as a direct convolution, axis by axis; see [`Stretched`]. Axes that the problem
    /// does not have come first and change nothing.
    ///
    /// # Errors
    /// See [`GeometryError`].
    pub fn stretched(&self, input: &[usize]) -> Result<[Stretched; MAX_RANK], GeometryError> {
        Ok(self
            .resolve(input)?
            .windows
            .each_ref()
            .map(Window::stretched))
    }

    /// Rows taken from the near and the far side of one axis, and from how many.
    fn padding(
        &self,
        index: usize,
        rank: usize,
        axis: &Axis,
    ) -> Result<(usize, (usize, usize)), GeometryError> {
        match self.conv.padding {
            Padding::Same | Padding::SameLower => {
                let wanted = axis.input.checked_mul(axis.stride).ok_or_else(overflow)?;
                let far_first = self.conv.padding == Padding::Same;
                let total = axis.full.saturating_sub(wanted);
                Ok((axis.full.max(wanted), split(total, far_first)))
            }
            _ => {
                let (effective, stride) = (axis.effective, axis.stride);
                let padding = &self.conv.padding;
                let amounts = padding.amounts(index, rank, axis.input, effective, stride)?;
                Ok((axis.full, amounts))
            }
        }
    }

    /// The settings of every axis of an input of `spatial` extents.
    fn axes(&self, spatial: &[usize]) -> Result<Vec<Axis>, GeometryError> {
        let rank = spatial.len();
        let kernel = self.conv.kernel.expand("kernel", rank)?;
        let stride = self.conv.stride.expand("stride", rank)?;
        let dilation = self.conv.dilation.expand("dilation", rank)?;
        let extra = self.output_padding.expand("output padding", rank)?;
        (0..rank)
            .map(|axis| {
                nonzero("kernel", kernel[axis])?;
                nonzero("stride", stride[axis])?;
                nonzero("dilation", dilation[axis])?;
                nonzero("the input of a transposed convolution", spatial[axis])?;
                let effective = effective_kernel(kernel[axis], dilation[axis])?;
                let full = reach(spatial[axis], stride[axis], effective)
                    .and_then(|reach| reach.checked_add(extra[axis]))
                    .ok_or_else(overflow)?;
                Ok(Axis {
                    input: spatial[axis],
                    stride: stride[axis],
                    dilation: dilation[axis],
                    extra: extra[axis],
                    effective,
                    full,
                })
            })
            .collect()
    }
}

/// One axis of a transposed convolution.
struct Axis {
    input: usize,
    stride: usize,
    dilation: usize,
    /// Output padding.
    extra: usize,
    /// Extent of the dilated kernel.
    effective: usize,
    /// Rows before padding is taken off: `(n−1)·s + ke + a`.
    full: usize,
}

/// A total in two halves, the odd one at the far or at the near side.
fn split(total: usize, far_first: bool) -> (usize, usize) {
    let (half, rest) = (total / 2, total - total / 2);
    if far_first {
        (half, rest)
    } else {
        (rest, half)
    }
}

fn nonzero(what: &'static str, value: usize) -> Result<(), GeometryError> {
    if value == 0 {
        return Err(GeometryError::Zero { what });
    }
    Ok(())
}

/// The convolution's input channels are the layer's output channels, and the other way round.
fn exchange_sides(error: GeometryError) -> GeometryError {
    let exchange = |what| match what {
        "input" => "output",
        "output" => "input",
        "input channels" => "output channels",
        "output channels" => "input channels",
        other => other,
    };
    match error {
        GeometryError::Zero { what } => GeometryError::Zero {
            what: exchange(what),
        },
        GeometryError::Groups {
            side,
            channels,
            groups,
        } => GeometryError::Groups {
            side: exchange(side),
            channels,
            groups,
        },
        other => other,
    }
}

fn overflow() -> GeometryError {
    GeometryError::Overflow { what: "the output" }
}
