//! `m ← β₁·m + (1 − β₁)·g`, `s ← β₂·s + (1 − β₂)·g²`, `w ← w − η·m̂ / (√ŝ + ε)`, where the hats undo the pull
//! of the zeros that the averages started from.

use super::Slot;

/// The rule's constants at one step.
pub(super) struct Constants {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// `1 − β₁ᵗ`
    correction1: f32,
    /// `√(1 − β₂ᵗ)`
    correction2: f32,
}

impl Constants {
    /// At step `t`, counted from 1. Powers of numbers near 1 are taken in `f64`.
    pub(super) fn new(beta1: f32, beta2: f32, epsilon: f32, t: u64) -> Self {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(t as f64);
        Self {
            beta1,
            beta2,
            epsilon,
            correction1: correction(beta1) as f32,
            correction2: correction(beta2).sqrt() as f32,
        }
    }
}

/// `torch.optim.Adam`; the slot's decay is added to the gradient.
pub(super) fn step(slot: Slot<'_>, constants: Constants) {
    let Constants {
        beta1,
        beta2,
        epsilon,
        correction1,
        correction2,
    } = constants;
    let (rate, decay) = (slot.learning_rate / correction1, slot.decay);
    let buffers = slot.parameters.iter_mut().zip(slot.gradients);
    for ((parameter, gradient), (mean, square)) in
        buffers.zip(slot.first.iter_mut().zip(slot.second))
    {
        let gradient = gradient + decay * *parameter;
        *mean += (1.0 - beta1) * (gradient - *mean);
        *square = beta2 * *square + (1.0 - beta2) * gradient * gradient;
        *parameter -= rate * *mean / (square.sqrt() / correction2 + epsilon);
    }
}

/// What sets `torch.optim.AdamW` apart: weights shrink by themselves, `w ← w·(1 − η·λ)`, and no decay is left
/// for the gradient.
pub(super) fn decay_decoupled(slot: Slot<'_>) -> Slot<'_> {
    let shrink = 1.0 - slot.learning_rate * slot.decay;
    for parameter in &mut *slot.parameters {
        *parameter *= shrink;
    }
    Slot { decay: 0.0, ..slot }
}
