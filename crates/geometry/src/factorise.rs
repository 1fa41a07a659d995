//! One large kernel in the place of two smaller ones.
//!
//! Two convolutions of `a` and `b` taps see as far as one of `a + b − 1`: a 5×5 becomes 3×3 and 3×3, a
//! 3×3 becomes 1×3 and 3×1, with fewer weights (Szegedy et al., *Rethinking the Inception
//! Architecture for Computer Vision*, 2015, section 3). The two compute only what such a pair can:
//! without anything between them, the kernels that are products of theirs.

use crate::{Axes, ConvDesc, ConvGeometry, Field, GeometryError, Padding};

/// Which smaller kernels take the place of a large one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Factors {
    /// Two as alike as possible on every axis, which have the fewest weights: 5 → 3 and 3, 7 → 4
    /// and 4, 3 → 2 and 2.
    Halves,
    /// A first kernel of these taps, and a second one of what is left of each axis, `n − a + 1`.
    First(Axes),
    /// One kernel for the inner axes and one for the outermost: `n×n` → `1×n` and `n×1`, and
    /// with a depth axis `1×n×n` and `n×1×1`.
    Asymmetric,
}

/// What a stack of convolutions costs, and how far it sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Weights, without biases.
    pub parameters: usize,
    /// Multiply-accumulates of one pass over the input given.
    pub macs: usize,
    /// Input elements that one output element sees, an axis each.
    pub receptive_field: Vec<usize>,
}

/// A convolution and the two that can stand in for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Factorised {
    /// The first factor: it has the input's channels, the middle ones, and stride one on every axis
    /// along which the second has an extent.
    pub first: ConvDesc,
    /// The second factor.
    pub second: ConvDesc,
    /// Of the convolution as it was.
    pub before: Cost,
    /// Of the two.
    pub after: Cost,
}

impl ConvDesc {
    /// Factorises the kernel, with `channels` between the two factors, for an input
    /// `[n, c, spatial…]`. Output shape and receptive field stay what they are. Padding rules are
    /// kept, explicit amounts are shared out in proportion.
    ///
    /// ```
    /// use geometry::{ConvDesc, Factors};
    ///
    /// let conv = ConvDesc::new(64, 5).padding(2);
    /// let pair = conv.factorise(Factors::Halves, 64, &[1, 64, 28, 28])?;
    /// assert_eq!(pair.first, ConvDesc::new(64, [3, 3]).padding([1, 1]).stride([1, 1]).dilation([1, 1]));
    /// assert_eq!((pair.before.parameters, pair.after.parameters), (102_400, 73_728));
    /// assert_eq!(pair.after.receptive_field, [5, 5]);
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// When the convolution or a factor does not fit the input, when a stride is too large a number for a
    /// receptive field, when a first factor has no or too many taps ([`GeometryError::Factors`]), or when
    /// a single axis is to be split into two ([`GeometryError::AxisCount`]).
    pub fn factorise(
        &self,
        factors: Factors,
        channels: usize,
        input: &[usize],
    ) -> Result<Factorised, GeometryError> {
        let whole = self.resolve(input)?;
        let first = first_kernel(factors, &whole)?;
        let (one, two) = self.split(&whole, &first, channels);
        let after_first = one.resolve(input)?;
        let after_second = two.resolve(&after_first.output_shape())?;
        Ok(Factorised {
            first: one,
            second: two,
            before: Cost::of(&[whole])?,
            after: Cost::of(&[after_first, after_second])?,
        })
    }

    /// The two factors, the first with these taps.
    fn split(&self, whole: &ConvGeometry, first: &[usize], channels: usize) -> (Self, Self) {
        let windows = whole.spatial();
        let second: Vec<usize> = windows
            .iter()
            .zip(first)
            .map(|(window, first)| window.kernel - first + 1)
            .collect();
        let (mut strides, mut pads) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for ((window, &a), &b) in windows.iter().zip(first).zip(&second) {
            // Where the second factor has no extent the first may take the step, and compute less.
            let (one, two) = if b == 1 {
                (window.stride, 1)
            } else {
                (1, window.stride)
            };
            strides[0].push(one);
            strides[1].push(two);
            let (before, after) = (share(window.before, a, b), share(window.after, a, b));
            pads[0].push((before, after));
            pads[1].push((window.before - before, window.after - after));
        }
        let [stride, last_stride] = strides;
        let [pads, last_pads] = pads;
        let padding = |pads: Vec<(usize, usize)>| match self.padding {
            Padding::Explicit(_) if pads.iter().all(|&pair| pair == (0, 0)) => Padding::Valid,
            Padding::Explicit(_) => Padding::Explicit(pads),
            ref rule => rule.clone(),
        };
        let dilation: Axes = windows
            .iter()
            .map(|w| w.dilation)
            .collect::<Vec<_>>()
            .into();
        let one = Self {
            out_channels: channels,
            kernel: first.into(),
            stride: stride.into(),
            dilation: dilation.clone(),
            padding: padding(pads),
            ..self.clone()
        };
        let two = Self {
            kernel: second.into(),
            stride: last_stride.into(),
            dilation,
            padding: padding(last_pads),
            ..self.clone()
        };
        (one, two)
    }
}

/// What the first of two factors of `a` and `b` taps takes of a padding: in proportion to how far it
/// reaches, rounded up, so that it fits wherever the whole kernel did.
fn share(padding: usize, a: usize, b: usize) -> usize {
    match (a + b - 2) as u128 {
        0 => padding,
        reach => (padding as u128 * (a - 1) as u128).div_ceil(reach) as usize,
    }
}

/// Taps of the first factor, an axis each.
fn first_kernel(factors: Factors, whole: &ConvGeometry) -> Result<Vec<usize>, GeometryError> {
    let windows = whole.spatial();
    let kernels = windows.iter().map(|window| window.kernel);
    let first = match factors {
        Factors::Halves => kernels.map(|n| n / 2 + 1).collect(),
        Factors::First(axes) => axes.expand("the first factor", windows.len())?,
        Factors::Asymmetric if windows.len() == 1 => {
            return Err(GeometryError::AxisCount {
                what: "an asymmetric pair",
                given: 2,
                rank: 1,
            });
        }
        Factors::Asymmetric => std::iter::once(1).chain(kernels.skip(1)).collect(),
    };
    for (axis, (window, &first)) in windows.iter().zip(&first).enumerate() {
        if first == 0 || first > window.kernel {
            return Err(GeometryError::Factors {
                axis,
                kernel: window.kernel,
                first,
            });
        }
    }
    Ok(first)
}

impl Cost {
    /// The cost of convolutions that follow each other.
    ///
    /// # Errors
    /// A field too large to be counted.
    pub(crate) fn of(stack: &[ConvGeometry]) -> Result<Self, GeometryError> {
        let rank = stack.first().map_or(0, |layer| layer.rank);
        let along = |axis: usize| {
            let windows = stack.iter().map(|layer| &layer.spatial()[axis]);
            // Windows see whole elements.
            Ok(Field::of_windows(windows)?.size().floor() as usize)
        };
        let receptive_field = (0..rank).map(along).collect::<Result<_, _>>()?;
        Ok(Self::seeing(stack, receptive_field))
    }

    /// The cost of convolutions that see so far.
    pub(crate) fn seeing(stack: &[ConvGeometry], receptive_field: Vec<usize>) -> Self {
        Self {
            parameters: stack.iter().map(ConvGeometry::weight_count).sum(),
            macs: stack.iter().map(ConvGeometry::macs).sum(),
            receptive_field,
        }
    }
}
