//! `v ← μ·v + g`, `w ← w − η·v`, or with Nesterov's look-ahead `w ← w − η·(g + μ·v)`.

use super::Slot;

/// `torch.optim.SGD` without dampening. Its first step sets `v = g`, which is what a velocity of zero gives.
pub(super) fn step(slot: Slot<'_>, momentum: f32, nesterov: bool) {
    // The branch stands outside the loops so that each is one straight run of vector code.
    if nesterov {
        each(slot, |gradient, velocity| {
            *velocity = momentum * *velocity + gradient;
            gradient + momentum * *velocity
        });
    } else {
        each(slot, |gradient, velocity| {
            *velocity = momentum * *velocity + gradient;
            *velocity
        });
    }
}

fn each(slot: Slot<'_>, direction: impl Fn(f32, &mut f32) -> f32) {
    let (rate, decay) = (slot.learning_rate, slot.decay);
    let buffers = slot.parameters.iter_mut().zip(slot.gradients);
    for ((parameter, gradient), velocity) in buffers.zip(slot.first) {
        let gradient = gradient + decay * *parameter;
        *parameter -= rate * direction(gradient, velocity);
    }
}
