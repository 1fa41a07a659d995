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

/// How many placements a window has along an axis.
pub(crate) struct Placements {
    /// As many as fit, in ceil mode rounded up.
    pub(crate) fitting: usize,
    /// As many as are left when one that would begin in the padding behind is dropped.
    pub(crate) kept: usize,
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
        input
            .checked_add(before)
            .and_then(|p| p.checked_add(after))
            .filter(|&p| p <= isize::MAX as usize / 2)
            .ok_or(overflow)?;
        let mut window = Self {
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
            output: 0,
        };
        window.output = window.placements(axis, ceil)?.kept;
        Ok(window)
    }

    /// Counts placements, whatever the output says; [`Window::resolve`] tells how.
    ///
    /// # Errors
    /// A window larger than the padded input where it has no placement.
    pub(crate) fn placements(&self, axis: usize, ceil: bool) -> Result<Placements, GeometryError> {
        let (padded, window) = (self.padded(), self.effective_kernel());
        let too_large = |padded| GeometryError::WindowTooLarge {
            axis,
            window,
            padded,
        };
        let fitting = match padded.checked_sub(window) {
            Some(slack) if ceil => slack.div_ceil(self.stride) + 1,
            Some(slack) => slack / self.stride + 1,
            // The division rounds up to 0: the first placement is the one that hangs over.
            None if ceil && window - padded < self.stride => 1,
            None => return Err(too_large(padded)),
        };
        // Padding behind may be wider than the kernel, and room for more than one window.
        let begins = self.before + self.input;
        let late = ceil && self.position(fitting - 1, 0) >= begins;
        match fitting - usize::from(late) {
            0 => Err(too_large(begins)),
            kept => Ok(Placements { fitting, kept }),
        }
    }

    /// Extent of the dilated kernel, `d·(k−1) + 1`.
    pub fn effective_kernel(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// Elements of the padded axis.
    #[inline]
    pub fn padded(&self) -> usize {
        self.before + self.input + self.after
    }

    /// The place on the padded axis that tap `kernel` of placement `output` lies on.
    #[inline]
    pub fn position(&self, output: usize, kernel: usize) -> usize {
        output * self.stride + kernel * self.dilation
    }

    /// One past the last place on the padded axis that a placement lies on.
    ///
    /// ```
    /// use geometry::{ConvDesc, PoolDesc};
    ///
    /// // 0 to 4 and 2 to 6 of 8 places: one is left behind.
    /// let conv = ConvDesc::new(1, 5).stride(2).padding(1).resolve(&[1, 1, 6])?;
    /// let axis = conv.spatial()[0];
    /// assert_eq!((axis.padded(), axis.reach()), (8, 7));
    /// assert_eq!((axis.behind(), axis.overhang()), (1, 0));
    /// // In ceil mode a third one hangs over.
    /// let pool = PoolDesc::max(5).stride(2).padding(1).ceil(true).resolve(&[1, 1, 6])?;
    /// assert_eq!((pool.windows[2].behind(), pool.windows[2].overhang()), (0, 1));
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    pub fn reach(&self) -> usize {
        // A window that was resolved reaches no further than the memory of its input, a kernel and a stride.
        reach(self.output, self.stride, self.effective_kernel()).unwrap_or(usize::MAX)
    }

    /// Places of the padded axis behind the last placement: what is left where the stride does not divide.
    pub fn behind(&self) -> usize {
        self.padded().saturating_sub(self.reach())
    }

    /// Places past the padding that the last placement lies on, as it may in ceil mode.
    pub fn overhang(&self) -> usize {
        self.reach().saturating_sub(self.padded())
    }
}

/// Extent of so many placements from the first place to the last, `(out−1)·s + ke`; of none it is nothing.
pub(crate) fn reach(placements: usize, stride: usize, effective_kernel: usize) -> Option<usize> {
    match placements {
        0 => Some(0),
        many => (many - 1)
            .checked_mul(stride)?
            .checked_add(effective_kernel),
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
