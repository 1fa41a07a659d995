//! Resizing: the sizes, and the rules by which an output element finds its place in the input.

use crate::conv::{lifted_shape, split_shape};
use crate::error::checked_product;
use crate::grid::lifted;
use crate::{Axes, GeometryError, MAX_RANK};

/// How a coordinate between elements becomes an element (ONNX Resize, `nearest_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NearestRounding {
    /// To the nearest; halves go down.
    HalfDown,
    /// To the nearest; halves go up.
    HalfUp,
    /// Down.
    Floor,
    /// Up.
    Ceil,
}

/// The free coefficient of the cubic convolution kernel (Keys 1981).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CubicCoefficient {
    /// −0.5: Keys' own, TensorFlow's, Pillow's, and PyTorch's with antialiasing.
    MinusHalf,
    /// −0.75: PyTorch's, OpenCV's, and ONNX's default.
    MinusThreeQuarters,
}

/// What an output element is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResizeFilter {
    /// One input element.
    Nearest(NearestRounding),
    /// Two neighbours an axis, weighted by their distance.
    Linear {
        /// When an axis shrinks, the filter is stretched until it covers what an output element
        /// stands for.
        antialias: bool,
    },
    /// Four neighbours an axis, weighted by the cubic convolution kernel.
    Cubic {
        /// Free coefficient of the kernel.
        coefficient: CubicCoefficient,
        /// As in [`ResizeFilter::Linear`].
        antialias: bool,
    },
}

/// Where output element `o` of `out` lies on an input of `in` elements, element `i` of which lies at
/// `i` (ONNX Resize-19, `coordinate_transformation_mode`). `s` is the scale, `out / in` if none is
/// given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResizeCoordinates {
    /// `(o + ½)/s − ½`: elements are areas, and the ends of the images coincide. What PyTorch does
    /// without `align_corners`.
    HalfPixel,
    /// As [`ResizeCoordinates::HalfPixel`], but where `in·s` is no whole number, the middles of the
    /// images coincide instead of their beginnings.
    HalfPixelSymmetric,
    /// As [`ResizeCoordinates::HalfPixel`], but a single output element lies at 0. Not what PyTorch
    /// does, despite its name.
    PytorchHalfPixel,
    /// `o·(in − 1)/(in·s − 1)`: the middles of the corner elements coincide. A single output element
    /// lies at 0.
    AlignCorners,
    /// `o/s`: the first elements coincide. With [`NearestRounding::Floor`] PyTorch's `nearest`.
    Asymmetric,
    /// A box of the input is stretched over the output, corner elements on its corners; what lies
    /// outside the input gets a number of its own (TensorFlow's `crop_and_resize`).
    CropAndResize,
}

/// A resizing as a user asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResizeDesc {
    /// What an output element is made of.
    pub filter: ResizeFilter,
    /// Where an output element lies on the input.
    pub coordinates: ResizeCoordinates,
    /// Input elements that the filter would find outside the image are left out, and the other
    /// weights made to sum to one; otherwise the image continues with its edge elements. PyTorch
    /// leaves them out exactly when it antialiases.
    pub exclude_outside: bool,
    /// Output elements along each spatial axis.
    pub size: Axes,
}

impl ResizeDesc {
    /// The input element at or before the coordinate `o/s`, as PyTorch's mode `nearest`.
    pub fn nearest(size: impl Into<Axes>) -> Self {
        Self {
            filter: ResizeFilter::Nearest(NearestRounding::Floor),
            coordinates: ResizeCoordinates::Asymmetric,
            exclude_outside: false,
            size: size.into(),
        }
    }

    /// Linear, bilinear or trilinear by the number of axes, half-pixel coordinates, as in PyTorch.
    pub fn linear(size: impl Into<Axes>) -> Self {
        Self {
            filter: ResizeFilter::Linear { antialias: false },
            coordinates: ResizeCoordinates::HalfPixel,
            exclude_outside: false,
            size: size.into(),
        }
    }

    /// Cubic with a coefficient of −0.75 and half-pixel coordinates, as PyTorch's `bicubic`.
    pub fn cubic(size: impl Into<Axes>) -> Self {
        let filter = ResizeFilter::Cubic {
            coefficient: CubicCoefficient::MinusThreeQuarters,
            antialias: false,
        };
        Self {
            filter,
            ..Self::linear(size)
        }
    }

    /// Antialiased as in PyTorch: nothing outside the image counts, and a cubic filter has a
    /// coefficient of −0.5. Nothing changes for a nearest filter.
    pub fn antialias(mut self) -> Self {
        self.filter = match self.filter {
            ResizeFilter::Nearest(_) => return self,
            ResizeFilter::Linear { .. } => ResizeFilter::Linear { antialias: true },
            ResizeFilter::Cubic { .. } => ResizeFilter::Cubic {
                coefficient: CubicCoefficient::MinusHalf,
                antialias: true,
            },
        };
        self.exclude_outside = true;
        self
    }

    /// Sets the rule of the coordinates.
    pub fn coordinates(mut self, coordinates: ResizeCoordinates) -> Self {
        self.coordinates = coordinates;
        self
    }

    /// Checks the descriptor against an input of shape `[n, c, (d, (h,)) w]`.
    ///
    /// # Errors
    /// An input of another rank, a size of zero on either side, sizes for another number of axes, or
    /// more elements than can be addressed.
    pub fn resolve(&self, input: &[usize]) -> Result<ResizeGeometry, GeometryError> {
        let (batch, channels, spatial) = split_shape(input)?;
        let size = self.size.expand("size", spatial.len())?;
        for (what, sizes) in [("size of the input", spatial), ("size", &size[..])] {
            if sizes.contains(&0) {
                return Err(GeometryError::Zero { what });
            }
        }
        let geometry = ResizeGeometry {
            filter: self.filter,
            coordinates: self.coordinates,
            exclude_outside: self.exclude_outside,
            batch,
            channels,
            rank: spatial.len(),
            input: lifted(spatial),
            output: lifted(&size),
        };
        checked_product("the input", input)?;
        checked_product("the output", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// A resizing of a given input, every number checked; three axes always, leading ones of size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResizeGeometry {
    /// What an output element is made of.
    pub filter: ResizeFilter,
    /// Where an output element lies on the input.
    pub coordinates: ResizeCoordinates,
    /// See [`ResizeDesc::exclude_outside`].
    pub exclude_outside: bool,
    /// Images.
    pub batch: usize,
    /// Channels, resized one by one.
    pub channels: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// Depth, height and width of the input.
    pub input: [usize; MAX_RANK],
    /// Depth, height and width of the output.
    pub output: [usize; MAX_RANK],
}

impl ResizeGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.input)
    }

    /// `[n, c, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.output)
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
