//! Class probabilities and the cross-entropy loss over `[rows, classes]` logits.
//!
//! The functions here are for f32; those of [`mod@reference`] are for f64 too.

pub mod reference;

pub mod axis;

use crate::blocks::for_rows;
use crate::exponential::exp_of_negative;
use crate::shared::Shared;
use crate::sum::{LANES, sum_of};
use crate::vectorise::vectorised;
use crate::{Context, Isa};

/// `y[row, class] = exp(x[row, class]) / Σ exp(x[row, ·])`, of `x − max x`, which does not overflow.
/// A row with a NaN or +∞ becomes NaN.
///
/// # Panics
/// When a slice does not hold `rows · classes` elements.
pub fn softmax(context: &Context, x: &[f32], rows: usize, classes: usize, y: &mut [f32]) {
    assert_eq!(x.len(), rows * classes, "softmax: length of x");
    assert_eq!(y.len(), rows * classes, "softmax: length of y");
    let out = Shared::new(y);
    for_rows(context.team, rows, classes, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let y = unsafe { out.slice(row * classes, classes) };
            let logits = &x[row * classes..][..classes];
            let sum = exponentials(context.isa, logits, maximum(context.isa, logits), y);
            scale_row(context.isa, y, (1.0 / sum) as f32);
        }
    });
}

/// A classification problem: which class each row of logits should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy<'a> {
    /// The true class of each row.
    pub labels: &'a [u32],
    /// Columns of the logits.
    pub classes: usize,
    /// The share ε of the target that is spread over all classes (Szegedy et al. 2016); 0 for none.
    pub label_smoothing: f32,
}

impl CrossEntropy<'_> {
    /// Elements of `scratch` that [`CrossEntropy::forward`] needs.
    pub fn scratch_len(rows: usize) -> usize {
        rows
    }

    /// The mean over the rows of `−Σ q·ln softmax(logits)` with `q = (1 − ε)·[c = label] + ε/classes`:
    /// PyTorch's `CrossEntropyLoss(label_smoothing=ε)`. NaN where there are no rows.
    ///
    /// # Panics
    /// When the logits are not `[labels, classes]`, a label is not below `classes`, or `scratch` is
    /// shorter than [`CrossEntropy::scratch_len`].
    pub fn forward(&self, context: &Context, logits: &[f32], scratch: &mut [f32]) -> f32 {
        let rows = self.check(logits.len());
        let losses = &mut scratch[..rows];
        let out = Shared::new(losses);
        for_rows(context.team, rows, self.classes, |range| {
            for row in range {
                // SAFETY: every row belongs to one task.
                let loss = unsafe { out.slice(row, 1) };
                let logits = &logits[row * self.classes..][..self.classes];
                loss[0] = self.row_loss(context.isa, logits, self.labels[row] as usize);
            }
        });
        let total: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        (total / rows as f64) as f32
    }

    /// `dlogits = dloss · (softmax(logits) − q) / rows`, the gradient of the mean loss times `dloss`.
    ///
    /// # Panics
    /// When `logits` or `dlogits` is not `[labels, classes]`, or a label is not below `classes`.
    pub fn backward(&self, context: &Context, logits: &[f32], dloss: f32, dlogits: &mut [f32]) {
        let rows = self.check(logits.len());
        assert_eq!(
            dlogits.len(),
            logits.len(),
            "cross entropy: length of dlogits"
        );
        let factor = f64::from(dloss) / rows as f64;
        let spread = f64::from(self.label_smoothing) / self.classes as f64;
        let label_share = (factor * (1.0 - f64::from(self.label_smoothing))) as f32;
        let spread = (factor * spread) as f32;
        let out = Shared::new(dlogits);
        for_rows(context.team, rows, self.classes, |range| {
            for row in range {
                // SAFETY: every row belongs to one task.
                let gradient = unsafe { out.slice(row * self.classes, self.classes) };
                let logits = &logits[row * self.classes..][..self.classes];
                let isa = context.isa;
                let sum = exponentials(isa, logits, maximum(isa, logits), gradient);
                let scale = (factor / sum) as f32;
                vectorised(
                    isa,
                    #[inline(always)]
                    || {
                        for value in gradient.iter_mut() {
                            *value = *value * scale - spread;
                        }
                    },
                );
                gradient[self.labels[row] as usize] -= label_share;
            }
        });
    }

    fn row_loss(&self, isa: Isa, logits: &[f32], label: usize) -> f32 {
        let top = maximum(isa, logits);
        let sum = sum_of(isa, logits, |value| exp_of_negative(value - top));
        let smoothing = f64::from(self.label_smoothing);
        let mut target = (1.0 - smoothing) * f64::from(logits[label] - top);
        // Without smoothing a logit of −∞ must not count: 0 · ∞ is NaN.
        if smoothing > 0.0 {
            let all = sum_of(isa, logits, |value| value - top);
            target += smoothing / self.classes as f64 * all;
        }
        (sum.ln() - target) as f32
    }

    /// Asserts that `logits` elements have the labels' rows, and says how many.
    fn check(&self, logits: usize) -> usize {
        let rows = self.labels.len();
        assert_eq!(
            logits,
            rows * self.classes,
            "cross entropy: logits are not {rows} rows of {} classes",
            self.classes
        );
        if let Some(label) = self.labels.iter().find(|&&l| l as usize >= self.classes) {
            panic!("cross entropy: label {label} of {} classes", self.classes);
        }
        rows
    }
}

/// The largest element; NaNs are passed over.
fn maximum(isa: Isa, row: &[f32]) -> f32 {
    vectorised(
        isa,
        #[inline(always)]
        || {
            let mut lanes = [f32::NEG_INFINITY; LANES];
            let (body, tail) = row.as_chunks::<LANES>();
            for chunk in body {
                for (lane, &value) in lanes.iter_mut().zip(chunk) {
                    *lane = if value > *lane { value } else { *lane };
                }
            }
            lanes.iter().chain(tail).fold(
                f32::NEG_INFINITY,
                |top, &value| if value > top { value } else { top },
            )
        },
    )
}

/// `y = exp(x − top)`, and its sum.
fn exponentials(isa: Isa, x: &[f32], top: f32, y: &mut [f32]) -> f64 {
    vectorised(
        isa,
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = exp_of_negative(x - top);
            }
        },
    );
    sum_of(isa, y, |value| value)
}

fn scale_row(isa: Isa, row: &mut [f32], factor: f32) {
    vectorised(
        isa,
        #[inline(always)]
        || {
            for value in row.iter_mut() {
                *value *= factor;
            }
        },
    );
}
