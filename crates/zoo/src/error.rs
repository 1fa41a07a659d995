//! Why a network cannot be had.

use geometry::names::suggestion_or;
use graph::GraphError;

use crate::Task;

/// A name without a network, or a network that does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// No network of that name.
    #[error("no model is called '{name}'{}", suggestion_or(.nearest, "convolve models"))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names most like it, the likest first; none where nothing is like it.
        nearest: Vec<&'static str>,
    },
    /// No block of that name.
    #[error("no block is called '{name}'{}", suggestion_or(.nearest, "convolve draw --blocks"))]
    UnknownBlock {
        /// The name asked for.
        name: String,
        /// The names most like it, the likest first; none where nothing is like it.
        nearest: Vec<&'static str>,
    },
    /// A width multiplier that is not a positive number.
    #[error("model '{name}': width '{width}' is not a positive number (example: {model}:0.5)")]
    Width {
        /// The name asked for.
        name: String,
        /// The network it starts with.
        model: &'static str,
        /// What stands after the colon.
        width: String,
    },
    /// A classifier of no classes.
    #[error("model '{name}': a classifier needs at least one class")]
    NoClasses {
        /// The name asked for.
        name: String,
    },
    /// A network that does not tell classes of pictures apart.
    #[error("model '{name}' is made for {task}; training, eval and predict take classifiers only")]
    NotAClassifier {
        /// The name asked for.
        name: String,
        /// What it is made for.
        task: Task,
    },
    /// The network does not fit the input.
    #[error("model '{name}': {source}")]
    Graph {
        /// The name asked for.
        name: String,
        /// Which layer, and why.
        source: GraphError,
    },
}
