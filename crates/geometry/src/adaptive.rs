//! Adaptive pooling: any input, cut into a given number of bins.

use std::ops::Range;

use crate::conv::{lifted_shape, split_shape};
use crate::error::checked_product;
use crate::rational::gcd;
use crate::{Axes, GeometryError, MAX_RANK, NormOrder};

/// What an adaptive or a global pool makes of a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdaptiveKind {
    /// The largest element.
    Max,
    /// The mean.
    Average,
    /// `(Σ|x|ᵖ)^(1/p)`
    Lp(NormOrder),
}

/// An adaptive pooling as a user asks for it: the output's size is given, the windows follow from it
/// (He et al. 2014, PyTorch's `adaptive_avg_pool`). Global pooling is the one with a single bin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AdaptiveDesc {
    /// Maximum, average or norm.
    pub kind: AdaptiveKind,
    /// Bins per axis.
    pub output: Axes,
}

impl AdaptiveDesc {
    /// Adaptive max pooling to `output` bins an axis.
    pub fn max(output: impl Into<Axes>) -> Self {
        Self {
            kind: AdaptiveKind::Max,
            output: output.into(),
        }
    }

    /// Adaptive average pooling to `output` bins an axis.
    pub fn average(output: impl Into<Axes>) -> Self {
        Self {
            kind: AdaptiveKind::Average,
            output: output.into(),
        }
    }

    /// The norm of each of `output` bins an axis.
    pub fn lp(order: NormOrder, output: impl Into<Axes>) -> Self {
        Self {
            kind: AdaptiveKind::Lp(order),
            output: output.into(),
        }
    }

    /// Checks the descriptor against an input of shape `[n, c, (d, (h,)) w]`.
    ///
    /// # Errors
    /// An input axis or a number of bins of 0, another number of axes than the input has, sizes that
    /// cannot be addressed.
    pub fn resolve(&self, input: &[usize]) -> Result<AdaptiveGeometry, GeometryError> {
        let (batch, channels, spatial) = split_shape(input)?;
        let rank = spatial.len();
        let output = self.output.expand("output size", rank)?;
        checked_product("the input", input)?;
        let mut bins = [Bins::UNIT; MAX_RANK];
        let lifted = &mut bins[MAX_RANK - rank..];
        for ((bins, &input), output) in lifted.iter_mut().zip(spatial).zip(output) {
            *bins = Bins::resolve(input, output)?;
        }
        let geometry = AdaptiveGeometry {
            kind: self.kind,
            batch,
            channels,
            rank,
            bins,
        };
        checked_product("the output", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// One axis of `input` elements, cut into `output` bins as equal as they can be: bin `o` covers
/// `⌊o·input/output⌋ .. ⌈(o+1)·input/output⌉`.
///
/// Where the sizes do not divide, neighbouring bins share an element; with more bins than elements,
/// several bins hold the same one. Every element is in some bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bins {
    /// Elements, at least 1.
    pub input: usize,
    /// Bins, at least 1.
    pub output: usize,
}

impl Bins {
    /// The axis of an operation that has no extent along it.
    pub const UNIT: Self = Self {
        input: 1,
        output: 1,
    };

    fn resolve(input: usize, output: usize) -> Result<Self, GeometryError> {
        for (what, value) in [("input size", input), ("output size", output)] {
            if value == 0 {
                return Err(GeometryError::Zero { what });
            }
        }
        // Every border is a product of the two, rounded up.
        input
            .checked_mul(output)
            .and_then(|product| product.checked_add(input.max(output)))
            .ok_or(GeometryError::Overflow { what: "the bins" })?;
        Ok(Self { input, output })
    }

    /// The elements of bin `output`.
    #[inline]
    pub fn sources(&self, output: usize) -> Range<usize> {
        share(output, self.input, self.output)
    }

    /// The bins that hold element `input`.
    #[inline]
    pub fn targets(&self, input: usize) -> Range<usize> {
        share(input, self.output, self.input)
    }

    /// Elements of the longest bin.
    ///
    /// A bin begins `r / output` behind a border of elements, where `r` takes every multiple of the greatest common
    /// divisor below `output`; the largest one reaches farthest.
    pub fn longest(&self) -> usize {
        let shared = gcd(self.input as u128, self.output as u128) as usize;
        (self.input + self.output - shared).div_ceil(self.output)
    }

    /// Whether no two bins share an element.
    pub fn are_disjoint(&self) -> bool {
        self.input.is_multiple_of(self.output)
    }
}

/// What part `index` of `parts` touches of `whole` pieces.
#[inline]
fn share(index: usize, whole: usize, parts: usize) -> Range<usize> {
    index * whole / parts..((index + 1) * whole).div_ceil(parts)
}

/// An adaptive pooling on a given input, every number checked; three axes always, as in
/// [`ConvGeometry`](crate::ConvGeometry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdaptiveGeometry {
    /// Maximum, average or norm.
    pub kind: AdaptiveKind,
    /// Images.
    pub batch: usize,
    /// Channels, pooled one by one.
    pub channels: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// Depth, height and width.
    pub bins: [Bins; MAX_RANK],
}

impl AdaptiveGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        self.shape(|bins| bins.input)
    }

    /// `[n, c, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        self.shape(|bins| bins.output)
    }

    fn shape(&self, extent: fn(&Bins) -> usize) -> Vec<usize> {
        let lifted = self.bins.each_ref().map(extent);
        lifted_shape(self.batch, self.channels, self.rank, lifted)
    }
}
