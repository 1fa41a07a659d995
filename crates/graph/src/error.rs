//! Why operators do not fit their inputs and graphs do not hold together.

use geometry::{AxisError, GeometryError};
use tensor::ShapeError;

use crate::{ElementType, ValueType};

/// An operator that does not fit its inputs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// An input is not there.
    #[error("{op} has no input '{input}': {given} inputs were given")]
    MissingInput {
        /// The operator.
        op: &'static str,
        /// The input that is missing.
        input: &'static str,
        /// Inputs given.
        given: usize,
    },
    /// More inputs than the operator reads.
    #[error("{op} reads {expected} inputs, not {given}")]
    ExtraInputs {
        /// The operator.
        op: &'static str,
        /// Inputs it reads.
        expected: usize,
        /// Inputs given.
        given: usize,
    },
    /// An input of the wrong element type.
    #[error("{op}: {input} holds {given:?} elements, not {expected:?}")]
    Element {
        /// The operator.
        op: &'static str,
        /// The input.
        input: &'static str,
        /// What it must hold.
        expected: ElementType,
        /// What it holds.
        given: ElementType,
    },
    /// An input with the wrong number of axes.
    #[error("{op} {input} has shape {shape:?}, which is not {expected}")]
    Rank {
        /// The operator.
        op: &'static str,
        /// The input.
        input: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// The form it must have, such as `[n, k]`.
        expected: &'static str,
    },
    /// Two inputs that do not go together.
    #[error("{op} {input} {shape:?} does not fit {other} {other_shape:?}: it must be {expected:?}")]
    Mismatch {
        /// The operator.
        op: &'static str,
        /// The input that does not fit.
        input: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// What it must fit.
        other: &'static str,
        /// The shape of that.
        other_shape: Vec<usize>,
        /// The shape it would have to have.
        expected: Vec<usize>,
    },
    /// The window operation itself has no meaning on this input.
    #[error("{op} on input {input:?}: {source}")]
    Geometry {
        /// The operator.
        op: &'static str,
        /// Shape of the (forward) input.
        input: Vec<usize>,
        /// Why.
        source: GeometryError,
    },
    /// The operation along axes has no meaning on this input.
    #[error("{op} on input {input:?}: {source}")]
    Axes {
        /// The operator.
        op: &'static str,
        /// Shape of the (forward, first) input.
        input: Vec<usize>,
        /// Why.
        source: AxisError,
    },
    /// A result with more elements than can be addressed.
    #[error("{op}: {source}")]
    TooLarge {
        /// The operator.
        op: &'static str,
        /// Which shape.
        source: ShapeError,
    },
    /// Channels outside the input.
    #[error("{op} of channels {start}..{start}+{count} on an input of {channels} channels")]
    Channels {
        /// The operator.
        op: &'static str,
        /// First channel.
        start: usize,
        /// How many.
        count: usize,
        /// Channels there are.
        channels: usize,
    },
    /// An axis that the input does not have.
    #[error("{op} along axis {axis} of {input} {shape:?}, which has {} axes", shape.len())]
    NoSuchAxis {
        /// The operator.
        op: &'static str,
        /// The input.
        input: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// The axis, counted from the outermost.
        axis: usize,
    },
    /// A setting outside its range.
    #[error("{op}: {setting} is {value}, outside {range}")]
    Setting {
        /// The operator.
        op: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f32,
        /// Where it must lie.
        range: &'static str,
    },
    /// Statistics of fewer than two values: the unbiased variance divides by their number less one.
    #[error("{op} needs at least two values a channel, input {input:?} has {values}")]
    TooFewValues {
        /// The operator.
        op: &'static str,
        /// Shape of the input.
        input: Vec<usize>,
        /// Values a channel.
        values: usize,
    },
}

/// A graph that does not hold together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// An operator does not fit its inputs.
    #[error("layer {layer}: {source}")]
    Layer {
        /// The layer.
        layer: String,
        /// Why.
        source: Box<OpError>,
    },
    /// Two layers, parameters, states or inputs of the same name.
    #[error("the name '{name}' stands for two things")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A layer or parameter to be used again that there is not.
    #[error("there is no '{name}' to reuse")]
    NothingToReuse {
        /// The name.
        name: String,
    },
    /// A parameter or state to be used again where another shape is needed.
    #[error("'{name}' has shape {there:?} and cannot be reused where {needed:?} is needed")]
    ReusedShape {
        /// The name.
        name: String,
        /// The shape it has.
        there: Box<[usize]>,
        /// The shape the layer needs.
        needed: Box<[usize]>,
    },
    /// An id that is not of this graph.
    #[error("{what} refers to value {index}, but the graph has {values} values")]
    UnknownValue {
        /// Who refers to it.
        what: String,
        /// The place it names.
        index: usize,
        /// Values there are.
        values: usize,
    },
    /// A value is read before the node that makes it.
    #[error("layer {layer} reads '{value}' before it is made")]
    ReadBeforeMade {
        /// The reading layer.
        layer: String,
        /// The value.
        value: String,
    },
    /// A value made by two nodes, or one that is given and made.
    #[error("layer {layer} makes '{value}', which is {already}")]
    MadeTwice {
        /// The second maker.
        layer: String,
        /// The value.
        value: String,
        /// What it was already.
        already: &'static str,
    },
    /// A computed value that no node makes.
    #[error("no layer makes '{value}'")]
    NotMade {
        /// The value.
        value: String,
    },
    /// A node that names another number of outputs than its operator has.
    #[error("layer {layer}: {op} has {expected} outputs, not {given}")]
    OutputCount {
        /// The layer.
        layer: String,
        /// The operator.
        op: &'static str,
        /// Outputs it has.
        expected: usize,
        /// Outputs the node names.
        given: usize,
    },
    /// A value whose shape or element type is not what its operator gives.
    #[error("layer {layer}: '{value}' is {given}, but {op} gives {expected}")]
    WrongType {
        /// The layer.
        layer: String,
        /// The value.
        value: String,
        /// The operator.
        op: &'static str,
        /// What the value says it is.
        given: Box<ValueType>,
        /// What follows from the inputs.
        expected: Box<ValueType>,
    },
    /// A given value with more elements than can be addressed.
    #[error("'{value}': {source}")]
    TooLarge {
        /// The value.
        value: String,
        /// Which shape.
        source: ShapeError,
    },
    /// The role of a value does not fit the list it stands in.
    #[error("'{value}' stands among the {list}, but is not {expected}")]
    WrongRole {
        /// The value.
        value: String,
        /// The list.
        list: &'static str,
        /// What all in the list are.
        expected: &'static str,
    },
    /// A gradient, an update or auxiliary logits whose shape differs from what they belong to.
    #[error("{what} '{new}' {new_shape:?} does not fit '{old}' {old_shape:?}")]
    Pair {
        /// `gradient`, `update` or `auxiliary head`.
        what: &'static str,
        /// The gradient, the new value or the auxiliary logits.
        new: String,
        /// Its shape.
        new_shape: Box<[usize]>,
        /// The parameter or state, or the logits of the network.
        old: String,
        /// Its shape.
        old_shape: Box<[usize]>,
    },
    /// A gradient was asked for of something other than a loss.
    #[error(
        "'{value}' of shape {shape:?} is not a loss: a loss is a single number that a layer makes"
    )]
    NotALoss {
        /// The value.
        value: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A gradient was asked for through an operator that has none.
    #[error("layer {layer}: {op} has no gradient{hint}")]
    NotDifferentiable {
        /// The layer.
        layer: String,
        /// The operator.
        op: &'static str,
        /// What to do about it, or nothing.
        hint: &'static str,
    },
    /// A network whose classes cannot be changed: the layer that makes its logits was not found.
    #[error(
        "'{name}' cannot be made for other classes: no linear layer or convolution was found behind '{value}' ({op})"
    )]
    NoHead {
        /// Name of the network.
        name: String,
        /// The value beyond which the classes could not be followed.
        value: String,
        /// What makes it.
        op: &'static str,
    },
    /// A network must have one input and one output to be trained.
    #[error("a network to train has one input and one output; '{name}' has {inputs} and {outputs}")]
    NotANetwork {
        /// Name of the network.
        name: String,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
    },
}

impl OpError {
    /// Puts the operator and the shape of its input to a refusal of the geometry.
    pub(crate) fn on(op: &'static str, input: &[usize]) -> impl Fn(GeometryError) -> Self {
        move |source| Self::Geometry {
            op,
            input: input.to_vec(),
            source,
        }
    }

    /// Refuses a setting that is not within its range.
    pub(crate) fn unless(
        within: bool,
        op: &'static str,
        setting: &'static str,
        value: f32,
        range: &'static str,
    ) -> Result<(), Self> {
        match within {
            true => Ok(()),
            false => Err(Self::Setting {
                op,
                setting,
                value,
                range,
            }),
        }
    }

    /// Refuses what cannot be added to a variance.
    pub(crate) fn unless_epsilon(op: &'static str, epsilon: f32) -> Result<(), Self> {
        let within = epsilon.is_finite() && epsilon >= 0.0;
        Self::unless(within, op, "epsilon", epsilon, "0 ≤ epsilon")
    }

    /// Refuses what cannot weigh a part of a loss.
    pub(crate) fn unless_weight(
        op: &'static str,
        setting: &'static str,
        weight: f32,
    ) -> Result<(), Self> {
        let within = (0.0..f32::INFINITY).contains(&weight);
        Self::unless(within, op, setting, weight, "0 ≤ weight < ∞")
    }

    /// The same, with the layer it happened in.
    pub(crate) fn in_layer(self, layer: &str) -> GraphError {
        GraphError::Layer {
            layer: layer.to_owned(),
            source: Box::new(self),
        }
    }
}
