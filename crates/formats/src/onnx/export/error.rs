//! What can be wrong with a graph that is to become an ONNX model.

use std::path::PathBuf;

use graph::GraphError;

/// A graph that cannot be written as an ONNX model, or not as this one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An operator set that is not written.
    #[error("operator set {opset} is not written; {oldest} to {newest} are")]
    OperatorSet {
        /// The set asked for.
        opset: i64,
        /// The oldest one written.
        oldest: i64,
        /// The newest one written.
        newest: i64,
    },
    /// An operator that the set does not have yet.
    #[error("layer `{layer}` ({op}): {what} needs operator set {needed}, and {opset} is asked for")]
    Older {
        /// The layer.
        layer: String,
        /// Its operator.
        op: &'static str,
        /// What of it.
        what: String,
        /// The first operator set that has it.
        needed: i64,
        /// The set asked for.
        opset: i64,
    },
    /// An operator of a training step: models are forward graphs.
    #[error("layer `{layer}` ({op}): belongs to a training step, and a model is a forward graph")]
    Training {
        /// The layer.
        layer: String,
        /// Its operator.
        op: &'static str,
    },
    /// An operator used in a way that ONNX has no form for.
    #[error("layer `{layer}` ({op}): {what}")]
    Unsupported {
        /// The layer.
        layer: String,
        /// Its operator.
        op: &'static str,
        /// What there is no form for, with the numbers.
        what: String,
    },
    /// A parameter or state of which nobody says what it holds.
    #[error("there is no `{name}` among the weights")]
    Missing {
        /// Its name.
        name: String,
    },
    /// Weights of another number than the shape has.
    #[error("`{name}` of shape {shape:?} with {values} numbers")]
    Count {
        /// The parameter or state.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Numbers given for it.
        values: usize,
    },
    /// A name that two values would have.
    #[error("the name `{name}` stands for two values")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// More than one file can hold: ONNX's messages end at 2³¹ − 1 bytes.
    #[error(
        "{bytes} bytes, and an ONNX file holds at most {limit}; the weights must lie beside it \
         (external data)"
    )]
    TooLarge {
        /// Bytes of the file.
        bytes: u64,
        /// The most it may have.
        limit: u64,
    },
    /// The operating system refused a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The graph does not hold together.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
