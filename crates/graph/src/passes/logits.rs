//! A classifier's logits, which a loss is attached to.

use super::dead::remove_dead;
use crate::users::Users;
use crate::{Graph, GraphError, Op, RearrangeOp, SoftmaxOp, ValueId};

/// The network up to its logits `[n, classes]`: without the softmax or log-softmax that makes probabilities of them,
/// and without further axes of extent 1 that networks of convolutions alone leave behind. What then leads nowhere is
/// left out, parameters too. A network without a softmax at its end is taken to make logits.
///
/// The cross-entropy of a training step, and whoever asks a classifier, have a softmax of their own.
///
/// ```
/// use graph::NetworkBuilder;
/// use graph::passes::logits;
///
/// let mut network = NetworkBuilder::new("one layer", [4, 6]);
/// let x = network.input();
/// let x = network.linear("fc", x, 3)?;
/// let probabilities = network.softmax_along(x, 1)?;
/// let network = logits(&network.finish(probabilities)?)?;
/// assert_eq!(network.nodes.len(), 1);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// [`GraphError::NotANetwork`] for other than one input and one output, and a network that does not verify.
pub fn logits(network: &Graph) -> Result<Graph, GraphError> {
    network.verify()?;
    let (&[_], &[output]) = (network.inputs.as_slice(), network.outputs.as_slice()) else {
        return Err(GraphError::NotANetwork {
            name: network.name.clone(),
            inputs: network.inputs.len(),
            outputs: network.outputs.len(),
        });
    };
    let mut graph = network.clone();
    let mut logits = before_softmax(&graph, output).unwrap_or(output);
    if let [_, _, rest @ ..] = graph.value(logits).shape.as_slice()
        && !rest.is_empty()
        && rest.iter().all(|&extent| extent == 1)
    {
        logits = graph.append(Op::Flatten, "logits", vec![logits])?[0];
    }
    graph.outputs = vec![logits];
    Ok(remove_dead(&graph))
}

/// What the softmax over the classes reads that makes an output, if one does.
fn before_softmax(graph: &Graph, output: ValueId) -> Option<ValueId> {
    let users = Users::of(graph);
    let mut value = output;
    loop {
        let node = &graph.nodes[users.maker(value)?];
        let read = *node.inputs.first()?;
        match &node.op {
            Op::Softmax | Op::Softmaxes(SoftmaxOp::Along { axis: 1, .. }) => return Some(read),
            // Axes of extent 1 come and go.
            Op::Flatten | Op::Rearrange(RearrangeOp::Reshape { .. })
                if graph.value(read).shape.get(..2) == graph.value(value).shape.get(..2) =>
            {
                value = read;
            }
            _ => return None,
        }
    }
}
