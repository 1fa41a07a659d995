//! Judging f32 and f64 results against f64 answers. Every failure names the problem and the first wrong
//! element.

use std::fmt::Display;

/// What a result is made of: f32 or f64.
pub trait Element: Copy + Display + Into<f64> {}

impl<T: Copy + Display + Into<f64>> Element for T {}

/// The values in f64, unchanged.
#[must_use]
pub fn widen<T: Element>(values: &[T]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

/// The absolute values.
#[must_use]
pub fn magnitude(values: &[f64]) -> Vec<f64> {
    values.iter().map(|v| v.abs()).collect()
}

/// The error allowed to an f32 sum of `terms` products whose absolute values sum to `magnitude`:
/// `terms · 2⁻²⁴ · magnitude`, element by element. It holds for any order of summation (Higham, *Accuracy and
/// Stability of Numerical Algorithms*, §3.1, to first order).
#[must_use]
pub fn rounding_bound(terms: &[f64], magnitude: &[f64]) -> Vec<f64> {
    let unit = 2f64.powi(-24);
    let pairs = terms.iter().zip(magnitude);
    pairs.map(|(k, m)| k * unit * m).collect()
}

/// Where a result is not exactly the wanted numbers: the first such element, and how many there are (0 and −0
/// are equal, and so are NaNs).
#[must_use]
pub fn difference<T: Element>(got: &[T], want: &[f64]) -> Option<String> {
    if got.len() != want.len() {
        return Some(format!("{} elements, should be {}", got.len(), want.len()));
    }
    let differs = |&i: &usize| {
        let (got, want): (f64, f64) = (got[i].into(), want[i]);
        got != want && !(got.is_nan() && want.is_nan())
    };
    let first = (0..got.len()).find(differs)?;
    let count = (first..got.len()).filter(differs).count();
    Some(format!(
        "element {first} is {}, should be exactly {}; {count} of {} differ",
        got[first],
        want[first],
        got.len()
    ))
}

/// Checks that every element is exactly the wanted number, as [`difference`] judges.
///
/// # Panics
/// Naming `problem`, the first differing index and how many differ.
#[track_caller]
pub fn assert_exact<T: Element>(problem: &str, got: &[T], want: &[f64]) {
    assert_lengths(problem, got, want);
    if let Some(difference) = difference(got, want) {
        panic!("{problem}: {difference}");
    }
}

/// Checks that every element is within its own bound of the wanted number; NaN never is, except where NaN is
/// wanted.
///
/// # Panics
/// Naming `problem`, the first element out of bounds and the worst.
#[track_caller]
pub fn assert_close<T: Element>(problem: &str, got: &[T], want: &[f64], bound: &[f64]) {
    assert_lengths(problem, got, want);
    assert_eq!(want.len(), bound.len(), "{problem}: one bound per element");
    let excess = |i: usize| {
        let (got, want): (f64, f64) = (got[i].into(), want[i]);
        if got == want || (got.is_nan() && want.is_nan()) {
            return 0.0;
        }
        let excess = (got - want).abs() / bound[i];
        if excess.is_nan() {
            f64::INFINITY
        } else {
            excess
        }
    };
    let wrong: Vec<usize> = (0..got.len()).filter(|&i| excess(i) > 1.0).collect();
    if let Some(&first) = wrong.first() {
        let worst = wrong
            .iter()
            .copied()
            .fold(first, |a, b| if excess(b) > excess(a) { b } else { a });
        panic!(
            "{problem}: element {first} is {}, should be {} ± {:e}; {} of {} are out of bounds, the worst \
             element {worst} by a factor {:.3e}",
            got[first],
            want[first],
            bound[first],
            wrong.len(),
            got.len(),
            excess(worst)
        );
    }
}

/// `‖got − want‖₂ / ‖want‖₂`; the plain norm of `got` where `want` is all zero.
#[must_use]
pub fn relative_l2<T: Element>(got: &[T], want: &[f64]) -> f64 {
    let square = |sum: f64, v: f64| sum + v * v;
    let pairs = got.iter().zip(want);
    let error = pairs.map(|(&g, w)| g.into() - w).fold(0.0, square);
    let size = want.iter().copied().fold(0.0, square);
    (error / if size > 0.0 { size } else { 1.0 }).sqrt()
}

/// Checks that the relative L2 error is at most `limit`, the measure for Winograd and reduced precision.
///
/// # Panics
/// Naming `problem` and the error.
#[track_caller]
pub fn assert_relative_l2<T: Element>(problem: &str, got: &[T], want: &[f64], limit: f64) {
    assert_lengths(problem, got, want);
    let error = relative_l2(got, want);
    assert!(
        error <= limit,
        "{problem}: relative L2 error {error:.3e} passes {limit:.3e}"
    );
}

#[track_caller]
fn assert_lengths<T>(problem: &str, got: &[T], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{problem}: number of elements");
}
