//! The definition, in f32 or f64: exponentials of the standard library, sums in f64.

use super::CrossEntropy;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y[row, class] = exp(x[row, class]) / Σ exp(x[row, ·])`. A row with a NaN or +∞ becomes NaN.
///
/// # Panics
/// When a slice does not hold `rows · classes` elements.
pub fn softmax<T: Real>(ctx: &Context<'_>, x: &[T], rows: usize, classes: usize, y: &mut [T]) {
    assert_eq!(x.len(), rows * classes, "softmax: length of x");
    assert_eq!(y.len(), rows * classes, "softmax: length of y");
    let out = Shared::new(y);
    for_rows(ctx.team, rows, classes, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let y = unsafe { out.slice(row * classes, classes) };
            let row = Row::new(&x[row * classes..][..classes]);
            for (y, logit) in y.iter_mut().zip(row.logits) {
                *y = T::of(row.probability(*logit));
            }
        }
    });
}

/// The mean cross-entropy, as [`CrossEntropy::forward`], which also says how much scratch it needs.
///
/// # Panics
/// As [`CrossEntropy::forward`].
pub fn cross_entropy<T: Real>(
    ctx: &Context<'_>,
    problem: &CrossEntropy<'_>,
    logits: &[T],
    scratch: &mut [T],
) -> T {
    let rows = problem.check(logits.len());
    let classes = problem.classes;
    let smoothing = f64::from(problem.label_smoothing);
    let losses = &mut scratch[..rows];
    let out = Shared::new(losses);
    for_rows(ctx.team, rows, classes, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let loss = unsafe { out.slice(row, 1) };
            let label = problem.labels[row] as usize;
            let row = Row::new(&logits[row * classes..][..classes]);
            let of_label = (1.0 - smoothing) * row.surprise(row.logits[label]);
            // Without smoothing a logit of −∞ must not count: 0 · ∞ is NaN.
            let of_all = if smoothing > 0.0 {
                let all = row.logits.iter().map(|&logit| row.surprise(logit));
                smoothing / classes as f64 * all.sum::<f64>()
            } else {
                0.0
            };
            loss[0] = T::of(of_label + of_all);
        }
    });
    let total: f64 = losses.iter().map(|loss| loss.wide()).sum();
    T::of(total / rows as f64)
}

/// The gradient of the mean cross-entropy times `dloss`, as [`CrossEntropy::backward`].
///
/// # Panics
/// As [`CrossEntropy::backward`].
pub fn cross_entropy_backward<T: Real>(
    ctx: &Context<'_>,
    problem: &CrossEntropy<'_>,
    logits: &[T],
    dloss: T,
    dlogits: &mut [T],
) {
    let rows = problem.check(logits.len());
    let classes = problem.classes;
    assert_eq!(
        dlogits.len(),
        logits.len(),
        "cross entropy: length of dlogits"
    );
    let smoothing = f64::from(problem.label_smoothing);
    let spread = smoothing / classes as f64;
    let factor = dloss.wide() / rows as f64;
    let out = Shared::new(dlogits);
    for_rows(ctx.team, rows, classes, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let gradient = unsafe { out.slice(row * classes, classes) };
            let label = problem.labels[row] as usize;
            let row = Row::new(&logits[row * classes..][..classes]);
            for (class, (gradient, logit)) in gradient.iter_mut().zip(row.logits).enumerate() {
                let hot = if class == label { 1.0 - smoothing } else { 0.0 };
                *gradient = T::of(factor * (row.probability(*logit) - (hot + spread)));
            }
        }
    });
}

/// The logits of one image.
struct Row<'a, T> {
    logits: &'a [T],
    top: f64,
    /// `Σ exp(logit − top)`
    sum: f64,
}

impl<'a, T: Real> Row<'a, T> {
    fn new(logits: &'a [T]) -> Self {
        // The largest logit; NaNs are passed over.
        let top = logits
            .iter()
            .fold(f64::NEG_INFINITY, |top, logit| top.max(logit.wide()));
        let sum = logits.iter().map(|logit| (logit.wide() - top).exp()).sum();
        Self { logits, top, sum }
    }

    fn probability(&self, logit: T) -> f64 {
        (logit.wide() - self.top).exp() / self.sum
    }

    /// `−ln probability`
    fn surprise(&self, logit: T) -> f64 {
        self.sum.ln() - (logit.wide() - self.top)
    }
}
