//! From a model to a graph.

mod account;
mod branch;
mod call;
mod fold;
mod operators;
mod order;
mod parameters;

use std::collections::HashMap;
use std::sync::Arc;

use graph::{ElementType, Graph, Role, Stored, Value as GraphValue, ValueId};

use super::array::count;
use super::budget::{Budget, piece, table};
use super::edge::{Edge, Numbering, Source};
use super::model::{Extent, Model};
use super::node::{self, Node};
use super::{Array, Element, Elements, OnnxError};
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
    pub elements: Vec<(String, Elements)>,
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
        let order = order::needed(self, &mut importer.budget)?;
        importer.begin(&order)?;
        for &index in &order {
            importer.node(self.node(index as usize), index as usize)?;
        }
        importer.finish()
    }
}

/// A value of the model, as far as it is known.
#[derive(Clone, Debug)]
enum Value {
    /// Known without a run.
    Constant(Box<Constant>),
    /// An input of the model, not yet one of the graph.
    Input(usize),
    /// Computed by the graph.
    Tensor(Tensor),
    /// The places that a max pool gives.
    Places(Box<Places>),
}

/// What is known without a run.
#[derive(Clone, Debug)]
struct Constant {
    elements: Elements,
    /// Elements of the file that had to be known on the way.
    read: Option<Array>,
    origin: Origin,
}

/// What of the model a constant is, whole or in part and in whatever order; computed ones are nothing of it.
#[derive(Clone, Debug, Default)]
struct Origin {
    /// The name of an initializer, which its parameter will have.
    name: Option<Arc<str>>,
    stored: Option<Stored>,
}

impl Constant {
    /// The elements, read at the first time.
    fn read(&mut self, budget: &mut Budget) -> Result<Array, OnnxError> {
        if let Some(read) = &self.read {
            return Ok(read.clone());
        }
        if !self.elements.is_in_file() {
            return self.elements.read();
        }
        budget.take(self.elements.bytes())?;
        let read = self.elements.read()?;
        Ok(self.read.insert(read).clone())
    }
}

/// Places of maxima, and how the model numbers them.
#[derive(Clone, Debug)]
struct Places {
    id: ValueId,
    numbering: Numbering,
}

/// A name of the model: what it stands for, once that is known, and how many nodes and outputs are still to read it.
#[derive(Debug, Default)]
struct Slot {
    value: Option<Value>,
    reads: u32,
}

impl Value {
    /// A constant that is computed.
    fn constant(elements: impl Into<Elements>) -> Self {
        Self::made_of(Origin::default(), elements)
    }

    fn made_of(origin: Origin, elements: impl Into<Elements>) -> Self {
        Self::Constant(Box::new(Constant {
            elements: elements.into(),
            read: None,
            origin,
        }))
    }
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
    values: HashMap<&'a str, Slot>,
    inputs: Vec<Edge>,
    parameters: Parameters,
    /// What all this takes.
    budget: Budget,
    /// Nodes and values that the graph has room for.
    room: (usize, usize),
    dropouts: u32,
    /// Tensors of the model that were met.
    tensors: u32,
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
            budget: model.budget.clone(),
            room: (0, 0),
            dropouts: 0,
            tensors: 0,
        };
        let edges = model.inputs().len().saturating_mul(size_of::<Edge>());
        importer.budget.take(edges)?;
        importer.inputs.reserve_exact(model.inputs().len());
        for (index, declared) in model.inputs().iter().enumerate() {
            let shape = importer.shape_of(index)?;
            count(&shape)?;
            let kept = piece(declared.name.len()) + piece(size_of_val(&*shape));
            importer.budget.take(2 * kept + Parameters::NAME)?;
            importer.inputs.push(Edge {
                name: declared.name.clone(),
                element: declared.element,
                shape,
                source: Source::Unread,
            });
            importer.parameters.reserve(&declared.name);
        }
        Ok(importer)
    }

    /// Makes room for what these nodes make, and knows what is given.
    fn begin(&mut self, order: &[u32]) -> Result<(), OnnxError> {
        let model = self.model;
        let made = order.iter().map(|&index| {
            let message = model.node(index as usize);
            let outputs = node::outputs(message).filter(|name| !name.is_empty());
            outputs.count() + node::inner_reads(message).count()
        });
        let names = model.initializers.len() + model.inputs().len() + made.sum::<usize>();
        self.budget.take(table::<&str, Slot>(names))?;
        self.values.reserve(names);
        for &index in order {
            let message = model.node(index as usize);
            for name in node::inputs(message).chain(node::inner_reads(message)) {
                self.values.entry(name).or_default().reads += 1;
            }
        }
        for output in model.outputs() {
            self.values.entry(&output.name).or_default().reads += 1;
        }
        for (name, elements) in &model.initializers {
            let origin = self.stored(Some(Arc::clone(name)), elements);
            self.define(name, Value::made_of(origin, elements.clone()))?;
        }
        for (index, declared) in model.inputs().iter().enumerate() {
            self.define(&declared.name, Value::Input(index))?;
        }
        self.expect_nodes(order.len());
        Ok(())
    }

    /// What a tensor of the model is the origin of.
    fn stored(&mut self, name: Option<Arc<str>>, elements: &Elements) -> Origin {
        self.tensors += 1;
        let stored = Stored {
            tensor: self.tensors,
            numbers: elements.len() as u64,
        };
        Origin {
            name,
            stored: Some(stored),
        }
    }

    /// The extents of an input: as bound, or as declared, with the batch in place of an open first one.
    fn shape_of(&self, index: usize) -> Result<Vec<usize>, OnnxError> {
        let declared = &self.model.inputs()[index];
        let bound = self.bindings.shapes.get(&declared.name);
        let Some(extents) = &declared.shape else {
            return bound
                .cloned()
                .ok_or_else(|| open(&declared.name, &declared.extents()));
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
                    what: format!(
                        "shape {bound:?} was given, the model says {}",
                        declared.extents()
                    ),
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
        shape.ok_or_else(|| open(&declared.name, &declared.extents()))
    }

    /// Makes the values of the node with this message and number.
    fn node(&mut self, message: &'a [u8], index: usize) -> Result<(), OnnxError> {
        let model = self.model;
        let node = Node::new(message, &self.budget)?;
        let call = Call::new(self, &node, index);
        let name = call.name().to_owned();
        let made = operators::import(call)
            .map_err(|fault| fault.at(&name, node.op))?
            .ok_or_else(|| OnnxError::UnknownOperator {
                node: name.clone(),
                op: node.op.to_owned(),
                domain: match node.domain {
                    "" => "ai.onnx".to_owned(),
                    domain => domain.to_owned(),
                },
                version: version_of(model, node.domain),
            })?;
        for (output, value) in node.outputs.iter().zip(made) {
            self.define(output, value)?;
        }
        for input in &node.inputs {
            self.was_read(input);
        }
        Ok(())
    }

    /// Keeps what a name stands for, if anybody will read it.
    ///
    /// # Errors
    /// A name of a branch that stands for something around it; too much memory.
    fn define(&mut self, name: &'a str, value: Value) -> Result<(), OnnxError> {
        match self.values.get_mut(name) {
            Some(slot) if slot.value.is_some() => {
                return Err(OnnxError::DuplicateName {
                    name: name.to_owned(),
                });
            }
            Some(slot) if slot.reads > 0 => {
                self.budget.take(account::of_kept(&value))?;
                slot.value = Some(value);
            }
            _ => self.budget.give_back(account::of_elements(&value)),
        }
        Ok(())
    }

    /// A name was read. After the last time, what it stands for goes.
    fn was_read(&mut self, name: &str) {
        let Some(slot) = self.values.get_mut(name) else {
            return;
        };
        slot.reads = slot.reads.saturating_sub(1);
        if slot.reads == 0 {
            self.forget(name);
        }
    }

    /// What a name stands for goes.
    fn forget(&mut self, name: &str) {
        if let Some(value) = self.values.get_mut(name).and_then(|slot| slot.value.take()) {
            let bytes = account::of_kept(&value) + account::of_elements(&value);
            self.budget.give_back(bytes);
        }
    }

    fn finish(mut self) -> Result<Import, OnnxError> {
        let count = self.model.outputs().len();
        let edges = count.saturating_mul(size_of::<Edge>() + 2 * size_of::<ValueId>());
        self.budget.take(edges)?;
        self.graph.outputs.reserve_exact(count);
        let mut outputs = Vec::with_capacity(count);
        for declared in self.model.outputs() {
            let slot = self.values.get(declared.name.as_str());
            let value = slot.and_then(|slot| slot.value.clone());
            let value = value.ok_or_else(|| OnnxError::NoOutput {
                value: declared.name.clone(),
            })?;
            let value = match value {
                Value::Input(index) => Value::Tensor(self.input(index, &declared.name)?),
                value => value,
            };
            let (element, shape, source) = match value {
                Value::Constant(mut constant) => {
                    let array = constant.read(&mut self.budget)?;
                    let shape = array.shape().to_vec();
                    (array.element(), shape, Source::Constant(array))
                }
                Value::Tensor(tensor) => {
                    let shape = self.graph.value(tensor.id).shape.clone();
                    self.graph.outputs.push(tensor.id);
                    let source = Source::Real(self.graph.outputs.len() - 1);
                    (tensor.element, shape, source)
                }
                Value::Places(places) => {
                    let Places { id, numbering } = *places;
                    let shape = self.graph.value(id).shape.clone();
                    self.graph.outputs.push(id);
                    let source = Source::Index(self.graph.outputs.len() - 1, numbering);
                    (Element::I64, shape, source)
                }
                Value::Input(_) => unreachable!("made a tensor above"),
            };
            let kept = piece(declared.name.len()) + piece(size_of_val(&*shape));
            self.budget.take(kept)?;
            outputs.push(Edge {
                name: declared.name.clone(),
                element,
                shape,
                source,
            });
        }
        self.name_outputs(&outputs)?;
        // What was only on the way goes before the graph is looked at as a whole.
        self.values = HashMap::new();
        let given = self.graph.iter_values();
        let given = given.filter(|(_, value)| value.role != Role::Computed);
        let names = 2 * table::<&str, ()>(given.count());
        self.budget.check(names + self.graph.values().len())?;
        self.graph.verify()?;
        Ok(Import {
            graph: self.graph,
            elements: self.parameters.elements,
            inputs: self.inputs,
            outputs,
        })
    }

    /// Gives values that nodes make the names that they have as outputs, by which others read the model when it is
    /// written again. One that is several outputs has the name of the first.
    fn name_outputs(&mut self, outputs: &[Edge]) -> Result<(), OnnxError> {
        let mut named = std::collections::HashSet::new();
        for edge in outputs {
            let (Source::Real(place) | Source::Index(place, _)) = edge.source else {
                continue;
            };
            let id = self.graph.outputs[place];
            if self.graph.value(id).role == Role::Computed && named.insert(id) {
                self.budget.take(piece(edge.name.len()))?;
                self.graph.rename(id, edge.name.clone());
            }
        }
        Ok(())
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
        let id = self.add_input(index, ElementType::Real)?;
        self.inputs[index].source = Source::Real(self.graph.inputs.len() - 1);
        Ok(Tensor { id, element })
    }

    fn add_input(&mut self, index: usize, element: ElementType) -> Result<ValueId, OnnxError> {
        self.make_room()?;
        let edge = &self.inputs[index];
        let id = self.graph.add_value(GraphValue {
            name: edge.name.clone(),
            shape: edge.shape.clone(),
            element,
            role: Role::Input,
        });
        self.graph.inputs.push(id);
        Ok(id)
    }
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
