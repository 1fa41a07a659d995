//! What of the values of a network belongs to one image of its batch.

use crate::axis_roles::AxisRoles;
use crate::cost::elements;
use crate::receptive_field::dependents;
use crate::{Graph, Node, ValueId};

/// Extents and counts for one image of the batch that a network reads.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, PerImage};
///
/// let mut network = NetworkBuilder::new("batch", [8, 3, 10, 12]);
/// let x = network.input();
/// let y = network.conv("conv", x, ConvDesc::new(4, 3), false)?;
/// let network = network.finish(y)?;
/// assert_eq!(PerImage::of(&network).shape(&network, y), [4, 8, 10]);
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PerImage {
    /// Nothing where the axes of the input cannot be followed; then the batch is taken to come first.
    roles: Option<AxisRoles>,
    /// Images in a batch.
    images: usize,
    /// Of each value whether it is made of the images.
    depends: Vec<bool>,
}

impl PerImage {
    /// Finds the batch of the input that is the [image](AxisRoles::image); one that has none is one image.
    pub fn of(network: &Graph) -> Self {
        let place = AxisRoles::image(network);
        let roles = AxisRoles::of(network, place).ok();
        let Some(&input) = network.inputs.get(place) else {
            return Self {
                roles,
                images: 1,
                depends: vec![false; network.values().len()],
            };
        };
        let axis = match &roles {
            Some(roles) => roles.batch(network, input),
            None => Some(0),
        };
        let images = axis.and_then(|axis| network.value(input).shape.get(axis));
        Self {
            roles,
            images: images.map_or(1, |&images| images.max(1)),
            depends: dependents(network, input),
        }
    }

    /// The extents of a value, without the axis along which images lie if it has one.
    pub fn shape(&self, network: &Graph, value: ValueId) -> Vec<usize> {
        let mut shape = network.value(value).shape.clone();
        if let Some(axis) = self.axis(network, value) {
            shape.remove(axis);
        }
        shape
    }

    /// Elements of a value; nothing where they are too many to be counted.
    pub(crate) fn elements(&self, network: &Graph, value: ValueId) -> Option<u64> {
        match self.axis(network, value) {
            Some(_) => elements(&self.shape(network, value)),
            None => {
                let all = elements(&network.value(value).shape)?;
                Some(self.share(all, value))
            }
        }
    }

    /// How often an operator that reads a batch works for one image: a matrix product may read the places of a map as its
    /// batch.
    pub(crate) fn runs(&self, network: &Graph, node: &Node) -> u64 {
        let Some(&read) = node.inputs.first() else {
            return 1;
        };
        match (self.axis(network, read), network.value(read).shape.first()) {
            (Some(0), _) | (_, None) => 1,
            (_, Some(&rows)) => self.share(rows as u64, read),
        }
    }

    /// The axis along which images lie.
    fn axis(&self, network: &Graph, value: ValueId) -> Option<usize> {
        let axis = match &self.roles {
            Some(roles) => roles.batch(network, value)?,
            None => 0,
        };
        let extent = network.value(value).shape.get(axis)?;
        (*extent == self.images).then_some(axis)
    }

    /// What one image has of a number for all, which lie in an axis with something else.
    fn share(&self, all: u64, value: ValueId) -> u64 {
        let images = self.images as u64;
        match self.depends[value.index()] && all.is_multiple_of(images) {
            true => all / images,
            false => all,
        }
    }
}
