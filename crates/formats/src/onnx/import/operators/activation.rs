//! Functions of one element, and what goes with them.

use graph::{Activation, BinaryOp, Op, ParameterKind, SoftmaxKind, SoftmaxOp, UnaryOp};
use tensor::Unary;

use super::one;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::Call;
use crate::onnx::{Array, Element};

/// A function of one element, by its name and attributes.
pub(super) fn unary(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    let alpha = |default| call.float("alpha", default);
    let f = match call.op() {
        "Relu" => {
            let x = call.tensor(0)?;
            let y = call.push(Op::Activation(Activation::Relu), vec![x.id])?;
            return Ok(Some(one(y, x.element)));
        }
        "LeakyRelu" => Unary::LeakyRelu { alpha: alpha(0.01) },
        "Elu" => Unary::Elu { alpha: alpha(1.0) },
        "Celu" => Unary::Celu { alpha: alpha(1.0) },
        // The numbers of the paper to seven digits; before operator set 6 to four.
        "Selu" if call.opset() < 6 => Unary::Selu {
            alpha: alpha(1.6732),
            gamma: call.float("gamma", 1.0507),
        },
        "Selu" => Unary::Selu {
            alpha: alpha(1.673_263_2),
            gamma: call.float("gamma", 1.050_701),
        },
        "ThresholdedRelu" => Unary::ThresholdedRelu { alpha: alpha(1.0) },
        "HardSigmoid" => Unary::HardSigmoid {
            alpha: alpha(0.2),
            beta: call.float("beta", 0.5),
        },
        "Shrink" => Unary::Shrink {
            bias: call.float("bias", 0.0),
            lambd: call.float("lambd", 0.5),
        },
        "Gelu" => match call.text("approximate", "none") {
            "none" => Unary::Gelu,
            "tanh" => Unary::GeluTanh,
            other => return wrong(format!("approximate is {other}")),
        },
        "Swish" => Unary::Swish { alpha: alpha(1.0) },
        "HardSwish" => Unary::HardSwish,
        "Sigmoid" => Unary::Sigmoid,
        "Tanh" => Unary::Tanh,
        "Softplus" => Unary::Softplus,
        "Softsign" => Unary::Softsign,
        "Mish" => Unary::Mish,
        "Erf" => Unary::Erf,
        "Exp" => Unary::Exp,
        "Log" => Unary::Log,
        "Sqrt" => Unary::Sqrt,
        "Neg" => Unary::Neg,
        "Abs" => Unary::Abs,
        "Reciprocal" => Unary::Reciprocal,
        "Floor" => Unary::Floor,
        "Ceil" => Unary::Ceil,
        "Round" => Unary::Round,
        "Sign" => Unary::Sign,
        _ => return Ok(None),
    };
    let x = call.tensor(0)?;
    Ok(Some(one(call.unary(f, x.id)?, x.element)))
}

/// `Dropout`: X, ratio, whether it is training; and the mask. Without training all stays as it is.
pub(super) fn dropout(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let rate = match call.known_scalar(1)? {
        Some(rate) => rate as f32,
        None => call.float("ratio", 0.5),
    };
    let trains = match call.opset() {
        ..7 => call.has("is_test") && !call.flag("is_test", false),
        7..12 => false,
        _ => call.known_scalar(2)?.is_some_and(|trains| trains != 0.0),
    };
    if trains && rate > 0.0 && !call.learns() {
        return unsupported("a dropout that is not to be left out of a run");
    }
    let x = call.tensor(0)?;
    let stream = call.next_dropout();
    let y = call.push(Op::Dropout { rate, stream }, vec![x.id])?;
    let mut made = one(y, x.element);
    if call.makes(1) {
        let shape = call.shape(x.id).to_vec();
        // Masks were of the type of the data before operator set 10.
        let element = match call.opset() {
            ..10 => x.element,
            _ => Element::Bool,
        };
        let len = tensor::Shape::new(&shape)
            .map_err(crate::onnx::OnnxError::from)?
            .len();
        call.book(len.saturating_mul(element.size()))?;
        let ones = std::iter::repeat_n(1.0, len);
        made.push(Value::constant(Array::from_reals(element, &shape, ones)?));
    }
    Ok(made)
}

/// `Clip`: bounds as attributes, or from operator set 11 on as inputs.
pub(super) fn clip(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let known = |place: usize| !call.given(place) || call.constant(place).is_some();
    if call.opset() < 11 || (known(1) && known(2)) {
        let bound = |name: &str, place: usize, default: f32| match call.known_scalar(place)? {
            Some(bound) => Ok::<_, Fault>(bound as f32),
            None => Ok(call.float(name, default)),
        };
        let min = bound("min", 1, f32::NEG_INFINITY)?;
        let max = bound("max", 2, f32::INFINITY)?;
        let op = match (min, max) {
            (0.0, 6.0) => Op::Activation(Activation::Relu6),
            (min, max) => Op::Unary(UnaryOp::Apply(Unary::Clip { min, max })),
        };
        return Ok(one(call.push(op, vec![x.id])?, x.element));
    }
    let mut y = x.id;
    for (place, op) in [(1, BinaryOp::Max), (2, BinaryOp::Min)] {
        if let Some(bound) = call.maybe_tensor(place)? {
            let bound = call.reshape(bound.id, &[])?;
            y = call.binary(op, y, bound)?;
        }
    }
    Ok(one(y, x.element))
}

/// `PRelu`: X, slope, which is repeated as broadcasting has it; before operator set 7 one a channel.
pub(super) fn prelu(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let slope = call.learned(1, ParameterKind::Weight)?;
    let shape = call.shape(x.id).to_vec();
    let given = call.shape(slope).to_vec();
    let channels = shape.get(1).copied().unwrap_or(1);
    let count: usize = given.iter().product();
    let by_channel = given == [channels] && (call.opset() < 7 || shape.len() == 2)
        || given.len() + 1 == shape.len()
            && given.first() == Some(&channels)
            && given[1..].iter().all(|&extent| extent == 1);
    if shape.len() >= 2 && (count == 1 || by_channel) {
        let slope = call.reshape(slope, &[count])?;
        let y = call.push(Op::Unary(UnaryOp::Prelu), vec![x.id, slope])?;
        return Ok(one(y, x.element));
    }
    // max(x, 0) + slope · min(x, 0)
    let positive = call.push(Op::Activation(Activation::Relu), vec![x.id])?;
    let negative = call.binary(BinaryOp::Sub, x.id, positive)?;
    let sloped = call.binary(BinaryOp::Mul, slope, negative)?;
    Ok(one(
        call.binary(BinaryOp::Add, positive, sloped)?,
        x.element,
    ))
}

/// `Softmax` and `LogSoftmax`: before operator set 13 over all axes from the one named on.
pub(super) fn softmax(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let x = call.tensor(0)?;
    let shape = call.shape(x.id).to_vec();
    let kind = match call.op() {
        "Softmax" => SoftmaxKind::Softmax,
        _ => SoftmaxKind::LogSoftmax,
    };
    if call.opset() >= 13 {
        let axis = call.axis(call.int("axis", -1), shape.len())?;
        let y = call.push(Op::Softmaxes(SoftmaxOp::Along { kind, axis }), vec![x.id])?;
        return Ok(one(y, x.element));
    }
    let axis = call.axis(call.int("axis", 1), shape.len())?;
    let rows = shape[..axis].iter().product();
    let matrix = call.reshape(x.id, &[rows, shape[axis..].iter().product()])?;
    let along = SoftmaxOp::Along { kind, axis: 1 };
    let y = call.push(Op::Softmaxes(along), vec![matrix])?;
    Ok(one(call.reshape(y, &shape)?, x.element))
}
