//! An export as bytes.
//!
//! Weights go from where they lie to the file; beside them only the other messages take memory. So the message that
//! holds them, the graph, is not encoded as a whole: its length is counted, its other fields are encoded, and then
//! each initializer follows, the header first and the elements in pieces.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{Export, ExportError};
use crate::atomic;
use crate::onnx::proto::tensor_proto::{DataLocation, DataType};
use crate::onnx::proto::{StringStringEntryProto, TensorProto};

/// A tensor of the model: a parameter, a state or a number of a formula.
#[derive(Debug)]
pub(super) struct Initializer<'w> {
    pub(super) name: String,
    pub(super) dims: Vec<i64>,
    pub(super) elements: Elements<'w>,
}

/// What an initializer holds.
#[derive(Debug)]
pub(super) enum Elements<'w> {
    /// Weights, which stay where they are.
    Weights(&'w [f32]),
    /// Elements as they will lie in the file.
    Bytes(DataType, Vec<u8>),
}

// Numbers of the fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_RAW_DATA: u32 = 9;

impl Initializer<'_> {
    fn len(&self) -> u64 {
        match &self.elements {
            Elements::Weights(values) => 4 * values.len() as u64,
            Elements::Bytes(_, bytes) => bytes.len() as u64,
        }
    }

    fn is_weights(&self) -> bool {
        matches!(self.elements, Elements::Weights(_))
    }

    /// The message without its elements; those in a file beside are named by their place there.
    fn header(&self, beside: Option<(&str, u64)>) -> Vec<u8> {
        let kind = match &self.elements {
            Elements::Weights(_) => DataType::Float,
            Elements::Bytes(kind, _) => *kind,
        };
        let mut tensor = TensorProto {
            name: Some(self.name.clone()),
            dims: self.dims.clone(),
            data_type: Some(kind as i32),
            ..TensorProto::default()
        };
        if let Some((file, offset)) = beside {
            tensor.data_location = Some(DataLocation::External as i32);
            tensor.external_data = vec![
                entry("location", file.to_owned()),
                entry("offset", offset.to_string()),
                entry("length", self.len().to_string()),
            ];
        }
        tensor.encode_to_vec()
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match &self.elements {
            Elements::Bytes(_, bytes) => to.write_all(bytes),
            Elements::Weights(values) => {
                let mut piece = Vec::with_capacity(4 * PIECE);
                for values in values.chunks(PIECE) {
                    piece.clear();
                    piece.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                    to.write_all(&piece)?;
                }
                Ok(())
            }
        }
    }
}

/// Numbers that are written at a time.
const PIECE: usize = 1 << 14;

pub(super) fn entry(key: &str, value: String) -> StringStringEntryProto {
    StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value),
    }
}

/// The key of a field of bytes, and how many follow.
fn prefix(field: u32, length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_key(field, WireType::LengthDelimited, &mut bytes);
    encode_varint(length, &mut bytes);
    bytes
}

impl Export<'_> {
    /// The content of a file that holds all.
    ///
    /// # Errors
    /// [`ExportError::TooLarge`] beyond what an ONNX file holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ExportError> {
        let plan = Plan::new(self, None);
        if plan.len > self.longest {
            return Err(ExportError::TooLarge {
                bytes: plan.len,
                limit: self.longest,
            });
        }
        let mut bytes = Vec::with_capacity(plan.len as usize);
        // A vector refuses nothing.
        let _ = plan.write(&mut bytes);
        Ok(bytes)
    }

    /// Writes a file. Where that would be longer than an ONNX file may be, the weights go to a file beside it,
    /// `NAME.data`. Each of the two is written whole or not at all.
    ///
    /// # Errors
    /// [`ExportError::Io`]; [`ExportError::TooLarge`] if the model is too long even without its weights.
    pub fn save(&self, path: &Path) -> Result<(), ExportError> {
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| ExportError::Io { path, source }
        };
        let mut plan = Plan::new(self, None);
        let beside = beside(path);
        let name = beside.file_name().unwrap_or_default().to_string_lossy();
        if plan.len > self.longest {
            plan = Plan::new(self, Some(&name));
            if plan.len > self.longest {
                return Err(ExportError::TooLarge {
                    bytes: plan.len,
                    limit: self.longest,
                });
            }
            // First, so that no model is ever without its weights.
            let weights = self.initializers.iter().filter(|i| i.is_weights());
            let all = |file: &mut std::fs::File| {
                let mut file = io::BufWriter::new(file);
                for initializer in weights {
                    initializer.write(&mut file)?;
                }
                file.flush()
            };
            atomic::write_with(&beside, all).map_err(io(&beside))?;
        }
        let model = |file: &mut std::fs::File| {
            let mut file = io::BufWriter::new(file);
            plan.write(&mut file)?;
            file.flush()
        };
        atomic::write_with(path, model).map_err(io(path))
    }
}

/// `model.onnx` has its weights in `model.onnx.data`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".data");
    path.with_file_name(name)
}

/// The pieces of a file before they are written, and how long it will be.
struct Plan<'e> {
    export: &'e Export<'e>,
    model: Vec<u8>,
    graph: Vec<u8>,
    /// Of every initializer the message without elements, and whether these follow.
    headers: Vec<(Vec<u8>, bool)>,
    graph_len: u64,
    len: u64,
}

impl<'e> Plan<'e> {
    fn new(export: &'e Export<'e>, beside: Option<&str>) -> Self {
        let (model, graph) = (export.model.encode_to_vec(), export.graph.encode_to_vec());
        let mut offset = 0;
        let headers = export.initializers.iter().map(|initializer| {
            let place = beside.filter(|_| initializer.is_weights());
            let header = initializer.header(place.map(|file| (file, offset)));
            if place.is_some() {
                offset += initializer.len();
            }
            (header, place.is_none())
        });
        let headers: Vec<_> = headers.collect();
        let mut plan = Self {
            export,
            model,
            graph,
            headers,
            graph_len: 0,
            len: 0,
        };
        let initializers = (0..plan.headers.len()).map(|index| {
            let len = plan.tensor_len(index);
            prefix(GRAPH_INITIALIZER, len).len() as u64 + len
        });
        plan.graph_len = plan.graph.len() as u64 + initializers.sum::<u64>();
        let prefix = prefix(MODEL_GRAPH, plan.graph_len).len() as u64;
        plan.len = plan.model.len() as u64 + prefix + plan.graph_len;
        plan
    }

    /// Length of the message that an initializer is.
    fn tensor_len(&self, index: usize) -> u64 {
        let (header, inside) = &self.headers[index];
        let elements = match inside {
            true => {
                let len = self.export.initializers[index].len();
                prefix(TENSOR_RAW_DATA, len).len() as u64 + len
            }
            false => 0,
        };
        header.len() as u64 + elements
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.model)?;
        to.write_all(&prefix(MODEL_GRAPH, self.graph_len))?;
        to.write_all(&self.graph)?;
        for (index, initializer) in self.export.initializers.iter().enumerate() {
            let (header, inside) = &self.headers[index];
            to.write_all(&prefix(GRAPH_INITIALIZER, self.tensor_len(index)))?;
            to.write_all(header)?;
            if *inside {
                to.write_all(&prefix(TENSOR_RAW_DATA, initializer.len()))?;
                initializer.write(to)?;
            }
        }
        Ok(())
    }
}
