//! From a model to a graph.

mod call;
mod fold;
mod operators;
mod order;
mod parameters;

use std::collections::{HashMap, HashSet};

use graph::{ElementType, Graph, Role, Value as GraphValue, ValueId};

use super::array::count;
use super::edge::{Edge, Numbering, Source};
use super::model::{Extent, Model};
use super::{Array, Element, OnnxError};
use call::Call;
use parameters::Parameters;

/// What an import is told besides the model.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// How large the first axis of an input is, where the model leaves it open.
    pub batch: Option<usize>,
    /// The batch is also that of inputs for which the model says another, and that of reshapes to what begins with it.
    /// Where the model has it in other places besides, its nodes do not fit any more.
    pub rebatch: bool,
    /// The model is to be trained: batch norms and dropouts that it has in training mode become layers that differ
    /// between training and use, as if it had been exported for use.
    pub learns: bool,
    /// Shapes of inputs by name.
    pub shapes: HashMap<String, Vec<usize>>,
    /// What inputs hold that an operator needs to know before a run, such as the shape of a reshape.
    pub values: HashMap<String, Array>,
}

impl Bindings {
    /// A batch of so many, and nothing else.
    pub fn batch(images: usize) -> Self {
        Self {
            batch: Some(images),
            ..Self::default()
        }
    }
}

/// A model as a graph, with what its parameters hold.
#[derive(Clone, Debug)]
pub struct Import {
    /// The network: named layers, parameters that learn, states of batch normalisations.
    pub graph: Graph,
    /// What parameters and states hold, by name.
    pub elements: Vec<(String, Array)>,
    /// The model's inputs in its order.
    pub inputs: Vec<Edge>,
    /// The model's outputs in its order.
    pub outputs: Vec<Edge>,
}

impl Model {
    /// Makes the model a graph.
    ///
    /// # Errors
    /// Open extents that the bindings do not give, nodes that cannot be computed or make no sense; see
    /// [`OnnxError`].
    pub fn import(&self, bindings: &Bindings) -> Result<Import, OnnxError> {
        let mut importer = Importer::new(self, bindings)?;
        for index in order::needed(self)? {
            importer.node(index)?;
        }
        importer.finish()
    }
}

/// A value of the model, as far as it is known.
#[derive(Clone, Debug)]
enum Value {
    /// Known without a run. An initializer has a name, which its parameter will have.
    Constant(Array, Option<String>),
    /// An input of the model, not yet one of the graph.
    Input(usize),
    /// Computed by the graph.
    Tensor(Tensor),
    /// The places that a max pool gives.
    Places(ValueId, Numbering),
}

/// A value of the graph, and what its elements are in the model.
#[derive(Clone, Copy, Debug)]
struct Tensor {
    id: ValueId,
    element: Element,
}

struct Importer<'a> {
    model: &'a Model,
    bindings: &'a Bindings,
    graph: Graph,
    values: HashMap<&'a str, Value>,
    inputs: Vec<Edge>,
    parameters: Parameters,
    /// Names that a node or the model reads; nothing unless the model is to be trained.
    read: HashSet<&'a str>,
    /// Bytes that constants may still take.
    budget: usize,
    dropouts: u32,
}

impl<'a> Importer<'a> {
    fn new(model: &'a Model, bindings: &'a Bindings) -> Result<Self, OnnxError> {
        let mut importer = Self {
            model,
            bindings,
            graph: Graph::new(&model.name),
            values: HashMap::new(),
            inputs: Vec::new(),
            parameters: Parameters::new(bindings.learns),
            read: match bindings.learns {
                true => read(model),
                false => HashSet::new(),
            },
            budget: model.bytes.saturating_add(super::weigh::SLACK / 2),
            dropouts: 0,
        };
        for (name, array) in &model.initializers {
            let value = Value::Constant(array.clone(), Some(name.clone()));
            importer.values.insert(name, value);
        }
        for (index, declared) in model.inputs().iter().enumerate() {
            let shape = importer.shape_of(index)?;
            count(&shape)?;
            importer.inputs.push(Edge {
                name: declared.name.clone(),
                element: declared.element,
                shape,
                source: Source::Unread,
            });
            importer.parameters.reserve(&declared.name);
            importer.values.insert(&declared.name, Value::Input(index));
        }
        Ok(importer)
    }

    /// The extents of an input: as bound, or as declared, with the batch in place of an open first one.
    fn shape_of(&self, index: usize) -> Result<Vec<usize>, OnnxError> {
        let declared = &self.model.inputs()[index];
        let bound = self.bindings.shapes.get(&declared.name);
        let Some(extents) = &declared.shape else {
            return bound
                .cloned()
                .ok_or_else(|| open(&declared.name, "unknown"));
        };
        let shown = || {
            let shown = extents.iter().map(|extent| match extent {
                Extent::Known(extent) => extent.to_string(),
                Extent::Open(name) if name.is_empty() => "?".to_owned(),
                Extent::Open(name) => name.clone(),
            });
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        };
        let is_batch = |axis: usize| axis == 0 && self.bindings.rebatch;
        if let Some(bound) = bound {
            let fits = |(axis, (extent, &given)): (usize, (&Extent, &usize))| match extent {
                Extent::Known(known) => *known == given || is_batch(axis),
                Extent::Open(_) => true,
            };
            let mut pairs = extents.iter().zip(bound).enumerate();
            if bound.len() != extents.len() || !pairs.all(fits) {
                return Err(OnnxError::Input {
                    input: declared.name.clone(),
                    what: format!("shape {bound:?} was given, the model says {}", shown()),
                });
            }
            return Ok(bound.clone());
        }
        let known = |(axis, extent): (usize, &Extent)| match extent {
            Extent::Known(extent) if is_batch(axis) => self.bindings.batch.or(Some(*extent)),
            Extent::Known(extent) => Some(*extent),
            Extent::Open(_) if axis == 0 => self.bindings.batch,
            Extent::Open(_) => None,
        };
        let shape: Option<Vec<_>> = extents.iter().enumerate().map(known).collect();
        shape.ok_or_else(|| open(&declared.name, &shown()))
    }

    /// Makes one node's values.
    fn node(&mut self, index: usize) -> Result<(), OnnxError> {
        let model = self.model;
        let node = &model.graph.node[index];
        let call = Call::new(self, node, index);
        let name = call.name().to_owned();
        let made = operators::import(call)
            .map_err(|fault| fault.at(&name, node.op_type()))?
            .ok_or_else(|| OnnxError::UnknownOperator {
                node: name.clone(),
                op: node.op_type().to_owned(),
                domain: match node.domain() {
                    "" => "ai.onnx".to_owned(),
                    domain => domain.to_owned(),
                },
                version: version_of(model, node.domain()),
            })?;
        for (output, value) in node.output.iter().zip(made) {
            if !output.is_empty() {
                self.values.insert(output, value);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Import, OnnxError> {
        let mut outputs = Vec::new();
        for declared in self.model.outputs() {
            let value = self.values.get(declared.name.as_str()).cloned();
            let value = value.ok_or_else(|| OnnxError::NoOutput {
                value: declared.name.clone(),
            })?;
            let value = match value {
                Value::Input(index) => Value::Tensor(self.input(index, &declared.name)?),
                value => value,
            };
            let (element, shape, source) = match value {
                Value::Constant(array, _) => {
                    let shape = array.shape().to_vec();
                    (array.element(), shape, Source::Constant(array))
                }
                Value::Tensor(tensor) => {
                    let shape = self.graph.value(tensor.id).shape.clone();
                    self.graph.outputs.push(tensor.id);
                    let source = Source::Real(self.graph.outputs.len() - 1);
                    (tensor.element, shape, source)
                }
                Value::Places(id, numbering) => {
                    let shape = self.graph.value(id).shape.clone();
                    self.graph.outputs.push(id);
                    let source = Source::Index(self.graph.outputs.len() - 1, numbering);
                    (Element::I64, shape, source)
                }
                Value::Input(_) => unreachable!("made a tensor above"),
            };
            outputs.push(Edge {
                name: declared.name.clone(),
                element,
                shape,
                source,
            });
        }
        self.graph.verify()?;
        Ok(Import {
            graph: self.graph,
            elements: self.parameters.elements,
            inputs: self.inputs,
            outputs,
        })
    }

    /// An input of the model as one of the graph.
    fn input(&mut self, index: usize, reader: &str) -> Result<Tensor, OnnxError> {
        let edge = &self.inputs[index];
        let (element, name) = (edge.element, edge.name.clone());
        match edge.source {
            Source::Real(place) => {
                let id = self.graph.inputs[place];
                return Ok(Tensor { id, element });
            }
            Source::Unread => {}
            _ => {
                return Err(OnnxError::Input {
                    input: name,
                    what: format!("read as indices and, by `{reader}`, as numbers"),
                });
            }
        }
        let id = self.add_input(index, ElementType::Real);
        self.inputs[index].source = Source::Real(self.graph.inputs.len() - 1);
        Ok(Tensor { id, element })
    }

    fn add_input(&mut self, index: usize, element: ElementType) -> ValueId {
        let edge = &self.inputs[index];
        let id = self.graph.add_value(GraphValue {
            name: edge.name.clone(),
            shape: edge.shape.clone(),
            element,
            role: Role::Input,
        });
        self.graph.inputs.push(id);
        id
    }
}

/// Names that a node or the model reads.
fn read(model: &Model) -> HashSet<&str> {
    let nodes = model.graph.node.iter().flat_map(|node| &node.input);
    let outputs = model.outputs().iter().map(|output| &output.name);
    nodes.chain(outputs).map(String::as_str).collect()
}

fn open(input: &str, shape: &str) -> OnnxError {
    OnnxError::OpenExtent {
        input: input.to_owned(),
        shape: shape.to_owned(),
    }
}

/// The version of a domain that a model asks for.
fn version_of(model: &Model, domain: &str) -> i64 {
    match domain {
        "" | "ai.onnx" => model.opset,
        other => {
            let found = model.domains.iter().find(|(name, _)| name == other);
            found.map_or(0, |(_, version)| *version)
        }
    }
}
