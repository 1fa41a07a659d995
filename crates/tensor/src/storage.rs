//! Aligned memory and the tensor that owns it.

use aligned_vec::{AVec, ConstAlign};
use bytemuck::Pod;

use crate::{MemoryError, Shape, ShapeError};

/// Memory aligned to a cache line and to the widest vector register: 64 bytes.
#[derive(Clone, Debug)]
pub struct Buffer<T>(AVec<T, ConstAlign<64>>);

impl<T: Pod> Buffer<T> {
    /// `len` zeros, of a size the program itself chose: without memory for them it ends.
    /// [`Buffer::try_zeroed`] is for sizes that come from outside.
    pub fn zeroed(len: usize) -> Self {
        Self(AVec::__from_elem(64, T::zeroed(), len))
    }

    /// `len` zeros.
    ///
    /// # Errors
    /// When the system does not give the memory.
    ///
    /// ```
    /// use tensor::Buffer;
    ///
    /// assert_eq!(Buffer::<f32>::try_zeroed(3)?[..], [0.0; 3]);
    /// assert!(Buffer::<f32>::try_zeroed(usize::MAX).is_err());
    /// # Ok::<(), tensor::MemoryError>(())
    /// ```
    pub fn try_zeroed(len: usize) -> Result<Self, MemoryError> {
        let mut elements = AVec::new(64);
        elements.try_reserve_exact(len).map_err(|_| MemoryError {
            bytes: len.saturating_mul(size_of::<T>()),
        })?;
        elements.resize(len, T::zeroed());
        Ok(Self(elements))
    }
}

impl<T> std::ops::Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

/// A dense tensor that owns its elements, in the order of its shape.
#[derive(Clone, Debug)]
pub struct Tensor<T = f32> {
    shape: Shape,
    data: Buffer<T>,
}

impl<T: Pod> Tensor<T> {
    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`ShapeError::Overflow`] and [`ShapeError::Memory`].
    pub fn zeros(dims: &[usize]) -> Result<Self, ShapeError> {
        Self::zeros_of(Shape::new(dims)?)
    }

    pub(crate) fn zeros_of(shape: Shape) -> Result<Self, ShapeError> {
        match Buffer::try_zeroed(shape.len()) {
            Ok(data) => Ok(Self { shape, data }),
            Err(MemoryError { bytes }) => Err(ShapeError::Memory { shape, bytes }),
        }
    }

    /// A tensor that holds a copy of `elements`.
    ///
    /// # Errors
    /// When the shape overflows or holds another number of elements, or memory for a copy cannot be had.
    pub fn from_slice(dims: &[usize], elements: &[T]) -> Result<Self, ShapeError> {
        let shape = Shape::new(dims)?;
        if shape.len() != elements.len() {
            return Err(ShapeError::Length {
                expected: shape.len(),
                given: elements.len(),
                shape,
            });
        }
        let mut tensor = Self::zeros_of(shape)?;
        tensor.data.copy_from_slice(elements);
        Ok(tensor)
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The extents, outermost first.
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }

    /// The elements, last axis fastest.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The elements, last axis fastest.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }
}
