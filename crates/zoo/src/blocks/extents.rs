//! The extents of a map that a block is built on.

use graph::{GraphError, NetworkBuilder, ValueId};

/// Channels of a value, 0 where it has none: whatever reads it then says so.
pub(crate) fn channels(network: &NetworkBuilder, x: ValueId) -> Result<usize, GraphError> {
    Ok(network.shape(x)?.get(1).copied().unwrap_or(0))
}

/// Rows and columns of a value.
pub(crate) fn space(network: &NetworkBuilder, x: ValueId) -> Result<Vec<usize>, GraphError> {
    Ok(network.shape(x)?.get(2..).unwrap_or_default().to_vec())
}
