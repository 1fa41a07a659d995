//! Functions of one element.

use tensor::Unary;

use super::Family;
use crate::infer::ValueType;
use crate::operands::{Operand, Operands};
use crate::rectifier::{RectifierRule, is_rectifier};
use crate::step::Step;
use crate::{GraphError, Op, OpError};

/// A function applied element by element.
#[derive(Clone, Debug, PartialEq)]
pub enum UnaryOp {
    /// `x → f(x)`, any shape.
    Apply(Unary),
    /// `dy, x → dy·f'(x)`; the slope is read off the forward input.
    Backward(Unary),
    /// A rectifier with a learned slope (He et al. 2015): `x [n, c, …], slope → y`, `y = x` above 0, else
    /// `slope·x`; the slope is one a channel, `[c]`, or one for all, `[1]`.
    Prelu,
    /// `dy, x, slope → dx, dslope`
    PreluBackward,
}

impl Family for UnaryOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Apply(f) => f.name(),
            Self::Backward(_) => "unary backward",
            Self::Prelu => "prelu",
            Self::PreluBackward => "prelu backward",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match self {
            Self::Apply(f) => {
                check(*f)?;
                Ok(vec![ValueType::float(read.float("x")?.shape)])
            }
            Self::Backward(f) => {
                check(*f)?;
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                dy.must_be(x.shape, x)?;
                Ok(vec![ValueType::float(x.shape)])
            }
            Self::Prelu => {
                let x = read.float("x")?;
                slope(read, x)?;
                Ok(vec![ValueType::float(x.shape)])
            }
            Self::PreluBackward => {
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                dy.must_be(x.shape, x)?;
                let slope = slope(read, x)?;
                Ok(vec![ValueType::float(x.shape), ValueType::float(slope)])
            }
        }
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let (dy, x) = (step.upstream()?, step.input(0));
        match self {
            Self::Apply(f) => {
                let backward = Op::Unary(Self::Backward(*f));
                match is_rectifier(*f) {
                    true => step.give_rectified(backward, vec![dy, x]),
                    false => step.give(backward, vec![dy, x], &[0]),
                }
            }
            Self::Prelu => {
                let inputs = vec![dy, x, step.input(1)];
                let backward = Op::Unary(Self::PreluBackward);
                match (step.rule, step.is_needed(1)) {
                    (RectifierRule::Slope, _) => step.give(backward, inputs, &[0, 1]),
                    (_, false) => step.give_rectified(backward, inputs),
                    (_, true) => Err(step.refuse(" of its slopes by another rule than the slope")),
                }
            }
            Self::Backward(_) | Self::PreluBackward => Err(step.refuse("")),
        }
    }
}

/// Reads the slopes of the channels of `x`.
fn slope<'a>(read: &mut Operands<'a>, x: Operand<'a>) -> Result<&'a [usize], OpError> {
    let (_, channels, _) = x.feature_map()?;
    let slope = read.float("slope")?;
    if slope.shape != [1] {
        slope.must_be(&[channels], x)?;
    }
    Ok(slope.shape)
}

/// Checks that the parameters are numbers, and those of a divisor or a scale above 0.
fn check(f: Unary) -> Result<(), OpError> {
    let (settings, range): (&[(&'static str, f32)], _) = match f {
        Unary::LeakyRelu { alpha } | Unary::Elu { alpha } | Unary::Swish { alpha } => {
            (&[("alpha", alpha)], FINITE)
        }
        Unary::Selu { alpha, gamma } => (&[("alpha", alpha), ("gamma", gamma)], FINITE),
        Unary::ThresholdedRelu { alpha } => (&[("alpha", alpha)], FINITE),
        Unary::HardSigmoid { alpha, beta } => (&[("alpha", alpha), ("beta", beta)], FINITE),
        Unary::Shrink { bias, lambd } => (&[("bias", bias), ("lambd", lambd)], FINITE),
        Unary::Celu { alpha } => (&[("alpha", alpha)], POSITIVE),
        Unary::Clip { min, max } | Unary::HardTanh { min, max } => {
            (&[("min", min), ("max", max)], NUMBER)
        }
        _ => (&[], NUMBER),
    };
    for &(setting, value) in settings {
        let within = match range {
            FINITE => value.is_finite(),
            POSITIVE => value.is_finite() && value > 0.0,
            _ => !value.is_nan(),
        };
        OpError::unless(within, f.name(), setting, value, range)?;
    }
    Ok(())
}

const FINITE: &str = "the finite numbers";
const POSITIVE: &str = "0 < alpha < ∞";
const NUMBER: &str = "the numbers";
