//! What the axes of values stand for: the batch, channels, space.
//!
//! Operators over maps read channels second. A network whose images lie otherwise, such as channels last, brings them
//! into that order first, and some bring maps back in between. So axes are followed from the image through everything
//! that moves them, and how the first operator over maps reads the image says what its axes are.

use crate::op::Op;
use crate::reads::{Link, ways};
use crate::receptive_field::dependents;
use crate::row_by_row;
use crate::{Graph, Node, RearrangeOp, Role, ValueId};

/// The axes of the batch, of channels and of space of every value that is made of an image.
///
/// An image need not have all of them: one that is read alone has no batch, and a grey one no channels. The axes of one
/// element that a network puts in, to read it as a map, are known by where the map has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisRoles {
    /// Where each axis of a value comes from; nothing of one that is not followed.
    traces: Vec<Option<Trace>>,
    /// The batch, as operators over maps read the image.
    batch: Option<Origin>,
    /// Its channels.
    channels: Option<Origin>,
    /// Its axes of space, outermost first.
    space: Vec<Origin>,
}

type Trace = Vec<Origin>;

/// Where an axis comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It is this one of the image.
    Image(usize),
    /// It has one element, and was put in here: an axis of a value.
    Unit(ValueId, usize),
    /// It was made here, of several axes or of a part of one.
    Mixed(ValueId, usize),
}

/// An input of which it cannot be said what its axes stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AxisRoleError {
    /// A network without an input at that place.
    #[error("the network has {inputs} inputs, and none at place {place}")]
    NoInput {
        /// The place.
        place: usize,
        /// Inputs there are.
        inputs: usize,
    },
    /// The first operator over maps reads rows and columns that are none of the input's axes, such as those of a reshape.
    #[error(
        "{layer} reads rows and columns that are no axes of the input '{input}' {shape:?}: which of these are space cannot \
         be told"
    )]
    Lost {
        /// The layer that reads them.
        layer: String,
        /// The input.
        input: String,
        /// Its extents.
        shape: Vec<usize>,
    },
}

impl AxisRoles {
    /// Follows the axes of the input at place `input` of [`Graph::inputs`]. What no operator over maps reads is taken to
    /// have the batch first and channels second.
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
    /// let roles = AxisRoles::of(&network, 0)?;
    /// assert_eq!((roles.channels(&network, image), roles.space(&network, image)), (Some(3), vec![1, 2]));
    /// assert_eq!((roles.channels(&network, x), roles.space(&network, x)), (Some(1), vec![2, 3]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No input at that place; one whose axes cannot be followed to the first operator over maps.
    pub fn of(network: &Graph, input: usize) -> Result<Self, AxisRoleError> {
        let Some(&image) = network.inputs.get(input) else {
            return Err(AxisRoleError::NoInput {
                place: input,
                inputs: network.inputs.len(),
            });
        };
        let shape = &network.value(image).shape;
        let depends = dependents(network, image);
        let mut traces: Vec<Option<Trace>> = vec![None; network.values().len()];
        traces[image.index()] = Some((0..shape.len()).map(Origin::Image).collect());
        let (mut order, mut lost) = (None, None);
        for node in &network.nodes {
            let map = node.inputs.first().filter(|id| depends[id.index()]);
            let map = map.filter(|_| reads_maps(network, node));
            if let Some(map) = map.filter(|_| order.is_none()) {
                order = traces[map.index()].clone().filter(|trace| is_map(trace));
                lost = lost.or(order.is_none().then_some(node));
            }
            for (made, output) in node.outputs.iter().enumerate() {
                let mut trace = carried(network, node, made, &traces);
                if let (Some(trace), Some(order), Some(_)) = (&mut trace, &order, map) {
                    take_up(trace, order);
                }
                traces[output.index()] = trace;
            }
        }
        let (batch, channels, space) = match (order, lost) {
            (Some(order), _) => (
                order.first().copied(),
                order.get(1).copied(),
                order[2..].to_vec(),
            ),
            // A batch of vectors has no axes of space, whatever is made of them.
            (None, Some(reader)) if shape.len() > 2 => {
                return Err(AxisRoleError::Lost {
                    layer: reader.layer.clone(),
                    input: network.value(image).name.clone(),
                    shape: shape.clone(),
                });
            }
            (None, _) if shape.len() < 2 => (None, None, Vec::new()),
            (None, _) => {
                let space = (2..shape.len()).map(Origin::Image).collect();
                (Some(Origin::Image(0)), Some(Origin::Image(1)), space)
            }
        };
        Ok(Self {
            traces,
            batch,
            channels,
            space,
        })
    }

    /// Which of a network's inputs is the image: the place of the first that has axes of space, the first of all where none
    /// has. Of a great many inputs only the first are looked at.
    pub fn image(network: &Graph) -> usize {
        const LOOKED_AT: usize = 64;
        let inputs = network.inputs.iter().take(LOOKED_AT).enumerate();
        // Nothing less is a map.
        let mut inputs = inputs.filter(|(_, id)| network.value(**id).shape.len() > 1);
        let found = inputs.find(|&(place, &id)| {
            let roles = Self::of(network, place);
            roles.is_ok_and(|roles| !roles.space(network, id).is_empty())
        });
        found.map_or(0, |(place, _)| place)
    }

    /// The axis along which the images of a batch lie in a value, if it has one. What is not made of the image is taken to
    /// have it first.
    pub fn batch(&self, network: &Graph, value: ValueId) -> Option<usize> {
        self.place(network, value, self.batch, 0)
    }

    /// The axis of channels of a value, if it has one; of what is not made of the image the second.
    pub fn channels(&self, network: &Graph, value: ValueId) -> Option<usize> {
        self.place(network, value, self.channels, 1)
    }

    /// The axes of space of a value, outermost first.
    pub fn space(&self, network: &Graph, value: ValueId) -> Vec<usize> {
        let rank = network.value(value).shape.len();
        let Some(trace) = &self.traces[value.index()] else {
            return (2..rank).collect();
        };
        let has = |role: Option<Origin>| role.is_some_and(|role| trace.contains(&role));
        // What a map has besides a batch and channels is space, also what was not the image's.
        let is_map = has(self.batch) && has(self.channels);
        let others = (0..rank).filter(|&axis| match trace[axis] {
            role if Some(role) == self.batch || Some(role) == self.channels => false,
            role if self.space.contains(&role) => true,
            Origin::Image(_) => false,
            Origin::Unit(..) | Origin::Mixed(..) => is_map,
        });
        others.collect()
    }

    /// Where an axis lies in a value; `usual` in one that is not followed.
    fn place(
        &self,
        network: &Graph,
        value: ValueId,
        role: Option<Origin>,
        usual: usize,
    ) -> Option<usize> {
        match &self.traces[value.index()] {
            Some(trace) => trace.iter().position(|&axis| Some(axis) == role),
            None => (usual < network.value(value).shape.len()).then_some(usual),
        }
    }
}

/// Whether it can be told which axes of the image an operator over maps takes for space.
fn is_map(trace: &[Origin]) -> bool {
    let space = trace.get(2..).unwrap_or_default();
    trace.len() > 2 && space.iter().all(|axis| !matches!(axis, Origin::Mixed(..)))
}

/// An operator over maps says what the axes are that it reads: those that were made on the way, such as of a pixel shuffle,
/// stand for what the map's have stood for before.
fn take_up(trace: &mut Trace, order: &Trace) {
    for axis in 0..trace.len().min(order.len()) {
        let is_lost = matches!(trace[axis], Origin::Mixed(..)) && !trace.contains(&order[axis]);
        if is_lost && trace.len() == order.len() {
            trace[axis] = order[axis];
        }
    }
}

/// Whether what an operator reads first is a map with its channels second.
fn reads_maps(network: &Graph, node: &Node) -> bool {
    if let (Op::Conv { .. }, &[_, weight, ..]) = (&node.op, node.inputs.as_slice()) {
        // Products of two matrices that are computed are made convolutions, and read no map.
        return network.value(weight).role != Role::Computed;
    }
    matches!(
        node.op,
        Op::Conv { .. }
            | Op::Pool { .. }
            | Op::GlobalAveragePool
            | Op::Deformable(_)
            | Op::Pooling(_)
            | Op::Sampling(_)
            | Op::Transposed(_)
    )
}

/// Where the axes of an output come from, by those of the first input that is made of the image.
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
            if let Some(places) = row_by_row::source(network, node) {
                return traces[places.index()].clone();
            }
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
    let output = node.outputs[made];
    let shapes = [node.inputs[read], output].map(|id| &network.value(id).shape);
    let mut to: Vec<Option<Origin>> = vec![None; shapes[1].len()];
    let mut moved = Vec::new();
    let way = ways(network, node, made, read).into_iter().next();
    let links = way.map(|way| way.0).unwrap_or_default();
    for (axis, link) in links.iter().enumerate() {
        match *link {
            Link::By(place, _) if to[place].is_none() => to[place] = Some(trace[axis]),
            _ if shapes[0][axis] == 1 => moved.push(trace[axis]),
            _ => {}
        }
    }
    let free: Vec<usize> = (0..to.len())
        .filter(|&place| to[place].is_none() && shapes[1][place] == 1)
        .collect();
    if let (&[place], &[axis]) = (free.as_slice(), moved.as_slice()) {
        to[place] = Some(axis);
    }
    let axes = to.into_iter().zip(shapes[1]).enumerate();
    axes.map(|(place, (known, &extent))| match known {
        Some(axis) => axis,
        None if extent == 1 => Origin::Unit(output, place),
        None => Origin::Mixed(output, place),
    })
    .collect()
}
