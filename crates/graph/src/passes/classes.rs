//! A classifier for another number of classes.

use crate::users::Users;
use crate::{
    ArithmeticOp, Graph, GraphError, Init, Op, ParameterKind, RearrangeOp, Role, UnaryOp, ValueId,
};

/// The network with its last layer with weights, a linear one or a dense convolution, made for another number of
/// classes; the parameters keep their names and start as PyTorch starts a linear layer. It is found by following the
/// axis of the classes from the logits `[n, classes]` backwards, through what computes class by class.
///
/// ```
/// use graph::NetworkBuilder;
/// use graph::passes::with_classes;
///
/// let mut network = NetworkBuilder::new("two layers", [4, 6]);
/// let x = network.input();
/// let x = network.linear("body", x, 5)?;
/// let x = network.relu(x)?;
/// let logits = network.linear("head", x, 2)?;
/// let network = with_classes(&network.finish(logits)?, 7)?;
/// assert_eq!(network.value(network.outputs[0]).shape, [4, 7]);
/// assert_eq!(network.parameters().nth(2).unwrap().1.shape, [7, 5]);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// [`GraphError::NoHead`] where there is no such layer or its parameters are read elsewhere too,
/// [`GraphError::NotANetwork`], and sizes that cannot be addressed.
pub fn with_classes(network: &Graph, classes: usize) -> Result<Graph, GraphError> {
    network.verify()?;
    let &[logits] = network.outputs.as_slice() else {
        return Err(GraphError::NotANetwork {
            name: network.name.clone(),
            inputs: network.inputs.len(),
            outputs: network.outputs.len(),
        });
    };
    let mut head = Tracing {
        graph: network.clone(),
        users: Users::of(network),
        first: 0,
        old: 0,
        classes,
    };
    head.old = match *network.value(logits).shape.as_slice() {
        [_, old] if old == classes => return Ok(head.graph),
        [_, old] => old,
        _ => return Err(head.none(logits)),
    };
    head.follow(logits)?;
    let Tracing {
        mut graph, first, ..
    } = head;
    for index in first..graph.nodes.len() {
        let node = &graph.nodes[index];
        let inputs: Vec<_> = node.inputs.iter().map(|&id| graph.value(id)).collect();
        let made = node.op.infer(&inputs);
        let made = made.map_err(|error| error.in_layer(&node.layer))?;
        for (id, made) in node.outputs.clone().into_iter().zip(made) {
            graph.values[id.index()].shape = made.shape;
        }
    }
    graph.verify()?;
    Ok(graph)
}

/// A graph whose head is being made for other classes, from its end backwards.
struct Tracing {
    graph: Graph,
    users: Users,
    /// The earliest node that was changed.
    first: usize,
    /// Classes until now.
    old: usize,
    /// Classes from now on.
    classes: usize,
}

impl Tracing {
    /// Changes what makes the classes, which lie along axis 1 of the logits.
    fn follow(&mut self, logits: ValueId) -> Result<(), GraphError> {
        let (mut value, mut axis) = (logits, 1);
        loop {
            let index = (self.users.maker(value)).ok_or_else(|| self.none(value))?;
            self.first = index;
            let node = self.graph.nodes[index].clone();
            let read = node.inputs.first().copied();
            let read = read.ok_or_else(|| self.none(value))?;
            let (shape, made) = (self.shape(read), self.shape(value));
            match &node.op {
                Op::Linear { .. } if axis == 1 => return self.layer(&node.inputs[1..]),
                Op::Conv {
                    desc,
                    residual: false,
                    ..
                } if axis == 1 && desc.groups == 1 => {
                    if let Op::Conv { desc, .. } = &mut self.graph.nodes[index].op {
                        desc.out_channels = self.classes;
                    }
                    return self.layer(&node.inputs[1..]);
                }
                Op::Activation(_)
                | Op::Unary(UnaryOp::Apply(_))
                | Op::Dropout { .. }
                | Op::Softmaxes(_) => {}
                Op::Pool { .. } | Op::Pooling(_) | Op::GlobalAveragePool if axis == 1 => {}
                Op::Arithmetic(ArithmeticOp::Reduce { .. }) if shape[axis] == made[axis] => {}
                Op::Arithmetic(ArithmeticOp::Binary(_)) | Op::Add => {
                    let computed = |id: &&ValueId| self.users.maker(**id).is_some();
                    let (sides, others): (Vec<&ValueId>, Vec<&ValueId>) =
                        node.inputs.iter().partition(computed);
                    let &[&side] = sides.as_slice() else {
                        return Err(self.none(value));
                    };
                    for other in others {
                        self.operand(*other, made.len() - axis)?;
                    }
                    // Broadcasting counts axes from the end.
                    let behind = made.len() - axis;
                    axis = (self.shape(side).len().checked_sub(behind))
                        .ok_or_else(|| self.none(value))?;
                    value = side;
                    continue;
                }
                Op::Rearrange(RearrangeOp::Permute { axes }) => axis = axes[axis],
                Op::Flatten | Op::Rearrange(RearrangeOp::Reshape { .. }) => {
                    let before = same_axis(&made, axis, &shape).ok_or_else(|| self.none(value))?;
                    if let Op::Rearrange(RearrangeOp::Reshape { shape }) =
                        &mut self.graph.nodes[index].op
                    {
                        shape[axis] = self.classes;
                    }
                    axis = before;
                }
                _ => return Err(self.none(value)),
            }
            value = read;
        }
    }

    /// Makes weight and bias of the last layer for the classes.
    fn layer(&mut self, parameters: &[ValueId]) -> Result<(), GraphError> {
        let weight = self.shape(parameters[0]);
        let fan_in = weight[1..].iter().product();
        for &id in parameters {
            self.parameter(id, 0, Init::UniformFanIn { fan_in })?;
        }
        Ok(())
    }

    /// Makes a parameter that is broadcast against the logits for the classes, `behind` axes from its end.
    fn operand(&mut self, id: ValueId, behind: usize) -> Result<(), GraphError> {
        let shape = self.shape(id);
        let Some(axis) = shape.len().checked_sub(behind) else {
            return Ok(());
        };
        match shape[axis] {
            1 => Ok(()),
            _ => self.parameter(id, axis, Init::Constant(0.0)),
        }
    }

    /// Makes a parameter of nobody else's for the classes.
    fn parameter(&mut self, id: ValueId, axis: usize, start: Init) -> Result<(), GraphError> {
        let alone = self.users.only_reader(id).is_some();
        let old = self.old;
        let value = &mut self.graph.values[id.index()];
        match &mut value.role {
            // A constant of the network is one for its own classes.
            Role::Parameter {
                kind,
                init,
                trainable: true,
                ..
            } if alone && value.shape[axis] == old => {
                *init = match kind {
                    ParameterKind::Norm => Init::Constant(1.0),
                    _ => start,
                };
                value.shape[axis] = self.classes;
                Ok(())
            }
            _ => Err(self.none(id)),
        }
    }

    fn shape(&self, id: ValueId) -> Vec<usize> {
        self.graph.value(id).shape.clone()
    }

    /// The error for a value beyond which the classes cannot be followed.
    fn none(&self, at: ValueId) -> GraphError {
        let maker = self.users.maker(at);
        GraphError::NoHead {
            name: self.graph.name.clone(),
            value: self.graph.value(at).name.clone(),
            op: maker.map_or("a value that is given", |index| {
                self.graph.nodes[index].op.name()
            }),
        }
    }
}

/// The axis of one shape in another that differs by axes of extent 1 alone.
fn same_axis(made: &[usize], axis: usize, read: &[usize]) -> Option<usize> {
    let long = |shape: &[usize]| -> Vec<(usize, usize)> {
        let axes = shape.iter().copied().enumerate();
        axes.filter(|(_, extent)| *extent != 1).collect()
    };
    let (made, read) = (long(made), long(read));
    let extents = |axes: &[(usize, usize)]| axes.iter().map(|axis| axis.1).collect::<Vec<_>>();
    if extents(&made) != extents(&read) {
        return None;
    }
    let place = made.iter().position(|(at, _)| *at == axis)?;
    Some(read[place].0)
}
