//! Normalisations.

use graph::{Affine, BinaryOp, LocalResponse, NormOp, Op, ParameterKind, ReduceOp, ValueId};
use tensor::Unary;

use super::one;
use super::window::groups;
use crate::onnx::Element;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::call::Call;
use crate::onnx::import::parameters::Purpose;
use crate::onnx::import::{Tensor, Value};

/// `BatchNormalization`: X, scale, B, mean, variance.
pub(super) fn batch(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    if !call.flag("spatial", true) {
        return unsupported("statistics of every position (spatial = 0)");
    }
    // Before operator set 7 a flag said that the statistics are given; from 7 to 13 more than one output did.
    let trains = match call.opset() {
        ..7 => !call.flag("is_test", false) && call.makes(1),
        7..14 => call.makes(1),
        _ => call.flag("training_mode", false),
    };
    // The statistics of a model that is trained are moved by its training, unless it does something with them.
    let trains = trains && !(call.learns() && (1..5).all(|place| !call.is_read(place)));
    let epsilon = call.float("epsilon", 1e-5);
    let momentum = call.float("momentum", 0.9);
    let x = call.tensor(0)?;
    let gamma = call.learned(1, ParameterKind::Norm)?;
    let beta = call.learned(2, ParameterKind::Norm)?;
    let mean = call.tensor_for(3, Purpose::Statistic)?;
    let variance = call.tensor_for(4, Purpose::Statistic)?;
    if trains {
        let fixed = [gamma, beta, mean.id, variance.id];
        return by_batch(call, x, fixed, epsilon, momentum, mean.element);
    }
    let op = Op::BatchNorm {
        epsilon,
        // ONNX weighs the old statistics, the graph the batch's.
        momentum: 1.0 - momentum,
    };
    let inputs = vec![x.id, gamma, beta, mean.id, variance.id];
    Ok(one(call.push(op, inputs)?, x.element))
}

/// A batch normalisation by the statistics of the batch, which also moves the running ones. Both variances are
/// those of the batch itself: ONNX has no unbiased one.
fn by_batch(
    call: &mut Call<'_, '_>,
    x: Tensor,
    [gamma, beta, mean, variance]: [ValueId; 4],
    epsilon: f32,
    momentum: f32,
    element: Element,
) -> Result<Vec<Value>, Fault> {
    let channels = call.shape(gamma).to_vec();
    let axes: Vec<_> = (0..call.rank(x.id)).filter(|&axis| axis != 1).collect();
    let batch_mean = call.reduce(ReduceOp::Mean, x.id, &axes)?;
    let centred = call.binary(BinaryOp::Sub, x.id, batch_mean)?;
    let square = call.binary(BinaryOp::Mul, centred, centred)?;
    let batch_variance = call.reduce(ReduceOp::Mean, square, &axes)?;
    let batch_mean = call.reshape(batch_mean, &channels)?;
    let batch_variance = call.reshape(batch_variance, &channels)?;
    let op = Op::BatchNormInference {
        epsilon,
        residual: false,
        activation: None,
    };
    let y = call.push(op, vec![x.id, gamma, beta, batch_mean, batch_variance])?;
    let mut made = one(y, x.element);
    for (old, new) in [(mean, batch_mean), (variance, batch_variance)] {
        if call.makes(made.len()) {
            let old = call.scalar(BinaryOp::Mul, old, momentum)?;
            let new = call.scalar(BinaryOp::Mul, new, 1.0 - momentum)?;
            made.extend(one(call.binary(BinaryOp::Add, old, new)?, element));
        }
    }
    Ok(made)
}

fn normalised(
    call: &mut Call<'_, '_>,
    op: NormOp,
    x: Tensor,
    affine: &[ValueId],
) -> Result<Vec<Value>, Fault> {
    let inputs = [&[x.id], affine].concat();
    Ok(one(call.push(Op::Norm(op), inputs)?, x.element))
}

/// `InstanceNormalization`: X, scale, B.
pub(super) fn instance(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let op = NormOp::Group {
        groups: call.shape(x.id).get(1).copied().unwrap_or(0),
        epsilon: call.float("epsilon", 1e-5),
        affine: Affine::ScaleShift,
    };
    let affine = [1, 2].map(|place| call.learned(place, ParameterKind::Norm));
    let [gamma, beta] = affine;
    normalised(call, op, x, &[gamma?, beta?])
}

/// `GroupNormalization`: X, scale, B, one number of them a channel, and before operator set 21 a group.
pub(super) fn group(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let groups = groups(call, "num_groups")?;
    let channels = call.shape(x.id).get(1).copied().unwrap_or(0);
    let op = NormOp::Group {
        groups,
        epsilon: call.float("epsilon", 1e-5),
        affine: Affine::ScaleShift,
    };
    let mut affine = Vec::new();
    for place in [1, 2] {
        let mut parameter = call.learned(place, ParameterKind::Norm)?;
        if call.shape(parameter) == [groups] && groups != channels && groups > 0 {
            let each = channels / groups;
            let column = call.reshape(parameter, &[groups, 1])?;
            let wide = call.expand(column, &[groups, each])?;
            parameter = call.reshape(wide, &[groups * each])?;
        }
        affine.push(parameter);
    }
    normalised(call, op, x, &affine)
}

/// `LayerNormalization`: X, scale, B.
pub(super) fn layer(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let axis = call.axis(call.int("axis", -1), call.rank(x.id))?;
    let affine = match call.given(2) {
        true => Affine::ScaleShift,
        false => Affine::Scale,
    };
    let op = NormOp::Layer {
        axis,
        epsilon: call.float("epsilon", 1e-5),
        affine,
    };
    let inner = call.shape(x.id)[axis..].to_vec();
    let mut parameters = Vec::new();
    for place in 1..=affine.parameters() {
        let parameter = call.learned(place, ParameterKind::Norm)?;
        parameters.push(call.expand(parameter, &inner)?);
    }
    let inputs = [&[x.id], &*parameters].concat();
    let made = call.push_all(Op::Norm(op), inputs)?;
    let mut values = one(made[0], x.element);
    // Mean and inverse deviation keep the axes they are taken over.
    for &statistic in &made[1..call.outputs().clamp(1, 3)] {
        let mut shape = call.shape(x.id).to_vec();
        shape[axis..].fill(1);
        values.extend(one(call.reshape(statistic, &shape)?, Element::F32));
    }
    Ok(values)
}

/// `RMSNormalization`: X, scale.
pub(super) fn root_mean_square(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let rank = call.rank(x.id);
    let axis = call.axis(call.int("axis", -1), rank)?;
    let scale = call.learned(1, ParameterKind::Norm)?;
    let squares = call.binary(BinaryOp::Mul, x.id, x.id)?;
    let axes: Vec<_> = (axis..rank).collect();
    let mean = call.reduce(ReduceOp::Mean, squares, &axes)?;
    let mean = call.scalar(BinaryOp::Add, mean, call.float("epsilon", 1e-5))?;
    let root = call.unary(Unary::Sqrt, mean)?;
    let normed = call.binary(BinaryOp::Div, x.id, root)?;
    Ok(one(call.binary(BinaryOp::Mul, normed, scale)?, x.element))
}

/// `MeanVarianceNormalization`: without its mean over some axes, and over its deviation, to which 10⁻⁹ is added.
pub(super) fn mean_variance(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let rank = call.rank(x.id);
    let axes = call.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let axes = axes.into_iter().map(|axis| call.axis(axis, rank));
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    let mean = call.reduce(ReduceOp::Mean, x.id, &axes)?;
    let centred = call.binary(BinaryOp::Sub, x.id, mean)?;
    let squares = call.binary(BinaryOp::Mul, centred, centred)?;
    let variance = call.reduce(ReduceOp::Mean, squares, &axes)?;
    let deviation = call.unary(Unary::Sqrt, variance)?;
    let deviation = call.scalar(BinaryOp::Add, deviation, 1e-9)?;
    Ok(one(
        call.binary(BinaryOp::Div, centred, deviation)?,
        x.element,
    ))
}

/// `LRN`
pub(super) fn local_response(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let size = call.int("size", 0);
    let Ok(size @ 1..) = usize::try_from(size) else {
        return wrong(format!("size is {size}"));
    };
    let op = NormOp::LocalResponse(LocalResponse {
        alpha: call.float("alpha", 1e-4),
        beta: call.float("beta", 0.75),
        k: call.float("bias", 1.0),
        ..LocalResponse::onnx(size)
    });
    normalised(call, op, x, &[])
}

/// `LpNormalization` along one axis; zeros stay zeros.
pub(super) fn lp(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let axis = call.axis(call.int("axis", -1), call.rank(x.id))?;
    let norm = match call.int("p", 2) {
        1 => {
            let magnitudes = call.unary(Unary::Abs, x.id)?;
            call.reduce(ReduceOp::Sum, magnitudes, &[axis])?
        }
        2 => {
            let squares = call.binary(BinaryOp::Mul, x.id, x.id)?;
            let sum = call.reduce(ReduceOp::Sum, squares, &[axis])?;
            call.unary(Unary::Sqrt, sum)?
        }
        p => return wrong(format!("a norm of order {p}")),
    };
    // A norm of 0 becomes infinite, by which all is 0: its sign is 0 and the inverse of that infinite, else both are 1.
    let sign = call.unary(Unary::Sign, norm)?;
    let inverse = call.unary(Unary::Reciprocal, sign)?;
    let none = call.scalar(BinaryOp::Sub, inverse, 1.0)?;
    let norm = call.binary(BinaryOp::Add, norm, none)?;
    Ok(one(call.binary(BinaryOp::Div, x.id, norm)?, x.element))
}
