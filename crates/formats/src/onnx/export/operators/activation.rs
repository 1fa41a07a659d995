//! Functions of one element, and what goes with them.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use graph::{Activation, SoftmaxKind};
use tensor::Unary;

use super::attribute::{self, float};
use super::{Draft, ExportError};
use crate::onnx::proto::tensor_proto::DataType;

/// A non-linearity.
pub(super) fn activated(d: &mut Draft<'_, '_, '_>, x: String, f: Activation) -> String {
    match f {
        Activation::Relu => d.add("Relu", &[&x], vec![]),
        Activation::Relu6 => clip(d, &x, 0.0, 6.0),
    }
}

/// What a node computes last: it adds its last input if that is a residual, and applies a non-linearity.
pub(super) fn epilogue(
    d: &mut Draft<'_, '_, '_>,
    mut y: String,
    residual: bool,
    activation: Option<Activation>,
) -> Result<String, ExportError> {
    if residual {
        let residual = d.input(d.inputs() - 1)?;
        y = d.add("Add", &[&y, &residual], vec![]);
    }
    Ok(match activation {
        Some(f) => activated(d, y, f),
        None => y,
    })
}

/// `Clip`; a bound that bounds nothing is left out.
fn clip(d: &mut Draft<'_, '_, '_>, x: &str, min: f32, max: f32) -> String {
    let min = match min {
        f32::NEG_INFINITY => String::new(),
        min => d.number(min),
    };
    match max {
        f32::INFINITY => d.add("Clip", &[x, &min], vec![]),
        max => {
            let max = d.number(max);
            d.add("Clip", &[x, &min, &max], vec![])
        }
    }
}

/// A function of one element, as its operator or made of others where the operator set has none.
pub(super) fn unary(d: &mut Draft<'_, '_, '_>, f: Unary) -> Result<String, ExportError> {
    let x = &d.input(0)?;
    let opset = d.opset();
    let (op, attributes) = match f {
        Unary::Relu => ("Relu", vec![]),
        Unary::LeakyRelu { alpha } => ("LeakyRelu", vec![float("alpha", alpha)]),
        Unary::Elu { alpha } => ("Elu", vec![float("alpha", alpha)]),
        Unary::Selu { alpha, gamma } => {
            ("Selu", vec![float("alpha", alpha), float("gamma", gamma)])
        }
        Unary::Celu { alpha } => ("Celu", vec![float("alpha", alpha)]),
        Unary::ThresholdedRelu { alpha } => ("ThresholdedRelu", vec![float("alpha", alpha)]),
        Unary::Sigmoid => ("Sigmoid", vec![]),
        Unary::HardSigmoid { alpha, beta } => (
            "HardSigmoid",
            vec![float("alpha", alpha), float("beta", beta)],
        ),
        Unary::HardSwish if opset >= 14 => ("HardSwish", vec![]),
        Unary::HardSwish => {
            let Unary::HardSigmoid { alpha, beta } = Unary::HARD_SIGMOID else {
                unreachable!("the constant is one");
            };
            let gate = vec![float("alpha", alpha), float("beta", beta)];
            let gate = d.add("HardSigmoid", &[x], gate);
            return Ok(d.add("Mul", &[x, &gate], vec![]));
        }
        Unary::Tanh => ("Tanh", vec![]),
        Unary::Softplus => ("Softplus", vec![]),
        Unary::Softsign => ("Softsign", vec![]),
        Unary::Gelu if opset >= 20 => ("Gelu", vec![]),
        Unary::GeluTanh if opset >= 20 => ("Gelu", vec![attribute::text("approximate", "tanh")]),
        Unary::Gelu => return Ok(gelu(d, x)),
        Unary::GeluTanh => return Ok(gelu_tanh(d, x)),
        Unary::Mish if opset >= 18 => ("Mish", vec![]),
        Unary::Mish => {
            let gate = d.add("Softplus", &[x], vec![]);
            let gate = d.add("Tanh", &[&gate], vec![]);
            return Ok(d.add("Mul", &[x, &gate], vec![]));
        }
        // The operator came with set 24, and few programs have it yet.
        Unary::Swish { alpha } => {
            let scaled = match alpha {
                1.0 => x.clone(),
                _ => d.with_number("Mul", x, alpha),
            };
            let gate = d.add("Sigmoid", &[&scaled], vec![]);
            return Ok(d.add("Mul", &[x, &gate], vec![]));
        }
        Unary::Clip { min, max } | Unary::HardTanh { min, max } => return Ok(clip(d, x, min, max)),
        Unary::Shrink { bias, lambd } => {
            ("Shrink", vec![float("bias", bias), float("lambd", lambd)])
        }
        Unary::Erf => ("Erf", vec![]),
        Unary::Exp => ("Exp", vec![]),
        Unary::Log => ("Log", vec![]),
        Unary::Sqrt => ("Sqrt", vec![]),
        Unary::Neg => ("Neg", vec![]),
        Unary::Abs => ("Abs", vec![]),
        Unary::Reciprocal => ("Reciprocal", vec![]),
        Unary::Floor => ("Floor", vec![]),
        Unary::Ceil => ("Ceil", vec![]),
        Unary::Round => ("Round", vec![]),
        Unary::Sign => ("Sign", vec![]),
        // Towards zero; NaN, which no integer type has, is 0.
        Unary::Truncate { min, max } => {
            let within = clip(d, x, min, max);
            let magnitude = d.add("Abs", &[&within], vec![]);
            let magnitude = d.add("Floor", &[&magnitude], vec![]);
            let sign = d.add("Sign", &[&within], vec![]);
            let whole = d.add("Mul", &[&sign, &magnitude], vec![]);
            let (nan, zero) = (d.add("IsNaN", &[x], vec![]), d.filled(&[], 0.0));
            return Ok(d.add("Where", &[&nan, &zero, &whole], vec![]));
        }
        Unary::Float16 | Unary::Bfloat16 => {
            let narrow = match f {
                Unary::Float16 => DataType::Float16,
                _ => DataType::Bfloat16,
            };
            let narrow = d.cast(x, narrow);
            return Ok(d.cast(&narrow, DataType::Float));
        }
    };
    Ok(d.add(op, &[x], attributes))
}

/// `x/2 · (1 + gate)`
fn halved(d: &mut Draft<'_, '_, '_>, x: &str, gate: &str) -> String {
    let gate = d.with_number("Add", gate, 1.0);
    let half = d.with_number("Mul", x, 0.5);
    d.add("Mul", &[&half, &gate], vec![])
}

/// `x/2 · (1 + erf(x/√2))`
fn gelu(d: &mut Draft<'_, '_, '_>, x: &str) -> String {
    let scaled = d.with_number("Mul", x, FRAC_1_SQRT_2);
    let gate = d.add("Erf", &[&scaled], vec![]);
    halved(d, x, &gate)
}

/// `x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))`
fn gelu_tanh(d: &mut Draft<'_, '_, '_>, x: &str) -> String {
    let square = d.add("Mul", &[x, x], vec![]);
    let factor = d.with_number("Mul", &square, 0.044_715);
    let factor = d.with_number("Add", &factor, 1.0);
    let inner = d.add("Mul", &[x, &factor], vec![]);
    let inner = d.with_number("Mul", &inner, FRAC_2_PI.sqrt());
    let gate = d.add("Tanh", &[&inner], vec![]);
    halved(d, x, &gate)
}

/// `PRelu`: a slope for each channel, or one for all.
pub(super) fn prelu(d: &mut Draft<'_, '_, '_>) -> Result<String, ExportError> {
    let (x, mut slope) = (d.input(0)?, d.input(1)?);
    let channels: usize = d.shape(1).iter().product();
    if channels > 1 {
        slope = d.by_channel(&slope, channels, d.shape(0).len().saturating_sub(2));
    }
    Ok(d.add("PRelu", &[&x, &slope], vec![]))
}

pub(super) fn softmax_name(kind: SoftmaxKind) -> &'static str {
    match kind {
        SoftmaxKind::Softmax => "Softmax",
        SoftmaxKind::LogSoftmax => "LogSoftmax",
    }
}

/// A softmax along an axis.
pub(super) fn softmax(
    d: &mut Draft<'_, '_, '_>,
    op: &str,
    axis: i64,
) -> Result<String, ExportError> {
    let x = d.input(0)?;
    Ok(d.add(op, &[&x], vec![attribute::int("axis", axis)]))
}

/// `Dropout`, which does nothing but in training; it stays, so that training can go on elsewhere.
pub(super) fn dropout(d: &mut Draft<'_, '_, '_>, rate: f32) -> Result<String, ExportError> {
    let x = d.input(0)?;
    Ok(d.with_number("Dropout", &x, rate))
}
