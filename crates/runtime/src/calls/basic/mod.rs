//! The operators that belong to no family.
//!
//! A program lowers most of them to quicker kernels of f32, so that only f64 comes here.

mod convolution;
mod elementwise;
mod loss;
mod normalisation;
mod rearrange;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use graph::Op;

use super::{Generic, Kernel, Lies, Operands, Shapes, Target};

/// The kernel of an operator; none for one that only a pass can turn into something to run.
pub(super) fn kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    match op {
        Op::Conv { .. }
        | Op::ConvBackwardData { .. }
        | Op::ConvBackwardWeights { .. }
        | Op::ChannelSum
        | Op::Linear { .. }
        | Op::LinearBackwardData
        | Op::LinearBackwardWeights
        | Op::Transposed(_) => convolution::kernel(op, shapes),
        Op::BatchNormTraining { .. }
        | Op::BatchNormBackward { .. }
        | Op::BatchNormInference { .. }
        | Op::FoldBatchNorm { .. } => normalisation::kernel(op, shapes),
        Op::Activation(_)
        | Op::ActivationBackward(_)
        | Op::Add
        | Op::Dropout { .. }
        | Op::Fill { .. } => elementwise::kernel(op),
        Op::Concat | Op::ChannelSlice { .. } | Op::Flatten | Op::Unflatten { .. } => {
            rearrange::kernel(op, shapes)
        }
        Op::Softmax | Op::CrossEntropy { .. } | Op::CrossEntropyBackward { .. } => {
            loss::kernel(op, shapes)
        }
        _ => None,
    }
}

/// The extents of a feature map; a matrix is a map of single positions.
#[derive(Clone, Copy, Debug)]
struct Extents {
    batch: usize,
    channels: usize,
    area: usize,
}

impl Extents {
    fn of(shape: &[usize]) -> Self {
        Self {
            batch: shape.first().copied().unwrap_or(1),
            channels: shape.get(1).copied().unwrap_or(1),
            area: shape.iter().skip(2).product(),
        }
    }
}

/// The first `N` outputs, which are of floating-point elements.
fn made<'o, T, const N: usize>(outputs: &'o mut [Target<'_, T>]) -> [&'o mut [T]; N] {
    let mut outputs = outputs.iter_mut();
    std::array::from_fn(|_| outputs.next().map(Target::real).unwrap_or_default())
}
