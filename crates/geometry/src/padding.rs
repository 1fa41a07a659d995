//! Padding rules and the amounts they stand for.

use crate::GeometryError;
use crate::window::reach;

/// How an input is extended before the window walks over it.
///
/// Amounts depend on input, kernel and stride of an axis; what the added elements hold depends on
/// the operator: −∞ for max pooling, nothing for averages, and for convolutions the
/// [`PaddingMode`](crate::PaddingMode), zeros by default.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// No padding.
    Valid,
    /// Output `ceil(n / s)`; an odd total puts the extra element *after* (TensorFlow, Keras,
    /// ONNX `SAME_UPPER`).
    Same,
    /// As [`Padding::Same`], with the extra element *before* (ONNX `SAME_LOWER`).
    SameLower,
    /// Every placement that touches the input: d·(k−1) on both sides.
    Full,
    /// (before, after) for each axis, or one pair for all.
    Explicit(Vec<(usize, usize)>),
}

impl Padding {
    /// The same amount on both sides of every axis.
    pub fn symmetric(amount: usize) -> Self {
        Self::Explicit(vec![(amount, amount)])
    }

    /// An amount an axis, the same before and after.
    pub fn per_axis(amounts: &[usize]) -> Self {
        Self::Explicit(amounts.iter().map(|&p| (p, p)).collect())
    }

    /// Elements added (before, after) on one axis of `input` elements.
    ///
    /// # Errors
    /// Overflow, or an explicit list for another number of axes.
    pub(crate) fn amounts(
        &self,
        axis: usize,
        rank: usize,
        input: usize,
        effective_kernel: usize,
        stride: usize,
    ) -> Result<(usize, usize), GeometryError> {
        let overflow = GeometryError::Overflow { what: "padding" };
        match self {
            Self::Valid => Ok((0, 0)),
            Self::Full => Ok((effective_kernel - 1, effective_kernel - 1)),
            Self::Same | Self::SameLower => {
                // An axis without elements stays one.
                let reach = reach(input.div_ceil(stride), stride, effective_kernel);
                let reach = reach.ok_or(overflow)?;
                let total = reach.saturating_sub(input);
                let (half, rest) = (total / 2, total - total / 2);
                Ok(if *self == Self::Same {
                    (half, rest)
                } else {
                    (rest, half)
                })
            }
            Self::Explicit(pairs) => match pairs.as_slice() {
                [same] => Ok(*same),
                pairs if pairs.len() == rank => Ok(pairs[axis]),
                pairs => Err(GeometryError::AxisCount {
                    what: "padding",
                    given: pairs.len(),
                    rank,
                }),
            },
        }
    }
}

impl From<usize> for Padding {
    fn from(amount: usize) -> Self {
        Self::symmetric(amount)
    }
}

impl<const N: usize> From<[usize; N]> for Padding {
    fn from(amounts: [usize; N]) -> Self {
        Self::per_axis(&amounts)
    }
}
