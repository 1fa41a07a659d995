//! Operators that only move elements.

use geometry::{
    AxisError, ChannelShuffle, ConcatGeometry, PadDesc, PermuteGeometry, PixelShuffleDesc,
    SliceDesc, check_reshape,
};

use super::Family;
use crate::infer::ValueType;
use crate::operands::{Operand, Operands};
use crate::step::Step;
use crate::{GraphError, Op, OpError, ValueId};

/// An operator that only moves elements.
#[derive(Clone, Debug, PartialEq)]
pub enum RearrangeOp {
    /// Padding, and cropping where it is negative: `x → y`, every axis longer by its amounts.
    Pad {
        /// Amounts for each axis, batch and channels too, and what they hold.
        desc: PadDesc,
        /// What a constant padding holds.
        value: f32,
    },
    /// `dy → dx`: each element sums the gradients of its copies.
    PadBackward {
        /// The forward padding.
        desc: PadDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Every step-th element of some axes, as in ONNX and Python: `x → y`.
    Slice {
        /// The ranges.
        desc: SliceDesc,
    },
    /// `dy → dx`, which is 0 where nothing was taken.
    SliceBackward {
        /// The forward slice.
        desc: SliceDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Inputs side by side along any axis: `x1, x2, … → y`. Along channels [`Op::Concat`] needs no copy.
    Concat {
        /// The axis; a negative one counts from the end.
        axis: i64,
    },
    /// Axes in another order: `x → y`, axis `i` of `y` is axis `axes[i]` of `x`.
    Permute {
        /// Every axis of `x` once.
        axes: Vec<usize>,
    },
    /// Channels turned into pixels (Shi et al. 2016): `[n, C·b, spatial…] → [n, C, spatial·f…]`, where `b`
    /// is the product of the factors `f`.
    PixelShuffle {
        /// Factors and order.
        desc: PixelShuffleDesc,
    },
    /// The inverse: `[n, C, spatial…] → [n, C·b, spatial/f…]`.
    PixelUnshuffle {
        /// Factors and order.
        desc: PixelShuffleDesc,
    },
    /// Channels mixed between groups (Zhang et al. 2018): `[n, c, …]` unchanged in shape.
    ChannelShuffle {
        /// Groups before the shuffle.
        groups: usize,
    },
    /// The same elements with other extents, in the order of the shape whatever the layout: `x → y`.
    Reshape {
        /// The shape of the result.
        shape: Vec<usize>,
    },
}

impl Family for RearrangeOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Pad { .. } => "pad",
            Self::PadBackward { .. } => "pad backward",
            Self::Slice { .. } => "slice",
            Self::SliceBackward { .. } => "slice backward",
            Self::Concat { .. } => "concat on an axis",
            Self::Permute { .. } => "permute",
            Self::PixelShuffle { .. } => "pixel shuffle",
            Self::PixelUnshuffle { .. } => "pixel unshuffle",
            Self::ChannelShuffle { .. } => "channel shuffle",
            Self::Reshape { .. } => "reshape",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        let shape = match self {
            Self::PadBackward { desc, input } => {
                let padded = |input: &[usize]| Ok(desc.resolve(input)?.output_shape());
                self.backward(read, input, padded)?
            }
            Self::SliceBackward { desc, input } => {
                let sliced = |input: &[usize]| Ok(desc.resolve(input)?.output_shape());
                self.backward(read, input, sliced)?
            }
            Self::Concat { axis } => {
                let first = read.float("x1")?;
                let mut shapes = vec![first.shape];
                while read.more() {
                    shapes.push(read.float("x")?.shape);
                }
                let joined = ConcatGeometry::resolve(*axis, &shapes);
                let joined = joined.map_err(|source| first.refused(source))?;
                joined.shape().to_vec()
            }
            _ => {
                let x = read.float("x")?;
                self.moved(x).map_err(|source| x.refused(source))?
            }
        };
        Ok(vec![ValueType::float(shape)])
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let dy = step.upstream()?;
        let give = |step: &mut Step<'_>, op: Self| step.give(Op::Rearrange(op), vec![dy], &[0]);
        let input = |step: &Step<'_>| step.shape(step.input(0)).to_vec();
        match self.clone() {
            Self::Pad { desc, .. } => {
                let input = input(step);
                give(step, Self::PadBackward { desc, input })
            }
            // Where nothing is repeated, padding is the way back of its way back.
            Self::PadBackward { desc, .. } => give(step, Self::Pad { desc, value: 0.0 }),
            Self::Slice { desc } => {
                let input = input(step);
                give(step, Self::SliceBackward { desc, input })
            }
            Self::SliceBackward { desc, .. } => give(step, Self::Slice { desc }),
            Self::Concat { axis } => concat_gradient(step, axis, dy),
            Self::Permute { axes } => {
                let mut back = vec![0; axes.len()];
                for (to, &from) in axes.iter().enumerate() {
                    back[from] = to;
                }
                give(step, Self::Permute { axes: back })
            }
            Self::PixelShuffle { desc } => give(step, Self::PixelUnshuffle { desc }),
            Self::PixelUnshuffle { desc } => give(step, Self::PixelShuffle { desc }),
            Self::ChannelShuffle { groups } => {
                let channels = input(step)[1];
                let groups = (channels / groups).max(1);
                give(step, Self::ChannelShuffle { groups })
            }
            Self::Reshape { .. } => {
                let shape = input(step);
                give(step, Self::Reshape { shape })
            }
        }
    }
}

impl RearrangeOp {
    /// What an operator of one input makes of it.
    fn moved(&self, x: Operand<'_>) -> Result<Vec<usize>, AxisError> {
        Ok(match self {
            Self::Pad { desc, .. } => desc.resolve(x.shape)?.output_shape(),
            Self::Slice { desc } => desc.resolve(x.shape)?.output_shape(),
            Self::Permute { axes } => PermuteGeometry::resolve(axes, x.shape)?.output_shape(),
            Self::PixelShuffle { desc } => desc.resolve_deep(x.shape)?.wide_shape(),
            Self::PixelUnshuffle { desc } => desc.resolve_wide(x.shape)?.deep_shape(),
            Self::ChannelShuffle { groups } => {
                ChannelShuffle::resolve(*groups, x.shape)?;
                x.shape.to_vec()
            }
            Self::Reshape { shape } => {
                check_reshape(x.shape, shape)?;
                shape.clone()
            }
            Self::PadBackward { .. } | Self::SliceBackward { .. } | Self::Concat { .. } => {
                unreachable!("inferred by itself")
            }
        })
    }

    /// Reads the gradient of what `forward` makes of `input`; gives the shape of the input's.
    fn backward(
        &self,
        read: &mut Operands<'_>,
        input: &[usize],
        forward: impl FnOnce(&[usize]) -> Result<Vec<usize>, AxisError>,
    ) -> Result<Vec<usize>, OpError> {
        let dy = read.float("dy")?;
        let made = forward(input).map_err(|source| OpError::Axes {
            op: self.name(),
            input: input.to_vec(),
            source,
        })?;
        dy.must_fit(&made, "forward input", input)?;
        Ok(input.to_vec())
    }
}

/// Each input gets the part of the gradient that lies where the input was put.
fn concat_gradient(step: &mut Step<'_>, axis: i64, dy: ValueId) -> Result<(), GraphError> {
    let mut start = 0i64;
    for place in 0..step.inputs() {
        let shape = step.shape(step.input(place));
        let at = if axis < 0 {
            axis + shape.len() as i64
        } else {
            axis
        };
        // Inference checked the axis, and that the extents can be added up.
        let stop = start + shape[at as usize] as i64;
        let desc = SliceDesc::new().axis(axis, start, stop, 1);
        let part = RearrangeOp::Slice { desc };
        step.give(Op::Rearrange(part), vec![dy], &[place])?;
        start = stop;
    }
    Ok(())
}
