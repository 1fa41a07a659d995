//! Spatial transformers and resizing in networks.

use geometry::{AffineGridDesc, GridSampleDesc, ResizeDesc};

use super::NetworkBuilder;
use crate::{GraphError, Op, Resizing, SamplingOp, ValueId};

impl NetworkBuilder {
    /// The points of a regular grid under an affine map (Jaderberg et al. 2015): of matrices
    /// `[n, 2, 3]` a grid `[n, h, w, 2]`, of `[n, 3, 4]` one of three axes. What a linear layer
    /// makes, `[n, 6]` or `[n, 12]`, is taken as such matrices, row by row.
    ///
    /// # Errors
    /// A value of another shape.
    pub fn affine_grid(
        &mut self,
        theta: ValueId,
        desc: AffineGridDesc,
    ) -> Result<ValueId, GraphError> {
        let theta = match *self.shape(theta)? {
            [batch, 6] => self.matrices(theta, vec![batch, 2, 3])?,
            [batch, 12] => self.matrices(theta, vec![batch, 3, 4])?,
            _ => theta,
        };
        let layer = self.unnamed("affine_grid");
        let op = SamplingOp::AffineGrid { desc };
        self.push(Op::Sampling(op), layer, vec![theta])
    }

    /// `x`, `[n, c, h, w]` or `[n, c, d, h, w]`, read at the points of `grid`, `[n, h', w', 2]` or
    /// `[n, d', h', w', 3]`. Together with [`NetworkBuilder::affine_grid`] a spatial transformer:
    ///
    /// ```
    /// use geometry::{AffineGridDesc, GridInterpolation, GridSampleDesc, PoolDesc};
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("transformer", [4, 1, 28, 28]);
    /// let x = network.input();
    /// let seen = network.average_pool("seen", x, PoolDesc::average(4).stride(4))?;
    /// let seen = network.flatten(seen)?;
    /// let theta = network.linear("theta", seen, 6)?;
    /// let grid = network.affine_grid(theta, AffineGridDesc::new([20, 24]))?;
    /// let y = network.grid_sample(x, grid, GridSampleDesc::new(GridInterpolation::Linear))?;
    /// assert_eq!(network.shape(y)?, [4, 1, 20, 24]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A grid that does not belong to the map.
    pub fn grid_sample(
        &mut self,
        x: ValueId,
        grid: ValueId,
        desc: GridSampleDesc,
    ) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("grid_sample");
        let op = SamplingOp::GridSample { desc };
        self.push(Op::Sampling(op), layer, vec![x, grid])
    }

    /// `x`, `[n, c, spatial…]`, with another number of elements along its spatial axes: a
    /// [`ResizeDesc`] names the size.
    ///
    /// # Errors
    /// A size that does not fit the map.
    pub fn resize(
        &mut self,
        x: ValueId,
        resizing: impl Into<Resizing>,
    ) -> Result<ValueId, GraphError> {
        let resizing = resizing.into();
        let layer = self.unnamed("resize");
        self.push(
            Op::Sampling(SamplingOp::Resize { resizing }),
            layer,
            vec![x],
        )
    }

    /// `x`, `[n, c, spatial…]`, `scale` times as large along every spatial axis (PyTorch's
    /// `Upsample`); `desc` makes the resizing of the size that follows.
    ///
    /// ```
    /// use geometry::ResizeDesc;
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("twice", [1, 8, 7, 9]);
    /// let y = network.upsample(network.input(), 2.0, ResizeDesc::linear)?;
    /// assert_eq!(network.shape(y)?, [1, 8, 14, 18]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not a positive number, or leaves nothing.
    pub fn upsample(
        &mut self,
        x: ValueId,
        scale: f64,
        desc: impl FnOnce(Vec<usize>) -> ResizeDesc,
    ) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("upsample");
        let shape = self.shape(x)?;
        let scales = vec![scale; shape.len().saturating_sub(2)];
        let resizing = Resizing::scaled(shape, &scales, desc);
        let resizing = resizing.map_err(|error| error.in_layer(&layer))?;
        self.push(
            Op::Sampling(SamplingOp::Resize { resizing }),
            layer,
            vec![x],
        )
    }

    /// Rows of features as the matrices they stand for.
    fn matrices(&mut self, x: ValueId, shape: Vec<usize>) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("unflatten");
        self.push(Op::Unflatten { shape }, layer, vec![x])
    }
}
