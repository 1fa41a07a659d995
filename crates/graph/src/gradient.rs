//! The table of gradients: operator → the operators of its backward pass.
//!
//! Each entry says which gradients it gives to which inputs; [`Step`] builds only those that a
//! parameter needs. Activations are differentiated from their outputs, so that the input of a fused
//! activation need not be kept; by which rule, [`RectifierRule`](crate::RectifierRule) says.

use geometry::PoolKind;

use crate::step::Step;
use crate::{GraphError, Op};

/// Adds to the graph the gradients of the inputs of one node, given that of its first output.
pub(crate) fn gradient(step: &mut Step<'_>) -> Result<(), GraphError> {
    let op = step.op().clone();
    if let Some(family) = op.family() {
        return family.gradient(step);
    }
    match op {
        Op::Conv {
            desc,
            bias,
            residual,
            activation,
        } => {
            let [x, weight] = [step.input(0), step.input(1)];
            let dy = step.before_activation(activation)?;
            let residual_place = 2 + usize::from(bias);
            if residual {
                step.pass(residual_place, dy)?;
            }
            if bias {
                step.give(Op::ChannelSum, vec![dy], &[2])?;
            }
            // The weight first: afterwards x may be given up before dx takes memory.
            let input = step.shape(x).to_vec();
            let weights = Op::ConvBackwardWeights { desc: desc.clone() };
            step.give(weights, vec![x, dy], &[1])?;
            let data = Op::ConvBackwardData { desc, input };
            step.give(data, vec![dy, weight], &[0])
        }
        Op::Linear { bias } => {
            let [x, weight, dy] = [step.input(0), step.input(1), step.upstream()?];
            if bias {
                step.give(Op::ChannelSum, vec![dy], &[2])?;
            }
            step.give(Op::LinearBackwardWeights, vec![x, dy], &[1])?;
            step.give(Op::LinearBackwardData, vec![dy, weight], &[0])
        }
        Op::Pool { desc, indices } => {
            let mut inputs = vec![step.upstream()?];
            match (desc.kind, indices) {
                (PoolKind::Max, true) => inputs.push(step.output(1)),
                (PoolKind::Max, false) => {
                    return Err(step.refuse(" without its indices; see passes::training"));
                }
                (PoolKind::Average { .. }, _) => {}
                (PoolKind::Lp { .. }, _) => inputs.extend([step.input(0), step.output(0)]),
            }
            let input = step.shape(step.input(0)).to_vec();
            step.give(Op::PoolBackward { desc, input }, inputs, &[0])
        }
        Op::GlobalAveragePool => {
            let input = step.shape(step.input(0)).to_vec();
            let dy = step.upstream()?;
            step.give(Op::GlobalAveragePoolBackward { input }, vec![dy], &[0])
        }
        Op::BatchNormTraining {
            residual,
            activation,
            ..
        } => {
            // dy, x, gamma, mean, inv_std, [y] → dx, dgamma, dbeta, [dresidual]
            let mut inputs = vec![step.upstream()?];
            inputs.extend([step.input(0), step.input(1), step.output(1), step.output(2)]);
            inputs.extend(activation.map(|_| step.output(0)));
            let places: &[usize] = if residual { &[0, 1, 2, 5] } else { &[0, 1, 2] };
            let op = Op::BatchNormBackward {
                residual,
                activation,
            };
            step.give(op, inputs, places)
        }
        Op::Activation(activation) => {
            let inputs = vec![step.upstream()?, step.output(0)];
            step.give_rectified(Op::ActivationBackward(activation), inputs)
        }
        Op::Add => {
            let dy = step.upstream()?;
            step.pass(0, dy)?;
            step.pass(1, dy)
        }
        Op::Concat => {
            let dy = step.upstream()?;
            let mut start = 0;
            for place in 0..step.inputs() {
                let count = step.shape(step.input(place))[1];
                step.give(Op::ChannelSlice { start, count }, vec![dy], &[place])?;
                start += count;
            }
            Ok(())
        }
        Op::Flatten => {
            let shape = step.shape(step.input(0)).to_vec();
            let dy = step.upstream()?;
            step.give(Op::Unflatten { shape }, vec![dy], &[0])
        }
        Op::Unflatten { .. } => {
            let dy = step.upstream()?;
            step.give(Op::Flatten, vec![dy], &[0])
        }
        Op::Dropout { .. } => {
            let dy = step.upstream()?;
            step.give(op, vec![dy], &[0])
        }
        Op::CrossEntropy { label_smoothing } => {
            // Where it is the loss itself, its slope is one.
            let mut inputs = vec![step.input(0), step.input(1)];
            inputs.extend(step.upstream);
            let op = Op::CrossEntropyBackward {
                label_smoothing,
                upstream: step.upstream.is_some(),
            };
            step.give(op, inputs, &[0])
        }
        Op::BatchNormInference {
            epsilon,
            residual,
            activation,
        } => {
            if [1, 2, 3, 4].iter().any(|&place| step.is_needed(place)) {
                return Err(step.refuse(" of its scale, shift or fixed statistics"));
            }
            let dy = step.before_activation(activation)?;
            if residual {
                step.pass(5, dy)?;
            }
            // The same scale, without the shift: about a mean of 0, and to 0.
            let statistics = step.shape(step.input(1)).to_vec();
            let zeros = Op::Fill {
                shape: statistics,
                value: 0.0,
            };
            let zeros = step.intermediate(zeros, Vec::new())?;
            let [gamma, variance] = [step.input(1), step.input(4)];
            let scale = Op::BatchNormInference {
                epsilon,
                residual: false,
                activation: None,
            };
            step.give(scale, vec![dy, gamma, zeros, zeros, variance], &[0])
        }
        Op::BatchNorm { .. } => {
            Err(step.refuse(" before it is made one of training; see passes::training"))
        }
        Op::ConvBackwardData { .. }
        | Op::ConvBackwardWeights { .. }
        | Op::ChannelSum
        | Op::LinearBackwardData
        | Op::LinearBackwardWeights
        | Op::PoolBackward { .. }
        | Op::GlobalAveragePoolBackward { .. }
        | Op::BatchNormBackward { .. }
        | Op::FoldBatchNorm { .. }
        | Op::ActivationBackward(_)
        | Op::ChannelSlice { .. }
        | Op::Softmax
        | Op::CrossEntropyBackward { .. }
        | Op::Fill { .. }
        | Op::Arithmetic(_)
        | Op::Deformable(_)
        | Op::Norm(_)
        | Op::Pooling(_)
        | Op::Rearrange(_)
        | Op::Region(_)
        | Op::Sampling(_)
        | Op::Softmaxes(_)
        | Op::Transposed(_)
        | Op::Unary(_) => Err(step.refuse("")),
    }
}
