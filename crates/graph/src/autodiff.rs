//! Reverse-mode differentiation, graph to graph.
//!
//! The nodes of the forward graph are walked from last to first. By the time a node is reached, all
//! its readers have been, so the gradient of its output is complete; the [table](crate::gradient)
//! says what the node gives on to its inputs. Where a value is read more than once the contributions
//! are added up as they arrive, last reader first, so that one sum at a time is alive and its order
//! is fixed by the graph.
//!
//! A gradient is built only where it leads to a value that it is wanted of: for [`backward`] a
//! parameter, so not for the images nor for anything computed from the images alone.

use crate::gradient::gradient;
use crate::step::Step;
use crate::{ElementType, Graph, GraphError, Node, Op, RectifierRule, Role, Value, ValueId};

/// Appends to a graph the nodes that compute the gradient of `loss` with respect to every parameter
/// that learns and that it depends on, and lists them in [`Graph::gradients`] in the order of the
/// parameters.
///
/// `loss` is a single number: the result of an [`Op::CrossEntropy`], or one made of it. Batch normalisations must be
/// [`Op::BatchNormTraining`] and max pools must give their indices, as [`passes::training`]
/// arranges.
///
/// [`passes::training`]: crate::passes::training
///
/// # Errors
/// [`GraphError::NotALoss`], or [`GraphError::NotDifferentiable`] for an operator on the way.
pub fn backward(graph: &Graph, loss: ValueId) -> Result<Graph, GraphError> {
    let value = graph.known(|| "the loss".to_owned(), loss)?;
    let makes_loss = |node: &&Node| node.outputs.as_slice() == [loss];
    let maker = graph.nodes.iter().find(makes_loss);
    let Some(maker) = maker.filter(|_| value.shape.is_empty()) else {
        return Err(GraphError::NotALoss {
            value: value.name.clone(),
            shape: value.shape.clone(),
        });
    };
    let learns =
        |value: &Value| matches!(value.role, Role::Parameter { trainable, .. } if trainable);
    let needed = leads_from(graph, |_, value| learns(value));
    let mut grown = graph.clone();
    let mut gradients = vec![None; graph.values().len()];
    // A cross-entropy knows by itself that the slope of the loss is one.
    let last = matches!(maker.op, Op::CrossEntropy { .. }).then_some(loss);
    if last.is_none() {
        let (shape, value) = (Vec::new(), 1.0);
        let slope = grown.append(Op::Fill { shape, value }, maker.layer.clone(), Vec::new())?;
        gradients[loss.index()] = slope.first().copied();
    }
    let rule = RectifierRule::Slope;
    walk(graph, &mut grown, &mut gradients, &needed, last, rule)?;
    grown.gradients = graph
        .parameters()
        .filter(|(_, value)| learns(value))
        .filter_map(|(id, _)| gradients[id.index()].map(|gradient| (id, gradient)))
        .collect();
    debug_assert_eq!(grown.verify(), Ok(()));
    Ok(grown)
}

/// Appends to a graph the nodes that carry a gradient of `of` back to the values `wanted`: the
/// product of a vector with the Jacobian.
///
/// The grown graph has one more input, `NAME.upstream`, of the shape of `of`; its outputs are those
/// of the graph and behind them one a wanted value, in their order. A value that `of` does not
/// depend on has a gradient of zero.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, pullback};
///
/// let mut network = NetworkBuilder::new("one layer", [1, 3, 8, 8]);
/// let x = network.input();
/// let y = network.conv("conv1", x, ConvDesc::new(4, 3), false)?;
/// let grown = pullback(&network.finish(y)?, y, &[x])?;
/// assert_eq!(grown.value(grown.inputs[1]).shape, [1, 4, 6, 6]);
/// assert_eq!(grown.value(grown.outputs[1]).shape, [1, 3, 8, 8]);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// [`GraphError::NotDifferentiable`] for an operator on the way, or an id of another graph.
pub fn pullback(graph: &Graph, of: ValueId, wanted: &[ValueId]) -> Result<Graph, GraphError> {
    pullback_by(graph, of, wanted, RectifierRule::Slope)
}

/// As [`pullback`], where gradients pass rectifiers by a rule, which may be another one than the slope: then what comes
/// back is no gradient, but a picture of what excites `of`.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, Op, RectifierRule, pullback_by};
///
/// let mut network = NetworkBuilder::new("one layer", [1, 3, 8, 8]);
/// let x = network.input();
/// let y = network.conv("conv1", x, ConvDesc::new(4, 3), false)?;
/// let y = network.relu(y)?;
/// let network = network.finish(y)?;
/// let grown = pullback_by(&network, y, &[x], RectifierRule::Deconvnet)?;
/// // The slope of the rectifier is not asked for.
/// let by_slope = |op: &Op| matches!(op, Op::ActivationBackward(_));
/// assert!(!grown.nodes.iter().any(|node| by_slope(&node.op)));
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// As there.
pub fn pullback_by(
    graph: &Graph,
    of: ValueId,
    wanted: &[ValueId],
    rule: RectifierRule,
) -> Result<Graph, GraphError> {
    let value = graph.known(|| "the pullback".to_owned(), of)?.clone();
    for &id in wanted {
        graph.known(|| "the list of wanted gradients".to_owned(), id)?;
    }
    let mut grown = graph.clone();
    let upstream = grown.add_value(Value {
        name: format!("{}.upstream", value.name),
        shape: value.shape,
        element: ElementType::Real,
        role: Role::Input,
    });
    grown.inputs.push(upstream);
    let needed = leads_from(graph, |id, _| wanted.contains(&id));
    let mut gradients = vec![None; graph.values().len()];
    gradients[of.index()] = Some(upstream);
    walk(graph, &mut grown, &mut gradients, &needed, None, rule)?;
    for &id in wanted {
        let gradient = match gradients[id.index()] {
            Some(gradient) => gradient,
            None => {
                let Value { name, shape, .. } = graph.value(id).clone();
                let zero = Op::Fill { shape, value: 0.0 };
                grown.append(zero, format!("{name}.grad"), Vec::new())?[0]
            }
        };
        grown.outputs.push(gradient);
    }
    debug_assert_eq!(grown.verify(), Ok(()));
    Ok(grown)
}

/// Visits the nodes from last to first, each that has a gradient to pass on.
fn walk(
    graph: &Graph,
    grown: &mut Graph,
    gradients: &mut [Option<ValueId>],
    needed: &[bool],
    loss: Option<ValueId>,
    rule: RectifierRule,
) -> Result<(), GraphError> {
    for node in graph.nodes.iter().rev() {
        let upstream = node.outputs.first().and_then(|y| gradients[y.index()]);
        let is_loss = loss.is_some_and(|loss| node.outputs.as_slice() == [loss]);
        if (upstream.is_some() || is_loss) && node.inputs.iter().any(|x| needed[x.index()]) {
            gradient(&mut Step {
                graph: grown,
                gradients,
                needed,
                node,
                rule,
                upstream,
            })?;
        }
    }
    Ok(())
}

/// Which values are wanted or depend on one that is.
fn leads_from(graph: &Graph, wanted: impl Fn(ValueId, &Value) -> bool) -> Vec<bool> {
    let mut needed: Vec<bool> = graph
        .iter_values()
        .map(|(id, value)| wanted(id, value))
        .collect();
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| needed[input.index()]) {
            for output in &node.outputs {
                needed[output.index()] = true;
            }
        }
    }
    needed
}
