//! One number an axis, or one number for all of them.

use crate::GeometryError;

/// A setting of every spatial axis, outermost first: `3` (the same everywhere) or `[1, 7]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Axes(Vec<usize>);

impl Axes {
    /// The values for `rank` axes.
    ///
    /// # Errors
    /// [`GeometryError::AxisCount`] when another number of axes was named.
    pub fn expand(&self, what: &'static str, rank: usize) -> Result<Vec<usize>, GeometryError> {
        match self.0.as_slice() {
            [same] => Ok(vec![*same; rank]),
            values if values.len() == rank => Ok(values.to_vec()),
            values => Err(GeometryError::AxisCount {
                what,
                given: values.len(),
                rank,
            }),
        }
    }

    /// The values as they were given: one for all axes, or one each.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }
}

impl From<usize> for Axes {
    fn from(same: usize) -> Self {
        Self(vec![same])
    }
}

impl<const N: usize> From<[usize; N]> for Axes {
    fn from(values: [usize; N]) -> Self {
        Self(values.to_vec())
    }
}

impl From<&[usize]> for Axes {
    fn from(values: &[usize]) -> Self {
        Self(values.to_vec())
    }
}

impl From<Vec<usize>> for Axes {
    fn from(values: Vec<usize>) -> Self {
        Self(values)
    }
}
