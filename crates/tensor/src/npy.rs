//! `.npy` files, version 1–3 ([NumPy's format](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)).
//!
//! Six magic bytes, a version, the length of a header, the header (a Python dictionary of `descr`, `fortran_order` and
//! `shape`), and the elements. Reading that much by hand keeps a parser generator and big integers out of every build.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::{Shape, ShapeError, Tensor};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy itself refuses longer headers.
const MAX_HEADER: usize = 10_000;

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
    /// The elements are not real numbers of a kind that is read here.
    #[error("{}: elements of type {descr} are not read; float32, float64 and integers are", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The type the header names.
        descr: String,
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
    /// The shape cannot be addressed.
    #[error("{}: {source}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ShapeError,
    },
}

/// What the elements of a `.npy` file can become.
pub trait NpyElement: bytemuck::Pod {
    /// The type a file written from them names.
    const DESCR: &'static str;

    /// How elements of the little-endian type `descr` become this one, if they do.
    #[doc(hidden)]
    fn decoder(descr: &str) -> Option<Decoder<Self>>;

    /// The bytes of a file.
    #[doc(hidden)]
    fn encode(self, file: &mut impl Write) -> io::Result<()>;
}

/// Reads a `.npy` file in C order whatever the file's: float32, float64 or integers as f32 or f64;
/// integers as u32, none of them negative or too large.
///
/// # Errors
/// See [`NpyError`]; the size is checked against the file's length before memory is taken, so pipes and devices,
/// which have none, are refused.
pub fn read_npy<T: NpyElement>(path: &Path) -> Result<Tensor<T>, NpyError> {
    let io = |source| NpyError::Io {
        path: path.to_owned(),
        source,
    };
    let unaddressable = |source| NpyError::Shape {
        path: path.to_owned(),
        source,
    };
    // Asked before it is opened: opening a pipe waits until somebody writes to it.
    if !path.metadata().map_err(io)?.is_file() {
        return Err(io(invalid("not a regular file; only those are read")));
    }
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut file = BufReader::new(file);
    let text = read_header(&mut file).map_err(|error| io(named(error)))?;
    let header = Header::parse(&text).ok_or_else(|| io(invalid("the header is damaged")))?;
    let decode = T::decoder(&header.descr).ok_or_else(|| NpyError::Type {
        path: path.to_owned(),
        descr: header.descr.clone(),
    })?;
    let shape = Shape::new(&header.dims).map_err(unaddressable)?;
    let promised = (shape.len() as u64).saturating_mul(decode.size as u64);
    let held = length.saturating_sub(file.stream_position().map_err(io)?);
    if promised > held {
        return Err(NpyError::Truncated {
            path: path.to_owned(),
            promised,
            held,
        });
    }
    let mut bytes = vec![0; shape.len() * decode.size];
    file.read_exact(&mut bytes).map_err(io)?;
    let elements = bytes.chunks_exact(decode.size).map(decode.element);
    let elements: Vec<T> = elements
        .collect::<Option<_>>()
        .ok_or_else(|| io(invalid("an index is negative or larger than 32 bits hold")))?;
    let elements = if header.fortran_order {
        to_c_order(&elements, &header.dims)
    } else {
        elements
    };
    Tensor::from_slice(&header.dims, &elements).map_err(unaddressable)
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The end of a file too short for a header in words that say so.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("not a .npy file; it ends before its header does"),
        _ => error,
    }
}

/// Magic, version and length; gives the text of the header.
fn read_header(file: &mut impl Read) -> io::Result<String> {
    let mut start = [0u8; 8];
    file.read_exact(&mut start)?;
    if start[..6] != *MAGIC {
        return Err(invalid("not a .npy file"));
    }
    let length = match start[6] {
        1 => {
            let mut bytes = [0u8; 2];
            file.read_exact(&mut bytes)?;
            u16::from_le_bytes(bytes).into()
        }
        2 | 3 => {
            let mut bytes = [0u8; 4];
            file.read_exact(&mut bytes)?;
            u32::from_le_bytes(bytes) as usize
        }
        version => return Err(invalid(&format!("version {version} of .npy is not known"))),
    };
    if length > MAX_HEADER {
        return Err(invalid(&format!("a header of {length} bytes")));
    }
    let mut text = vec![0u8; length];
    file.read_exact(&mut text)?;
    String::from_utf8(text).map_err(|_| invalid("the header is not text"))
}

/// What the dictionary says.
struct Header {
    descr: String,
    fortran_order: bool,
    dims: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Self> {
        let after = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}'"))?;
            rest.trim_start().strip_prefix(':').map(str::trim_start)
        };
        let descr = after("descr")?;
        let descr = match descr.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?.0,
            // A list of fields; its text stands for it in the message.
            None => descr.split_once(']')?.0,
        };
        let order = after("fortran_order")?;
        let fortran_order = order.starts_with("True");
        if !fortran_order && !order.starts_with("False") {
            return None;
        }
        let (extents, _) = after("shape")?.strip_prefix('(')?.split_once(')')?;
        let dims = extents
            .split(',')
            .map(str::trim)
            .filter(|extent| !extent.is_empty())
            .map(|extent| extent.parse().ok())
            .collect::<Option<Vec<usize>>>()?;
        Some(Self {
            descr: descr.to_owned(),
            fortran_order,
            dims,
        })
    }
}

/// How elements of one type become another.
#[doc(hidden)]
pub struct Decoder<T> {
    size: usize,
    element: fn(&[u8]) -> Option<T>,
}

/// The decoder of the type named, one of those listed; `$convert` makes of a number an element.
macro_rules! decoder {
    ($descr:expr, $convert:expr, $($name:literal => $type:ty),*) => {
        match $descr {
            $($name => Some(Decoder {
                size: size_of::<$type>(),
                element: |bytes| $convert(<$type>::from_le_bytes(bytes.try_into().ok()?)),
            }),)*
            _ => None,
        }
    };
}

macro_rules! real {
    ($real:ty, $name:literal) => {
        impl NpyElement for $real {
            const DESCR: &'static str = $name;

            fn decoder(descr: &str) -> Option<Decoder<Self>> {
                decoder!(
                    descr, |number| Some(number as $real),
                    "<f4" => f32, "<f8" => f64, "|i1" => i8, "|u1" => u8, "<i2" => i16,
                    "<u2" => u16, "<i4" => i32, "<u4" => u32, "<i8" => i64, "<u8" => u64
                )
            }

            fn encode(self, file: &mut impl Write) -> io::Result<()> {
                file.write_all(&self.to_le_bytes())
            }
        }
    };
}

real!(f32, "<f4");
real!(f64, "<f8");

/// Indices are written as int64, as PyTorch has them.
impl NpyElement for u32 {
    const DESCR: &'static str = "<i8";

    fn decoder(descr: &str) -> Option<Decoder<Self>> {
        decoder!(
            descr, |number| u32::try_from(i128::from(number)).ok(),
            "|i1" => i8, "|u1" => u8, "<i2" => i16, "<u2" => u16, "<i4" => i32, "<u4" => u32,
            "<i8" => i64, "<u8" => u64
        )
    }

    fn encode(self, file: &mut impl Write) -> io::Result<()> {
        file.write_all(&i64::from(self).to_le_bytes())
    }
}

/// First axis fastest → last axis fastest.
fn to_c_order<T: Copy>(elements: &[T], dims: &[usize]) -> Vec<T> {
    let mut strides = vec![1usize; dims.len()];
    for axis in 1..dims.len() {
        strides[axis] = strides[axis - 1] * dims[axis - 1];
    }
    let mut index = vec![0usize; dims.len()];
    (0..elements.len())
        .map(|_| {
            let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
            for axis in (0..dims.len()).rev() {
                index[axis] += 1;
                if index[axis] < dims[axis] {
                    break;
                }
                index[axis] = 0;
            }
            elements[at]
        })
        .collect()
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
    let mut shape = String::new();
    for dim in dims {
        shape += &format!("{dim}, ");
    }
    let descr = T::DESCR;
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
    for element in elements {
        element.encode(&mut file)?;
    }
    file.flush()
}
