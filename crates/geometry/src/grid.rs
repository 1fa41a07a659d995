//! Spatial transformers (Jaderberg et al. 2015): affine grids, and sampling a feature map along one.

use crate::conv::lifted_shape;
use crate::error::checked_product;
use crate::{Axes, GeometryError, MAX_RANK};

/// Which elements around a coordinate are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GridInterpolation {
    /// The nearest; halves go to the even one.
    Nearest,
    /// Two an axis: bilinear or trilinear.
    Linear,
    /// Four an axis by the cubic convolution kernel of coefficient −0.75; two axes only.
    Cubic,
}

/// What lies outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GridPadding {
    /// Zeros.
    Zeros,
    /// The nearest element of the edge.
    Border,
    /// The image, mirrored again and again: at the middles of its edge elements with `align_corners`,
    /// at their outer edges without.
    Reflection,
}

/// Sampling along a grid as a user asks for it (PyTorch `grid_sample`, ONNX GridSample).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GridSampleDesc {
    /// Which elements around a coordinate are read.
    pub interpolation: GridInterpolation,
    /// What lies outside the image.
    pub padding: GridPadding,
    /// −1 and 1 are the middles of the edge elements, not their outer edges.
    pub align_corners: bool,
}

impl GridSampleDesc {
    /// Zeros outside the image, −1 and 1 at its outer edges: PyTorch's defaults.
    pub fn new(interpolation: GridInterpolation) -> Self {
        Self {
            interpolation,
            padding: GridPadding::Zeros,
            align_corners: false,
        }
    }

    /// Sets what lies outside the image.
    pub fn padding(mut self, padding: GridPadding) -> Self {
        self.padding = padding;
        self
    }

    /// Puts −1 and 1 on the middles of the edge elements, or on their outer edges.
    pub fn align_corners(mut self, align_corners: bool) -> Self {
        self.align_corners = align_corners;
        self
    }

    /// Checks the shapes of a map, `[n, c, h, w]` or `[n, c, d, h, w]`, and of a grid over it,
    /// `[n, h', w', 2]` or `[n, d', h', w', 3]`.
    ///
    /// # Errors
    /// Shapes that do not go together, an image without elements, cubic interpolation over three
    /// axes, or more elements than can be addressed.
    pub fn resolve(
        &self,
        input: &[usize],
        grid: &[usize],
    ) -> Result<GridSampleGeometry, GeometryError> {
        let mismatch = || GeometryError::Grid {
            input: input.to_vec(),
            grid: grid.to_vec(),
        };
        let ([batch, channels, spatial @ ..], [images, output @ .., axes]) = (input, grid) else {
            return Err(mismatch());
        };
        let rank = spatial.len();
        if batch != images || !matches!(rank, 2 | 3) || output.len() != rank || *axes != rank {
            return Err(mismatch());
        }
        if rank == 3 && self.interpolation == GridInterpolation::Cubic {
            return Err(GeometryError::CubicRank { rank });
        }
        if spatial.contains(&0) {
            return Err(GeometryError::Zero {
                what: "size of the input",
            });
        }
        let geometry = GridSampleGeometry {
            desc: *self,
            batch: *batch,
            channels: *channels,
            rank,
            input: lifted(spatial),
            output: lifted(output),
        };
        checked_product("the input", input)?;
        checked_product("the grid", grid)?;
        checked_product("the output", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// Sampling of a given map along a grid of a given shape, every number checked; three axes always,
/// leading ones of size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GridSampleGeometry {
    /// How it is sampled.
    pub desc: GridSampleDesc,
    /// Images, each with a grid of its own.
    pub batch: usize,
    /// Channels, all sampled at the same places.
    pub channels: usize,
    /// Spatial axes of the problem: 2 or 3.
    pub rank: usize,
    /// Depth, height and width of the input.
    pub input: [usize; MAX_RANK],
    /// Depth, height and width of the grid and the output.
    pub output: [usize; MAX_RANK],
}

impl GridSampleGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.input)
    }

    /// `[n, c, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.output)
    }

    /// `[n, spatial…, axes]`
    pub fn grid_shape(&self) -> Vec<usize> {
        let spatial = &self.output[MAX_RANK - self.rank..];
        [&[self.batch], spatial, &[self.rank]].concat()
    }

    /// Elements of an input plane.
    pub fn input_area(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of an output plane.
    pub fn output_area(&self) -> usize {
        self.output.iter().product()
    }
}

/// An affine grid as a user asks for it (PyTorch `affine_grid`, ONNX AffineGrid).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AffineGridDesc {
    /// Height and width of the grid, or depth, height and width.
    pub size: Axes,
    /// −1 and 1 are the middles of the edge elements, not their outer edges.
    pub align_corners: bool,
}

impl AffineGridDesc {
    /// A grid of this size, −1 and 1 at its outer edges.
    pub fn new(size: impl Into<Axes>) -> Self {
        Self {
            size: size.into(),
            align_corners: false,
        }
    }

    /// Puts −1 and 1 on the middles of the edge elements, or on their outer edges.
    pub fn align_corners(mut self, align_corners: bool) -> Self {
        self.align_corners = align_corners;
        self
    }

    /// Checks the shape of the matrices, `[n, 2, 3]` or `[n, 3, 4]`.
    ///
    /// # Errors
    /// Other shapes, a size for another number of axes, or more elements than can be addressed.
    pub fn resolve(&self, theta: &[usize]) -> Result<AffineGridGeometry, GeometryError> {
        let (batch, rank) = match *theta {
            [batch, 2, 3] => (batch, 2),
            [batch, 3, 4] => (batch, 3),
            _ => {
                return Err(GeometryError::Affine {
                    theta: theta.to_vec(),
                });
            }
        };
        let geometry = AffineGridGeometry {
            batch,
            rank,
            output: lifted(&self.size.expand("size", rank)?),
            align_corners: self.align_corners,
        };
        checked_product("the matrices", theta)?;
        checked_product("the grid", &geometry.grid_shape())?;
        Ok(geometry)
    }
}

/// An affine grid for given matrices, every number checked; three axes always, leading ones of
/// size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AffineGridGeometry {
    /// Matrices, and grids.
    pub batch: usize,
    /// Spatial axes of the problem: 2 or 3.
    pub rank: usize,
    /// Depth, height and width of the grid.
    pub output: [usize; MAX_RANK],
    /// See [`AffineGridDesc::align_corners`].
    pub align_corners: bool,
}

impl AffineGridGeometry {
    /// `[n, axes, axes + 1]`
    pub fn theta_shape(&self) -> Vec<usize> {
        vec![self.batch, self.rank, self.rank + 1]
    }

    /// `[n, spatial…, axes]`
    pub fn grid_shape(&self) -> Vec<usize> {
        let spatial = &self.output[MAX_RANK - self.rank..];
        [&[self.batch], spatial, &[self.rank]].concat()
    }

    /// Points of a grid.
    pub fn area(&self) -> usize {
        self.output.iter().product()
    }
}

/// Sizes of one to three axes, with leading ones up to three.
pub(crate) fn lifted(spatial: &[usize]) -> [usize; MAX_RANK] {
    let mut sizes = [1; MAX_RANK];
    sizes[MAX_RANK - spatial.len()..].copy_from_slice(spatial);
    sizes
}
