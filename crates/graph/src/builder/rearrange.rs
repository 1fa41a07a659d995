//! Layers that only move elements.

use geometry::{PadDesc, PixelShuffleDesc, SliceDesc};

use super::NetworkBuilder;
use crate::{GraphError, Op, RearrangeOp, ValueId};

impl NetworkBuilder {
    /// Padding with a constant, a reflection, the edge or the other end; negative amounts crop.
    ///
    /// ```
    /// use geometry::{PadDesc, PadMode};
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("mirrored", [1, 3, 8, 10]);
    /// let x = network.input();
    /// let y = network.pad(x, PadDesc::spatial(PadMode::Reflect, &[(1, 1), (2, 0)]), 0.0)?;
    /// assert_eq!(network.shape(y)?, [1, 3, 10, 12]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// Amounts for another number of axes, or that the axes do not allow.
    pub fn pad(&mut self, x: ValueId, desc: PadDesc, value: f32) -> Result<ValueId, GraphError> {
        self.rearrange("pad", RearrangeOp::Pad { desc, value }, &[x])
    }

    /// Every step-th element of some axes.
    ///
    /// # Errors
    /// An axis that does not exist, or a step of 0.
    pub fn slice(&mut self, x: ValueId, desc: SliceDesc) -> Result<ValueId, GraphError> {
        self.rearrange("slice", RearrangeOp::Slice { desc }, &[x])
    }

    /// Values side by side along any axis; along the channels [`NetworkBuilder::concat`] saves the copy.
    ///
    /// # Errors
    /// No inputs, or inputs that differ on another axis.
    pub fn concat_on(&mut self, axis: i64, inputs: &[ValueId]) -> Result<ValueId, GraphError> {
        self.rearrange("concat", RearrangeOp::Concat { axis }, inputs)
    }

    /// Axes in another order: axis `i` of the result is axis `axes[i]` of `x`.
    ///
    /// # Errors
    /// A list that does not name every axis once.
    pub fn permute(&mut self, x: ValueId, axes: &[usize]) -> Result<ValueId, GraphError> {
        let axes = axes.to_vec();
        self.rearrange("permute", RearrangeOp::Permute { axes }, &[x])
    }

    /// Channels turned into pixels, the upsampling of sub-pixel convolutions (Shi et al. 2016):
    /// `[n, C·f², h, w] → [n, C, h·f, w·f]`.
    ///
    /// # Errors
    /// Channels that do not divide.
    pub fn pixel_shuffle(
        &mut self,
        x: ValueId,
        desc: PixelShuffleDesc,
    ) -> Result<ValueId, GraphError> {
        self.rearrange("pixel_shuffle", RearrangeOp::PixelShuffle { desc }, &[x])
    }

    /// Pixels turned into channels, the inverse of [`NetworkBuilder::pixel_shuffle`].
    ///
    /// # Errors
    /// Spatial extents that do not divide.
    pub fn pixel_unshuffle(
        &mut self,
        x: ValueId,
        desc: PixelShuffleDesc,
    ) -> Result<ValueId, GraphError> {
        self.rearrange(
            "pixel_unshuffle",
            RearrangeOp::PixelUnshuffle { desc },
            &[x],
        )
    }

    /// Channels mixed between groups, between two grouped convolutions (Zhang et al. 2018).
    ///
    /// # Errors
    /// Groups that do not divide the channels.
    pub fn channel_shuffle(&mut self, x: ValueId, groups: usize) -> Result<ValueId, GraphError> {
        let op = RearrangeOp::ChannelShuffle { groups };
        self.rearrange("channel_shuffle", op, &[x])
    }

    /// The same elements with other extents.
    ///
    /// # Errors
    /// Another number of elements.
    pub fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId, GraphError> {
        let shape = shape.to_vec();
        self.rearrange("reshape", RearrangeOp::Reshape { shape }, &[x])
    }

    fn rearrange(
        &mut self,
        name: &str,
        op: RearrangeOp,
        inputs: &[ValueId],
    ) -> Result<ValueId, GraphError> {
        let layer = self.unnamed(name);
        self.push(Op::Rearrange(op), layer, inputs.to_vec())
    }
}
