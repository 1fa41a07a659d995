//! `.npy` files, version 1–3 ([NumPy's format](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)).
//!
//! Six magic bytes, a version, the length of a header, the header (a Python dictionary of `descr`, `fortran_order` and
//! `shape`), and the elements. Reading that much by hand keeps a parser generator and big integers out of every build.

mod element;
mod header;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

pub use self::element::NpyElement;
use self::element::little_endian;
use self::header::{Header, MAGIC, read_header};
use crate::{Shape, ShapeError, Tensor, regular};

/// Bytes that are read at a time; every size of an element divides it.
const CHUNK: usize = 1 << 16;

/// Why a `.npy` file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file could not be opened, read or written, or is no `.npy` file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or the format says.
        source: std::io::Error,
    },
    /// The elements are not of a kind that is read here.
    #[error("{}: elements of type {descr} are not read; {read} are", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The type the header names.
        descr: String,
        /// What can be read where the array is wanted.
        read: &'static str,
    },
    /// The header promises another number of elements than the file holds.
    #[error("{}: the header promises {promised} bytes of elements, the file holds {held}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes the header promises.
        promised: u64,
        /// Bytes that follow it.
        held: u64,
    },
    /// The shape cannot be addressed, or memory for it cannot be had.
    #[error("{}: {source}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ShapeError,
    },
}

/// A `.npy` file whose header was read, and whose elements were not: what it holds can be refused before memory is
/// taken for it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// tensor::write_npy(&path, &[2, 1], &[1.0f32, 2.0])?;
/// let file = tensor::NpyFile::open(&path)?;
/// assert_eq!(file.dims(), [2, 1]);
/// assert_eq!(file.read::<f64>()?.data(), [1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NpyFile {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    /// Bytes behind the header.
    held: u64,
}

impl NpyFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`NpyError::Io`]; pipes and devices, which have no length to hold the header against, are refused.
    pub fn open(path: &Path) -> Result<Self, NpyError> {
        let io = |source| NpyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = regular::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut file = BufReader::new(file);
        let header = read_header(&mut file).map_err(io)?;
        let held = length.saturating_sub(file.stream_position().map_err(io)?);
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
            held,
        })
    }

    /// The extents, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.header.dims
    }

    /// The type of the elements as the header writes it, such as `<f4`.
    pub fn descr(&self) -> &str {
        &self.header.descr
    }

    /// Reads the elements as they lie in the file, `size` bytes each, into C order whatever the file's.
    ///
    /// # Errors
    /// As [`NpyFile::read`], and big-endian elements.
    pub fn read_bytes(mut self, size: usize) -> Result<Vec<u8>, NpyError> {
        let path = self.path;
        let header = &self.header;
        if little_endian(&header.descr).is_none() {
            let descr = header.descr.clone();
            let read = "little-endian ones";
            return Err(NpyError::Type { path, descr, read });
        }
        let unaddressable = |source| NpyError::Shape {
            path: path.clone(),
            source,
        };
        let shape = Shape::new(&header.dims).map_err(unaddressable)?;
        let promised = (shape.len() as u64).saturating_mul(size as u64);
        if promised > self.held {
            let held = self.held;
            return Err(NpyError::Truncated {
                path,
                promised,
                held,
            });
        }
        let bytes = promised as usize;
        let mut elements = Vec::new();
        if elements.try_reserve_exact(bytes).is_err() {
            return Err(unaddressable(ShapeError::Memory { shape, bytes }));
        }
        elements.resize(bytes, 0);
        let io = |source| NpyError::Io {
            path: path.clone(),
            source,
        };
        if !header.fortran_order {
            self.file.read_exact(&mut elements).map_err(io)?;
            return Ok(elements);
        }
        let mut places = Places::of(header);
        let mut element = vec![0; size];
        for _ in 0..shape.len() {
            self.file.read_exact(&mut element).map_err(io)?;
            elements[places.next() * size..][..size].copy_from_slice(&element);
        }
        Ok(elements)
    }

    /// Reads the elements, into C order whatever the file's: float32, float64 or integers as f32 or f64; integers as
    /// u32. None may be finite and too large for the type wanted, nor a negative index. Their memory is all that is
    /// taken.
    ///
    /// # Errors
    /// See [`NpyError`]; the size is checked against the file's length before memory is taken.
    pub fn read<T: NpyElement>(mut self) -> Result<Tensor<T>, NpyError> {
        let path = self.path;
        let header = &self.header;
        let decode = little_endian(&header.descr).and_then(T::decoder);
        let decode = decode.ok_or_else(|| NpyError::Type {
            path: path.clone(),
            descr: header.descr.clone(),
            read: T::READ,
        })?;
        let unaddressable = |source| NpyError::Shape {
            path: path.clone(),
            source,
        };
        let shape = Shape::new(&header.dims).map_err(unaddressable)?;
        let promised = (shape.len() as u64).saturating_mul(decode.size as u64);
        if promised > self.held {
            return Err(NpyError::Truncated {
                path,
                promised,
                held: self.held,
            });
        }
        let mut tensor = Tensor::zeros_of(shape).map_err(unaddressable)?;
        let io = |source| NpyError::Io {
            path: path.clone(),
            source,
        };
        let mut places = Places::of(header);
        let mut left = tensor.data().len();
        let mut bytes = [0; CHUNK];
        while left > 0 {
            let count = left.min(CHUNK / decode.size);
            let bytes = &mut bytes[..count * decode.size];
            self.file.read_exact(bytes).map_err(io)?;
            let elements = tensor.data_mut();
            for bytes in bytes.chunks_exact(decode.size) {
                elements[places.next()] =
                    (decode.element)(bytes).ok_or_else(|| io(invalid(T::MISFIT)))?;
            }
            left -= count;
        }
        Ok(tensor)
    }
}

/// Reads a `.npy` file at once; see [`NpyFile`].
///
/// # Errors
/// As [`NpyFile::open`] and [`NpyFile::read`].
pub fn read_npy<T: NpyElement>(path: &Path) -> Result<Tensor<T>, NpyError> {
    NpyFile::open(path)?.read()
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Where the elements of a file, one after the other, go in C order.
struct Places {
    /// Extents and distances of the axes, that which moves first in the file first.
    axes: Vec<(usize, usize)>,
    index: Vec<usize>,
    at: usize,
}

impl Places {
    fn of(header: &Header) -> Self {
        let axes = if header.fortran_order {
            let mut distance = header.dims.iter().product();
            let steps = header.dims.iter().map(|&dim| {
                distance /= dim.max(1);
                (dim, distance)
            });
            steps.collect()
        } else {
            // As one axis.
            Vec::new()
        };
        Self {
            index: vec![0; axes.len()],
            axes,
            at: 0,
        }
    }

    #[inline]
    fn next(&mut self) -> usize {
        let at = self.at;
        if self.axes.is_empty() {
            self.at += 1;
            return at;
        }
        for (index, &(extent, distance)) in self.index.iter_mut().zip(&self.axes) {
            *index += 1;
            self.at += distance;
            if *index < extent {
                break;
            }
            self.at -= extent * distance;
            *index = 0;
        }
        at
    }
}

/// Writes a `.npy` file in C order.
///
/// # Errors
/// [`NpyError::Io`].
pub fn write_npy<T: NpyElement>(
    path: &Path,
    dims: &[usize],
    elements: &[T],
) -> Result<(), NpyError> {
    File::create(path)
        .and_then(|file| write_npy_to(file, dims, elements))
        .map_err(|source| NpyError::Io {
            path: path.to_owned(),
            source,
        })
}

/// The same into anything that takes bytes.
///
/// # Errors
/// What the writer says.
pub fn write_npy_to<T: NpyElement>(
    file: impl Write,
    dims: &[usize],
    elements: &[T],
) -> io::Result<()> {
    let mut file = write_header(file, T::DESCR, dims)?;
    for element in elements {
        element.encode(&mut file)?;
    }
    file.flush()
}

/// Writes a `.npy` file in C order of elements of the type `descr`, given as their little-endian bytes.
///
/// # Errors
/// [`NpyError::Io`].
pub fn write_npy_bytes(
    path: &Path,
    descr: &str,
    dims: &[usize],
    elements: &[u8],
) -> Result<(), NpyError> {
    let write = || write_npy_bytes_to(File::create(path)?, descr, dims, elements);
    write().map_err(|source| NpyError::Io {
        path: path.to_owned(),
        source,
    })
}

/// As [`write_npy_bytes`], to anything that takes bytes.
///
/// # Errors
/// What the writer says.
pub fn write_npy_bytes_to<W: Write>(
    file: W,
    descr: &str,
    dims: &[usize],
    elements: &[u8],
) -> io::Result<()> {
    let mut file = write_header(file, descr, dims)?;
    file.write_all(elements)?;
    file.flush()
}

/// Begins a file, up to its first element.
fn write_header<W: Write>(file: W, descr: &str, dims: &[usize]) -> io::Result<BufWriter<W>> {
    let mut shape = String::new();
    for dim in dims {
        shape += &format!("{dim}, ");
    }
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The elements start at a multiple of 64 bytes, for those who map the file into memory.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header += &" ".repeat(unpadded.next_multiple_of(64) - unpadded);
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| invalid("too many axes"))?;
    let mut file = BufWriter::new(file);
    file.write_all(MAGIC)?;
    file.write_all(&[1, 0])?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    Ok(file)
}
