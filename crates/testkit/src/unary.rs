//! Functions of one element, each as its value and its slope at a point: the textbook formulas in f64.
//!
//! At a kink the slope is PyTorch's.

use crate::special::{erf, erfc};
use std::f64::consts::PI;

/// Value and slope.
pub type Point = (f64, f64);

/// `x` above 0, else 0.
#[must_use]
pub fn relu(x: f64) -> Point {
    thresholded_relu(x, 0.0)
}

/// `x` above 0, else `αx`.
#[must_use]
pub fn leaky_relu(x: f64, alpha: f64) -> Point {
    if x > 0.0 {
        (x, 1.0)
    } else {
        (alpha * x, alpha)
    }
}

/// `x` above `α`, else 0.
#[must_use]
pub fn thresholded_relu(x: f64, alpha: f64) -> Point {
    if x.is_nan() || x > alpha {
        (x, 1.0)
    } else {
        (0.0, 0.0)
    }
}

/// `γ·x` above 0, else `γ·α·(eˣ − 1)`.
#[must_use]
pub fn selu(x: f64, alpha: f64, gamma: f64) -> Point {
    if x > 0.0 {
        (gamma * x, gamma)
    } else {
        (gamma * alpha * x.exp_m1(), gamma * alpha * x.exp())
    }
}

/// `max(x, 0) + min(0, α·(e^(x/α) − 1))`
#[must_use]
pub fn celu(x: f64, alpha: f64) -> Point {
    if x > 0.0 {
        (x, 1.0)
    } else {
        (alpha * (x / alpha).exp_m1(), (x / alpha).exp())
    }
}

/// `1/(1 + e⁻ˣ)`
#[must_use]
pub fn sigmoid(x: f64) -> Point {
    let value = 1.0 / (1.0 + (-x).exp());
    (value, value / (1.0 + x.exp()))
}

/// `max(0, min(1, αx + β))`
#[must_use]
pub fn hard_sigmoid(x: f64, alpha: f64, beta: f64) -> Point {
    let line = alpha * x + beta;
    if line <= 0.0 {
        (0.0, 0.0)
    } else if line >= 1.0 {
        (1.0, 0.0)
    } else if line.is_nan() {
        (line, 0.0)
    } else {
        (line, alpha)
    }
}

/// `x·max(0, min(6, x + 3))/6`
#[must_use]
pub fn hard_swish(x: f64) -> Point {
    if x <= -3.0 {
        (0.0, 0.0)
    } else if x < 3.0 {
        (x * (x + 3.0) / 6.0, (2.0 * x + 3.0) / 6.0)
    } else {
        (x, 1.0)
    }
}

/// `tanh x`
#[must_use]
pub fn tanh(x: f64) -> Point {
    (x.tanh(), x.cosh().powi(-2))
}

/// `ln(1 + eˣ)`
#[must_use]
pub fn softplus(x: f64) -> Point {
    let value = if x > 30.0 { x } else { x.exp().ln_1p() };
    (value, sigmoid(x).0)
}

/// `x/(1 + |x|)`
#[must_use]
pub fn softsign(x: f64) -> Point {
    let value = if x.is_infinite() {
        x.signum()
    } else {
        x / (1.0 + x.abs())
    };
    (value, (1.0 + x.abs()).powi(-2))
}

/// `x·Φ(x)` with the normal distribution Φ.
#[must_use]
pub fn gelu(x: f64) -> Point {
    let share = 0.5 * erfc(-x / 2f64.sqrt());
    let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    (limited(x * share, x), limited_slope(share + x * density, x))
}

/// `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, by `(1 + tanh z)/2 = σ(2z)`.
#[must_use]
pub fn gelu_tanh(x: f64) -> Point {
    let root = (2.0 / PI).sqrt();
    let (gate, bend) = sigmoid(2.0 * root * (x + 0.044715 * x.powi(3)));
    let inner = 2.0 * root * (1.0 + 3.0 * 0.044715 * x * x);
    (
        limited(x * gate, x),
        limited_slope(gate + x * bend * inner, x),
    )
}

/// `x·tanh(ln(1 + eˣ))`
#[must_use]
pub fn mish(x: f64) -> Point {
    let (softplus, share) = softplus(x);
    let (gate, bend) = tanh(softplus);
    (
        limited(x * gate, x),
        limited_slope(gate + x * bend * share, x),
    )
}

/// `x·σ(αx)`
#[must_use]
pub fn swish(x: f64, alpha: f64) -> Point {
    let (gate, bend) = sigmoid(alpha * x);
    (
        limited(x * gate, x),
        limited_slope(gate + alpha * x * bend, x),
    )
}

/// `min(max(x, min), max)`; the bounds are inside.
#[must_use]
pub fn clip(x: f64, min: f64, max: f64) -> Point {
    let slope = if min <= x && x <= max { 1.0 } else { 0.0 };
    (cut(x, min, max), slope)
}

/// `min(max(x, min), max)`; the bounds are outside.
#[must_use]
pub fn hard_tanh(x: f64, min: f64, max: f64) -> Point {
    let slope = if x <= min || x >= max { 0.0 } else { 1.0 };
    (cut(x, min, max), slope)
}

/// `x + bias` below `−λ`, `x − bias` above `λ`, 0 between.
#[must_use]
pub fn shrink(x: f64, bias: f64, lambd: f64) -> Point {
    if x < -lambd {
        (x + bias, 1.0)
    } else if x > lambd {
        (x - bias, 1.0)
    } else if x.is_nan() {
        (x, 1.0)
    } else {
        (0.0, 0.0)
    }
}

/// The error function.
#[must_use]
pub fn error_function(x: f64) -> Point {
    (erf(x), 2.0 / PI.sqrt() * (-x * x).exp())
}

/// `eˣ`
#[must_use]
pub fn exp(x: f64) -> Point {
    (x.exp(), x.exp())
}

/// `ln x`
#[must_use]
pub fn log(x: f64) -> Point {
    (x.ln(), 1.0 / x)
}

/// `√x`
#[must_use]
pub fn sqrt(x: f64) -> Point {
    (x.sqrt(), 0.5 / x.sqrt())
}

/// `−x`
#[must_use]
pub fn neg(x: f64) -> Point {
    (-x, -1.0)
}

/// `|x|`
#[must_use]
pub fn abs(x: f64) -> Point {
    let slope = if x == 0.0 || x.is_nan() {
        0.0
    } else {
        x.signum()
    };
    (x.abs(), slope)
}

/// `1/x`
#[must_use]
pub fn reciprocal(x: f64) -> Point {
    (1.0 / x, -x.powi(-2))
}

/// The largest integer not above x.
#[must_use]
pub fn floor(x: f64) -> Point {
    (x.floor(), 0.0)
}

/// The least integer not below x.
#[must_use]
pub fn ceil(x: f64) -> Point {
    (x.ceil(), 0.0)
}

/// The nearest integer, of two the even one.
#[must_use]
pub fn round(x: f64) -> Point {
    (x.round_ties_even(), 0.0)
}

/// 1 above 0, −1 below, 0 at 0.
#[must_use]
pub fn sign(x: f64) -> Point {
    let value = if x == 0.0 { x } else { x.signum() };
    (value, 0.0)
}

/// One parametric rectifier: `y`, and given `dy` the gradients of `x` and of the slopes. `channel` tells the
/// slope of each element.
#[must_use]
pub fn prelu(
    x: &[f64],
    slopes: &[f64],
    dy: &[f64],
    channel: impl Fn(usize) -> usize,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut y, mut dx) = (Vec::new(), Vec::new());
    let mut dslopes = vec![0.0; slopes.len()];
    for (i, &x) in x.iter().enumerate() {
        let slope = slopes[channel(i)];
        let (value, gradient) = leaky_relu(x, slope);
        y.push(value);
        dx.push(dy[i] * gradient);
        dslopes[channel(i)] += dy[i] * x.min(0.0);
    }
    (y, dx, dslopes)
}

fn cut(x: f64, min: f64, max: f64) -> f64 {
    if x.is_nan() { x } else { x.max(min).min(max) }
}

/// At −∞ the gate wins.
fn limited(value: f64, x: f64) -> f64 {
    if x == f64::NEG_INFINITY { 0.0 } else { value }
}

/// The slopes of what is `x` far above 0 and 0 far below.
fn limited_slope(slope: f64, x: f64) -> f64 {
    if x.is_nan() {
        x
    } else if x > 1e3 {
        1.0
    } else if x < -1e3 {
        0.0
    } else {
        slope
    }
}
