//! `s ← α·s + (1 − α)·g²`, `v ← μ·v + g / (√s + ε)`, `w ← w − η·v`.

use super::Slot;

/// `torch.optim.RMSprop`, not centred.
pub(super) fn step(slot: Slot<'_>, alpha: f32, epsilon: f32, momentum: f32) {
    let (rate, decay) = (slot.learning_rate, slot.decay);
    let buffers = slot.parameters.iter_mut().zip(slot.gradients);
    for ((parameter, gradient), (square, velocity)) in
        buffers.zip(slot.first.iter_mut().zip(slot.second))
    {
        let gradient = gradient + decay * *parameter;
        *square = alpha * *square + (1.0 - alpha) * gradient * gradient;
        *velocity = momentum * *velocity + gradient / (square.sqrt() + epsilon);
        *parameter -= rate * *velocity;
    }
}
