//! Named tensors in safetensors files: weights of models and state of checkpoints.
//!
//! In memory every tensor is `f32`. Files may also hold `f16` and `bf16`, which are widened exactly, and `i64`
//! counters (`num_batches_tracked` of PyTorch's batch norms), which are taken when `f32` holds them exactly.
//!
//! Format: <https://huggingface.co/docs/safetensors>. The same tensors and metadata always give the same bytes.

mod error;
mod header;
mod reader;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use half::f16;
use safetensors::{Dtype, View};
use tensor::memory::check_room;

pub use self::error::WeightsError;
pub use self::reader::WeightsReader;
use self::reader::check_rank;
use crate::atomic;

/// How numbers are stored in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: what was in memory, bit for bit.
    #[default]
    F32,
    /// 16 bits (IEEE binary16), rounded to nearest even: half the size, three decimal digits.
    F16,
}

/// A tensor with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// As timm and torchvision name parameters, `layer1.0.conv1.weight`.
    pub name: String,
    /// Sizes, the last running fastest; a scalar has none.
    pub shape: Vec<usize>,
    /// As many values as the product of the sizes.
    pub values: Vec<f32>,
}

/// Named tensors and text beside them.
///
/// ```
/// use convolve_formats::weights::{Precision, TensorFile};
/// let mut file = TensorFile::default();
/// file.push("fc.weight", &[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// file.metadata.insert("model".into(), "lenet5".into());
/// let bytes = file.to_bytes(Precision::F16)?;
/// let again = TensorFile::from_bytes(&bytes, "in memory")?;
/// assert_eq!(again.get("fc.weight").unwrap().values[5], 6.0);
/// assert_eq!(again.metadata["model"], "lenet5");
/// # Ok::<(), convolve_formats::weights::WeightsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorFile {
    /// In the order they were added, or in which they lie in the file they were read from: sorted by name in
    /// files written here.
    pub tensors: Vec<NamedTensor>,
    /// Text entries of the file. Weights from elsewhere often have none, or `format: pt` alone.
    pub metadata: BTreeMap<String, String>,
}

/// The name under which the format keeps the text entries.
const METADATA: &str = "__metadata__";

/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;

impl TensorFile {
    /// Adds a tensor at the end.
    ///
    /// # Errors
    /// [`WeightsError::Count`], [`WeightsError::Rank`], or [`WeightsError::Name`].
    pub fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Result<(), WeightsError> {
        if name == METADATA || self.get(name).is_some() {
            let tensor = name.to_owned();
            return Err(WeightsError::Name { tensor });
        }
        let tensor = NamedTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values,
        };
        tensor.check()?;
        self.tensors.push(tensor);
        Ok(())
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`WeightsError::Io`], or as [`TensorFile::from_bytes`].
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        Self::read_all(WeightsReader::open(path)?)
    }

    /// Reads the content of a file; `origin` stands in error messages.
    ///
    /// # Errors
    /// [`WeightsError::Pickle`], [`WeightsError::Damaged`], [`WeightsError::ElementType`],
    /// [`WeightsError::Integer`], or [`WeightsError::Rank`].
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, WeightsError> {
        Self::read_all(WeightsReader::new(Cursor::new(bytes), origin)?)
    }

    /// All that a reader has.
    fn read_all<R: Read + Seek>(mut reader: WeightsReader<R>) -> Result<Self, WeightsError> {
        let named = |(name, shape): (&str, &[usize])| (name.to_owned(), shape.to_vec());
        let names: Vec<_> = reader.tensors().map(named).collect();
        let mut tensors = Vec::with_capacity(names.len());
        for (name, shape) in names {
            let values = reader.read(&name)?;
            tensors.push(NamedTensor {
                name,
                shape,
                values,
            });
        }
        Ok(Self {
            tensors,
            metadata: reader.into_metadata(),
        })
    }

    /// The content of a file, the tensors sorted by name.
    ///
    /// # Errors
    /// [`WeightsError::Half`] for a number that the precision cannot hold, [`WeightsError::Memory`];
    /// [`WeightsError::Count`], [`WeightsError::Rank`] or [`WeightsError::Name`] for tensors that were not added by
    /// [`push`](TensorFile::push).
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, WeightsError> {
        let mut names = HashSet::from([METADATA]);
        for tensor in &self.tensors {
            tensor.check()?;
            if !names.insert(&tensor.name) {
                let tensor = tensor.name.clone();
                return Err(WeightsError::Name { tensor });
            }
            if precision == Precision::F16
                && let Some(value) = tensor.values.iter().find(|value| overflows_half(**value))
            {
                let (tensor, value) = (tensor.name.clone(), *value);
                return Err(WeightsError::Half { tensor, value });
            }
        }
        let views = self.tensors.iter().map(|tensor| {
            let stored = Stored { tensor, precision };
            (tensor.name.as_str(), stored)
        });
        // The library takes its memory without asking, once for its file and once for the one with text entries.
        let bytes: usize = views.clone().map(|(_, stored)| stored.data_len()).sum();
        check_room(bytes.saturating_mul(2))?;
        let damaged = |reason: String| WeightsError::Damaged {
            origin: "weights to be written".into(),
            reason,
        };
        let bytes =
            safetensors::serialize(views, None).map_err(|error| damaged(error.to_string()))?;
        self.with_metadata(bytes)
            .map_err(|error| damaged(error.to_string()))
    }

    /// Writes a file, whole or not at all: see [`atomic`].
    ///
    /// # Errors
    /// [`WeightsError::Io`], or as [`TensorFile::to_bytes`].
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        let bytes = self.to_bytes(precision)?;
        atomic::write(path, &bytes).map_err(|source| WeightsError::Io {
            path: path.to_path_buf(),
            source,
        })
    }

    /// Puts the text entries into the header. The library would do it too, but in the order of a hash map, which
    /// differs from run to run; here they are sorted, and equal content gives equal files.
    fn with_metadata(&self, bytes: Vec<u8>) -> serde_json::Result<Vec<u8>> {
        if self.metadata.is_empty() {
            return Ok(bytes);
        }
        let (length, rest) = bytes.split_at(8);
        let length = length
            .iter()
            .rev()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (header, content) = rest.split_at(length);
        let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header)?;
        header.insert(METADATA.into(), serde_json::to_value(&self.metadata)?);
        let mut header = serde_json::to_vec(&header)?;
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok([&(header.len() as u64).to_le_bytes(), &*header, content].concat())
    }
}

impl NamedTensor {
    fn check(&self) -> Result<(), WeightsError> {
        check_rank(&self.name, &self.shape)?;
        let count = self
            .shape
            .iter()
            .try_fold(1_usize, |count, size| count.checked_mul(*size));
        if count == Some(self.values.len()) {
            return Ok(());
        }
        Err(WeightsError::Count {
            tensor: self.name.clone(),
            shape: self.shape.clone(),
            values: self.values.len(),
        })
    }
}

/// Infinities and NaN have their own 16-bit forms; a finite number must not become one of them.
fn overflows_half(value: f32) -> bool {
    value.is_finite() && !f16::from_f32(value).is_finite()
}

/// A tensor as it is stored. The bytes are made when the library asks for them, one tensor at a time.
struct Stored<'a> {
    tensor: &'a NamedTensor,
    precision: Precision,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self.precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.tensor.values.iter();
        Cow::Owned(match self.precision {
            Precision::F32 => values.flat_map(|value| value.to_le_bytes()).collect(),
            Precision::F16 => values
                .flat_map(|value| f16::from_f32(*value).to_le_bytes())
                .collect(),
        })
    }

    fn data_len(&self) -> usize {
        self.tensor.values.len() * self.dtype().bitsize() / 8
    }
}

#[cfg(test)]
mod tests;
