//! An ONNX file that was read: its messages, checked as far as they can be without running it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use prost::Message;
use prost::bytes::Bytes;

use super::external::External;
use super::initializer::{self, extents};
use super::proto::tensor_shape_proto::dimension;
use super::proto::{GraphProto, ModelProto, ValueInfoProto, type_proto};
use super::{Array, Element, OnnxError, weigh};

/// The newest version of the standard operators that is known.
pub(super) const NEWEST: i64 = 28;

/// An extent of an input or output as a model declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A number.
    Known(usize),
    /// Left open; equal names stand for equal extents, and one without a name for any.
    Open(String),
}

/// An input or output as a model declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its elements.
    pub element: Element,
    /// Its extents, where the model says how many axes it has.
    pub shape: Option<Vec<Extent>>,
}

/// An ONNX model, read and not yet made a graph.
///
/// ```no_run
/// # use convolve_formats as formats;
/// use formats::onnx::{Bindings, Model};
///
/// let model = Model::open("resnet18.onnx".as_ref())?;
/// let import = model.import(&Bindings::batch(8))?;
/// assert_eq!(import.graph.outputs.len(), model.outputs().len());
/// # Ok::<(), formats::onnx::OnnxError>(())
/// ```
#[derive(Debug)]
pub struct Model {
    pub(super) name: String,
    /// Version of the standard operators.
    pub(super) opset: i64,
    /// Versions of other domains.
    pub(super) domains: Vec<(String, i64)>,
    pub(super) graph: GraphProto,
    /// By name; the elements are slices of the file.
    pub(super) initializers: Vec<(String, Array)>,
    inputs: Vec<Declared>,
    outputs: Vec<Declared>,
    metadata: Vec<(String, String)>,
    files: Vec<PathBuf>,
    /// Length of the file and those beside it that were read.
    pub(super) bytes: usize,
}

impl Model {
    /// Reads a file, and the files beside it in which its weights may lie.
    ///
    /// # Errors
    /// See [`OnnxError`].
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let io = |source| OnnxError::Io {
            path: path.to_path_buf(),
            source,
        };
        if !path.metadata().map_err(io)?.is_file() {
            let reason = "not a regular file; only those are read";
            return Err(io(std::io::Error::other(reason)));
        }
        let bytes = std::fs::read(path).map_err(io)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::read(bytes.into(), &stem, External::beside(path))
    }

    /// Reads the content of a file whose weights all lie in it.
    ///
    /// # Errors
    /// See [`OnnxError`].
    pub fn from_bytes(bytes: impl Into<Bytes>, name: &str) -> Result<Self, OnnxError> {
        Self::read(bytes.into(), name, External::default())
    }

    fn read(bytes: Bytes, name: &str, mut external: External) -> Result<Self, OnnxError> {
        weigh::check(&bytes)?;
        let len = bytes.len();
        let damaged = |reason: &dyn std::fmt::Display| OnnxError::Damaged {
            reason: reason.to_string(),
        };
        let model = ModelProto::decode(bytes).map_err(|error| damaged(&error))?;
        let mut graph = model.graph.ok_or_else(|| damaged(&"it has no graph"))?;
        // Files of the first two versions of the format name no operator set.
        if model.opset_import.is_empty() && model.ir_version.unwrap_or(0) > 2 {
            return Err(damaged(&"it names no operator set"));
        }
        let (opset, domains) = versions(&model.opset_import)?;
        if !graph.sparse_initializer.is_empty() {
            return Err(OnnxError::ElementType {
                tensor: graph.sparse_initializer[0]
                    .values
                    .as_ref()
                    .map_or_else(String::new, |values| values.name().to_owned()),
                element: "sparse".to_owned(),
            });
        }
        let mut names = HashSet::new();
        let mut initializers = Vec::with_capacity(graph.initializer.len());
        for mut tensor in std::mem::take(&mut graph.initializer) {
            let array = initializer::array(&mut tensor, &mut external)?;
            let name = tensor.name().to_owned();
            if !names.insert(name.clone()) {
                return Err(OnnxError::DuplicateName { name });
            }
            initializers.push((name, array));
        }
        // Old models list what they hold among their inputs too.
        let inputs = graph.input.iter();
        let inputs = inputs.filter(|input| !names.contains(input.name()));
        let inputs = inputs.map(declared).collect::<Result<Vec<_>, _>>()?;
        let outputs = graph.output.iter().map(declared);
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let mut given = HashSet::new();
        if let Some(twice) = inputs.iter().find(|input| !given.insert(&input.name)) {
            let name = twice.name.clone();
            return Err(OnnxError::DuplicateName { name });
        }
        let metadata = model.metadata_props.into_iter();
        Ok(Self {
            name: name.to_owned(),
            metadata: metadata
                .map(|entry| (entry.key().to_owned(), entry.value().to_owned()))
                .collect(),
            opset,
            domains,
            graph,
            initializers,
            inputs,
            outputs,
            files: external.into_files(),
            bytes: len,
        })
    }

    /// Version of the standard operators that the model asks for.
    pub fn opset(&self) -> i64 {
        self.opset
    }

    /// What is given at every run, in order.
    pub fn inputs(&self) -> &[Declared] {
        &self.inputs
    }

    /// The files beside the model in which weights lie, as paths below its folder.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Text entries, such as the names of classes.
    pub fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// What a run makes, in order.
    pub fn outputs(&self) -> &[Declared] {
        &self.outputs
    }
}

/// The version of the standard operators, and those of other domains.
fn versions(
    imports: &[super::proto::OperatorSetIdProto],
) -> Result<(i64, Vec<(String, i64)>), OnnxError> {
    // A file of the first version of the format names none.
    let (mut opset, mut domains) = (1, Vec::new());
    for import in imports {
        match import.domain() {
            "" | "ai.onnx" => opset = import.version(),
            other => domains.push((other.to_owned(), import.version())),
        }
    }
    if !(1..=NEWEST).contains(&opset) {
        return Err(OnnxError::OperatorSet {
            domain: "ai.onnx".to_owned(),
            version: opset,
            newest: NEWEST,
        });
    }
    Ok((opset, domains))
}

fn declared(info: &ValueInfoProto) -> Result<Declared, OnnxError> {
    let value = info.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = value else {
        return Err(OnnxError::ElementType {
            tensor: info.name().to_owned(),
            element: match value {
                None => "unknown".to_owned(),
                Some(_) => "other than a tensor's".to_owned(),
            },
        });
    };
    let extent = |dim: &super::proto::tensor_shape_proto::Dimension| match &dim.value {
        Some(dimension::Value::DimValue(extent)) => {
            let extents = extents(&[*extent], info.name())?;
            Ok::<_, OnnxError>(Extent::Known(extents[0]))
        }
        Some(dimension::Value::DimParam(name)) => Ok(Extent::Open(name.clone())),
        None => Ok(Extent::Open(String::new())),
    };
    let shape = tensor.shape.as_ref();
    Ok(Declared {
        name: info.name().to_owned(),
        element: Element::of(tensor.elem_type(), info.name())?,
        shape: match shape {
            Some(shape) => Some(shape.dim.iter().map(extent).collect::<Result<_, _>>()?),
            None => None,
        },
    })
}
