//! ReLU and ReLU6, element by element. A NaN goes through; the slope at the kinks is 0 (PyTorch).

/// `max(x, 0)`.
#[must_use]
pub fn relu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|&v| if v <= 0.0 { 0.0 } else { v }).collect()
}

/// `dy` where `x > 0`, else 0.
#[must_use]
pub fn relu_backward(x: &[f64], dy: &[f64]) -> Vec<f64> {
    let pairs = x.iter().zip(dy);
    pairs
        .map(|(&v, &g)| if v <= 0.0 { 0.0 } else { g })
        .collect()
}

/// `min(max(x, 0), 6)`.
#[must_use]
pub fn relu6(x: &[f64]) -> Vec<f64> {
    let capped = |v: f64| if v >= 6.0 { 6.0 } else { v };
    relu(x).into_iter().map(capped).collect()
}

/// `dy` where `0 < x < 6`, else 0.
#[must_use]
pub fn relu6_backward(x: &[f64], dy: &[f64]) -> Vec<f64> {
    let pairs = x.iter().zip(dy);
    pairs
        .map(|(&v, &g)| if v <= 0.0 || v >= 6.0 { 0.0 } else { g })
        .collect()
}
