//! Pools beyond maximum and average over a window.

use geometry::{AdaptiveDesc, Axes, NormOrder, PoolDesc, PoolKind, UnpoolDesc};

use super::NetworkBuilder;
use crate::families::PoolingOp;
use crate::{GraphError, Op, ValueId};

impl NetworkBuilder {
    /// Max pooling that also gives the places of the maxima, for [`Self::max_unpool`]; the kind of
    /// `desc` is set accordingly.
    ///
    /// # Errors
    /// As [`Self::pool`].
    pub fn max_pool_with_indices(
        &mut self,
        name: &str,
        x: ValueId,
        desc: PoolDesc,
    ) -> Result<(ValueId, ValueId), GraphError> {
        let layer = self.named(name)?;
        let op = Op::Pool {
            desc: PoolDesc {
                kind: PoolKind::Max,
                ..desc
            },
            indices: true,
        };
        let outputs = self.graph.append(op, layer, vec![x])?;
        Ok((outputs[0], outputs[1]))
    }

    /// Puts every element back to the place its maximum was taken from, and 0 elsewhere (Zeiler &
    /// Fergus 2013; SegNet's upsampling).
    ///
    /// ```
    /// use geometry::{PoolDesc, UnpoolDesc};
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("there and back", [1, 8, 9, 9]);
    /// let x = network.input();
    /// let (y, places) = network.max_pool_with_indices("pool", x, PoolDesc::max(2).stride(2))?;
    /// // Pooling has dropped the ninth row and column: say that they are to come back.
    /// let y = network.max_unpool("unpool", y, places, UnpoolDesc::new(2).output(9))?;
    /// let network = network.finish(y)?;
    /// assert_eq!(network.value(y).shape, [1, 8, 9, 9]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A name that is taken, or indices or a size that do not fit `x`.
    pub fn max_unpool(
        &mut self,
        name: &str,
        x: ValueId,
        indices: ValueId,
        desc: UnpoolDesc,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let op = Op::Pooling(PoolingOp::MaxUnpool { desc });
        self.push(op, layer, vec![x, indices])
    }

    /// Pooling to a given number of bins, of any kind.
    ///
    /// # Errors
    /// A name that is taken, or bins that do not fit `x`.
    pub fn adaptive_pool(
        &mut self,
        name: &str,
        x: ValueId,
        desc: AdaptiveDesc,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        self.push(adaptive(desc), layer, vec![x])
    }

    /// The mean of each of `output` bins an axis (PyTorch's `AdaptiveAvgPool`).
    ///
    /// ```
    /// let mut network = graph::NetworkBuilder::new("any size", [1, 256, 13, 17]);
    /// let x = network.input();
    /// let y = network.adaptive_average_pool("pool", x, 6)?;
    /// let network = network.finish(y)?;
    /// assert_eq!(network.value(y).shape, [1, 256, 6, 6]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::adaptive_pool`].
    pub fn adaptive_average_pool(
        &mut self,
        name: &str,
        x: ValueId,
        output: impl Into<Axes>,
    ) -> Result<ValueId, GraphError> {
        self.adaptive_pool(name, x, AdaptiveDesc::average(output))
    }

    /// The maximum of each of `output` bins an axis (PyTorch's `AdaptiveMaxPool`).
    ///
    /// # Errors
    /// As [`Self::adaptive_pool`].
    pub fn adaptive_max_pool(
        &mut self,
        name: &str,
        x: ValueId,
        output: impl Into<Axes>,
    ) -> Result<ValueId, GraphError> {
        self.adaptive_pool(name, x, AdaptiveDesc::max(output))
    }

    /// Maximum over space: `[n, c, h, w] → [n, c, 1, 1]`.
    ///
    /// # Errors
    /// `x` has no elements to choose from.
    pub fn global_max_pool(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("global_max_pool");
        self.push(adaptive(AdaptiveDesc::max(1)), layer, vec![x])
    }

    /// The norm `(Σ|x|ᵖ)^(1/p)` over space: `[n, c, h, w] → [n, c, 1, 1]`.
    ///
    /// # Errors
    /// `x` has no axes of space, or an empty one.
    pub fn global_lp_pool(&mut self, x: ValueId, order: NormOrder) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("global_lp_pool");
        self.push(adaptive(AdaptiveDesc::lp(order, 1)), layer, vec![x])
    }
}

fn adaptive(desc: AdaptiveDesc) -> Op {
    let indices = false;
    Op::Pooling(PoolingOp::Adaptive { desc, indices })
}
