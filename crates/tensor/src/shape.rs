//! The extents of a tensor.

use std::fmt;

/// Extents of a tensor, outermost first, whose element count is known to be addressable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: Vec<usize>,
    len: usize,
}

/// A shape whose elements cannot be addressed or kept, or that does not hold what it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The product of the extents overflows.
    #[error("a tensor of shape {dims:?} has more elements than can be addressed")]
    Overflow {
        /// The extents.
        dims: Vec<usize>,
    },
    /// Another number of elements than the shape holds.
    #[error("shape {shape} holds {expected} elements, not {given}")]
    Length {
        /// The shape.
        shape: Shape,
        /// Elements it holds.
        expected: usize,
        /// Elements given.
        given: usize,
    },
    /// Memory for the elements could not be had.
    #[error(
        "a tensor of shape {shape} needs {bytes} bytes of memory, which the system does not give"
    )]
    Memory {
        /// The shape.
        shape: Shape,
        /// Bytes wanted.
        bytes: usize,
    },
}

impl Shape {
    /// Checks that the elements can be addressed (by signed offsets of eight-byte elements).
    ///
    /// # Errors
    /// [`ShapeError::Overflow`].
    pub fn new(dims: &[usize]) -> Result<Self, ShapeError> {
        // Even an empty tensor must have strides that fit.
        let len = dims
            .iter()
            .filter(|&&d| d != 0)
            .try_fold(1usize, |product, &d| product.checked_mul(d))
            .filter(|&len| len <= isize::MAX as usize / 8)
            .ok_or_else(|| ShapeError::Overflow {
                dims: dims.to_vec(),
            })?;
        Ok(Self {
            dims: dims.to_vec(),
            len: if dims.contains(&0) { 0 } else { len },
        })
    }

    /// The extents, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Number of elements; 1 for a scalar.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Display for Shape {
    /// `1×64×56×56`, or `scalar`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dims.is_empty() {
            return f.write_str("scalar");
        }
        for (index, dim) in self.dims.iter().enumerate() {
            write!(f, "{}{dim}", if index == 0 { "" } else { "×" })?;
        }
        Ok(())
    }
}
