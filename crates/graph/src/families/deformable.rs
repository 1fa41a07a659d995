//! Deformable convolution.

use geometry::{DeformableDesc, DeformableGeometry};

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError, Value};

/// An operator of deformable convolution (Dai et al. 2017, Zhu et al. 2018), as torchvision's
/// `deform_conv2d` and ONNX's `DeformConv`.
///
/// Offsets are `[n, f·kh·kw·2, oh, ow]`: for every offset group and tap, in row-major order, how far its
/// sample moves down and how far across. A mask is `[n, f·kh·kw, oh, ow]` and an input exactly when the
/// descriptor is modulated; it is used as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum DeformableOp {
    /// `x, offset, [mask], weight, [bias] → y`; weight `[o, c/g, kh, kw]`, bias `[o]`.
    Conv {
        /// The convolution, its offset groups, and whether it is modulated.
        desc: DeformableDesc,
        /// There is a bias.
        bias: bool,
    },
    /// `dy, x, offset, [mask], weight → dx, doffset, [dmask]`
    BackwardData {
        /// The forward convolution.
        desc: DeformableDesc,
    },
    /// `dy, x, offset, [mask] → dweight`
    BackwardWeights {
        /// The forward convolution.
        desc: DeformableDesc,
    },
}

impl DeformableOp {
    fn desc(&self) -> &DeformableDesc {
        match self {
            Self::Conv { desc, .. }
            | Self::BackwardData { desc }
            | Self::BackwardWeights { desc } => desc,
        }
    }

    fn resolve(&self, input: &[usize]) -> Result<DeformableGeometry, OpError> {
        let resolved = self.desc().resolve(input);
        resolved.map_err(OpError::on(self.name(), input))
    }
}

impl Family for DeformableOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "deformable conv",
            Self::BackwardData { .. } => "deformable conv backward-data",
            Self::BackwardWeights { .. } => "deformable conv backward-weights",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        let dy = match self {
            Self::Conv { .. } => None,
            _ => Some(read.float("dy")?),
        };
        let x = read.float("x")?;
        let geometry = self.resolve(x.shape)?;
        let output = geometry.conv.output_shape();
        if let Some(dy) = dy {
            dy.must_be(&output, x)?;
        }
        let offset = read.float("offset")?;
        offset.must_be(&geometry.offset_shape(), x)?;
        let mask = geometry.mask_shape();
        if let Some(mask) = &mask {
            read.float("mask")?.must_be(mask, x)?;
        }
        let weight = geometry.conv.weight_shape();
        let mut read_weight = || -> Result<_, OpError> {
            let given = read.float("weight")?;
            given.must_be(&weight, x)?;
            Ok(given)
        };
        let outputs = match self {
            Self::Conv { bias, .. } => {
                let weight = read_weight()?;
                if *bias {
                    let channels = geometry.conv.out_channels;
                    read.float("bias")?.must_be(&[channels], weight)?;
                }
                vec![output]
            }
            Self::BackwardData { .. } => {
                read_weight()?;
                let mut outputs = vec![x.shape.to_vec(), offset.shape.to_vec()];
                outputs.extend(mask);
                outputs
            }
            Self::BackwardWeights { .. } => vec![weight],
        };
        Ok(outputs.into_iter().map(ValueType::float).collect())
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let Self::Conv { desc, bias } = self else {
            return Err(step.refuse(""));
        };
        let dy = step.upstream()?;
        let weight = 2 + usize::from(desc.modulated);
        if *bias {
            step.give(Op::ChannelSum, vec![dy], &[weight + 1])?;
        }
        let sources = (0..weight).map(|place| step.input(place));
        let mut inputs: Vec<_> = [dy].into_iter().chain(sources).collect();
        let desc = desc.clone();
        let weights = Self::BackwardWeights { desc: desc.clone() };
        step.give(Op::Deformable(weights), inputs.clone(), &[weight])?;
        inputs.push(step.input(weight));
        let places: Vec<_> = (0..weight).collect();
        let data = Self::BackwardData { desc };
        step.give(Op::Deformable(data), inputs, &places)
    }

    fn output_suffix(&self, place: usize) -> &'static str {
        match (self, place) {
            (Self::BackwardData { .. }, 1) => "offset",
            (Self::BackwardData { .. }, 2) => "mask",
            _ => "",
        }
    }

    fn macs(&self, inputs: &[&Value]) -> Option<u64> {
        let (Self::Conv { desc, .. }, [x, ..]) = (self, inputs) else {
            return None;
        };
        let geometry = desc.resolve(&x.shape).ok()?;
        u64::try_from(geometry.conv.with_batch(1).macs()).ok()
    }
}
