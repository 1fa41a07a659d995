//! The header of a safetensors file: what its tensors are called, their shapes and where they lie.
//!
//! ```text
//! ┌ 8 bytes ┬ length bytes of JSON ────────────────────────────┬ numbers ─────────────┐
//! │ length  │ {"NAME": {"dtype", "shape", "data_offsets"}, …}  │ tensors, end to end  │
//! └─────────┴──────────────────────────────────────────────────┴──────────────────────┘
//! ```
//!
//! That the tensors lie end to end, without holes and overlaps, and fit their shapes is what the crate `safetensors`
//! checks. It takes the last of two tensors of one name, and headers of up to 100 MB; here both are refused, the
//! second because lists of numbers take a multiple of their text in memory.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Read;

use safetensors::tensor::{Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::{METADATA, WeightsError};

/// Longest header. A network of ten thousand tensors has one of a megabyte.
const MAX_LENGTH: u64 = 8 << 20;

/// Most axes of a tensor: messages show its shape.
const MOST_AXES: usize = 64;

/// The bytes that hold the header's length.
const LENGTH: u64 = 8;

/// A checked header.
#[derive(Debug)]
pub(super) struct Header {
    /// Shapes, element types and places; the places count from `content`.
    pub(super) tensors: Metadata,
    /// Text entries.
    pub(super) metadata: BTreeMap<String, String>,
    /// Where the numbers begin in the file.
    pub(super) content: u64,
}

impl Header {
    /// Reads the header from the beginning of a file of `total` bytes.
    ///
    /// # Errors
    /// [`WeightsError::Damaged`].
    pub(super) fn read(
        source: &mut impl Read,
        total: u64,
        origin: &str,
    ) -> Result<Self, WeightsError> {
        Self::parse(source, total).map_err(|reason| WeightsError::Damaged {
            origin: origin.to_owned(),
            reason,
        })
    }

    fn parse(source: &mut impl Read, total: u64) -> Result<Self, String> {
        let mut length = [0; LENGTH as usize];
        let short = |error: std::io::Error| format!("it ends within the header ({error})");
        source.read_exact(&mut length).map_err(short)?;
        let length = u64::from_le_bytes(length);
        if length > total - LENGTH {
            return Err(format!(
                "a header of {length} bytes in a file of {total} bytes"
            ));
        }
        if length > MAX_LENGTH {
            return Err(format!(
                "a header of {length} bytes, more than the {MAX_LENGTH} that are allowed"
            ));
        }
        let mut text = vec![0; length as usize];
        source.read_exact(&mut text).map_err(short)?;
        let Entries { tensors, metadata } =
            serde_json::from_slice(&text).map_err(|error| format!("its header: {error}"))?;
        drop(text);
        let tensors = Metadata::new(None, tensors).map_err(|error| error.to_string())?;
        let content = LENGTH + length;
        let end = content.checked_add(tensors.data_len() as u64);
        if end != Some(total) {
            return Err(format!(
                "its tensors take {} bytes, but {} follow the header",
                tensors.data_len(),
                total - content
            ));
        }
        Ok(Self {
            tensors,
            metadata,
            content,
        })
    }
}

/// What a header says, by place in the file.
struct Entries {
    tensors: Vec<(String, TensorInfo)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut entries = from.deserialize_map(EntriesVisitor)?;
        for (name, tensor) in &entries.tensors {
            if tensor.shape.len() > MOST_AXES {
                return Err(D::Error::custom(format!(
                    "tensor `{name}` has {} axes; {MOST_AXES} are the most",
                    tensor.shape.len()
                )));
            }
        }
        let mut names = HashSet::new();
        if let Some((twice, _)) = (entries.tensors.iter()).find(|(name, _)| !names.insert(name)) {
            return Err(D::Error::custom(format!(
                "two tensors are called `{twice}`"
            )));
        }
        drop(names);
        let place = |(_, tensor): &(String, TensorInfo)| tensor.data_offsets;
        entries.tensors.sort_by_key(place);
        Ok(entries)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let (mut tensors, mut metadata) = (Vec::new(), None);
        while let Some(name) = map.next_key::<String>()? {
            if name != METADATA {
                tensors.push((name, map.next_value()?));
            } else if metadata.replace(map.next_value::<Option<_>>()?).is_some() {
                return Err(A::Error::duplicate_field(METADATA));
            }
        }
        Ok(Entries {
            tensors,
            metadata: metadata.flatten().unwrap_or_default(),
        })
    }
}
