//! Spatial transformers and resizing on tensors.

use geometry::{AffineGridDesc, GridSampleDesc};
use graph::{Op, Resizing, SamplingOp};
use tensor::Tensor;

use super::{Eager, Element};
use crate::RuntimeError;

impl Eager {
    /// The points of a regular grid under affine maps (Jaderberg et al. 2015, "Spatial transformer
    /// networks"; PyTorch `affine_grid`): of matrices `[n, 2, 3]` a grid `[n, h, w, 2]` of points
    /// `(x, y)`, of `[n, 3, 4]` one `[n, d, h, w, 3]` of `(x, y, z)`. Coordinates go from −1 to 1
    /// over the image.
    ///
    /// ```
    /// use geometry::AffineGridDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// // Twice as wide, and one to the right.
    /// let theta = Tensor::from_slice(&[1, 2, 3], &[2.0f32, 0.0, 1.0, 0.0, 1.0, 0.0])?;
    /// let grid = eager.affine_grid(&theta, AffineGridDesc::new([1, 2]))?;
    /// assert_eq!(grid.dims(), [1, 1, 2, 2]);
    /// assert_eq!(grid.data(), [0.0, 0.0, 2.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Matrices of another shape, a size for another number of axes, or memory that cannot be had.
    pub fn affine_grid<T: Element>(
        &self,
        theta: &Tensor<T>,
        desc: AffineGridDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Sampling(SamplingOp::AffineGrid { desc });
        Ok(self.apply(op, &[theta.into()])?.remove(0).real())
    }

    /// A feature map `[n, c, h, w]` or `[n, c, d, h, w]` read at the points of a grid,
    /// `[n, h', w', 2]` or `[n, d', h', w', 3]` (PyTorch `grid_sample`, ONNX GridSample). The map may
    /// be anything of that shape, the weights of a convolution among others.
    ///
    /// ```
    /// use geometry::{GridInterpolation, GridSampleDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// // The middle, the last element, far outside.
    /// let grid = Tensor::from_slice(&[1, 1, 3, 2], &[0.0f32, 0.0, 0.5, 0.5, 5.0, 5.0])?;
    /// let y = eager.grid_sample(&x, &grid, GridSampleDesc::new(GridInterpolation::Linear))?;
    /// assert_eq!(y.dims(), [1, 1, 1, 3]);
    /// assert_eq!(y.data(), [2.5, 4.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A grid that does not belong to the map, cubic interpolation over three axes, or memory that
    /// cannot be had.
    pub fn grid_sample<T: Element>(
        &self,
        x: &Tensor<T>,
        grid: &Tensor<T>,
        desc: GridSampleDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Sampling(SamplingOp::GridSample { desc });
        let mut made = self.apply(op, &[x.into(), grid.into()])?;
        Ok(made.remove(0).real())
    }

    /// A feature map `[n, c, spatial…]` of one to three spatial axes, resized (PyTorch `interpolate`,
    /// ONNX Resize). A [`ResizeDesc`](geometry::ResizeDesc) names a size; for scales see
    /// [`Resizing::scaled`].
    ///
    /// ```
    /// use geometry::ResizeDesc;
    /// use graph::Resizing;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 2], &[10.0f32, 20.0])?;
    /// let y = eager.resize(&x, ResizeDesc::linear(4))?;
    /// assert_eq!(y.data(), [10.0, 12.5, 17.5, 20.0]);
    /// let y = eager.resize(&x, Resizing::scaled(x.dims(), &[1.5], ResizeDesc::nearest)?)?;
    /// assert_eq!(y.data(), [10.0, 10.0, 20.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A size or scales that do not fit the map, or memory that cannot be had.
    pub fn resize<T: Element>(
        &self,
        x: &Tensor<T>,
        resizing: impl Into<Resizing>,
    ) -> Result<Tensor<T>, RuntimeError> {
        let resizing = resizing.into();
        let op = Op::Sampling(SamplingOp::Resize { resizing });
        Ok(self.apply(op, &[x.into()])?.remove(0).real())
    }
}
