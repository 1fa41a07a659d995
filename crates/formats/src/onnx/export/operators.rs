//! The operators, by family. Each function adds the nodes that compute an operator of the graph and gives the names of
//! its results.

mod activation;
mod adaptive;
mod arithmetic;
mod convolution;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod response;
mod sampling;
mod shuffle;

use graph::{
    ArithmeticOp, DeformableOp, NormOp, Op, PoolingOp, RegionOp, SoftmaxOp, TransposedOp, UnaryOp,
};

use super::draft::Draft;
use super::{ExportError, attribute};

/// Adds what computes a node. Results that a forward run does not make are left out at the end.
pub(super) fn export(d: &mut Draft<'_, '_, '_>) -> Result<Vec<String>, ExportError> {
    Ok(vec![match d.op() {
        Op::Conv {
            desc,
            residual,
            activation,
            ..
        } => convolution::conv(d, desc, *residual, *activation)?,
        Op::Transposed(TransposedOp::Conv {
            desc,
            residual,
            activation,
            ..
        }) => convolution::transposed(d, desc, *residual, *activation)?,
        Op::Deformable(DeformableOp::Conv { desc, bias }) => {
            convolution::deformable(d, desc, *bias)?
        }
        Op::Linear { bias } => convolution::linear(d, *bias)?,
        Op::Pool { desc, indices } => return pooling::pool(d, desc, *indices),
        Op::Pooling(PoolingOp::Adaptive { desc, .. }) => adaptive::pool(d, desc)?,
        Op::Pooling(PoolingOp::MaxUnpool { desc }) => pooling::unpool(d, desc)?,
        Op::GlobalAveragePool => {
            let x = d.input(0)?;
            d.add("GlobalAveragePool", &[&x], vec![])
        }
        Op::BatchNorm { epsilon, momentum } => {
            // ONNX weighs the old statistics, the graph the batch's.
            let momentum = attribute::float("momentum", 1.0 - momentum);
            normalisation::batch(d, *epsilon, vec![momentum])?
        }
        Op::BatchNormInference {
            epsilon,
            residual,
            activation,
        } => {
            let y = normalisation::batch(d, *epsilon, vec![])?;
            activation::epilogue(d, y, *residual, *activation)?
        }
        Op::Norm(NormOp::Group {
            groups,
            epsilon,
            affine,
        }) => normalisation::group(d, *groups, *epsilon, *affine)?,
        Op::Norm(NormOp::Layer {
            axis,
            epsilon,
            affine,
        }) => normalisation::layer(d, *axis, *epsilon, *affine)?,
        Op::Norm(NormOp::Channel { epsilon, affine }) => {
            normalisation::channel(d, *epsilon, *affine)?
        }
        Op::Norm(NormOp::LocalResponse(settings)) => response::local(d, settings)?,
        Op::Activation(f) => {
            let x = d.input(0)?;
            activation::activated(d, x, *f)
        }
        Op::Unary(UnaryOp::Apply(f)) => activation::unary(d, *f)?,
        Op::Unary(UnaryOp::Prelu) => activation::prelu(d)?,
        Op::Softmax => activation::softmax(d, "Softmax", -1)?,
        Op::Softmaxes(SoftmaxOp::Along { kind, axis }) => {
            activation::softmax(d, activation::softmax_name(*kind), *axis as i64)?
        }
        Op::Dropout { rate, .. } => activation::dropout(d, *rate)?,
        Op::Add => arithmetic::operands(d, "Add")?,
        Op::Arithmetic(ArithmeticOp::Binary(op)) => arithmetic::binary(d, *op)?,
        Op::Arithmetic(ArithmeticOp::Select) => arithmetic::select(d)?,
        Op::Arithmetic(ArithmeticOp::Reduce { op, axes }) => arithmetic::reduce(d, *op, axes)?,
        Op::Fill { shape, value } => arithmetic::fill(d, shape, *value),
        Op::Concat => rearrange::concat(d, 1)?,
        Op::ChannelSlice { start, count } => {
            let x = d.input(0)?;
            d.slice(&x, &[[1, *start as i64, (start + count) as i64, 1]])
        }
        Op::Flatten => {
            let x = d.input(0)?;
            d.add("Flatten", &[&x], vec![attribute::int("axis", 1)])
        }
        Op::Unflatten { shape } => {
            let (x, open) = (d.input(0)?, d.is_open(0));
            d.reshape(&x, shape, open)
        }
        Op::Rearrange(op) => rearrange::rearrange(d, op)?,
        Op::Sampling(op) => sampling::sampling(d, op)?,
        Op::Region(RegionOp::Align { desc, settings }) => regions::align(d, desc, settings)?,
        Op::Region(RegionOp::Max { desc, scale }) => regions::max(d, desc, *scale)?,
        Op::Region(RegionOp::Average { desc, scale }) => regions::average(d, desc, *scale)?,
        _ => return d.training(),
    }])
}
