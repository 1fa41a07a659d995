//! What a parameter holds: elements in memory, or still in the file.

use std::sync::Arc;

use prost::bytes::Bytes;
use tensor::memory::try_zeros;

use super::array::count;
use super::opened::Opened;
use super::{Array, Element, OnnxError};

/// Bytes of other types than `f32` that are converted at once; a multiple of the size of any element.
const CHUNK: usize = 1 << 16;

/// The elements of a parameter. Those of a file may still lie in it, and are read when they are asked for, straight to
/// where they belong: a network is loaded without a second copy of its weights in memory.
///
/// ```
/// # use convolve_formats as formats;
/// use formats::onnx::{Array, Element, Elements};
///
/// let elements = Elements::from(Array::from_reals(Element::F16, &[2], [1.0, 0.5])?);
/// let mut place = [0.0; 2];
/// elements.write_f32(&mut place)?;
/// assert_eq!(place, [1.0, 0.5]);
/// # Ok::<(), formats::onnx::OnnxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Elements {
    element: Element,
    shape: Vec<usize>,
    place: Place,
}

/// Where elements lie, little-endian.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Memory(Bytes),
    File {
        file: Arc<Opened>,
        offset: u64,
        bytes: usize,
    },
}

impl Place {
    /// Number of bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File { bytes, .. } => *bytes,
        }
    }

    /// The bytes, read if they lie in the file.
    pub(super) fn read(&self) -> Result<Bytes, OnnxError> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File {
                file,
                offset,
                bytes,
            } => {
                let mut read = try_zeros(*bytes).map_err(|error| file.no_room(error))?;
                file.read(*offset, &mut read)?;
                Ok(read.into())
            }
        }
    }
}

impl Elements {
    /// Elements that lie somewhere; the place has as many bytes as the shape needs.
    pub(super) fn at(place: Place, element: Element, shape: &[usize]) -> Result<Self, OnnxError> {
        let wanted = count(shape)?.checked_mul(element.size());
        if wanted != Some(place.bytes()) {
            return Err(OnnxError::Length {
                tensor: String::new(),
                shape: shape.to_vec(),
                element,
                bytes: place.bytes(),
            });
        }
        Ok(Self {
            element,
            shape: shape.to_vec(),
            place,
        })
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
        self.bytes() / self.element.size()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// The elements in memory, those of a file read anew.
    ///
    /// # Errors
    /// [`OnnxError::Io`] for a file that cannot be read any more, or memory that cannot be had.
    pub fn read(&self) -> Result<Array, OnnxError> {
        Array::from_bytes(self.element, &self.shape, self.place.read()?)
    }

    /// Writes the elements into memory of a program. Those of a file are read on the way, and not kept.
    ///
    /// # Errors
    /// As [`Array::write_f32`], and [`OnnxError::Io`] for a file that cannot be read any more.
    pub fn write_f32(&self, to: &mut [f32]) -> Result<(), OnnxError> {
        let (file, offset) = match &self.place {
            Place::File { file, offset, .. } if to.len() == self.len() => (file, *offset),
            _ => return self.read()?.write_f32(to),
        };
        if self.element == Element::F32 {
            file.read(offset, bytemuck::cast_slice_mut(to))?;
            to.iter_mut()
                .for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
            return Ok(());
        }
        let mut chunk = vec![0; CHUNK.min(self.bytes())];
        let mut at = offset;
        for to in to.chunks_mut(CHUNK / self.element.size()) {
            let bytes = &mut chunk[..to.len() * self.element.size()];
            file.read(at, bytes)?;
            at += bytes.len() as u64;
            self.element.write_f32(bytes, to)?;
        }
        Ok(())
    }

    /// Number of bytes.
    pub(super) fn bytes(&self) -> usize {
        self.place.bytes()
    }

    /// Whether they must be read.
    pub(super) fn is_in_file(&self) -> bool {
        matches!(self.place, Place::File { .. })
    }

    /// Whether they lie in memory that nobody else shares.
    pub(super) fn is_alone(&self) -> bool {
        matches!(&self.place, Place::Memory(bytes) if bytes.is_unique())
    }

    /// The same for all that lie in one place, and for nothing else that lives at the same time.
    pub(super) fn identity(&self) -> (*const u8, u64) {
        match &self.place {
            Place::Memory(bytes) => (bytes.as_ptr(), 0),
            Place::File { file, offset, .. } => (Arc::as_ptr(file).cast(), *offset),
        }
    }

    /// The same elements with other extents.
    pub(super) fn reshaped(&self, shape: &[usize]) -> Result<Self, OnnxError> {
        Self::at(self.place.clone(), self.element, shape)
    }
}

impl From<Array> for Elements {
    fn from(array: Array) -> Self {
        Self {
            element: array.element(),
            shape: array.shape().to_vec(),
            place: Place::Memory(array.into_bytes()),
        }
    }
}
