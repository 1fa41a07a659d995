//! Pooling beyond maximum and average over a window: adaptive pooling, and the way back from maxima.

use geometry::{AdaptiveDesc, AdaptiveKind, GeometryError, UnpoolDesc};

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError};

/// A pooling operator.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolingOp {
    /// Pooling to a given number of bins, and with a single one, of whole planes: `x → y`, and for
    /// maxima in training `x → y, indices`.
    Adaptive {
        /// Maximum, average or norm, and the bins.
        desc: AdaptiveDesc,
        /// Maxima also give their places, for the backward pass. Of no meaning for other kinds.
        indices: bool,
    },
    /// Gradient of an adaptive pooling: `dy → dx` of averages, `dy, indices → dx` of maxima,
    /// `dy, x, y → dx` of norms.
    AdaptiveBackward {
        /// The forward pooling.
        desc: AdaptiveDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
    /// Max pooling undone: `x, indices → y`, zero but for the elements of `x` at their places
    /// `(d·H + h)·W + w` in the plane of their channel in `y`. Of several elements for one place the
    /// last one stays. Indices are those that max pooling gives; a place outside the plane is the
    /// caller's error, and stops the run with a panic that names it.
    MaxUnpool {
        /// The pooling that is undone.
        desc: UnpoolDesc,
    },
    /// Gradient of max unpooling: `dy, indices → dx`.
    MaxUnpoolBackward {
        /// The forward unpooling.
        desc: UnpoolDesc,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
}

impl Family for PoolingOp {
    fn name(&self) -> &'static str {
        let (desc, names) = match self {
            Self::Adaptive { desc, .. } => (
                desc,
                [
                    "adaptive max pool",
                    "adaptive average pool",
                    "adaptive lp pool",
                ],
            ),
            Self::AdaptiveBackward { desc, .. } => (
                desc,
                [
                    "adaptive max pool backward",
                    "adaptive average pool backward",
                    "adaptive lp pool backward",
                ],
            ),
            Self::MaxUnpool { .. } => return "max unpool",
            Self::MaxUnpoolBackward { .. } => return "max unpool backward",
        };
        match desc.kind {
            AdaptiveKind::Max => names[0],
            AdaptiveKind::Average => names[1],
            AdaptiveKind::Lp(_) => names[2],
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match self {
            Self::Adaptive { desc, indices } => {
                let x = read.float("x")?;
                let geometry = desc.resolve(x.shape).map_err(self.on(x.shape))?;
                let output = geometry.output_shape();
                let mut outputs = vec![ValueType::float(&output[..])];
                if *indices && desc.kind == AdaptiveKind::Max {
                    check_places(x.shape).map_err(self.on(x.shape))?;
                    outputs.push(ValueType::index(output));
                }
                Ok(outputs)
            }
            Self::AdaptiveBackward { desc, input } => {
                let dy = read.float("dy")?;
                let geometry = desc.resolve(input).map_err(self.on(input))?;
                let output = geometry.output_shape();
                dy.must_fit(&output, "forward input", input)?;
                match desc.kind {
                    AdaptiveKind::Average => {}
                    AdaptiveKind::Max => {
                        check_places(input).map_err(self.on(input))?;
                        read.index("indices")?.must_be(&output, dy)?;
                    }
                    AdaptiveKind::Lp(_) => {
                        read.float("x")?.must_fit(input, "forward input", input)?;
                        read.float("y")?.must_be(&output, dy)?;
                    }
                }
                Ok(vec![ValueType::float(&input[..])])
            }
            Self::MaxUnpool { desc } => {
                let x = read.float("x")?;
                let geometry = desc.resolve(x.shape).map_err(self.on(x.shape))?;
                let output = geometry.output_shape();
                check_places(&output).map_err(self.on(&output))?;
                read.index("indices")?.must_be(x.shape, x)?;
                Ok(vec![ValueType::float(output)])
            }
            Self::MaxUnpoolBackward { desc, input } => {
                let dy = read.float("dy")?;
                let geometry = desc.resolve(input).map_err(self.on(input))?;
                let output = geometry.output_shape();
                dy.must_fit(&output, "forward input", input)?;
                check_places(&output).map_err(self.on(&output))?;
                read.index("indices")?
                    .must_fit(input, "forward input", input)?;
                Ok(vec![ValueType::float(&input[..])])
            }
        }
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let input = step.shape(step.input(0)).to_vec();
        let mut inputs = vec![step.upstream()?];
        let backward = match self {
            Self::Adaptive { desc, indices } => {
                match desc.kind {
                    AdaptiveKind::Average => {}
                    AdaptiveKind::Max if *indices => inputs.push(step.output(1)),
                    AdaptiveKind::Max => {
                        return Err(step.refuse(" without its indices; see passes::training"));
                    }
                    AdaptiveKind::Lp(_) => inputs.extend([step.input(0), step.output(0)]),
                }
                let desc = desc.clone();
                Self::AdaptiveBackward { desc, input }
            }
            Self::MaxUnpool { desc } => {
                inputs.push(step.input(1));
                let desc = desc.clone();
                Self::MaxUnpoolBackward { desc, input }
            }
            Self::AdaptiveBackward { .. } | Self::MaxUnpoolBackward { .. } => {
                return Err(step.refuse(""));
            }
        };
        step.give(Op::Pooling(backward), inputs, &[0])
    }

    fn output_suffix(&self, place: usize) -> &'static str {
        if place == 1 { "indices" } else { "" }
    }
}

impl PoolingOp {
    fn on(&self, input: &[usize]) -> impl Fn(GeometryError) -> OpError {
        OpError::on(self.name(), input)
    }
}

/// Checks that the places of a plane can be told apart by 32 bits, with one number left over.
pub(crate) fn check_places(shape: &[usize]) -> Result<(), GeometryError> {
    let plane: usize = shape.iter().skip(2).product();
    if u32::try_from(plane).is_ok_and(|plane| plane < u32::MAX) {
        return Ok(());
    }
    let what = "the places of a plane";
    Err(GeometryError::Overflow { what })
}
