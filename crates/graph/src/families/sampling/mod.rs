//! Spatial transformers and resizing.

mod resizing;

pub use resizing::Resizing;

use geometry::{AffineGridDesc, GridSampleDesc};

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError};

/// An operator that samples a feature map at other places.
///
/// A grid holds a point for every output pixel, `(x, y)` or `(x, y, z)` from −1 to 1 over the image:
/// `[n, h, w, 2]` or `[n, d, h, w, 3]`.
#[derive(Clone, Debug, PartialEq)]
pub enum SamplingOp {
    /// The points of a regular grid under an affine map (Jaderberg et al. 2015):
    /// `theta [n, 2, 3] → grid [n, h, w, 2]`, or `theta [n, 3, 4] → grid [n, d, h, w, 3]`.
    AffineGrid {
        /// Size of the grid.
        desc: AffineGridDesc,
    },
    /// `dgrid → dtheta`
    AffineGridBackward {
        /// The forward operator.
        desc: AffineGridDesc,
    },
    /// A map read at the points of a grid: `x [n, c, …], grid [n, …, axes] → y [n, c, …]`.
    GridSample {
        /// Interpolation and padding.
        desc: GridSampleDesc,
    },
    /// Gradient of the map: `grid, dy → dx`.
    GridSampleBackwardInput {
        /// The forward operator.
        desc: GridSampleDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Gradient of the grid: `x, grid, dy → dgrid`.
    GridSampleBackwardGrid {
        /// The forward operator.
        desc: GridSampleDesc,
    },
    /// Another number of elements along the axes of space: `x → y`.
    Resize {
        /// Filter, coordinates and size.
        resizing: Resizing,
    },
    /// `dy → dx`
    ResizeBackward {
        /// The forward operator.
        resizing: Resizing,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
}

impl Family for SamplingOp {
    fn name(&self) -> &'static str {
        match self {
            Self::AffineGrid { .. } => "affine grid",
            Self::AffineGridBackward { .. } => "affine grid backward",
            Self::GridSample { .. } => "grid sample",
            Self::GridSampleBackwardInput { .. } => "grid sample backward-input",
            Self::GridSampleBackwardGrid { .. } => "grid sample backward-grid",
            Self::Resize { .. } => "resize",
            Self::ResizeBackward { .. } => "resize backward",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        let op = self.name();
        let shape = match self {
            Self::AffineGrid { desc } => {
                let theta = read.float("theta")?;
                let geometry = desc
                    .resolve(theta.shape)
                    .map_err(OpError::on(op, theta.shape))?;
                geometry.grid_shape()
            }
            Self::AffineGridBackward { desc } => {
                let dgrid = read.float("dgrid")?;
                let (batch, axes) = match dgrid.shape {
                    [batch, .., axes @ (2 | 3)] => (*batch, *axes),
                    _ => return Err(dgrid.rank("[n, h, w, 2] or [n, d, h, w, 3]")),
                };
                let theta = [batch, axes, axes + 1];
                let geometry = desc.resolve(&theta).map_err(OpError::on(op, &theta))?;
                dgrid.must_fit(
                    &geometry.grid_shape(),
                    "size of the grid",
                    desc.size.as_slice(),
                )?;
                theta.to_vec()
            }
            Self::GridSample { desc } => {
                let (x, grid) = (read.float("x")?, read.float("grid")?);
                let geometry = desc.resolve(x.shape, grid.shape);
                geometry.map_err(OpError::on(op, x.shape))?.output_shape()
            }
            Self::GridSampleBackwardInput { desc, input } => {
                let (grid, dy) = (read.float("grid")?, read.float("dy")?);
                let geometry = desc
                    .resolve(input, grid.shape)
                    .map_err(OpError::on(op, input))?;
                dy.must_be(&geometry.output_shape(), grid)?;
                input.clone()
            }
            Self::GridSampleBackwardGrid { desc } => {
                let (x, grid) = (read.float("x")?, read.float("grid")?);
                let dy = read.float("dy")?;
                let geometry = desc
                    .resolve(x.shape, grid.shape)
                    .map_err(OpError::on(op, x.shape))?;
                dy.must_be(&geometry.output_shape(), grid)?;
                grid.shape.to_vec()
            }
            Self::Resize { resizing } => {
                let x = read.float("x")?;
                resizing.resolve(op, x.shape)?.output_shape()
            }
            Self::ResizeBackward { resizing, input } => {
                let dy = read.float("dy")?;
                let geometry = resizing.resolve(op, input)?;
                dy.must_fit(&geometry.output_shape(), "forward input", input)?;
                input.clone()
            }
        };
        Ok(vec![ValueType::float(shape)])
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let dy = step.upstream()?;
        let input = || step.shape(step.input(0)).to_vec();
        match self {
            Self::AffineGrid { desc } => {
                let desc = desc.clone();
                let op = Self::AffineGridBackward { desc };
                step.give(Op::Sampling(op), vec![dy], &[0])
            }
            Self::GridSample { desc } => {
                let (x, grid) = (step.input(0), step.input(1));
                let by_input = Self::GridSampleBackwardInput {
                    desc: *desc,
                    input: input(),
                };
                let by_grid = Self::GridSampleBackwardGrid { desc: *desc };
                // The grid first: afterwards x may be given up before dx takes memory.
                step.give(Op::Sampling(by_grid), vec![x, grid, dy], &[1])?;
                step.give(Op::Sampling(by_input), vec![grid, dy], &[0])
            }
            Self::Resize { resizing } => {
                let op = Self::ResizeBackward {
                    resizing: resizing.clone(),
                    input: input(),
                };
                step.give(Op::Sampling(op), vec![dy], &[0])
            }
            // The backward operators are linear in the gradient they carry, and the forward
            // operators are their adjoints.
            Self::AffineGridBackward { desc } => {
                let op = Self::AffineGrid { desc: desc.clone() };
                step.give(Op::Sampling(op), vec![dy], &[0])
            }
            Self::GridSampleBackwardInput { desc, .. } => {
                let (grid, inner) = (step.input(0), step.input(1));
                let by_grid = Self::GridSampleBackwardGrid { desc: *desc };
                step.give(Op::Sampling(by_grid), vec![dy, grid, inner], &[0])?;
                let sample = Self::GridSample { desc: *desc };
                step.give(Op::Sampling(sample), vec![dy, grid], &[1])
            }
            Self::ResizeBackward { resizing, .. } => {
                let mut resizing = resizing.clone();
                resizing.extrapolation = 0.0;
                step.give(Op::Sampling(Self::Resize { resizing }), vec![dy], &[0])
            }
            Self::GridSampleBackwardGrid { .. } => Err(step.refuse("")),
        }
    }
}
