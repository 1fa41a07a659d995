//! What a network moves through memory.

use crate::cost::elements;
use crate::per_image::PerImage;
use crate::users::Users;
use crate::{Graph, Node, Op, RearrangeOp, Role, ValueId};

/// Bytes of an element; networks are computed in f32.
const BYTES: u64 = 4;

/// What the nodes of a network move for one image of its batch.
#[derive(Clone, Debug)]
pub struct Traffic<'a> {
    network: &'a Graph,
    per_image: PerImage,
}

impl<'a> Traffic<'a> {
    /// That of a forward graph.
    pub fn of(network: &'a Graph) -> Self {
        Self {
            network,
            per_image: PerImage::of(network),
        }
    }

    /// Bytes that a forward node moves for one image if it is computed by itself: each of its inputs and
    /// parameters read once, its outputs written once, in f32. Views of the same elements move nothing.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::{NetworkBuilder, Traffic};
    ///
    /// let mut network = NetworkBuilder::new("pointwise", [8, 16, 10, 10]);
    /// let x = network.input();
    /// let y = network.conv("conv", x, ConvDesc::new(32, 1), false)?;
    /// let network = network.finish(y)?;
    /// let moved = Traffic::of(&network).bytes_moved(&network.nodes[0]);
    /// assert_eq!(moved, 4 * (16 * 100 + 16 * 32 + 32 * 100));
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn bytes_moved(&self, node: &Node) -> u64 {
        let is_view = matches!(
            node.op,
            Op::Flatten
                | Op::Unflatten { .. }
                | Op::Dropout { .. }
                | Op::Rearrange(RearrangeOp::Reshape { .. })
        );
        if is_view {
            return 0;
        }
        let written = node.outputs.iter().take(1).copied();
        let values = node.distinct_inputs().into_iter().chain(written);
        let moved = values.map(|id| self.bytes_of_image(id));
        moved.fold(0, u64::saturating_add)
    }

    /// The most bytes of feature maps that must be there at once in a forward run on one image, when
    /// each is dropped after its last reader; the images and heads for training are among them, and
    /// parameters are not.
    pub fn peak_activations(&self) -> u64 {
        let network = self.network;
        let users = Users::of(network);
        let is_map = |id: ValueId| matches!(network.value(id).role, Role::Computed | Role::Input);
        let given = network.inputs.iter().map(|&id| self.bytes_of_image(id));
        let mut live = given.fold(0, u64::saturating_add);
        let mut peak = live;
        for (place, node) in network.nodes.iter().enumerate() {
            let made = node.outputs.iter().map(|&id| self.bytes_of_image(id));
            live = made.fold(live, u64::saturating_add);
            peak = peak.max(live);
            let read = node.distinct_inputs().into_iter();
            let done = read.filter(|&id| users.last_reader(id) == Some(place) && is_map(id));
            let done = done.map(|id| self.bytes_of_image(id));
            live = done.fold(live, u64::saturating_sub);
        }
        peak
    }

    fn bytes_of_image(&self, id: ValueId) -> u64 {
        let value = self.network.value(id);
        let elements = match value.role {
            Role::Computed | Role::Input => self.per_image.elements(self.network, id),
            Role::Parameter { .. } | Role::State { .. } => elements(&value.shape),
        };
        let elements = elements.unwrap_or(u64::MAX / BYTES);
        elements.saturating_mul(BYTES)
    }
}
