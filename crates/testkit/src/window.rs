//! Where the taps of a sliding window fall.
//!
//! The padded axis is a row of cells numbered from 0: `before` cells of padding, the `input` cells of the
//! image, `after` cells of padding. A window is put down at 0, `stride`, 2·`stride`, … and looks at one
//! cell per tap, `dilation` cells apart. Everything the oracle knows of geometry is that walk.

/// One spatial axis of a window operation.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Cells of the image.
    pub input: usize,
    /// Taps of the window, at least 1.
    pub kernel: usize,
    /// Cells between two windows, at least 1.
    pub stride: usize,
    /// Cells between two taps, at least 1; 1 = dense.
    pub dilation: usize,
    /// Cells of padding before the image.
    pub before: usize,
    /// Cells of padding after the image.
    pub after: usize,
    /// Whether one window may hang over the end of the padded axis (pooling's ceil mode).
    pub ceil: bool,
}

/// What a tap looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A cell of the image, by its row-major index.
    Image(usize),
    /// A cell of the padding.
    Padding,
    /// Nothing: beyond the padded axis, where a ceil-mode window hangs over.
    Beyond,
}

/// One tap of one window.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Row-major index of the window, and so of the output.
    pub output: usize,
    /// Row-major index of the tap in the window.
    pub tap: usize,
    /// What the tap looks at.
    pub cell: Cell,
}

impl Axis {
    /// The cells at which a window is put down, in order; their number is the output size.
    ///
    /// Windows are placed as long as all their taps fall on the padded axis. In ceil mode one more is
    /// placed when it hangs over by less than a stride; then the last window is taken away again if it
    /// starts behind the image (PyTorch `Pool.h`, ONNX MaxPool-22).
    #[must_use]
    pub fn starts(&self) -> Vec<usize> {
        let padded = self.before + self.input + self.after;
        let end = |start: usize| start + (self.kernel - 1) * self.dilation + 1;
        let mut starts = Vec::new();
        let mut start = 0;
        while end(start) <= padded {
            starts.push(start);
            start += self.stride;
        }
        if self.ceil {
            if end(start) - padded < self.stride {
                starts.push(start);
            }
            if starts
                .last()
                .is_some_and(|&last| last >= self.before + self.input)
            {
                starts.pop();
            }
        }
        starts
    }

    /// What tap `tap` of the window put down at `start` looks at.
    #[must_use]
    pub fn cell(&self, start: usize, tap: usize) -> Cell {
        let position = start + tap * self.dilation;
        if position >= self.before + self.input + self.after {
            Cell::Beyond
        } else if position < self.before || position >= self.before + self.input {
            Cell::Padding
        } else {
            Cell::Image(position - self.before)
        }
    }
}

/// Every tap of every window over the product of `axes` (outermost first).
///
/// The taps of one window come in row-major order, which is what "the first maximum wins" refers to.
#[must_use]
pub fn visits(axes: &[Axis]) -> Vec<Visit> {
    let mut all = vec![Visit {
        output: 0,
        tap: 0,
        cell: Cell::Image(0),
    }];
    for axis in axes {
        let starts = axis.starts();
        let mut refined = Vec::with_capacity(all.len() * starts.len() * axis.kernel);
        for outer in &all {
            for (index, &start) in starts.iter().enumerate() {
                for tap in 0..axis.kernel {
                    let cell = match (outer.cell, axis.cell(start, tap)) {
                        (Cell::Image(row), Cell::Image(column)) => {
                            Cell::Image(row * axis.input + column)
                        }
                        (Cell::Beyond, _) | (_, Cell::Beyond) => Cell::Beyond,
                        _ => Cell::Padding,
                    };
                    refined.push(Visit {
                        output: outer.output * starts.len() + index,
                        tap: outer.tap * axis.kernel + tap,
                        cell,
                    });
                }
            }
        }
        all = refined;
    }
    all
}

/// The axes of a case given as one list per parameter, outermost axis first.
///
/// # Panics
/// If the lists are not of one length between 1 and 3, or a kernel, stride or dilation is 0.
pub(crate) fn axes(
    input: &[usize],
    kernel: &[usize],
    stride: &[usize],
    dilation: &[usize],
    padding: (&[usize], &[usize]),
    ceil: bool,
) -> Vec<Axis> {
    let rank = input.len();
    let (before, after) = padding;
    for list in [kernel, stride, dilation, before, after] {
        assert_eq!(list.len(), rank, "one value per spatial axis");
    }
    assert!((1..=3).contains(&rank), "{rank} spatial axes");
    (0..rank)
        .map(|a| {
            let (kernel, stride, dilation) = (kernel[a], stride[a], dilation[a]);
            assert!(
                kernel > 0 && stride > 0 && dilation > 0,
                "axis {a}: kernel {kernel}, stride {stride}, dilation {dilation} must be positive"
            );
            Axis {
                input: input[a],
                kernel,
                stride,
                dilation,
                before: before[a],
                after: after[a],
                ceil,
            }
        })
        .collect()
}
