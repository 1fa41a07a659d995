//! Max unpooling: the size of the map that values return to.

use crate::conv::{lifted_shape, split_shape};
use crate::error::checked_product;
use crate::window::reach;
use crate::{Axes, GeometryError, MAX_RANK, Padding};

/// A max unpooling as a user asks for it: the pooling that is undone, by its windows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnpoolDesc {
    /// Window extent of the pooling.
    pub kernel: Axes,
    /// Its stride; as PyTorch and unlike [`PoolDesc`](crate::PoolDesc), the kernel by default.
    pub stride: Axes,
    /// Its padding.
    pub padding: Padding,
    /// The size of the map the values return to, where the one that follows from the windows is not
    /// the one that was pooled: pooling drops what does not fill a window.
    pub output: Option<Axes>,
}

impl UnpoolDesc {
    /// Undoes a pooling whose windows lie side by side, without padding.
    pub fn new(kernel: impl Into<Axes>) -> Self {
        let kernel = kernel.into();
        Self {
            stride: kernel.clone(),
            kernel,
            padding: Padding::Valid,
            output: None,
        }
    }

    /// Sets the stride.
    pub fn stride(mut self, stride: impl Into<Axes>) -> Self {
        self.stride = stride.into();
        self
    }

    /// Sets the padding.
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Sets the size of the output's spatial axes.
    pub fn output(mut self, output: impl Into<Axes>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Checks the descriptor against a pooled map of shape `[n, c, (d, (h,)) w]`.
    ///
    /// Without a size, an axis of `n` values returns to `(n−1)·s + k − before − after`: the smallest
    /// axis from which pooling makes `n`. A given size may differ from it by less than a stride
    /// (PyTorch's rule).
    ///
    /// # Errors
    /// Every combination without meaning, with its numbers; see [`GeometryError`].
    pub fn resolve(&self, input: &[usize]) -> Result<UnpoolGeometry, GeometryError> {
        let (batch, channels, spatial) = split_shape(input)?;
        let rank = spatial.len();
        checked_product("the input", input)?;
        let kernel = self.kernel.expand("kernel", rank)?;
        let stride = self.stride.expand("stride", rank)?;
        let given = match &self.output {
            Some(axes) => Some(axes.expand("output size", rank)?),
            None => None,
        };
        let mut geometry = UnpoolGeometry {
            batch,
            channels,
            rank,
            input: [1; MAX_RANK],
            output: [1; MAX_RANK],
        };
        for axis in 0..rank {
            let (n, k, s) = (spatial[axis], kernel[axis], stride[axis]);
            for (what, value) in [("input size", n), ("kernel", k), ("stride", s)] {
                if value == 0 {
                    return Err(GeometryError::Zero { what });
                }
            }
            let overflow = GeometryError::Overflow { what: "the output" };
            let full = reach(n, s, k).ok_or(overflow.clone())?;
            let padding = match self.padding {
                // Such a pooling makes n of n·s, and of what is up to a stride less.
                Padding::Same | Padding::SameLower => {
                    full.saturating_sub(n.checked_mul(s).ok_or(overflow)?)
                }
                _ => {
                    let (before, after) = self.padding.amounts(axis, rank, n, k, s)?;
                    before.checked_add(after).ok_or(overflow)?
                }
            };
            let lifted = MAX_RANK - rank + axis;
            geometry.input[lifted] = n;
            geometry.output[lifted] = match &given {
                None if full > padding => full - padding,
                None => {
                    return Err(GeometryError::EmptyTransposed {
                        axis,
                        full,
                        padding,
                    });
                }
                Some(given) => {
                    let size = given[axis];
                    let usual = full.saturating_sub(padding);
                    if size == 0 || size.abs_diff(usual) >= s {
                        return Err(GeometryError::UnpooledSize {
                            axis,
                            given: size,
                            usual,
                            stride: s,
                        });
                    }
                    size
                }
            };
        }
        checked_product("the output", &geometry.output_shape())?;
        Ok(geometry)
    }
}

/// A max unpooling on a given input, every number checked; three axes always, as in
/// [`ConvGeometry`](crate::ConvGeometry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnpoolGeometry {
    /// Images.
    pub batch: usize,
    /// Channels, each with planes of its own.
    pub channels: usize,
    /// Spatial axes of the problem: 1, 2 or 3.
    pub rank: usize,
    /// Depth, height and width of the pooled map.
    pub input: [usize; MAX_RANK],
    /// Depth, height and width of the map the values return to.
    pub output: [usize; MAX_RANK],
}

impl UnpoolGeometry {
    /// `[n, c, spatial…]`
    pub fn input_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.input)
    }

    /// `[n, c, spatial…]`
    pub fn output_shape(&self) -> Vec<usize> {
        lifted_shape(self.batch, self.channels, self.rank, self.output)
    }
}
