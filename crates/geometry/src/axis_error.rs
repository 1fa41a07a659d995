//! Why an operation along the axes of a tensor does not fit its shape, with the numbers.

use std::fmt;

use crate::error::checked_product;
use crate::{MAX_AXES, PadMode};

/// A rearrangement, a broadcast or a reduction that has no meaning, and the numbers that say so.
/// Axes are counted from the outermost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AxisError {
    /// A tensor has more axes than [`MAX_AXES`].
    TooManyAxes {
        /// How many it has.
        axes: usize,
    },
    /// A tensor has too few axes for the operation.
    TooFewAxes {
        /// The operation.
        what: &'static str,
        /// Axes it needs at least.
        needed: usize,
        /// The shape given.
        shape: Vec<usize>,
    },
    /// The operation names an axis the tensor does not have.
    NoSuchAxis {
        /// The axis as it was named; a negative one counts from the end.
        axis: i64,
        /// Axes of the tensor.
        rank: usize,
    },
    /// The operation names an axis twice.
    RepeatedAxis {
        /// The axis.
        axis: usize,
    },
    /// A setting of every axis names another number of them.
    EntryCount {
        /// Which setting.
        what: &'static str,
        /// Axes it names.
        given: usize,
        /// Axes of the tensor.
        rank: usize,
    },
    /// A number that must be at least one is zero.
    Zero {
        /// Which number.
        what: &'static str,
    },
    /// Negative padding takes off more than an axis has.
    CropTooLarge {
        /// The axis.
        axis: usize,
        /// Its elements.
        input: usize,
        /// Elements taken off, both ends together.
        cropped: usize,
    },
    /// A padding mode takes its elements from the axis, and the axis has too few of them.
    Padding {
        /// The axis.
        axis: usize,
        /// The mode.
        mode: PadMode,
        /// Elements to be added on the larger side.
        amount: usize,
        /// The most that the axis allows.
        most: usize,
        /// Elements of the axis, negative padding taken off.
        extent: usize,
    },
    /// A slice of step 0.
    ZeroStep {
        /// The axis.
        axis: usize,
    },
    /// Nothing was given to concatenate.
    NoInputs,
    /// A tensor to concatenate has another number of axes than the first.
    RanksDiffer {
        /// Which input, counted from 0.
        input: usize,
        /// Its axes.
        given: usize,
        /// Axes of the first input.
        expected: usize,
    },
    /// A tensor to concatenate differs from the first on another axis than the one they are joined on.
    ExtentsDiffer {
        /// Which input, counted from 0.
        input: usize,
        /// The axis on which it differs.
        axis: usize,
        /// Its extent.
        given: usize,
        /// That of the first input.
        expected: usize,
    },
    /// A list of axes that does not name every axis once.
    NotAPermutation {
        /// The list.
        axes: Vec<usize>,
    },
    /// Two extents that neither agree nor are 1.
    NotBroadcastable {
        /// Shape of the left operand.
        left: Vec<usize>,
        /// Shape of the right operand.
        right: Vec<usize>,
        /// The axis of the result on which they differ.
        axis: usize,
    },
    /// A reshape to another number of elements.
    ElementsDiffer {
        /// Shape of the input.
        input: Vec<usize>,
        /// The shape asked for.
        output: Vec<usize>,
    },
    /// An extent that cannot be divided into equal parts.
    Indivisible {
        /// What is divided.
        what: &'static str,
        /// The extent.
        extent: usize,
        /// The number of parts.
        parts: usize,
    },
    /// A size or a product of sizes does not fit the address space.
    Overflow {
        /// What was being counted.
        what: &'static str,
    },
}

impl fmt::Display for AxisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyAxes { axes } => {
                write!(f, "a tensor of {axes} axes: at most {MAX_AXES} are served")
            }
            Self::TooFewAxes {
                what,
                needed,
                shape,
            } => write!(f, "{what} needs {needed} axes at least, not {shape:?}"),
            Self::NoSuchAxis { axis, rank } => {
                write!(f, "there is no axis {axis} in a tensor of {rank} axes")
            }
            Self::RepeatedAxis { axis } => write!(f, "axis {axis} is named twice"),
            Self::EntryCount { what, given, rank } => write!(
                f,
                "{what} names {given} axes, but the tensor has {rank} axes"
            ),
            Self::Zero { what } => write!(f, "{what} must be at least 1, not 0"),
            Self::CropTooLarge {
                axis,
                input,
                cropped,
            } => write!(
                f,
                "negative padding takes {cropped} of {input} elements on axis {axis}"
            ),
            Self::Padding {
                axis,
                mode,
                amount,
                most,
                extent,
            } => write!(
                f,
                "{mode} padding of {amount} on axis {axis} is more than the {most} that its \
                 {extent} elements allow"
            ),
            Self::ZeroStep { axis } => write!(f, "a slice of step 0 on axis {axis}"),
            Self::NoInputs => f.write_str("nothing to concatenate"),
            Self::RanksDiffer {
                input,
                given,
                expected,
            } => write!(
                f,
                "input {input} of a concatenation has {given} axes, the first {expected}"
            ),
            Self::ExtentsDiffer {
                input,
                axis,
                given,
                expected,
            } => write!(
                f,
                "input {input} of a concatenation has extent {given} on axis {axis}, \
                 the first {expected}"
            ),
            Self::NotAPermutation { axes } => {
                write!(f, "axes {axes:?} do not name each axis once")
            }
            Self::NotBroadcastable { left, right, axis } => write!(
                f,
                "shapes {left:?} and {right:?} differ on axis {axis} of the result, \
                 and neither extent is 1"
            ),
            Self::ElementsDiffer { input, output } => write!(
                f,
                "shapes {input:?} and {output:?} do not hold the same number of elements"
            ),
            Self::Indivisible {
                what,
                extent,
                parts,
            } => write!(f, "{what} {extent} does not divide into {parts} parts"),
            Self::Overflow { what } => write!(f, "counting {what} overflows the address space"),
        }
    }
}

impl std::error::Error for AxisError {}

/// The shape as a fixed list, the rest filled with 1.
pub(crate) fn lifted(shape: &[usize]) -> Result<[usize; MAX_AXES], AxisError> {
    if shape.len() > MAX_AXES {
        return Err(AxisError::TooManyAxes { axes: shape.len() });
    }
    let mut list = [1; MAX_AXES];
    list[..shape.len()].copy_from_slice(shape);
    Ok(list)
}

/// The axis counted from the outermost; a negative one counts from the end.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, AxisError> {
    let from_front = if axis < 0 {
        axis.checked_add(rank as i64)
    } else {
        Some(axis)
    };
    from_front
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or(AxisError::NoSuchAxis { axis, rank })
}

/// Checks that the elements of a shape can be addressed.
pub(crate) fn addressable(what: &'static str, shape: &[usize]) -> Result<usize, AxisError> {
    checked_product(what, shape).map_err(|_| AxisError::Overflow { what })
}
