//! Why a descriptor does not fit a shape, with the numbers.

use std::fmt;

use crate::PaddingMode;

/// A window operation that has no meaning, and the numbers that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeometryError {
    /// The shape is not batch, channels and one to three spatial axes.
    Rank {
        /// The shape given, batch and channels first.
        shape: Vec<usize>,
    },
    /// A grid that does not belong to a map of this shape.
    Grid {
        /// Shape of the map.
        input: Vec<usize>,
        /// Shape of the grid.
        grid: Vec<usize>,
    },
    /// Affine matrices of another shape than `[n, 2, 3]` or `[n, 3, 4]`.
    Affine {
        /// Their shape.
        theta: Vec<usize>,
    },
    /// Cubic interpolation along a grid over another number of axes than two.
    CubicRank {
        /// Axes of the map.
        rank: usize,
    },
    /// A per-axis setting names another number of axes than the input has.
    AxisCount {
        /// Which setting (`kernel`, `stride`, …).
        what: &'static str,
        /// How many axes it names.
        given: usize,
        /// How many the input has.
        rank: usize,
    },
    /// A number that must be at least one is zero.
    Zero {
        /// Which number (`kernel`, `stride`, `dilation`, `groups`, …).
        what: &'static str,
    },
    /// Channels cannot be divided into the groups.
    Groups {
        /// `input` or `output`.
        side: &'static str,
        /// Channels on that side.
        channels: usize,
        /// Groups asked for.
        groups: usize,
    },
    /// A separable convolution that skips samples twice: with a dilation it takes no strides.
    DilatedStride {
        /// Axis counted from the outermost spatial one, the first that has a stride.
        axis: usize,
        /// Its stride.
        stride: usize,
        /// The largest dilation of all axes.
        dilation: usize,
    },
    /// A separable convolution with groups of its own: its first stage has a group for each channel,
    /// its second one for all.
    SeparableGroups {
        /// Groups asked for.
        groups: usize,
    },
    /// The window is larger than the padded input.
    WindowTooLarge {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// Extent of the dilated window, d·(k−1)+1.
        window: usize,
        /// Extent of the padded input.
        padded: usize,
    },
    /// Output padding must be below the larger of stride and dilation.
    OutputPadding {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// The output padding asked for.
        given: usize,
        /// The bound it must stay below.
        below: usize,
    },
    /// A transposed operation whose padding takes away the whole output.
    EmptyTransposed {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// Rows before padding is taken off.
        full: usize,
        /// Rows the padding takes off.
        padding: usize,
    },
    /// A padding mode takes its elements from the input, and the input has too few of them.
    PaddingMode {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// The mode.
        mode: PaddingMode,
        /// Elements to be added on the larger side.
        padding: usize,
        /// The most that this input allows.
        most: usize,
        /// Elements of the input.
        input: usize,
    },
    /// A kernel cannot be made of the factors asked for.
    Factors {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// Taps of the kernel.
        kernel: usize,
        /// Taps of the first factor.
        first: usize,
    },
    /// The operator pads with zeros and nothing else.
    ZerosOnly {
        /// Which operator.
        what: &'static str,
        /// The mode asked for.
        mode: PaddingMode,
    },
    /// An operator that is defined for another number of spatial axes.
    SpatialAxes {
        /// Which operator.
        what: &'static str,
        /// Axes it is defined for.
        needed: usize,
        /// Axes the input has.
        given: usize,
    },
    /// Input channels cannot be divided into groups that share their offsets.
    OffsetGroups {
        /// Input channels.
        channels: usize,
        /// Offset groups asked for.
        groups: usize,
    },
    /// The shape is not a list of regions, `[r, 5]`.
    RegionList {
        /// The shape given.
        shape: Vec<usize>,
    },
    /// Position-sensitive pooling of channels that cannot be dealt out to the bins.
    BinChannels {
        /// Input channels.
        channels: usize,
        /// Bins of a region, down and across.
        bins: [usize; 2],
    },
    /// The order of a norm is not a decimal from 1 to 2³²−1 with at most six places.
    NormOrder {
        /// The order asked for.
        given: String,
    },
    /// An unpooled axis that no pooling with these windows can have come from.
    UnpooledSize {
        /// Axis counted from the outermost spatial one.
        axis: usize,
        /// The size asked for.
        given: usize,
        /// The size that follows from the windows.
        usual: usize,
        /// The stride, by less than which they may differ.
        stride: usize,
    },
    /// Problems that were to follow each other, and do not.
    Chain {
        /// Which of them, counted from 0, reads something else.
        place: usize,
        /// What the one before makes.
        made: Vec<usize>,
        /// What this one reads.
        read: Vec<usize>,
    },
    /// A size or a product of sizes does not fit the address space.
    Overflow {
        /// What was being counted.
        what: &'static str,
    },
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank { shape } => write!(
                f,
                "shape {shape:?} is not batch, channels and one to three spatial axes"
            ),
            Self::Grid { input, grid } => write!(
                f,
                "a grid of shape {grid:?} does not sample a map of shape {input:?}: \
                 [n, h, w, 2] goes with [n, c, h, w], [n, d, h, w, 3] with [n, c, d, h, w]"
            ),
            Self::Affine { theta } => write!(
                f,
                "affine matrices of shape {theta:?} are neither [n, 2, 3] nor [n, 3, 4]"
            ),
            Self::CubicRank { rank } => write!(
                f,
                "cubic interpolation along a grid is for two spatial axes, not {rank}"
            ),
            Self::AxisCount { what, given, rank } => write!(
                f,
                "{what} names {given} axes, but the input has {rank} spatial axes"
            ),
            Self::Zero { what } => write!(f, "{what} must be at least 1, not 0"),
            Self::Groups {
                side,
                channels,
                groups,
            } => write!(
                f,
                "{channels} {side} channels do not divide into {groups} groups"
            ),
            Self::DilatedStride {
                axis,
                stride,
                dilation,
            } => write!(
                f,
                "a separable convolution with a dilation (rate) of {dilation} must have stride 1 \
                 on every axis, not {stride} on spatial axis {axis}"
            ),
            Self::SeparableGroups { groups } => write!(
                f,
                "a separable convolution has a group for each channel and then one for all: \
                 {groups} groups have no meaning for it"
            ),
            Self::WindowTooLarge {
                axis,
                window,
                padded,
            } => write!(
                f,
                "kernel larger than padded input on spatial axis {axis}: \
                 the dilated kernel spans {window}, the padded input {padded}"
            ),
            Self::OutputPadding { axis, given, below } => write!(
                f,
                "output padding {given} on spatial axis {axis} must be below {below}, \
                 the larger of stride and dilation"
            ),
            Self::EmptyTransposed {
                axis,
                full,
                padding,
            } => write!(
                f,
                "padding takes {padding} of {full} rows on spatial axis {axis}: nothing is left"
            ),
            Self::PaddingMode {
                axis,
                mode,
                padding,
                most,
                input,
            } => write!(
                f,
                "{mode} padding of {padding} on spatial axis {axis} is more than the {most} that \
                 an input of {input} allows"
            ),
            Self::Factors {
                axis,
                kernel,
                first,
            } => write!(
                f,
                "a kernel of {kernel} on spatial axis {axis} has no first factor of {first}: \
                 two factors of a and b make one of a + b − 1"
            ),
            Self::ZerosOnly { what, mode } => {
                write!(
                    f,
                    "{what} pads with zeros; {mode} padding has no meaning for it"
                )
            }
            Self::SpatialAxes {
                what,
                needed,
                given,
            } => write!(
                f,
                "{what} is defined for {needed} spatial axes, but the input has {given}"
            ),
            Self::OffsetGroups { channels, groups } => write!(
                f,
                "{channels} input channels do not divide into {groups} offset groups"
            ),
            Self::RegionList { shape } => write!(
                f,
                "shape {shape:?} is not a list of regions, [r, 5]: \
                 the number of an image and the corners x1, y1, x2, y2"
            ),
            Self::BinChannels { channels, bins } => write!(
                f,
                "{channels} input channels cannot be dealt out to {}x{} bins",
                bins[0], bins[1]
            ),
            Self::NormOrder { given } => write!(
                f,
                "the order of a norm must be a decimal of at least 1 with at most six places, \
                 not {given}"
            ),
            Self::UnpooledSize {
                axis,
                given,
                usual,
                stride,
            } => write!(
                f,
                "cannot unpool to {given} on spatial axis {axis}: it must differ from {usual} \
                 by less than the stride of {stride}, and not be 0"
            ),
            Self::Chain { place, made, read } => write!(
                f,
                "problem {} reads {read:?}, but the one before it makes {made:?}",
                place + 1
            ),
            Self::Overflow { what } => write!(f, "counting {what} overflows the address space"),
        }
    }
}

impl std::error::Error for GeometryError {}

/// Product of sizes, or the error that names what was counted. The bound leaves room for elements of
/// eight bytes, addressed by signed offsets, and for rounding a size up to whole vectors.
pub(crate) fn checked_product(what: &'static str, sizes: &[usize]) -> Result<usize, GeometryError> {
    // An empty batch makes the product zero; the other axes must still be addressable.
    let bound = isize::MAX as usize / 256;
    let nonzero = sizes
        .iter()
        .filter(|&&s| s != 0)
        .try_fold(1usize, |product, &s| product.checked_mul(s))
        .filter(|&product| product <= bound)
        .ok_or(GeometryError::Overflow { what })?;
    Ok(if sizes.contains(&0) { 0 } else { nonzero })
}
