//! Aligned memory and the tensor that owns it.

use aligned_vec::{AVec, ConstAlign};
use bytemuck::Pod;

use crate::{Shape, ShapeError};

/// Memory aligned to a cache line and to the widest vector register: 64 bytes.
#[derive(Clone, Debug)]
pub struct Buffer<T>(AVec<T, ConstAlign<64>>);

impl<T: Pod> Buffer<T> {
    /// `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        Self(AVec::__from_elem(64, T::zeroed(), len))
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
    /// [`ShapeError::Overflow`].
    pub fn zeros(dims: &[usize]) -> Result<Self, ShapeError> {
        let shape = Shape::new(dims)?;
        let data = Buffer::zeroed(shape.len());
        Ok(Self { shape, data })
    }

    /// A tensor that holds a copy of `elements`.
    ///
    /// # Errors
    /// When the shape overflows or holds another number of elements.
    pub fn from_slice(dims: &[usize], elements: &[T]) -> Result<Self, ShapeError> {
        let shape = Shape::new(dims)?;
        if shape.len() != elements.len() {
            return Err(ShapeError::Length {
                expected: shape.len(),
                given: elements.len(),
                shape,
            });
        }
        let mut data = Buffer::zeroed(elements.len());
        data.copy_from_slice(elements);
        Ok(Self { shape, data })
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
