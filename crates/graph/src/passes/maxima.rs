//! Max pools that can be differentiated.

use geometry::{AdaptiveKind, PoolKind};

use super::dead::remove_dead_nodes;
use crate::families::PoolingOp;
use crate::{Graph, GraphError, Node, Op};

/// The network with max pools that also give the places of their maxima, as [`pullback`](crate::pullback) and
/// [`backward`](crate::backward) need them; what it makes is the same.
///
/// ```
/// use geometry::PoolDesc;
/// use graph::passes::remember_maxima;
/// use graph::{NetworkBuilder, pullback};
///
/// let mut network = NetworkBuilder::new("one layer", [1, 3, 8, 8]);
/// let x = network.input();
/// let y = network.pool("pool", x, PoolDesc::max(2).stride(2))?;
/// let network = network.finish(y)?;
/// assert!(pullback(&network, y, &[x]).is_err());
/// assert!(pullback(&remember_maxima(&network)?, y, &[x]).is_ok());
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// A network that does not verify, and planes too large for the places of their elements to be numbered.
pub fn remember_maxima(network: &Graph) -> Result<Graph, GraphError> {
    network.verify()?;
    let mut graph = network.clone();
    remember(&mut graph)?;
    // What the replaced pools made is left.
    Ok(remove_dead_nodes(&graph))
}

/// Max pools give the places of their maxima, which their backward pass reads.
pub(super) fn remember(graph: &mut Graph) -> Result<(), GraphError> {
    for index in 0..graph.nodes.len() {
        let mut op = graph.nodes[index].op.clone();
        let indices = match &mut op {
            Op::Pool { desc, indices } if desc.kind == PoolKind::Max => indices,
            Op::Pooling(PoolingOp::Adaptive { desc, indices })
                if desc.kind == AdaptiveKind::Max =>
            {
                indices
            }
            _ => continue,
        };
        if std::mem::replace(indices, true) {
            continue;
        }
        let Node { layer, inputs, .. } = graph.nodes[index].clone();
        let mut node = graph.make(op, layer, inputs)?;
        node.outputs[0] = graph.nodes[index].outputs[0];
        graph.nodes[index] = node;
    }
    Ok(())
}
