//! Gradients by central differences: what proves the oracle's own backward functions.

use thiserror::Error;

/// Half the distance of the two points of a difference (PyTorch's `gradcheck`).
pub const STEP: f64 = 1e-6;
/// Absolute error allowed.
pub const ABSOLUTE: f64 = 1e-5;
/// Error allowed relative to the difference quotient.
pub const RELATIVE: f64 = 1e-3;

/// The component of a gradient that is furthest out of tolerance.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error(
    "gradient component {index} of {len} is {analytic:e}, but central differences give {numeric:e} \
     (allowed ± {allowed:e})"
)]
pub struct GradientMismatch {
    /// Index of the component.
    pub index: usize,
    /// Number of components.
    pub len: usize,
    /// The value under test.
    pub analytic: f64,
    /// The difference quotient.
    pub numeric: f64,
    /// The difference allowed between the two.
    pub allowed: f64,
}

/// The gradient of `f` at `at`, by central differences with [`STEP`].
pub fn numeric(f: impl Fn(&[f64]) -> f64, at: &[f64]) -> Vec<f64> {
    let mut point = at.to_vec();
    let mut slopes = Vec::with_capacity(at.len());
    for (index, &centre) in at.iter().enumerate() {
        point[index] = centre + STEP;
        let above = f(&point);
        point[index] = centre - STEP;
        let below = f(&point);
        point[index] = centre;
        slopes.push((above - below) / (2.0 * STEP));
    }
    slopes
}

/// Checks that `analytic` is the gradient of `f` at `at`.
///
/// # Errors
/// The worst component, where one differs from the difference quotient by more than
/// [`ABSOLUTE`] + [`RELATIVE`]·|quotient|; NaN always does.
///
/// # Panics
/// If `analytic` and `at` differ in length.
///
/// ```
/// let sum_of_squares = |x: &[f64]| x.iter().map(|v| v * v).sum();
/// assert!(testkit::gradient::check(sum_of_squares, &[1.0, -3.0], &[2.0, -6.0]).is_ok());
/// assert!(testkit::gradient::check(sum_of_squares, &[1.0, -3.0], &[2.0, 6.0]).is_err());
/// ```
pub fn check(
    f: impl Fn(&[f64]) -> f64,
    at: &[f64],
    analytic: &[f64],
) -> Result<(), GradientMismatch> {
    assert_eq!(at.len(), analytic.len(), "one gradient component per input");
    let mut worst = None;
    let mut worst_excess = 1.0;
    for (index, (numeric, &analytic)) in numeric(f, at).into_iter().zip(analytic).enumerate() {
        let allowed = ABSOLUTE + RELATIVE * numeric.abs();
        let mut excess = (analytic - numeric).abs() / allowed;
        if excess.is_nan() {
            excess = f64::INFINITY;
        }
        if excess > worst_excess {
            worst_excess = excess;
            worst = Some(GradientMismatch {
                index,
                len: at.len(),
                analytic,
                numeric,
                allowed,
            });
        }
    }
    worst.map_or(Ok(()), Err)
}
