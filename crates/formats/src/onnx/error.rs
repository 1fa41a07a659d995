//! What can be wrong with an ONNX model. Every message names the node or tensor and the numbers.

use std::path::PathBuf;

use geometry::{AxisError, GeometryError};
use graph::{GraphError, OpError};
use tensor::ShapeError;

use super::Element;

/// An ONNX model that cannot be read, or that asks for something that is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The operating system refused a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not the messages of an ONNX file, or not all of them.
    #[error("not a whole ONNX file: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// A model that would take far more memory than it has bytes: more than twice its length and 64 MiB.
    #[error("a model of {bytes} bytes would take {needed} bytes of memory, more than {limit}")]
    Memory {
        /// Length of the file, and of those beside it that were read.
        bytes: usize,
        /// What reading it would take, as far as that was found out.
        needed: usize,
        /// The limit.
        limit: usize,
    },
    /// A version of the operators that is not known.
    #[error("operator set {version} of domain `{domain}` is not known; 1 to {newest} are")]
    OperatorSet {
        /// The domain; the standard one is empty.
        domain: String,
        /// The version the model asks for.
        version: i64,
        /// The newest one known.
        newest: i64,
    },
    /// An operator that is not known here.
    #[error(
        "node `{node}`: operator {op} of domain `{domain}`, operator set {version}, is not known"
    )]
    UnknownOperator {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// The domain of the operator, `ai.onnx` for the standard one.
        domain: String,
        /// The version of the domain that the model asks for; 0 if it asks for none.
        version: i64,
    },
    /// An operator that is known, used in a way that is not.
    #[error("node `{node}` ({op}): {what}")]
    Unsupported {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// What is not supported, with the numbers.
        what: String,
    },
    /// A node that says something without meaning.
    #[error("node `{node}` ({op}): {what}")]
    Node {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// What is wrong with it.
        what: String,
    },
    /// A node whose operator does not fit what it reads.
    #[error("node `{node}` ({op}): {source}")]
    Graph {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// Why.
        source: Box<GraphError>,
    },
    /// A node reads something that nothing makes.
    #[error("node `{node}` reads `{value}`, which nothing makes")]
    NothingMakes {
        /// The node.
        node: String,
        /// The name it reads.
        value: String,
    },
    /// An output that nothing makes.
    #[error("nothing makes the output `{value}`")]
    NoOutput {
        /// Its name.
        value: String,
    },
    /// Nodes that wait for each other.
    #[error("{count} nodes wait for each other; one of them is `{node}`")]
    Cycle {
        /// How many cannot be computed.
        count: usize,
        /// One of them.
        node: String,
    },
    /// A name that two things have.
    #[error("the name `{name}` stands for two values")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// An element type that is not read.
    #[error("tensor `{tensor}` holds elements of type {element}, which are not read")]
    ElementType {
        /// The tensor.
        tensor: String,
        /// The type, or its number.
        element: String,
    },
    /// A tensor whose shape does not fit its elements.
    #[error("tensor `{tensor}`: {bytes} bytes of elements for shape {shape:?} of {element}")]
    Length {
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its element type.
        element: Element,
        /// Bytes there are.
        bytes: usize,
    },
    /// An extent below zero.
    #[error("tensor `{tensor}`: axis {axis} has the extent {extent}, below zero")]
    NegativeExtent {
        /// The tensor.
        tensor: String,
        /// The first axis that is so.
        axis: usize,
        /// Its extent as it stands in the file.
        extent: i64,
    },
    /// More axes than any operator has a use for.
    #[error("a tensor of {axes} axes; {most} are the most")]
    Axes {
        /// How many there are.
        axes: usize,
        /// How many there may be.
        most: usize,
    },
    /// A shape that cannot be addressed.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Elements in another file that is not to be opened, or does not hold them.
    #[error("tensor `{tensor}`: its elements lie in `{location}`, {reason}")]
    External {
        /// The tensor.
        tensor: String,
        /// Where they are said to lie.
        location: String,
        /// Why they are not read.
        reason: String,
    },
    /// An integer that a computation in 32-bit floats cannot hold.
    #[error("the integer {value} is one that 32-bit floats cannot hold")]
    Inexact {
        /// The integer.
        value: i64,
    },
    /// An input whose shape or elements are not those that the model declares.
    #[error("input `{input}`: {what}")]
    Input {
        /// The input.
        input: String,
        /// What does not fit, with the numbers.
        what: String,
    },
    /// An extent that the model leaves open and nobody gives.
    #[error("input `{input}` of shape {shape}: say how large it is")]
    OpenExtent {
        /// The input.
        input: String,
        /// Its shape as declared.
        shape: String,
    },
    /// The graph as a whole does not hold together.
    #[error(transparent)]
    Whole(#[from] GraphError),
}

/// What went wrong inside a node, before the node is named.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something without meaning.
    Wrong(String),
    /// Something that is not supported.
    Unsupported(String),
    /// The operator refuses its inputs.
    Graph(GraphError),
    /// Any other error, as it is.
    Other(OnnxError),
}

impl Fault {
    /// The same, with the node it happened in.
    pub(super) fn at(self, node: &str, op: &str) -> OnnxError {
        let (node, op) = (node.to_owned(), op.to_owned());
        match self {
            Self::Wrong(what) => OnnxError::Node { node, op, what },
            Self::Unsupported(what) => OnnxError::Unsupported { node, op, what },
            Self::Graph(source) => OnnxError::Graph {
                node,
                op,
                source: Box::new(source),
            },
            Self::Other(error) => error,
        }
    }
}

impl From<GraphError> for Fault {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<OnnxError> for Fault {
    fn from(error: OnnxError) -> Self {
        Self::Other(error)
    }
}

impl From<OpError> for Fault {
    fn from(error: OpError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<GeometryError> for Fault {
    fn from(error: GeometryError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<AxisError> for Fault {
    fn from(error: AxisError) -> Self {
        Self::Wrong(error.to_string())
    }
}

/// Something without meaning, in words.
pub(super) fn wrong<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Wrong(what.into()))
}

/// Something that is not supported, in words.
pub(super) fn unsupported<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unsupported(what.into()))
}
