//! The directions of an operator, and the arrays it reads and makes.

use std::fmt;
use std::str::FromStr;

/// An array that an operator reads or makes, by the flag that names its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Array {
    Input,
    Weight,
    Pointwise,
    Bias,
    Offset,
    Mask,
    Indices,
    Grad,
}

impl Array {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Input,
        Self::Weight,
        Self::Pointwise,
        Self::Bias,
        Self::Offset,
        Self::Mask,
        Self::Indices,
        Self::Grad,
    ];
}

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "--input",
            Self::Weight => "--weight",
            Self::Pointwise => "--pointwise",
            Self::Bias => "--bias",
            Self::Offset => "--offset",
            Self::Mask => "--mask",
            Self::Indices => "--indices",
            Self::Grad => "--grad",
        })
    }
}

/// What is computed: the result, or the gradient of one of the arrays it was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    Forward,
    BackwardData,
    BackwardWeights,
    BackwardPointwise,
    BackwardBias,
    BackwardOffset,
    BackwardMask,
}

/// Every direction with its name and the array whose gradient it is.
const DIRECTIONS: [(Direction, &str, Option<Array>); 7] = [
    (Direction::Forward, "forward", None),
    (Direction::BackwardData, "backward-data", Some(Array::Input)),
    (
        Direction::BackwardWeights,
        "backward-weights",
        Some(Array::Weight),
    ),
    (
        Direction::BackwardPointwise,
        "backward-pointwise",
        Some(Array::Pointwise),
    ),
    (Direction::BackwardBias, "backward-bias", Some(Array::Bias)),
    (
        Direction::BackwardOffset,
        "backward-offset",
        Some(Array::Offset),
    ),
    (Direction::BackwardMask, "backward-mask", Some(Array::Mask)),
];

impl Direction {
    fn entry(self) -> &'static (Self, &'static str, Option<Array>) {
        let entry = DIRECTIONS.iter().find(|(direction, ..)| *direction == self);
        entry.unwrap_or(&DIRECTIONS[0])
    }

    /// The same of a convolution's kernels, if they have it.
    pub(crate) fn of_convolution(self) -> Option<kernels::conv::Direction> {
        match self {
            Self::Forward => Some(kernels::conv::Direction::Forward),
            Self::BackwardData => Some(kernels::conv::Direction::BackwardData),
            Self::BackwardWeights => Some(kernels::conv::Direction::BackwardWeights),
            _ => None,
        }
    }

    /// The array whose gradient is computed; none forwards.
    pub(crate) fn gradient_of(self) -> Option<Array> {
        self.entry().2
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().1)
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entry = DIRECTIONS.iter().find(|(_, name, _)| *name == text);
        entry.map(|(direction, ..)| *direction).ok_or_else(|| {
            let names: Vec<_> = DIRECTIONS.iter().map(|(_, name, _)| *name).collect();
            format!("'{text}' is none of {}", names.join(", "))
        })
    }
}
