//! Softmax cross-entropy with label smoothing, the mean over the batch (PyTorch's `CrossEntropyLoss`).
//!
//! With `K` classes the target distribution of label `t` is `q = (1 − ε)·[c = t] + ε/K`, the loss of one row
//! `−Σ q·ln p` with `p = softmax(logits)`, and its gradient `p − q`.

/// One batch of classification problems.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy<'a> {
    /// Number of classes, the columns of the logits.
    pub classes: usize,
    /// The true class of each row.
    pub labels: &'a [usize],
    /// ε, in [0, 1].
    pub smoothing: f64,
}

impl CrossEntropy<'_> {
    /// The mean loss of `logits[batch, classes]`.
    #[must_use]
    pub fn loss(&self, logits: &[f64]) -> f64 {
        let rows = self.rows(logits);
        let total: f64 = rows
            .map(|(row, label)| {
                let log_sum = log_sum_exp(row);
                let terms = row.iter().enumerate();
                terms
                    .map(|(class, z)| -self.target(class, label) * (z - log_sum))
                    .sum::<f64>()
            })
            .sum();
        total / self.labels.len() as f64
    }

    /// The gradient of [`loss`](Self::loss) with respect to the logits.
    #[must_use]
    pub fn gradient(&self, logits: &[f64]) -> Vec<f64> {
        let mut gradient = Vec::with_capacity(logits.len());
        for (row, label) in self.rows(logits) {
            let log_sum = log_sum_exp(row);
            for (class, z) in row.iter().enumerate() {
                let probability = (z - log_sum).exp();
                gradient.push((probability - self.target(class, label)) / self.labels.len() as f64);
            }
        }
        gradient
    }

    fn target(&self, class: usize, label: usize) -> f64 {
        let hot = if class == label { 1.0 } else { 0.0 };
        (1.0 - self.smoothing) * hot + self.smoothing / self.classes as f64
    }

    fn rows<'l>(&'l self, logits: &'l [f64]) -> impl Iterator<Item = (&'l [f64], usize)> {
        assert_eq!(logits.len(), self.labels.len() * self.classes, "logits");
        assert!(self.labels.iter().all(|&l| l < self.classes), "labels");
        logits
            .chunks_exact(self.classes)
            .zip(self.labels.iter().copied())
    }
}

/// The class probabilities of each row of `logits[batch, classes]`.
#[must_use]
pub fn softmax(logits: &[f64], classes: usize) -> Vec<f64> {
    let rows = logits.chunks_exact(classes);
    rows.flat_map(|row| {
        let log_sum = log_sum_exp(row);
        row.iter().map(move |z| (z - log_sum).exp())
    })
    .collect()
}

/// `ln Σ exp(z)`, with the maximum taken out so that large logits do not overflow.
fn log_sum_exp(row: &[f64]) -> f64 {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + row.iter().map(|z| (z - top).exp()).sum::<f64>().ln()
}
