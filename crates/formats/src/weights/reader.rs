//! A safetensors file read tensor by tensor.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use tensor::memory::try_zeros;
use tensor::regular;

use super::header::Header;
use super::{MAX_RANK, WeightsError};

/// A file whose header has been read and checked, and whose tensors are read when they are asked for, straight to
/// where they belong: a network is loaded without a second copy of its weights in memory.
///
/// ```
/// use std::io::Cursor;
/// use convolve_formats::weights::{Precision, TensorFile, WeightsReader};
/// let mut file = TensorFile::default();
/// file.push("fc.bias", &[2], vec![1.0, 2.0])?;
/// let bytes = file.to_bytes(Precision::F32)?;
///
/// let mut reader = WeightsReader::new(Cursor::new(bytes), "in memory")?;
/// assert_eq!(reader.shape("fc.bias"), Some(&[2][..]));
/// let mut bias = [0.0; 2];
/// reader.read_into("fc.bias", &mut bias)?;
/// assert_eq!(bias, [1.0, 2.0]);
/// # Ok::<(), convolve_formats::weights::WeightsError>(())
/// ```
#[derive(Debug)]
pub struct WeightsReader<R = File> {
    source: R,
    origin: String,
    header: Header,
    /// In the order in which the tensors lie in the file.
    names: Vec<String>,
}

/// Extensions under which PyTorch's pickles go.
const PICKLED: [&str; 5] = ["bin", "ckpt", "pkl", "pt", "pth"];

/// Bytes converted at once.
const CHUNK: usize = 1 << 16;

impl WeightsReader {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// [`WeightsError::Io`], [`WeightsError::Pickle`] for a file of PyTorch's own format, or
    /// [`WeightsError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let refused = |source| WeightsError::Io {
            path: path.to_path_buf(),
            source,
        };
        if path.is_dir() {
            return Err(refused(std::io::ErrorKind::IsADirectory.into()));
        }
        let file = regular::open(path).map_err(refused)?;
        let origin = path.to_string_lossy();
        let pickled = |ending: &OsStr| {
            PICKLED
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        };
        Self::new(file, &origin).map_err(|error| match error {
            WeightsError::Damaged { origin, .. } if path.extension().is_some_and(pickled) => {
                WeightsError::Pickle { origin }
            }
            error => error,
        })
    }
}

impl<R: Read + Seek> WeightsReader<R> {
    /// Reads the header; `origin` stands in error messages.
    ///
    /// # Errors
    /// [`WeightsError::Pickle`] or [`WeightsError::Damaged`].
    pub fn new(mut source: R, origin: &str) -> Result<Self, WeightsError> {
        let damaged = |error: std::io::Error| WeightsError::Damaged {
            origin: origin.to_owned(),
            reason: error.to_string(),
        };
        let total = source.seek(SeekFrom::End(0)).map_err(damaged)?;
        source.rewind().map_err(damaged)?;
        let mut start = Vec::new();
        (&mut source)
            .take(8)
            .read_to_end(&mut start)
            .map_err(damaged)?;
        if is_pickle(&start) {
            let origin = origin.to_owned();
            return Err(WeightsError::Pickle { origin });
        }
        source.rewind().map_err(damaged)?;
        let header = Header::read(&mut source, total, origin)?;
        Ok(Self {
            source,
            origin: origin.to_owned(),
            names: header.tensors.offset_keys(),
            header,
        })
    }

    /// The file, as error messages name it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Text entries of the file.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.header.metadata
    }

    /// The text entries alone.
    pub(super) fn into_metadata(self) -> BTreeMap<String, String> {
        self.header.metadata
    }

    /// Names and shapes of the tensors, in the order in which they lie in the file.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let shape = |name| self.shape(name).unwrap_or_default();
        self.names.iter().map(move |name| (&**name, shape(name)))
    }

    /// Shape of a tensor, if there is one of that name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let tensor = self.header.tensors.info(name)?;
        Some(&tensor.shape)
    }

    /// Reads a tensor into its place, widened to `f32`.
    ///
    /// # Errors
    /// [`WeightsError::Absent`], [`WeightsError::Rank`], [`WeightsError::ElementType`], [`WeightsError::Count`] for a
    /// place of another size, [`WeightsError::Integer`], or [`WeightsError::Damaged`] for a file that has changed
    /// since it was opened.
    pub fn read_into(&mut self, name: &str, values: &mut [f32]) -> Result<(), WeightsError> {
        let Place {
            element,
            start,
            count,
        } = self.place(name)?;
        if count != values.len() {
            return Err(WeightsError::Count {
                tensor: name.to_owned(),
                shape: self.shape(name).unwrap_or_default().to_vec(),
                values: values.len(),
            });
        }
        let source = &mut self.source;
        let read = source
            .seek(SeekFrom::Start(start))
            .and_then(|_| match element {
                Element::F32 => read_words(source, values),
                Element::F16 => convert(source, values, |word| f16::from_le_bytes(word).into()),
                Element::Bf16 => convert(source, values, |word| bf16::from_le_bytes(word).into()),
                Element::I64 => convert(source, values, |word| i64::from_le_bytes(word) as f32),
            });
        read.map_err(|error| WeightsError::Damaged {
            origin: self.origin.clone(),
            reason: format!("tensor `{name}`: {error}"),
        })?;
        match element {
            Element::I64 => self.check_exact(name, start, values),
            _ => Ok(()),
        }
    }

    /// Reads a tensor, widened to `f32`.
    ///
    /// # Errors
    /// As [`WeightsReader::read_into`].
    pub fn read(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let mut values = try_zeros(self.place(name)?.count)?;
        self.read_into(name, &mut values)?;
        Ok(values)
    }

    /// Where a tensor lies and what it holds.
    fn place(&self, name: &str) -> Result<Place, WeightsError> {
        let Some(info) = self.header.tensors.info(name) else {
            return Err(WeightsError::Absent {
                origin: self.origin.clone(),
                tensor: name.to_owned(),
            });
        };
        check_rank(name, &info.shape)?;
        let (element, size) = match info.dtype {
            Dtype::F32 => (Element::F32, 4),
            Dtype::F16 => (Element::F16, 2),
            Dtype::BF16 => (Element::Bf16, 2),
            Dtype::I64 => (Element::I64, 8),
            other => {
                return Err(WeightsError::ElementType {
                    origin: self.origin.clone(),
                    tensor: name.to_owned(),
                    dtype: format!("{other:?}"),
                });
            }
        };
        let (start, end) = info.data_offsets;
        Ok(Place {
            element,
            start: self.header.content + start as u64,
            count: (end - start) / size,
        })
    }

    /// Whether the integers of a tensor are those that `f32` made of them.
    fn check_exact(&mut self, name: &str, start: u64, values: &[f32]) -> Result<(), WeightsError> {
        let changed = |error: std::io::Error| WeightsError::Damaged {
            origin: self.origin.clone(),
            reason: format!("tensor `{name}`: {error}"),
        };
        self.source.seek(SeekFrom::Start(start)).map_err(changed)?;
        for value in values {
            let mut word = [0; 8];
            self.source.read_exact(&mut word).map_err(changed)?;
            let integer = i64::from_le_bytes(word);
            if *value as i128 != i128::from(integer) {
                return Err(WeightsError::Integer {
                    origin: self.origin.clone(),
                    tensor: name.to_owned(),
                    value: integer,
                });
            }
        }
        Ok(())
    }
}

/// The element types that are read.
#[derive(Clone, Copy, Debug)]
enum Element {
    F32,
    F16,
    Bf16,
    I64,
}

/// Where a tensor lies in the file.
#[derive(Clone, Copy, Debug)]
struct Place {
    element: Element,
    start: u64,
    count: usize,
}

/// A zip archive (`torch.save` since PyTorch 1.6) or a bare pickle of protocol 2 to 5.
fn is_pickle(start: &[u8]) -> bool {
    match start {
        [b'P', b'K', 3, 4, ..] => true,
        // As the length of a safetensors header, the last four bytes would be beyond any.
        [0x80, 2..=5, _, _, rest @ ..] => rest.iter().any(|byte| *byte != 0),
        _ => false,
    }
}

pub(super) fn check_rank(name: &str, shape: &[usize]) -> Result<(), WeightsError> {
    if shape.len() <= MAX_RANK {
        return Ok(());
    }
    Err(WeightsError::Rank {
        tensor: name.to_owned(),
        rank: shape.len(),
        limit: MAX_RANK,
    })
}

/// Numbers that are stored as they are used, but for the order of bytes on machines that begin at the great end.
fn read_words(source: &mut impl Read, values: &mut [f32]) -> std::io::Result<()> {
    source.read_exact(bytemuck::cast_slice_mut(values))?;
    if cfg!(target_endian = "big") {
        for value in values {
            *value = f32::from_bits(u32::from_le(value.to_bits()));
        }
    }
    Ok(())
}

/// Numbers of another size, a piece at a time.
fn convert<const SIZE: usize>(
    source: &mut impl Read,
    values: &mut [f32],
    widen: impl Fn([u8; SIZE]) -> f32,
) -> std::io::Result<()> {
    let mut bytes = vec![0; CHUNK.min(values.len() * SIZE)];
    for values in values.chunks_mut(CHUNK / SIZE) {
        let bytes = &mut bytes[..values.len() * SIZE];
        source.read_exact(bytes)?;
        for (value, word) in values.iter_mut().zip(bytes.as_chunks::<SIZE>().0) {
            *value = widen(*word);
        }
    }
    Ok(())
}
