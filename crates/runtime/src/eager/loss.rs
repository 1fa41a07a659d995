//! Losses.

use graph::Op;
use tensor::Tensor;

use super::{Eager, Element, Given};
use crate::RuntimeError;

impl Eager {
    /// Mean softmax cross-entropy of `logits [n, k]` and the true classes `labels [n]`, a tensor without
    /// axes. The share `label_smoothing` of the target is spread over all classes (Szegedy et al. 2016),
    /// as PyTorch's `cross_entropy` does.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let logits = Tensor::from_slice(&[2, 2], &[0.0f64, 0.0, 0.0, 3f64.ln()])?;
    /// let labels = Tensor::from_slice(&[2], &[0, 1])?;
    /// let loss = eager.cross_entropy(&logits, &labels, 0.0)?;
    /// // −(ln ½ + ln ¾)/2
    /// assert!((loss.data()[0] - 0.490_414_626_505_863).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Logits that are no matrix, another number of labels, a label that is no class, or a share
    /// outside 0 … 1.
    pub fn cross_entropy<T: Element>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<u32>,
        label_smoothing: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        if let &[_, classes] = logits.dims() {
            let labels = labels.data().iter().enumerate();
            let mut strange = labels.filter(|&(_, &label)| label as usize >= classes);
            if let Some((row, label)) = strange.next() {
                return Err(RuntimeError::Given {
                    what: format!("label {label} of row {row} is none of {classes} classes"),
                });
            }
        }
        let op = Op::CrossEntropy { label_smoothing };
        self.first(op, &[logits.into(), Given::Index(labels)])
    }
}
