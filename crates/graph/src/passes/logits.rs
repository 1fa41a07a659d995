//! A classifier's logits, which a loss is attached to.

use super::dead::remove_dead;
use crate::{Graph, GraphError, Op, OutputActivation};

/// The network up to its logits `[n, classes]`: without the softmax, log-softmax or sigmoid that makes probabilities of
/// them, and without further axes of extent 1 that networks of convolutions alone leave behind. What then leads nowhere
/// is left out, parameters too. A network without one of them at its end is taken to make logits.
///
/// The cross-entropy of a training step has a softmax of its own, and whoever asks a classifier knows by
/// [`OutputActivation::of`] what was left out.
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
    let activation = OutputActivation::before(&graph, output);
    let mut logits = activation.map_or(output, |(_, logits)| logits);
    if let [_, _, rest @ ..] = graph.value(logits).shape.as_slice()
        && !rest.is_empty()
        && rest.iter().all(|&extent| extent == 1)
    {
        logits = graph.append(Op::Flatten, "logits", vec![logits])?[0];
    }
    graph.outputs = vec![logits];
    Ok(remove_dead(&graph))
}
