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
    /// An output that is not made of floating-point numbers.
    #[error("output '{name}' holds indices, only f32 values can be outputs")]
    OutputType {
        /// The value.
        name: String,
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
