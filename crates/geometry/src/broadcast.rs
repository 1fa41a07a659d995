//! Shapes that stretch to fit each other.

use crate::axis_error::{addressable, lifted};
use crate::{AxisError, MAX_AXES};

/// Two shapes broadcast against each other as NumPy and ONNX do: they are aligned at their last axes,
/// and an axis that is missing or has extent 1 is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    rank: usize,
    shape: [usize; MAX_AXES],
    operands: [([usize; MAX_AXES], usize); 2],
}

impl Broadcast {
    /// Checks that two shapes fit each other.
    ///
    /// # Errors
    /// Extents that differ, neither of them 1; too many axes; overflow.
    pub fn resolve(left: &[usize], right: &[usize]) -> Result<Self, AxisError> {
        let rank = left.len().max(right.len());
        let operands = [(lifted(left)?, left.len()), (lifted(right)?, right.len())];
        let mut shape = [1; MAX_AXES];
        for (axis, extent) in shape[..rank].iter_mut().enumerate() {
            let of = |shape: &[usize]| {
                let at = (axis + shape.len()).checked_sub(rank);
                at.map_or(1, |at| shape[at])
            };
            *extent = match (of(left), of(right)) {
                (1, b) => b,
                (a, 1) => a,
                (a, b) if a == b => a,
                _ => {
                    return Err(AxisError::NotBroadcastable {
                        left: left.to_vec(),
                        right: right.to_vec(),
                        axis,
                    });
                }
            };
        }
        for (what, shape) in [
            ("the left operand", left),
            ("the right operand", right),
            ("the result", &shape[..rank]),
        ] {
            addressable(what, shape)?;
        }
        Ok(Self {
            rank,
            shape,
            operands,
        })
    }

    /// Checks that three shapes fit each other: the second against the third, and the first against what
    /// these make.
    ///
    /// # Errors
    /// As [`Broadcast::resolve`].
    pub fn resolve_three(
        first: &[usize],
        second: &[usize],
        third: &[usize],
    ) -> Result<[Self; 2], AxisError> {
        let pair = Self::resolve(second, third)?;
        Ok([Self::resolve(first, pair.shape())?, pair])
    }

    /// Shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape[..self.rank]
    }

    /// Shape of the left operand.
    pub fn left(&self) -> &[usize] {
        &self.operands[0].0[..self.operands[0].1]
    }

    /// Shape of the right operand.
    pub fn right(&self) -> &[usize] {
        &self.operands[1].0[..self.operands[1].1]
    }
}
