//! Padding as an operator: what the elements around a tensor hold.

use std::fmt;
use std::ops::Range;

use crate::axis_error::addressable;
use crate::{AxisError, MAX_AXES, PaddingMode};

/// What padding holds, where it is an operator of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PadMode {
    /// One value everywhere.
    Constant,
    /// The elements mirrored at the edge, which itself is not repeated: `c b | a b c | b a`.
    Reflect,
    /// The nearest element: `a a | a b c | c c`. ONNX and NumPy call it *edge*.
    Replicate,
    /// The other end: `b c | a b c | a b`. ONNX and NumPy call it *wrap*.
    Circular,
}

impl PadMode {
    /// All modes.
    pub const ALL: [Self; 4] = [
        Self::Constant,
        Self::Reflect,
        Self::Replicate,
        Self::Circular,
    ];

    /// The same mode of a convolution's padding, where the constant is zero.
    pub fn of_convolution(self) -> PaddingMode {
        match self {
            Self::Constant => PaddingMode::Zeros,
            Self::Reflect => PaddingMode::Reflect,
            Self::Replicate => PaddingMode::Replicate,
            Self::Circular => PaddingMode::Circular,
        }
    }
}

impl From<PaddingMode> for PadMode {
    fn from(mode: PaddingMode) -> Self {
        match mode {
            PaddingMode::Zeros => Self::Constant,
            PaddingMode::Reflect => Self::Reflect,
            PaddingMode::Replicate => Self::Replicate,
            PaddingMode::Circular => Self::Circular,
        }
    }
}

impl fmt::Display for PadMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            mode => mode.of_convolution().fmt(f),
        }
    }
}

/// A padding as a user asks for it.
///
/// A negative amount takes elements off; what is left of the axis is then padded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PadDesc {
    /// What the new elements hold.
    pub mode: PadMode,
    /// Elements added (before, after) for each axis, outermost first.
    pub amounts: Vec<(i64, i64)>,
}

impl PadDesc {
    /// A padding of every axis.
    pub fn new(mode: PadMode, amounts: &[(i64, i64)]) -> Self {
        Self {
            mode,
            amounts: amounts.to_vec(),
        }
    }

    /// A padding of the spatial axes of a feature map, whose batch and channels stay as they are.
    pub fn spatial(mode: PadMode, amounts: &[(i64, i64)]) -> Self {
        Self {
            mode,
            amounts: [&[(0, 0), (0, 0)], amounts].concat(),
        }
    }

    /// Checks the descriptor against a shape.
    ///
    /// The bounds are PyTorch's: reflection must stay below the extent that is left, circular padding
    /// must not pass it.
    ///
    /// # Errors
    /// Amounts for another number of axes, a crop of more than there is, a bound passed, overflow.
    pub fn resolve(&self, shape: &[usize]) -> Result<PadGeometry, AxisError> {
        let rank = shape.len();
        if rank > MAX_AXES {
            return Err(AxisError::TooManyAxes { axes: rank });
        }
        if self.amounts.len() != rank {
            return Err(AxisError::EntryCount {
                what: "padding",
                given: self.amounts.len(),
                rank,
            });
        }
        let mut axes = [PadAxis::UNIT; MAX_AXES];
        for (axis, (&input, &amounts)) in shape.iter().zip(&self.amounts).enumerate() {
            axes[axis] = PadAxis::resolve(self.mode, axis, input, amounts)?;
        }
        let geometry = PadGeometry {
            mode: self.mode,
            rank,
            axes,
        };
        addressable("the input", shape)?;
        addressable("the padded tensor", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// One axis of a padding, every number checked: of `input` elements the first `skipped` are taken off,
/// `kept` stay, and `before` and `after` are put around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PadAxis {
    /// Elements of the input.
    pub input: usize,
    /// Elements taken off at the front.
    pub skipped: usize,
    /// Elements that stay.
    pub kept: usize,
    /// Elements put before them.
    pub before: usize,
    /// Elements put behind them.
    pub after: usize,
}

impl PadAxis {
    /// An axis of one element, as it was.
    pub const UNIT: Self = Self::plain(1);

    /// An axis that stays as it is.
    pub const fn plain(extent: usize) -> Self {
        Self {
            input: extent,
            skipped: 0,
            kept: extent,
            before: 0,
            after: 0,
        }
    }

    fn resolve(
        mode: PadMode,
        axis: usize,
        input: usize,
        (before, after): (i64, i64),
    ) -> Result<Self, AxisError> {
        const OVERFLOW: AxisError = AxisError::Overflow { what: "padding" };
        let part = |amount: i64| usize::try_from(amount.unsigned_abs());
        let (Ok(front), Ok(back)) = (part(before), part(after)) else {
            return Err(OVERFLOW);
        };
        let added = |amount: i64, size: usize| if amount > 0 { size } else { 0 };
        let taken = |amount: i64, size: usize| if amount < 0 { size } else { 0 };
        let cropped = taken(before, front)
            .checked_add(taken(after, back))
            .ok_or(OVERFLOW)?;
        let kept = input.checked_sub(cropped).ok_or(AxisError::CropTooLarge {
            axis,
            input,
            cropped,
        })?;
        let most = mode.of_convolution().most(kept);
        let amount = added(before, front).max(added(after, back));
        if amount > most {
            return Err(AxisError::Padding {
                axis,
                mode,
                amount,
                most,
                extent: kept,
            });
        }
        let resolved = Self {
            input,
            skipped: taken(before, front),
            kept,
            before: added(before, front),
            after: added(after, back),
        };
        (resolved.before.checked_add(kept))
            .and_then(|end| end.checked_add(resolved.after))
            .ok_or(OVERFLOW)?;
        Ok(resolved)
    }

    /// Elements of the padded axis.
    pub fn output(&self) -> usize {
        self.before + self.kept + self.after
    }

    /// Whether nothing is added or taken off.
    pub fn is_plain(&self) -> bool {
        self.kept == self.input && self.before == 0 && self.after == 0
    }

    /// The input element that output element `output` copies; none where it is the constant.
    #[inline]
    pub fn source(&self, mode: PadMode, output: usize) -> Option<usize> {
        let position = output as isize - self.before as isize;
        let kept = mode.of_convolution().source(self.kept, position)?;
        Some(self.skipped + kept)
    }

    /// The output elements that copy input element `input`: those before the kept ones, among them,
    /// and behind them; in ascending order.
    #[inline]
    pub fn targets(&self, mode: PadMode, input: usize) -> [Range<usize>; 3] {
        let Some(kept) = input.checked_sub(self.skipped).filter(|&i| i < self.kept) else {
            return [0..0, 0..0, 0..0];
        };
        let (itself, end) = (self.before + kept, self.before + self.kept);
        let single = |place: Option<usize>| place.map_or(0..0, |place| place..place + 1);
        let (front, back) = match mode {
            PadMode::Constant => (0..0, 0..0),
            PadMode::Reflect => (
                single(self.before.checked_sub(kept).filter(|_| kept > 0)),
                single(
                    (self.kept.checked_sub(kept + 2))
                        .filter(|&t| t < self.after)
                        .map(|t| end + t),
                ),
            ),
            PadMode::Replicate => (
                if kept == 0 { 0..self.before } else { 0..0 },
                if kept + 1 == self.kept {
                    end..end + self.after
                } else {
                    0..0
                },
            ),
            PadMode::Circular => (
                single((kept + self.before).checked_sub(self.kept)),
                single((kept < self.after).then_some(end + kept)),
            ),
        };
        [front, itself..itself + 1, back]
    }
}

/// A padding on a given shape, every number checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PadGeometry {
    /// What the new elements hold.
    pub mode: PadMode,
    rank: usize,
    axes: [PadAxis; MAX_AXES],
}

impl PadGeometry {
    /// The axes, outermost first.
    pub fn axes(&self) -> &[PadAxis] {
        &self.axes[..self.rank]
    }

    /// Shape of the input.
    pub fn input_shape(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| axis.input).collect()
    }

    /// Shape of the result.
    pub fn output_shape(&self) -> Vec<usize> {
        self.axes().iter().map(PadAxis::output).collect()
    }
}
