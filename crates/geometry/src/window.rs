//! One axis of a window operation.

use crate::{GeometryError, Padding};

/// One axis of a window operation, every number checked: an input of `input` elements, padded by
/// `before` and `after`, walked over in steps of `stride` by a kernel of `kernel` taps that lie
/// `dilation` apart, gives `output` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Input elements.
    pub input: usize,
    /// Kernel taps.
    pub kernel: usize,
    /// Distance between neighbouring placements.
    pub stride: usize,
    /// Distance between neighbouring taps; 1 is dense.
    pub dilation: usize,
    /// Padding before the first element.
    pub before: usize,
    /// Padding after the last element. Ceil mode may reach past it.
    pub after: usize,
    /// Placements of the window. A transposed convolution may have fewer than fit.
    pub output: usize,
}

impl Window {
    /// The axis of an operation that has no extent along it.
    pub const UNIT: Self = Self {
        input: 1,
        kernel: 1,
        stride: 1,
        dilation: 1,
        before: 0,
        after: 0,
        output: 1,
    };

    /// Checks one axis and counts its placements:
    /// `floor((n + before + after − ke) / s) + 1` with `ke = d·(k−1) + 1`.
    ///
    /// With `ceil` the division rounds up, and a last placement that would start at or beyond
    /// `n + before` is dropped (PyTorch, ONNX MaxPool-22). A window that is larger than the padded input by
    /// less than a stride then still has one placement, which hangs over as a last one may.
    ///
    /// # Errors
    /// A zero number, a window larger than the padded input where it has no placement, or overflow.
    pub(crate) fn resolve(
        axis: usize,
        rank: usize,
        input: usize,
        [kernel, stride, dilation]: [usize; 3],
        padding: &Padding,
        ceil: bool,
    ) -> Result<Self, GeometryError> {
        for (what, value) in [
            ("kernel", kernel),
            ("stride", stride),
            ("dilation", dilation),
        ] {
            if value == 0 {
                return Err(GeometryError::Zero { what });
            }
        }
        let effective = effective_kernel(kernel, dilation)?;
        let (before, after) = padding.amounts(axis, rank, input, effective, stride)?;
        let overflow = GeometryError::Overflow {
            what: "the padded input",
        };
        let padded = input
            .checked_add(before)
            .and_then(|p| p.checked_add(after))
            .filter(|&p| p <= isize::MAX as usize / 2)
            .ok_or(overflow)?;
        let mut output = match padded.checked_sub(effective) {
            Some(slack) if ceil => slack.div_ceil(stride) + 1,
            Some(slack) => slack / stride + 1,
            // The division rounds up to 0: the first placement is the one that hangs over.
            None if ceil && effective - padded < stride => 1,
            None => {
                return Err(GeometryError::WindowTooLarge {
                    axis,
                    window: effective,
                    padded,
                });
            }
        };
        if ceil {
            // Padding behind may be wider than the kernel, and room for more than one window.
            if (output - 1) * stride >= input + before {
                output -= 1;
            }
            if output == 0 {
                return Err(GeometryError::WindowTooLarge {
                    axis,
                    window: effective,
                    padded: input + before,
                });
            }
        }
        Ok(Self {
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
            output,
        })
    }

    /// Extent of the dilated kernel, `d·(k−1) + 1`.
    pub fn effective_kernel(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }
}

/// `d·(k−1) + 1`, checked.
pub(crate) fn effective_kernel(kernel: usize, dilation: usize) -> Result<usize, GeometryError> {
    dilation
        .checked_mul(kernel - 1)
        .and_then(|e| e.checked_add(1))
        .filter(|&e| e <= isize::MAX as usize / 4)
        .ok_or(GeometryError::Overflow {
            what: "the dilated kernel",
        })
}
