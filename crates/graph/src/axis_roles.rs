//! What the axes of values stand for: the batch, channels, space.
//!
//! Operators over maps read channels second. A network whose images lie otherwise, such as channels last, brings them
//! into that order first, and some bring maps back in between. So axes are followed from the image through everything
//! that moves them, and how the first operator over maps reads the image says what its axes are.

use crate::op::Op;
use crate::reads::{Link, ways};
use crate::{Graph, Node, RearrangeOp, ValueId};

/// The axes of space and of channels of every value that is made of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisRoles {
    /// Of each value the axis of the image that each of its axes is; nothing of one that is none of them.
    traces: Vec<Option<Trace>>,
    /// The axes of the image as operators over maps read them: batch, channels, space.
    order: Vec<usize>,
}

type Trace = Vec<Option<usize>>;

impl AxisRoles {
    /// Follows the axes of the input at place `input` of [`Graph::inputs`]; nothing where there is none. What no operator
    /// over maps reads is taken to have its channels second.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::{AxisRoles, NetworkBuilder};
    ///
    /// // Rows, columns, channels.
    /// let mut network = NetworkBuilder::new("channels last", [1, 8, 9, 3]);
    /// let image = network.input();
    /// let x = network.permute(image, &[0, 3, 1, 2])?;
    /// let x = network.conv("conv", x, ConvDesc::new(4, 3), false)?;
    /// let network = network.finish(x)?;
    /// let roles = AxisRoles::of(&network, 0).unwrap();
    /// assert_eq!((roles.channels(&network, image), roles.space(&network, image)), (Some(3), vec![1, 2]));
    /// assert_eq!((roles.channels(&network, x), roles.space(&network, x)), (Some(1), vec![2, 3]));
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn of(network: &Graph, input: usize) -> Option<Self> {
        let &image = network.inputs.get(input)?;
        let rank = network.value(image).shape.len();
        let mut traces: Vec<Option<Trace>> = vec![None; network.values().len()];
        traces[image.index()] = Some((0..rank).map(Some).collect());
        let mut order = None;
        for node in &network.nodes {
            if order.is_none() && reads_maps(&node.op) {
                let read = node
                    .inputs
                    .first()
                    .and_then(|id| traces[id.index()].as_ref());
                order = read.and_then(|trace| whole(trace, rank));
            }
            for (made, output) in node.outputs.iter().enumerate() {
                traces[output.index()] = carried(network, node, made, &traces);
            }
        }
        Some(Self {
            traces,
            order: order.unwrap_or_else(|| (0..rank).collect()),
        })
    }

    /// The axes of space of a value, outermost first.
    pub fn space(&self, network: &Graph, value: ValueId) -> Vec<usize> {
        let rank = network.value(value).shape.len();
        match self.batch_and_channels(value) {
            Some(taken) => (0..rank).filter(|axis| !taken.contains(axis)).collect(),
            None => (2..rank).collect(),
        }
    }

    /// The axis of channels of a value, if it has that many.
    pub fn channels(&self, network: &Graph, value: ValueId) -> Option<usize> {
        let [_, channels] = self.batch_and_channels(value).unwrap_or([0, 1]);
        (channels < network.value(value).shape.len()).then_some(channels)
    }

    /// Where the batch and the channels of the image lie in a value that has both.
    fn batch_and_channels(&self, value: ValueId) -> Option<[usize; 2]> {
        let trace = self.traces[value.index()].as_ref()?;
        let &[batch, channels, ..] = self.order.as_slice() else {
            return None;
        };
        let place = |of: usize| trace.iter().position(|&axis| axis == Some(of));
        Some([place(batch)?, place(channels)?])
    }
}

/// Whether what an operator reads first is a map with its channels second.
fn reads_maps(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv { .. }
            | Op::Pool { .. }
            | Op::GlobalAveragePool
            | Op::Deformable(_)
            | Op::Pooling(_)
            | Op::Sampling(_)
            | Op::Transposed(_)
    )
}

/// The axes of the image in the order of a value that has them all.
fn whole(trace: &Trace, rank: usize) -> Option<Vec<usize>> {
    let order: Vec<usize> = trace.iter().copied().collect::<Option<_>>()?;
    (order.len() == rank && (0..rank).all(|axis| order.contains(&axis))).then_some(order)
}

/// The axes of an output, by those of the first input that comes from the image.
fn carried(network: &Graph, node: &Node, made: usize, traces: &[Option<Trace>]) -> Option<Trace> {
    let rank = network.value(node.outputs[made]).shape.len();
    let mut of_image = node.inputs.iter().enumerate().filter_map(|(read, id)| {
        let trace = traces[id.index()].as_ref()?;
        Some((read, trace))
    });
    match &node.op {
        Op::Rearrange(RearrangeOp::Permute { axes }) => {
            let (_, trace) = of_image.next()?;
            Some(axes.iter().map(|&axis| trace[axis]).collect())
        }
        Op::Rearrange(RearrangeOp::Reshape { .. }) | Op::Flatten | Op::Unflatten { .. } => {
            let (read, trace) = of_image.next()?;
            Some(reshaped(network, node, made, read, trace))
        }
        // What is smaller is repeated along axes that it does not have.
        _ => of_image
            .find(|(_, trace)| trace.len() == rank)
            .map(|(_, trace)| trace.clone()),
    }
}

/// The axes that a reshape leaves where they are. One of a single element may stand anywhere.
fn reshaped(network: &Graph, node: &Node, made: usize, read: usize, trace: &Trace) -> Trace {
    let shapes = [node.inputs[read], node.outputs[made]].map(|id| &network.value(id).shape);
    let mut to: Trace = vec![None; shapes[1].len()];
    let mut moved = Vec::new();
    let way = ways(network, node, made, read).into_iter().next();
    let links = way.map(|way| way.0).unwrap_or_default();
    for (axis, link) in links.iter().enumerate() {
        match *link {
            Link::By(place, _) if to[place].is_none() => to[place] = trace[axis],
            _ if shapes[0][axis] == 1 => moved.push(trace[axis]),
            _ => {}
        }
    }
    let free: Vec<usize> = (0..to.len())
        .filter(|&place| to[place].is_none() && shapes[1][place] == 1)
        .collect();
    if let (&[place], &[axis]) = (free.as_slice(), moved.as_slice()) {
        to[place] = axis;
    }
    to
}
