//! From a graph to a model.
//!
//! ```text
//! Graph + weights ─ Export::new(settings) ─▶ Export { messages, references to the weights } ─ save ─▶ file [+ file.data]
//! ```
//!
//! Every node becomes the operator that ONNX has for it in the operator set asked for, or a composition of such
//! operators. What ONNX has nothing for, pooling over regions with channels of their own for each bin or with bins that
//! move, becomes an operator of the domain [`DOMAIN`], which [`Model::import`](super::Model::import) knows and other
//! programs do not.
//!
//! A graph as its author wrote it and the same after the inference pass both become models: a convolution that took
//! over what follows it is written as that convolution and what follows it.

mod attribute;
mod batch;
mod draft;
mod error;
mod file;
mod operators;

use std::collections::HashMap;

use graph::{ElementType, Graph, Op, Role, ValueId};

pub use self::error::ExportError;

use self::draft::Draft;
use self::file::{Elements, Initializer, entry};
use super::names::Names;
use super::proto::tensor_proto::DataType;
use super::proto::tensor_shape_proto::{Dimension, dimension};
use super::proto::type_proto::{Tensor, Value as Kind};
use super::proto::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

/// The domain, version 1, of operators that ONNX has none for.
///
/// All of them read a map `X [n, c, h, w]` and regions `[r, 5]` of `(image, x1, y1, x2, y2)`, make `[r, c', kh, kw]`,
/// and have the attributes `bins` (`[kh, kw]`), `scale` (pixels of the map for a unit of the coordinates) and
/// `position_sensitive` (every bin reads channels of its own). [`graph::RegionOp`] says what they compute.
///
/// | operator | is | further attributes |
/// |---|---|---|
/// | `RegionAlign` | [`RegionOp::Align`](graph::RegionOp::Align), position-sensitive or deformable | `sampling`, `aligned`; with a third input, offsets `[r, 2, kh, kw]`, also `gamma` |
/// | `RegionMaxPool` | [`RegionOp::Max`](graph::RegionOp::Max), position-sensitive | |
/// | `RegionAveragePool` | [`RegionOp::Average`](graph::RegionOp::Average) | |
pub const DOMAIN: &str = "convolve";

/// Versions of the standard operators that are written, and the version of the file format that each came with.
const SETS: [(i64, i64); 13] = [
    (13, 7),
    (14, 7),
    (15, 8),
    (16, 8),
    (17, 8),
    (18, 8),
    (19, 9),
    (20, 9),
    (21, 10),
    (22, 10),
    (23, 11),
    (24, 12),
    (25, 13),
];

/// The longest message of the format, and so the longest file.
const LONGEST: u64 = (1 << 31) - 1;

/// How a model is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportSettings {
    /// Version of the standard operators, 17 by default; 13 to 25.
    pub opset: i64,
    /// The batch is left open where the graph allows it, as `N`; so by default. Otherwise it is that of the graph.
    pub open_batch: bool,
    /// Text entries of the model.
    pub metadata: Vec<(String, String)>,
    /// Bytes of a file beyond which the weights go to one beside it; by default what the format allows, 2³¹ − 1.
    pub longest: u64,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            opset: 17,
            open_batch: true,
            metadata: Vec::new(),
            longest: LONGEST,
        }
    }
}

/// A graph as an ONNX model that is yet to be written. It refers to the weights, which take no memory again.
///
/// ```
/// # use convolve_formats as formats;
/// use std::collections::HashMap;
/// use formats::onnx::{Bindings, Export, ExportSettings, Model};
/// use geometry::ConvDesc;
/// use graph::NetworkBuilder;
///
/// let mut network = NetworkBuilder::new("tiny", [1, 3, 8, 8]);
/// let x = network.input();
/// let x = network.conv("conv1", x, ConvDesc::new(4, 3).padding(1), false)?;
/// let network = network.finish(x)?;
///
/// let weights = HashMap::from([("conv1.weight", vec![0.5; 4 * 3 * 9])]);
/// let find = |name: &str| weights.get(name).map(Vec::as_slice);
/// let bytes = Export::new(&network, find, &ExportSettings::default())?.to_bytes()?;
///
/// let again = Model::from_bytes(bytes, "tiny")?.import(&Bindings::batch(16))?;
/// assert_eq!(again.graph.value(again.graph.outputs[0]).shape, [16, 4, 8, 8]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Export<'w> {
    /// All but the graph.
    model: ModelProto,
    /// All but the initializers.
    graph: GraphProto,
    initializers: Vec<Initializer<'w>>,
    open_batch: bool,
    longest: u64,
}

impl<'w> Export<'w> {
    /// Makes a forward graph a model; `weights` gives the elements of parameters and states by name, in the order of
    /// their shapes.
    ///
    /// # Errors
    /// Operators of a training step, or such as the operator set does not have; parameters without weights. See
    /// [`ExportError`].
    pub fn new(
        graph: &Graph,
        weights: impl Fn(&str) -> Option<&'w [f32]>,
        settings: &ExportSettings,
    ) -> Result<Self, ExportError> {
        graph.verify()?;
        let opset = settings.opset;
        let Some((_, ir_version)) = SETS.into_iter().find(|(set, _)| *set == opset) else {
            return Err(ExportError::OperatorSet {
                opset,
                oldest: SETS[0].0,
                newest: SETS[SETS.len() - 1].0,
            });
        };
        let live = live(graph);
        let open = match settings.open_batch {
            true => batch::open(graph, &live),
            false => None,
        };
        let open_batch = open.is_some();
        let mut exporter = Exporter::new(graph, &weights, opset, open)?;
        for (index, _) in live.iter().enumerate().filter(|(_, live)| **live) {
            exporter.node(index)?;
        }
        exporter.outputs()?;
        let mut imports = vec![version("", opset)];
        if exporter.custom {
            imports.push(version(DOMAIN, 1));
        }
        let metadata = settings.metadata.iter();
        let model = ModelProto {
            ir_version: Some(ir_version),
            opset_import: imports,
            producer_name: Some("convolve".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            metadata_props: metadata
                .map(|(key, text)| entry(key, text.clone()))
                .collect(),
            ..ModelProto::default()
        };
        Ok(Self {
            model,
            graph: GraphProto {
                name: Some(graph.name.clone()),
                node: exporter.nodes,
                input: exporter.inputs,
                output: exporter.outputs,
                ..GraphProto::default()
            },
            initializers: exporter.initializers,
            open_batch,
            longest: settings.longest.min(LONGEST),
        })
    }

    /// Whether the model takes batches of any size.
    pub fn is_batch_open(&self) -> bool {
        self.open_batch
    }
}

fn version(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto {
        domain: Some(domain.to_owned()),
        version: Some(version),
    }
}

/// Of every node whether an output depends on it.
fn live(graph: &Graph) -> Vec<bool> {
    let mut wanted = vec![false; graph.values().len()];
    for output in &graph.outputs {
        wanted[output.index()] = true;
    }
    let mut live = vec![false; graph.nodes.len()];
    for (node, live) in graph.nodes.iter().zip(&mut live).rev() {
        *live = node.outputs.iter().any(|id| wanted[id.index()]);
        if *live {
            for id in node.inputs.iter().chain(&node.outputs) {
                wanted[id.index()] = true;
            }
        }
    }
    live
}

/// A model that is being made.
struct Exporter<'g, 'w> {
    graph: &'g Graph,
    weights: &'g dyn Fn(&str) -> Option<&'w [f32]>,
    opset: i64,
    /// Of every value whether its first axis is the open batch; nothing if none is open.
    open: Option<Vec<bool>>,
    /// What values are called in the model, as far as they are in it.
    names: Vec<Option<String>>,
    /// Of every value whether a node reads it or it is an output.
    read: Vec<bool>,
    /// Makers of folded weights, which are written where they are read.
    folds: HashMap<ValueId, usize>,
    taken: Names,
    /// Names of outputs that nothing else may have, until they are given.
    kept: HashMap<ValueId, String>,
    taken_by_nodes: Names,
    constants: HashMap<(DataType, Vec<i64>, Vec<u8>), String>,
    initializers: Vec<Initializer<'w>>,
    nodes: Vec<NodeProto>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
    /// An operator of [`DOMAIN`] is among the nodes.
    custom: bool,
}

impl<'g, 'w> Exporter<'g, 'w> {
    fn new(
        graph: &'g Graph,
        weights: &'g dyn Fn(&str) -> Option<&'w [f32]>,
        opset: i64,
        open: Option<Vec<bool>>,
    ) -> Result<Self, ExportError> {
        let values = graph.values().len();
        let mut read = vec![false; values];
        let nodes = graph.nodes.iter().flat_map(|node| &node.inputs);
        for id in nodes.chain(&graph.outputs) {
            read[id.index()] = true;
        }
        let mut exporter = Self {
            graph,
            weights,
            opset,
            open,
            names: vec![None; values],
            read,
            folds: HashMap::new(),
            taken: Names::default(),
            kept: HashMap::new(),
            taken_by_nodes: Names::default(),
            constants: HashMap::new(),
            initializers: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            custom: false,
        };
        let mut named = std::collections::HashSet::new();
        for (_, value) in graph.iter_values() {
            if value.role == Role::Computed {
                continue;
            }
            if !named.insert(&value.name) {
                let name = value.name.clone();
                return Err(ExportError::DuplicateName { name });
            }
            exporter.taken.reserve(&value.name);
        }
        for &id in &graph.outputs {
            let value = graph.value(id);
            if value.role == Role::Computed && !exporter.kept.contains_key(&id) {
                let name = exporter.taken.free(value.name.clone());
                exporter.kept.insert(id, name);
            }
        }
        for &id in &graph.inputs {
            let name = &graph.value(id).name;
            exporter.names[id.index()] = Some(name.clone());
            let info = exporter.info(id, name);
            exporter.inputs.push(info);
        }
        Ok(exporter)
    }

    fn is_open(&self, id: ValueId) -> bool {
        self.open.as_ref().is_some_and(|open| open[id.index()])
    }

    /// Name, element type and extents of an input or output.
    fn info(&self, id: ValueId, name: &str) -> ValueInfoProto {
        let value = self.graph.value(id);
        let extent = |(axis, &extent): (usize, &usize)| Dimension {
            denotation: None,
            value: Some(match axis == 0 && self.is_open(id) {
                true => dimension::Value::DimParam("N".to_owned()),
                false => dimension::Value::DimValue(extent as i64),
            }),
        };
        let element = match value.element {
            ElementType::Real => DataType::Float,
            // Places of maxima.
            ElementType::Index => DataType::Int64,
        };
        let tensor = Tensor {
            elem_type: Some(element as i32),
            shape: Some(TensorShapeProto {
                dim: value.shape.iter().enumerate().map(extent).collect(),
            }),
        };
        ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: Some(TypeProto {
                value: Some(Kind::TensorType(tensor)),
                ..TypeProto::default()
            }),
            ..ValueInfoProto::default()
        }
    }

    /// Writes one node of the graph.
    fn node(&mut self, index: usize) -> Result<(), ExportError> {
        let graph = self.graph;
        let node = &graph.nodes[index];
        if let Op::FoldBatchNorm { .. } = node.op {
            self.folds
                .extend(node.outputs.iter().map(|&id| (id, index)));
            return Ok(());
        }
        let first = self.nodes.len();
        let made = operators::export(&mut Draft::new(self, node))?;
        for (&id, made) in node.outputs.iter().zip(made) {
            let name = self.renamed(first, made, id);
            self.names[id.index()] = Some(name);
        }
        Ok(())
    }

    /// Gives what one of the nodes from `first` on makes the name of a value, or one like it.
    fn renamed(&mut self, first: usize, made: String, id: ValueId) -> String {
        let nodes = &mut self.nodes[first..];
        if !nodes.iter().any(|node| node.output.contains(&made)) {
            return made;
        }
        let name = match self.kept.remove(&id) {
            Some(name) => name,
            None => self.taken.free(self.graph.value(id).name.clone()),
        };
        for node in nodes {
            for value in node.input.iter_mut().chain(&mut node.output) {
                if *value == made {
                    value.clone_from(&name);
                }
            }
        }
        name
    }

    /// What a value is called; a parameter becomes an initializer when it is first asked for.
    fn name(&mut self, id: ValueId) -> Result<Option<String>, ExportError> {
        let value = self.graph.value(id);
        let holds = matches!(value.role, Role::Parameter { .. } | Role::State { .. });
        if self.names[id.index()].is_none() && holds {
            let name = value.name.clone();
            let Some(values) = (self.weights)(&name) else {
                return Err(ExportError::Missing { name });
            };
            let wanted = value
                .shape
                .iter()
                .try_fold(1_usize, |n, &extent| n.checked_mul(extent));
            if wanted != Some(values.len()) {
                return Err(ExportError::Count {
                    name,
                    shape: value.shape.clone(),
                    values: values.len(),
                });
            }
            self.initializers.push(Initializer {
                name: name.clone(),
                dims: value.shape.iter().map(|&extent| extent as i64).collect(),
                elements: Elements::Weights(values),
            });
            self.names[id.index()] = Some(name);
        }
        Ok(self.names[id.index()].clone())
    }

    /// A number or a list of a formula; equal ones are one initializer.
    fn constant(&mut self, kind: DataType, dims: Vec<i64>, bytes: Vec<u8>) -> String {
        let key = (kind, dims, bytes);
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        let name = self
            .taken
            .free(format!("constant_{}", self.constants.len()));
        self.initializers.push(Initializer {
            name: name.clone(),
            dims: key.1.clone(),
            elements: Elements::Bytes(kind, key.2.clone()),
        });
        self.constants.insert(key, name.clone());
        name
    }

    /// Declares the outputs. A value that is an output twice, or not made by a node, gets a copy.
    fn outputs(&mut self) -> Result<(), ExportError> {
        for &id in &self.graph.outputs {
            let value = self.graph.value(id);
            let Some(mut name) = self.name(id)? else {
                return Err(ExportError::Unsupported {
                    layer: value.name.clone(),
                    op: "output",
                    what: "it is not made by a forward run".to_owned(),
                });
            };
            let made = self.nodes.iter().any(|node| node.output.contains(&name));
            let twice = self.outputs.iter().any(|info| info.name() == name);
            if !made || twice {
                let copy = match self.kept.remove(&id) {
                    Some(name) => name,
                    None => self.taken.free(format!("{name}/output")),
                };
                self.nodes.push(NodeProto {
                    op_type: Some("Identity".to_owned()),
                    name: Some(self.taken_by_nodes.free(copy.clone())),
                    input: vec![name],
                    output: vec![copy.clone()],
                    ..NodeProto::default()
                });
                name = copy;
            }
            let info = self.info(id, &name);
            self.outputs.push(info);
        }
        Ok(())
    }
}
