//! From a network to one step of its training.

use super::epilogue::Epilogue;
use super::frozen_norms::fix_frozen_norms;
use super::loss::add_term;
use super::maxima::remember;
use super::penalty::penalise;
use super::remove_dead;
use super::rewrite::Rewrite;
use crate::users::Users;
use crate::{ElementType, Graph, GraphError, Node, Op, Role, Value, backward};

/// Settings of a training step that the graph itself depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrainingOptions {
    /// Share of the target that is spread over all classes, 0 by default.
    pub label_smoothing: f32,
    /// Batch normalisations whose scale and shift are frozen use their running statistics and keep them, as in
    /// fine-tuning; by default they too take those of the batch.
    pub fix_frozen_norms: bool,
}

/// The graph of one training step: forward, loss, backward.
///
/// Inputs are the images and the labels `[n]`; outputs the loss, a scalar, and the logits;
/// [`Graph::gradients`] has an entry for every parameter that learns and that the loss depends on, and
/// [`Graph::updates`] one for every running statistic. The loss is the mean cross-entropy, that of every
/// [auxiliary head](Graph::auxiliary) times its weight, and the penalties of all parameters that have a
/// [`Regulariser`](crate::Regulariser), frozen ones too. Batch
/// normalisations use the statistics of the batch and take over the addition of a residual and the
/// activation that follow them; one that is used more than once moves its running statistics at every
/// use.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::passes::{TrainingOptions, training};
/// use graph::NetworkBuilder;
///
/// let mut network = NetworkBuilder::new("tiny", [8, 3, 32, 32]);
/// let x = network.input();
/// let x = network.conv("conv1", x, ConvDesc::new(16, 3).padding(1), false)?;
/// let x = network.batch_norm("bn1", x)?;
/// let x = network.relu(x)?;
/// let x = network.global_average_pool(x)?;
/// let x = network.flatten(x)?;
/// let logits = network.linear("fc", x, 10)?;
/// let step = training(&network.finish(logits)?, TrainingOptions::default())?;
///
/// assert_eq!(step.inputs.len(), 2);
/// assert_eq!(step.gradients.len(), 5);
/// assert_eq!(step.updates.len(), 2);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// More than one input or output, an output that is not `[n, classes]`, a normalisation over a
/// single value, an operator without a gradient, or a network that does not verify.
pub fn training(network: &Graph, options: TrainingOptions) -> Result<Graph, GraphError> {
    network.verify()?;
    let ([images], [logits]) = (network.inputs.as_slice(), network.outputs.as_slice()) else {
        return Err(GraphError::NotANetwork {
            name: network.name.clone(),
            inputs: network.inputs.len(),
            outputs: network.outputs.len(),
        });
    };
    let (images, logits) = (*images, *logits);

    let mut step = network.clone();
    if options.fix_frozen_norms {
        fix_frozen_norms(&mut step)?;
    }
    normalise_by_batch(&mut step)?;
    remember(&mut step)?;
    let batch = step.value(images).shape.first().copied().unwrap_or(1);
    let labels = step.add_value(Value {
        name: "labels".to_owned(),
        shape: vec![batch],
        element: ElementType::Index,
        role: Role::Input,
    });
    step.inputs.push(labels);
    let cross_entropy = Op::CrossEntropy {
        label_smoothing: options.label_smoothing,
    };
    let loss = step.append(cross_entropy.clone(), "loss", vec![logits, labels])?[0];
    step.outputs = vec![loss, logits];
    for (head, weight) in std::mem::take(&mut step.auxiliary) {
        let layer = format!("{}.loss", step.value(head).name);
        let term = step.append(cross_entropy.clone(), &*layer, vec![head, labels])?[0];
        add_term(&mut step, &layer, term, weight)?;
    }

    // Dead layers would be differentiated for nothing, and fused values are made no more.
    let mut step = remove_dead(&step);
    penalise(&mut step)?;
    let step = remove_dead(&backward(&step, step.outputs[0])?);
    step.verify()?;
    Ok(step)
}

/// Batch normalisations take their statistics from the batch, keep running ones, and take over what
/// follows them.
fn normalise_by_batch(graph: &mut Graph) -> Result<(), GraphError> {
    let users = Users::of(graph);
    let mut rewrite = Rewrite::of(graph);
    let is_norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
    for index in 0..graph.nodes.len() {
        let &Op::BatchNorm { epsilon, momentum } = &graph.nodes[index].op else {
            continue;
        };
        let epilogue = Epilogue::find(graph, &users, index, is_norm);
        let op = Op::BatchNormTraining {
            epsilon,
            momentum,
            residual: epilogue.residual.is_some(),
            activation: epilogue.activation,
        };
        let Node { layer, inputs, .. } = graph.nodes[index].clone();
        let inputs = inputs.into_iter().chain(epilogue.residual).collect();

        let mut node = graph.make(op, layer, inputs)?;
        node.outputs[0] = epilogue.output;
        rewrite.absorb(index);
        epilogue.absorbed.iter().for_each(|&i| rewrite.absorb(i));
        rewrite.place(epilogue.position, node);
    }
    rewrite.apply(graph);
    move_statistics(graph);
    Ok(())
}

/// Running statistics are replaced by those that a normalisation makes of them; where one is used again,
/// by those that the later use makes of the earlier one's.
fn move_statistics(graph: &mut Graph) {
    for node in &mut graph.nodes {
        if !matches!(node.op, Op::BatchNormTraining { .. }) {
            continue;
        }
        for place in [3, 4] {
            let (old, new) = (node.inputs[place], node.outputs[place]);
            match graph.updates.iter_mut().find(|(state, _)| *state == old) {
                Some((_, moved)) => node.inputs[place] = std::mem::replace(moved, new),
                None => graph.updates.push((old, new)),
            }
        }
    }
}
