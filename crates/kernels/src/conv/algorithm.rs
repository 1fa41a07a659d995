//! The ways to compute a convolution, best first, and why one does not serve a problem.

use std::fmt;
use std::str::FromStr;

use geometry::ConvGeometry;

use super::winograd::Outputs;
use super::{ConvOptions, Direction, dense, grouped, planes, rows, winograd};
use crate::Isa;

/// A way to compute a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// One multiply-accumulate per channel and tap, vectors over channels.
    Depthwise,
    /// Vectors over the channels of several groups of few channels each.
    Grouped,
    /// Rows of the weight as they lie, each multiplied with the one pixel there is.
    Rows,
    /// Vectors over the pixels of a row, for few target channels.
    Planes,
    /// Winograd's short convolutions, four target elements of an axis at a time: a quarter of the
    /// multiplications of a 3×3 kernel, and results that differ in rounding.
    Winograd4,
    /// The same, two target elements at a time: less than half of the multiplications, fewer weights.
    Winograd2,
    /// Cross-correlation in place as an implicit matrix product.
    Direct,
    /// Columns, made block by block, and the matrix product of them and the weights. In any number of
    /// axes; it reads memory once for every tap, so it stands behind [`Algorithm::Direct`].
    ///
    /// Groups share a matrix, and each is a product of its own. With few output channels a group,
    /// tiles stay mostly empty: it costs here, as in [`Algorithm::Direct`], what a whole vector of
    /// output channels for every group would, up to 16 times its multiply-accumulates, and not more.
    Im2col,
    /// The definition, element by element. Accepts everything.
    ///
    /// As the algorithms for groups it leaves out what lies in the padding, where the others multiply
    /// zeros: a weight that is infinite makes NaN of those.
    Reference,
}

impl Algorithm {
    /// All algorithms, best first.
    pub const ALL: [Self; 9] = [
        Self::Depthwise,
        Self::Grouped,
        Self::Rows,
        Self::Planes,
        Self::Winograd4,
        Self::Winograd2,
        Self::Direct,
        Self::Im2col,
        Self::Reference,
    ];

    pub(super) fn refuse(
        self,
        geometry: &ConvGeometry,
        direction: Direction,
        isa: Isa,
    ) -> Option<Refusal> {
        if !geometry.pads_with_zeros() {
            return Some(Refusal::PaddingMode);
        }
        match self {
            Self::Depthwise => grouped::refuse_depthwise(geometry),
            Self::Grouped => grouped::refuse(geometry, isa),
            Self::Rows => rows::refuse(geometry, direction),
            Self::Planes => planes::refuse(geometry, direction, isa),
            Self::Winograd4 => winograd::refuse(geometry, direction, Outputs::Four),
            Self::Winograd2 => winograd::refuse(geometry, direction, Outputs::Two),
            Self::Direct => dense::refuse(geometry, direction),
            Self::Im2col => dense::refuse_columns(geometry, direction),
            Self::Reference => None,
        }
    }

    /// Why another algorithm is better, though this one serves the problem.
    pub(super) fn refuse_by_cost(
        self,
        geometry: &ConvGeometry,
        direction: Direction,
        options: ConvOptions,
    ) -> Option<Refusal> {
        if self == Self::Planes {
            return planes::refuse_by_cost(geometry, direction, options);
        }
        let outputs = self.outputs()?;
        winograd::refuse_by_cost(geometry, direction, options, outputs)
    }

    /// Whether it sums anything but products of operands. Its results differ from those of the others by
    /// more than the order of a sum, though by little (a relative error of a few millionths), and an
    /// element that is infinite or NaN spoils its neighbours too.
    pub fn reassociates(self) -> bool {
        self.outputs().is_some()
    }

    /// The tiles of a short convolution.
    pub(super) fn outputs(self) -> Option<Outputs> {
        match self {
            Self::Winograd4 => Some(Outputs::Four),
            Self::Winograd2 => Some(Outputs::Two),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Depthwise => "depthwise",
            Self::Grouped => "grouped",
            Self::Rows => "rows",
            Self::Planes => "planes",
            Self::Winograd4 => "winograd-4",
            Self::Winograd2 => "winograd-2",
            Self::Direct => "direct",
            Self::Im2col => "im2col",
            Self::Reference => "reference",
        })
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.to_string() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(|algorithm| algorithm.to_string());
                format!("'{text}' is none of {}", names.join(", "))
            })
    }
}

/// Why an algorithm does not serve a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The problem has a depth axis.
    #[error("it has no path for a depth axis")]
    Depth,
    /// The groups are not single channels with one output each.
    #[error("the convolution is not depthwise with multiplier 1")]
    NotDepthwise,
    /// There are no groups to lie side by side.
    #[error("there is one group only")]
    OneGroup,
    /// A vector does not hold two groups.
    #[error("the groups are too wide to share vectors")]
    WideGroups,
    /// There is more than one pixel, or the kernel has more than one element.
    #[error("it serves a single pixel")]
    Pixels,
    /// Gradients are other sums.
    #[error("it has no path for this direction")]
    Direction,
    /// The stride is not one.
    #[error("it has no path for strides")]
    Strided,
    /// A kernel of a single element, of an even number of taps along an axis, or of more than seven.
    #[error("it serves kernels of 3, 5 or 7 taps along one axis or both")]
    KernelSize,
    /// There is more than one group.
    #[error("it has no path for groups")]
    Groups,
    /// Sums of products of operands are asked for.
    #[error("strict sums are asked for")]
    Strict,
    /// Another algorithm is expected to take less time.
    #[error("another algorithm is expected to be quicker")]
    Slower,
    /// Strides, dilations or padding far larger than the map.
    #[error("what a row of outputs reads lies too far apart to be fetched as a whole")]
    Reach,
    /// The padding is not zeros: the input has to be padded first, and
    /// [`ConvGeometry::padded`] computed.
    #[error("kernels pad with zeros only")]
    PaddingMode,
}

/// An algorithm was asked for that does not serve the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("algorithm {algorithm} cannot compute this problem: {refusal}")]
pub struct PlanError {
    /// What was asked for.
    pub algorithm: Algorithm,
    /// Why not.
    pub refusal: Refusal,
}
