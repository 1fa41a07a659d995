//! The intermediate representation: values and the nodes that make them.

use crate::{Op, Regulariser};

/// A value of one graph, by its place in [`Graph::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) u32);

impl ValueId {
    /// Its place in [`Graph::values`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the elements of a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// Floating point, of the precision the graph is run in.
    Real,
    /// 32-bit unsigned integers: labels, places of maxima.
    Index,
}

/// How the elements of a parameter are drawn before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All the same.
    Constant(f32),
    /// Normal with a mean and standard deviation of its own.
    Normal {
        /// Mean.
        mean: f32,
        /// Standard deviation.
        deviation: f32,
    },
    /// Normal, standard deviation `sqrt(2 / fan_out)` (He et al. 2015).
    KaimingNormalFanOut,
    /// Normal, standard deviation `sqrt(2 / fan_in)` (He et al. 2015).
    KaimingNormalFanIn,
    /// Uniform within `± sqrt(6 / fan_in)`, which has the same deviation.
    KaimingUniformFanIn,
    /// Uniform within `± 1 / sqrt(fan_in)`: PyTorch's default for convolutions, linear layers and,
    /// with the fan of the weight, their biases.
    UniformFanIn {
        /// Inputs that one output sums over.
        fan_in: usize,
    },
    /// Uniform within `± sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).
    XavierUniform,
    /// The same of a weight whose shape does not say its fans, such as a depthwise one.
    XavierUniformFans {
        /// Inputs that one output sums over.
        fan_in: usize,
        /// Outputs that one input goes into.
        fan_out: usize,
    },
}

/// What a parameter is for; weight decay spares norms and biases by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// Weight of a convolution or linear layer.
    Weight,
    /// Bias.
    Bias,
    /// Scale or shift of a normalisation.
    Norm,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Given at every run.
    Input,
    /// Learned, unless it is frozen; kept between runs.
    Parameter {
        /// What it is for.
        kind: ParameterKind,
        /// How it starts.
        init: Init,
        /// What it adds to the loss.
        regulariser: Option<Regulariser>,
        /// It learns; if not, it is frozen and has no gradient.
        trainable: bool,
    },
    /// Kept between runs and replaced by [`Graph::updates`], such as running statistics.
    State {
        /// How it starts.
        init: f32,
    },
    /// Made by a node.
    Computed,
}

impl Role {
    /// A parameter that learns and adds nothing to the loss.
    pub fn parameter(kind: ParameterKind, init: Init) -> Self {
        Self::Parameter {
            kind,
            init,
            regulariser: None,
            trainable: true,
        }
    }
}

/// A tensor of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Name: of a parameter or state its full path (`layer1.0.conv1.weight`), of a computed value
    /// the layer that makes it.
    pub name: String,
    /// Extents, channels first.
    pub shape: Vec<usize>,
    /// Element type.
    pub element: ElementType,
    /// Where it comes from.
    pub role: Role,
}

/// An operator applied to values.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// The layer it belongs to, such as `layer1.0.conv1`.
    pub layer: String,
    /// What it reads, in the operator's order.
    pub inputs: Vec<ValueId>,
    /// What it makes, in the operator's order.
    pub outputs: Vec<ValueId>,
}

/// A network or a training step: nodes in an order in which every value is made before it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Name of the network.
    pub name: String,
    pub(crate) values: Vec<Value>,
    /// Nodes in execution order.
    pub nodes: Vec<Node>,
    /// Values given at every run, in order.
    pub inputs: Vec<ValueId>,
    /// Values the run is for, in order.
    pub outputs: Vec<ValueId>,
    /// Logits of heads that exist for training only, each with the weight of its loss (Szegedy et al.
    /// 2014), of the shape of the first output. A training step adds their losses, and a run that
    /// predicts is without them.
    pub auxiliary: Vec<(ValueId, f32)>,
    /// Gradients: (parameter that learns, its gradient). Empty in a forward graph.
    pub gradients: Vec<(ValueId, ValueId)>,
    /// States and the computed values that replace them at the end of a run.
    pub updates: Vec<(ValueId, ValueId)>,
    /// What parameters were made of, in the order of the parameters. One that is not listed stands for itself.
    pub(crate) stored: Vec<(ValueId, Stored)>,
}

/// A tensor that is stored outside of a graph, such as in a file. A matrix that layers read as it is and turned round makes
/// two parameters, but its numbers are there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Its number, which no other tensor of the graph has.
    pub tensor: u32,
    /// How many numbers it holds.
    pub numbers: u64,
}

impl Graph {
    /// A graph of nothing yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// All values; a [`ValueId`] is an index into them.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// One value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// Every value with its id.
    pub fn iter_values(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.values
            .iter()
            .enumerate()
            .map(|(index, value)| (ValueId(index as u32), value))
    }

    /// Parameters, in the order in which they were made.
    pub fn parameters(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.iter_values()
            .filter(|(_, value)| matches!(value.role, Role::Parameter { .. }))
    }

    /// States, in the order in which they were made.
    pub fn states(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.iter_values()
            .filter(|(_, value)| matches!(value.role, Role::State { .. }))
    }

    /// Keeps parameters from learning: those whose name `is_frozen` says yes to.
    ///
    /// ```
    /// use graph::NetworkBuilder;
    /// use graph::passes::{TrainingOptions, training};
    ///
    /// let mut network = NetworkBuilder::new("two layers", [4, 6]);
    /// let x = network.input();
    /// let x = network.linear("body", x, 5)?;
    /// let logits = network.linear("head", x, 2)?;
    /// let mut network = network.finish(logits)?;
    /// network.freeze(|name| name.starts_with("body."));
    /// let step = training(&network, TrainingOptions::default())?;
    /// assert_eq!(step.gradients.len(), 2);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn freeze(&mut self, is_frozen: impl Fn(&str) -> bool) {
        for value in &mut self.values {
            if let Role::Parameter { trainable, .. } = &mut value.role {
                *trainable &= !is_frozen(&value.name);
            }
        }
    }

    /// Makes room for so many more nodes and values, and no more than that.
    ///
    /// ```
    /// let mut graph = graph::Graph::new("large");
    /// graph.reserve(1000, 3000);
    /// assert!(graph.nodes.capacity() >= 1000);
    /// ```
    pub fn reserve(&mut self, nodes: usize, values: usize) {
        self.nodes.reserve_exact(nodes);
        self.values.reserve_exact(values);
    }

    /// Calls a value by another name. Weights are found by the names of parameters and states; what is computed may be
    /// called anything.
    pub fn rename(&mut self, id: ValueId, name: String) {
        self.values[id.index()].name = name;
    }

    /// The stored tensor that a parameter was made of, if [`Graph::keep_stored`] said so.
    pub fn stored_as(&self, parameter: ValueId) -> Option<Stored> {
        let at = self.stored.binary_search_by_key(&parameter, |&(id, _)| id);
        at.ok().map(|at| self.stored[at].1)
    }

    /// Says of what a parameter is made; a summary counts those numbers once.
    ///
    /// ```
    /// use graph::{ElementType, Graph, Init, ParameterKind, Role, Stored, Value, summary};
    ///
    /// let mut graph = Graph::new("there and back");
    /// let mut value = |name: &str, shape: [usize; 2], role| {
    ///     graph.add_value(Value { name: name.to_owned(), shape: shape.into(), element: ElementType::Real, role })
    /// };
    /// let x = value("x", [1, 8], Role::Input);
    /// let role = Role::parameter(ParameterKind::Weight, Init::Constant(0.0));
    /// let there = value("there", [5, 8], role);
    /// let back = value("back", [8, 5], role);
    /// graph.inputs.push(x);
    /// for parameter in [there, back] {
    ///     graph.keep_stored(parameter, Stored { tensor: 0, numbers: 40 });
    /// }
    /// let y = graph.append(graph::Op::Linear { bias: false }, "encode", vec![x, there])?;
    /// graph.append(graph::Op::Linear { bias: false }, "decode", vec![y[0], back])?;
    /// assert_eq!(summary(&graph).parameters, 40);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn keep_stored(&mut self, parameter: ValueId, stored: Stored) {
        let at = self.stored.partition_point(|&(id, _)| id < parameter);
        match self.stored.get_mut(at) {
            Some((id, known)) if *id == parameter => *known = stored,
            _ => self.stored.insert(at, (parameter, stored)),
        }
    }

    /// Adds a value.
    pub fn add_value(&mut self, value: Value) -> ValueId {
        let id = ValueId(u32::try_from(self.values.len()).expect("fewer than 2^32 values"));
        self.values.push(value);
        id
    }
}
