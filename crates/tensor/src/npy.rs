//! `.npy` files, version 1–3 (NumPy's `numpy.lib.format`).

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, Order, TypeChar, WriterBuilder};

use crate::{Shape, ShapeError, Tensor};

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

/// Reads a `.npy` file of float32, float64 or integers as f32, in C order whatever the file's.
///
/// # Errors
/// See [`NpyError`]; the size is checked against the file's length before memory is taken.
pub fn read_npy(path: &Path) -> Result<Tensor<f32>, NpyError> {
    let io = |source| NpyError::Io {
        path: path.to_owned(),
        source,
    };
    let unaddressable = |source| NpyError::Shape {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let length = file.get_ref().metadata().map_err(io)?.len();
    // The parser multiplies the extents unchecked, so they are looked at before it sees them.
    Shape::new(&peek_shape(&mut file, length).map_err(io)?).map_err(unaddressable)?;
    file.rewind().map_err(io)?;
    let npy = NpyFile::new(file).map_err(io)?;
    let dims: Vec<usize> = npy.shape().iter().map(|&d| d as usize).collect();
    let shape = Shape::new(&dims).map_err(unaddressable)?;
    let DType::Plain(kind) = npy.dtype() else {
        return Err(NpyError::Type {
            path: path.to_owned(),
            descr: npy.dtype().descr(),
        });
    };
    let promised = (shape.len() as u64).saturating_mul(kind.num_bytes().unwrap_or(8) as u64);
    if promised > length {
        return Err(NpyError::Truncated {
            path: path.to_owned(),
            promised,
            held: length,
        });
    }
    let order = npy.order();
    let size = kind.size_field();
    let elements: Vec<f32> = match (kind.type_char(), size) {
        (TypeChar::Float, 4) => npy.into_vec::<f32>().map_err(io)?,
        (TypeChar::Float, 8) => narrow(npy.into_vec::<f64>().map_err(io)?, |v| v as f32),
        (TypeChar::Int, 1) => narrow(npy.into_vec::<i8>().map_err(io)?, f32::from),
        (TypeChar::Uint, 1) => narrow(npy.into_vec::<u8>().map_err(io)?, f32::from),
        (TypeChar::Int, 4) => narrow(npy.into_vec::<i32>().map_err(io)?, |v| v as f32),
        (TypeChar::Int, 8) => narrow(npy.into_vec::<i64>().map_err(io)?, |v| v as f32),
        _ => {
            return Err(NpyError::Type {
                path: path.to_owned(),
                descr: kind.to_string(),
            });
        }
    };
    let elements = if order == Order::Fortran {
        to_c_order(&elements, &dims)
    } else {
        elements
    };
    Tensor::from_slice(&dims, &elements).map_err(unaddressable)
}

/// The extents in the header's `'shape': (…)`, each clamped to `usize`. A header without them is
/// left to the parser to refuse.
fn peek_shape(file: &mut impl Read, length: u64) -> std::io::Result<Vec<usize>> {
    let mut prefix = [0u8; 12];
    let got = file.by_ref().take(12).read(&mut prefix)?;
    // Version 1 has a two-byte header length; what is read too far belongs to the header anyway.
    let declared = match prefix[6] {
        1 => u64::from(u16::from_le_bytes([prefix[8], prefix[9]])),
        _ => u64::from(u32::from_le_bytes([
            prefix[8], prefix[9], prefix[10], prefix[11],
        ])),
    };
    let mut header = prefix[10..got.max(10)].to_vec();
    file.take(declared.min(length)).read_to_end(&mut header)?;
    let text = String::from_utf8_lossy(&header);
    let extents = text
        .split_once("'shape'")
        .and_then(|(_, rest)| rest.split_once('('))
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("", |(extents, _)| extents);
    Ok(extents
        .split(',')
        .map(str::trim)
        .filter(|extent| !extent.is_empty())
        .map(|extent| extent.parse().unwrap_or(usize::MAX))
        .collect())
}

fn narrow<T>(values: Vec<T>, convert: impl Fn(T) -> f32) -> Vec<f32> {
    values.into_iter().map(convert).collect()
}

/// First axis fastest → last axis fastest.
fn to_c_order(elements: &[f32], dims: &[usize]) -> Vec<f32> {
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

/// Writes a float32 `.npy` file in C order.
///
/// # Errors
/// [`NpyError::Io`].
pub fn write_npy(path: &Path, dims: &[usize], elements: &[f32]) -> Result<(), NpyError> {
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
pub fn write_npy_to(file: impl Write, dims: &[usize], elements: &[f32]) -> std::io::Result<()> {
    let shape: Vec<u64> = dims.iter().map(|&d| d as u64).collect();
    let mut file = BufWriter::new(file);
    let mut writer = npyz::WriteOptions::<f32>::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut file)
        .begin_nd()?;
    writer.extend(elements.iter().copied())?;
    writer.finish()?;
    file.flush()
}
