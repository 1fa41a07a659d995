//! Tensors on the host: initializers, constants, and what goes into a model and comes out of it.

use prost::bytes::Bytes;
use tensor::Shape;

use super::{Element, OnnxError};

/// A tensor of any ONNX element type, its elements little-endian in the order of the shape, the last axis
/// running fastest. Cloning one shares the elements.
///
/// ```
/// # use convolve_formats as formats;
/// use formats::onnx::{Array, Element};
///
/// let array = Array::from_reals(Element::F16, &[2], [1.0, 0.5])?;
/// assert_eq!(array.bytes().len(), 4);
/// assert_eq!(array.reals().collect::<Vec<_>>(), [1.0, 0.5]);
/// # Ok::<(), formats::onnx::OnnxError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    element: Element,
    shape: Vec<usize>,
    bytes: Bytes,
}

impl Array {
    /// Elements as they lie in a file.
    ///
    /// # Errors
    /// A shape that cannot be addressed or does not fit the number of bytes.
    pub fn from_bytes(
        element: Element,
        shape: &[usize],
        bytes: impl Into<Bytes>,
    ) -> Result<Self, OnnxError> {
        let bytes = bytes.into();
        let wanted = count(shape)?.checked_mul(element.size());
        if wanted != Some(bytes.len()) {
            return Err(OnnxError::Length {
                tensor: String::new(),
                shape: shape.to_vec(),
                element,
                bytes: bytes.len(),
            });
        }
        Ok(Self {
            element,
            shape: shape.to_vec(),
            bytes,
        })
    }

    /// Numbers brought to a type: rounded to the nearest float, or towards zero to an integer.
    ///
    /// # Errors
    /// Another number of them than the shape has.
    pub fn from_reals(
        element: Element,
        shape: &[usize],
        values: impl IntoIterator<Item = f64>,
    ) -> Result<Self, OnnxError> {
        let mut bytes = Vec::with_capacity(count(shape)?.saturating_mul(element.size()));
        for value in values {
            element.push_real(value, &mut bytes);
        }
        Self::from_bytes(element, shape, bytes)
    }

    /// Integers brought to a type.
    ///
    /// # Errors
    /// Another number of them than the shape has.
    pub fn from_integers(
        element: Element,
        shape: &[usize],
        values: impl IntoIterator<Item = i64>,
    ) -> Result<Self, OnnxError> {
        let mut bytes = Vec::with_capacity(count(shape)?.saturating_mul(element.size()));
        for value in values {
            element.push_integer(value, &mut bytes);
        }
        Self::from_bytes(element, shape, bytes)
    }

    /// Element type.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Extents, outermost first; a scalar has none.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.size()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements, little-endian.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The elements as numbers; of integers beyond 2⁵³ the nearest.
    pub fn reals(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        let chunks = self.bytes.chunks_exact(self.element.size());
        chunks.map(|bytes| self.element.real(bytes))
    }

    /// The elements as integers; of floats their whole parts.
    pub fn integers(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        let chunks = self.bytes.chunks_exact(self.element.size());
        chunks.map(|bytes| self.element.integer(bytes))
    }

    /// Whether nobody else shares the elements.
    pub(super) fn is_alone(&self) -> bool {
        self.bytes.is_unique()
    }

    /// The elements alone.
    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The same elements with other extents.
    ///
    /// # Errors
    /// Another number of elements.
    pub fn reshaped(&self, shape: &[usize]) -> Result<Self, OnnxError> {
        Self::from_bytes(self.element, shape, self.bytes.clone())
    }

    /// The same elements, known to be as many, with other extents.
    pub(super) fn with_bytes(
        &self,
        shape: &[usize],
        bytes: impl Into<Bytes>,
    ) -> Result<Self, OnnxError> {
        Self::from_bytes(self.element, shape, bytes)
    }

    /// Writes the elements into memory of a program.
    ///
    /// # Errors
    /// [`OnnxError::Inexact`] for an integer that 32-bit floats cannot hold, [`OnnxError::Length`] for memory of
    /// another size.
    pub fn write_f32(&self, to: &mut [f32]) -> Result<(), OnnxError> {
        if to.len() != self.len() {
            return Err(OnnxError::Length {
                tensor: String::new(),
                shape: vec![to.len()],
                element: self.element,
                bytes: self.bytes.len(),
            });
        }
        self.element.write_f32(&self.bytes, to)
    }
}

/// Most axes of a tensor; no operator has a use for as many.
pub(super) const MOST_AXES: usize = 64;

/// Elements of a shape.
pub(super) fn count(shape: &[usize]) -> Result<usize, OnnxError> {
    if shape.len() > MOST_AXES {
        return Err(OnnxError::Axes {
            axes: shape.len(),
            most: MOST_AXES,
        });
    }
    Ok(Shape::new(shape)?.len())
}
