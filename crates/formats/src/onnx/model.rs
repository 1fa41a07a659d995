//! An ONNX file that was opened: its messages, checked as far as they can be without running it.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::bytes::Bytes;

use super::array::MOST_AXES;
use super::budget::{Budget, piece, table};
use super::external::External;
use super::opened::Opened;
use super::outline::Outline;
use super::wire::{Content, damaged, each, fields};
use super::{Element, Elements, OnnxError, initializer, node};

/// Tags of a model's fields.
const IR_VERSION: u64 = 1;
pub(super) const GRAPH: u64 = 7;
const OPERATOR_SET: u64 = 8;
const METADATA: u64 = 14;

/// Tags of a graph's fields.
pub(super) const NODE: u64 = 1;
pub(super) const INITIALIZER: u64 = 5;
const INPUT: u64 = 11;
const OUTPUT: u64 = 12;
const SPARSE: u64 = 15;

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

impl Declared {
    /// Its extents as a person reads them: `[batch, 3, 224, 224]`, `?` for one that is open and has no name.
    pub fn extents(&self) -> String {
        let Some(extents) = &self.shape else {
            return "unknown".to_owned();
        };
        let shown = extents.iter().map(|extent| match extent {
            Extent::Known(extent) => extent.to_string(),
            Extent::Open(name) if name.is_empty() => "?".to_owned(),
            Extent::Open(name) => name.clone(),
        });
        format!("[{}]", shown.collect::<Vec<_>>().join(", "))
    }
}

/// An ONNX model, opened and not yet made a graph.
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
    outline: Outline,
    /// Where in the outline the nodes are.
    nodes: Vec<Range<usize>>,
    /// By name; the elements of large ones are left in the file.
    pub(super) initializers: Vec<(Arc<str>, Elements)>,
    inputs: Vec<Declared>,
    outputs: Vec<Declared>,
    metadata: Vec<(String, String)>,
    files: Vec<PathBuf>,
    /// What is left to make a graph.
    pub(super) budget: Budget,
}

impl Model {
    /// Opens a file, and the files beside it in which its weights may lie. Large weights are read when they are asked
    /// for: until then the files stay open.
    ///
    /// # Errors
    /// See [`OnnxError`].
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let io = |source| OnnxError::Io {
            path: path.to_path_buf(),
            source,
        };
        let file = Arc::new(Opened::regular(path).map_err(io)?);
        let len = usize::try_from(file.len()).unwrap_or(usize::MAX);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::read(Outline::read(file)?, len, &stem, External::beside(path))
    }

    /// Reads the content of a file whose weights all lie in it.
    ///
    /// # Errors
    /// See [`OnnxError`].
    pub fn from_bytes(bytes: impl Into<Bytes>, name: &str) -> Result<Self, OnnxError> {
        let bytes = bytes.into();
        let len = bytes.len();
        Self::read(Outline::whole(bytes), len, name, External::default())
    }

    /// Makes a model of the outline of a file of `len` bytes.
    fn read(
        outline: Outline,
        len: usize,
        name: &str,
        mut external: External,
    ) -> Result<Self, OnnxError> {
        let file = outline.bytes();
        let mut budget = Budget::new(len, file.len());
        let (mut ir_version, mut has_graph) = (0, false);
        let (mut opset, mut domains) = (None, Vec::new());
        let mut metadata = Vec::new();
        // How many of each field the graph has, so that memory is taken once.
        let mut counts = [0_usize; 16];
        for field in fields(file) {
            match field? {
                (IR_VERSION, content) => ir_version = content.number()?,
                (OPERATOR_SET, content) => {
                    let (domain, version) = operator_set(content.bytes()?)?;
                    match domain {
                        "" | "ai.onnx" => opset = Some(version),
                        domain => {
                            // A list may be twice as long as what is in it.
                            budget.take(96 + piece(domain.len()))?;
                            domains.push((domain.to_owned(), version));
                        }
                    }
                }
                (METADATA, content) => {
                    let (key, value) = entry(content.bytes()?)?;
                    budget.take(144 + piece(key.len()) + piece(value.len()))?;
                    metadata.push((key.to_owned(), value.to_owned()));
                }
                (GRAPH, content) => {
                    has_graph = true;
                    for field in fields(content.bytes()?) {
                        let (tag, _) = field?;
                        if let Some(count) = counts.get_mut(tag as usize) {
                            *count += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        if !has_graph {
            return Err(damaged("it has no graph".to_owned()));
        }
        // Files of the first two versions of the format name no operator set.
        if opset.is_none() && domains.is_empty() && ir_version > 2 {
            return Err(damaged("it names no operator set".to_owned()));
        }
        let opset = opset.unwrap_or(1);
        if !(1..=NEWEST).contains(&opset) {
            return Err(OnnxError::OperatorSet {
                domain: "ai.onnx".to_owned(),
                version: opset,
                newest: NEWEST,
            });
        }

        let count = |tag: u64| counts[tag as usize];
        let graph_fields = |tag: u64| {
            let graphs = each(file, GRAPH).filter_map(|graph| graph.bytes().ok());
            graphs.flat_map(move |graph| each(graph, tag))
        };
        if let Some(sparse) = graph_fields(SPARSE).next() {
            let values = each(sparse.bytes()?, 1).last();
            let values = values.map_or(Ok(&[][..]), Content::bytes)?;
            return Err(OnnxError::ElementType {
                tensor: initializer::name(values).to_owned(),
                element: "sparse".to_owned(),
            });
        }
        budget.take(count(NODE).saturating_mul(size_of::<Range<usize>>()))?;
        let mut nodes = Vec::with_capacity(count(NODE));
        for content in graph_fields(NODE) {
            let message = content.bytes()?;
            node::check(message)?;
            let start = message.as_ptr().addr() - file.as_ptr().addr();
            nodes.push(start..start + message.len());
        }
        let known = count(INITIALIZER);
        let each_known = size_of::<(Arc<str>, Elements)>();
        budget.take(known.saturating_mul(each_known))?;
        let names_of_known = table::<&str, ()>(known);
        budget.take(names_of_known)?;
        let mut names = HashSet::with_capacity(known);
        let mut initializers = Vec::with_capacity(known);
        for content in graph_fields(INITIALIZER) {
            let message = content.bytes()?;
            let (name, elements) =
                initializer::elements(message, &outline, &mut external, &mut budget)?;
            if !names.insert(name) {
                let name = name.to_owned();
                return Err(OnnxError::DuplicateName { name });
            }
            budget.take(piece(name.len() + 16) + piece(size_of_val(elements.shape())))?;
            initializers.push((Arc::from(name), elements));
        }
        let mut declarations = |tag, except: &HashSet<&str>| {
            budget.take(count(tag).saturating_mul(size_of::<Declared>()))?;
            let mut declarations = Vec::with_capacity(count(tag));
            for content in graph_fields(tag) {
                let message = content.bytes()?;
                if !except.contains(declared_name(message)?) {
                    declarations.push(declared(message, &mut budget)?);
                }
            }
            Ok::<_, OnnxError>(declarations)
        };
        // Old models list what they hold among their inputs too.
        let inputs = declarations(INPUT, &names)?;
        let outputs = declarations(OUTPUT, &HashSet::new())?;
        drop(names);
        budget.give_back(names_of_known);
        budget.check(table::<&str, ()>(inputs.len()))?;
        let mut given = HashSet::with_capacity(inputs.len());
        if let Some(twice) = inputs.iter().find(|input| !given.insert(&input.name)) {
            let name = twice.name.clone();
            return Err(OnnxError::DuplicateName { name });
        }
        Ok(Self {
            name: name.to_owned(),
            metadata,
            opset,
            domains,
            outline,
            nodes,
            initializers,
            inputs,
            outputs,
            files: external.into_files(),
            budget,
        })
    }

    /// The message of every node, in the order of the file.
    pub(super) fn nodes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let file = self.outline.bytes();
        self.nodes.iter().map(|node| &file[node.clone()])
    }

    /// The message of one node.
    pub(super) fn node(&self, index: usize) -> &[u8] {
        &self.outline.bytes()[self.nodes[index].clone()]
    }

    /// The messages of the file.
    pub(super) fn outline(&self) -> &Outline {
        &self.outline
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

/// A domain, and the version of its operators.
fn operator_set(message: &[u8]) -> Result<(&str, i64), OnnxError> {
    let (mut domain, mut version) = ("", 0);
    for field in fields(message) {
        match field? {
            (1, content) => domain = content.name()?,
            (2, content) => version = content.number()?,
            _ => {}
        }
    }
    Ok((domain, version))
}

/// A key and its value.
fn entry(message: &[u8]) -> Result<(&str, &str), OnnxError> {
    let (mut key, mut value) = ("", "");
    for field in fields(message) {
        match field? {
            (1, content) => key = content.text()?,
            (2, content) => value = content.text()?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// The name of an input or output.
fn declared_name(message: &[u8]) -> Result<&str, OnnxError> {
    let mut name = "";
    for field in fields(message) {
        if let (1, content) = field? {
            name = content.name()?;
        }
    }
    Ok(name)
}

fn declared(message: &[u8], budget: &mut Budget) -> Result<Declared, OnnxError> {
    let name = declared_name(message)?;
    budget.take(piece(name.len()))?;
    let kind = each(message, 2).last();
    let kind = kind.map_or(Ok(&[][..]), Content::bytes)?;
    // The tags of other kinds of types are those of sequences, maps, optional and sparse tensors.
    let mut tensor = Err("unknown");
    for field in fields(kind) {
        match field? {
            (1, content) => tensor = Ok(content.bytes()?),
            (4 | 5 | 7..=9, _) => tensor = Err("other than a tensor's"),
            _ => {}
        }
    }
    let tensor = tensor.map_err(|element| OnnxError::ElementType {
        tensor: name.to_owned(),
        element: element.to_owned(),
    })?;
    let (mut element, mut shape) = (0, None);
    for field in fields(tensor) {
        match field? {
            (1, content) => element = content.number()?,
            (2, content) => shape = Some(extents(content.bytes()?, name, budget)?),
            _ => {}
        }
    }
    Ok(Declared {
        name: name.to_owned(),
        element: Element::of(i32::try_from(element).unwrap_or(-1), name)?,
        shape,
    })
}

/// The extents of a declared shape.
fn extents(shape: &[u8], name: &str, budget: &mut Budget) -> Result<Vec<Extent>, OnnxError> {
    let mut extents = Vec::new();
    for field in fields(shape) {
        let (1, dimension) = field? else { continue };
        let mut extent = Extent::Open(String::new());
        for field in fields(dimension.bytes()?) {
            match field? {
                (1, content) => {
                    extent = match content.number()? {
                        // As exporters write what they leave open, and ONNX Runtime takes it.
                        -1 => Extent::Open(String::new()),
                        known => Extent::Known(initializer::extent(known, name, extents.len())?),
                    };
                }
                (2, content) => extent = Extent::Open(content.name()?.to_owned()),
                _ => {}
            }
        }
        let open = match &extent {
            Extent::Open(name) => piece(name.len()),
            Extent::Known(_) => 0,
        };
        budget.take(2 * size_of::<Extent>() + open)?;
        extents.push(extent);
        if extents.len() > MOST_AXES {
            return Err(OnnxError::Axes {
                axes: extents.len(),
                most: MOST_AXES,
            });
        }
    }
    Ok(extents)
}
