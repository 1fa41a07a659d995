//! Why a graph cannot become a program.

use geometry::GeometryError;
use graph::GraphError;
use kernels::TeamError;
use kernels::conv::PlanError;

/// Why a graph cannot become a program on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The graph does not hold together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The threads could not be started.
    #[error(transparent)]
    Team(#[from] TeamError),
    /// A window operation without meaning, or too large to count.
    #[error("layer {layer}: {source}")]
    Geometry {
        /// The layer.
        layer: String,
        /// Why.
        source: GeometryError,
    },
    /// The algorithm asked for does not serve a convolution.
    #[error("layer {layer}: {source}")]
    Plan {
        /// The layer.
        layer: String,
        /// Why.
        source: PlanError,
    },
    /// An operator that only a pass over the graph can turn into something to run.
    #[error(
        "layer {layer}: {op} cannot run as it is; make a training or inference graph of the network first"
    )]
    NotLowered {
        /// The layer.
        layer: String,
        /// The operator.
        op: &'static str,
    },
    /// An operator with more inputs or outputs than one call takes.
    #[error("layer {layer}: {op} of {given} operands, at most {most} go together")]
    Operands {
        /// The layer.
        layer: String,
        /// The operator.
        op: &'static str,
        /// How many it has.
        given: usize,
        /// How many it may have.
        most: usize,
    },
    /// An operand given to an eager operator that is not of the elements or the number it takes.
    #[error("{what}")]
    Given {
        /// What is wrong, with the numbers.
        what: String,
    },
    /// The program needs more memory than can be addressed.
    #[error("network {network} needs more memory than can be addressed")]
    Unaddressable {
        /// The network.
        network: String,
    },
    /// The memory could not be had.
    #[error("network {network} needs {bytes} bytes of memory, which the system does not give")]
    Memory {
        /// The network.
        network: String,
        /// Bytes wanted.
        bytes: usize,
    },
}
