//! Clipping of gradients by their common norm (Pascanu et al. 2013).

/// Sums that are kept apart, so that one need not wait for the other. Their number is fixed, and with it the order of
/// all additions.
const LANES: usize = 8;

/// Scales the gradients down to an Euclidean norm of `limit` where theirs is larger, as PyTorch's `clip_grad_norm_`
/// does, and gives the norm they had. What is not finite stays so.
///
/// ```
/// let mut gradients = [3.0, 0.0, 4.0];
/// assert_eq!(train::clip_by_norm(&mut gradients, 10.0), 5.0);
/// assert_eq!(gradients, [3.0, 0.0, 4.0]);
/// train::clip_by_norm(&mut gradients, 0.5);
/// assert!((gradients[2] - 0.4).abs() < 1e-6);
/// ```
pub fn clip_by_norm(gradients: &mut [f32], limit: f64) -> f64 {
    let mut sums = [0.0_f64; LANES];
    let (rows, rest) = gradients.as_chunks::<LANES>();
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*value) * f64::from(*value);
    }
    let norm = sums.iter().sum::<f64>().sqrt();
    // PyTorch's guard against a norm of zero.
    let scale = limit / (norm + 1e-6);
    if scale < 1.0 {
        for value in gradients {
            *value *= scale as f32;
        }
    }
    norm
}
