//! Why a network cannot be had.

use graph::GraphError;

/// A name without a network, or a network that does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// No network of that name.
    #[error("no model is called '{name}'; did you mean {}?", .nearest.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names most like it, the likest first.
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
    /// The network does not fit the input.
    #[error("model '{name}': {source}")]
    Graph {
        /// The name asked for.
        name: String,
        /// Which layer, and why.
        source: GraphError,
    },
}
