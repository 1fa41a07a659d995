//! Runs of the network that carry gradients back.

use graph::passes::{inference, remember_maxima, remove_dead};
use graph::{RectifierRule, pullback_by};
use runtime::{Program, Run};

use crate::error::ExplainError;
use crate::forward::made_by;
use crate::subject::Subject;

/// The network for one image up to one of its values, and the way back from there to the image or a layer.
pub(crate) struct Pullback<'a> {
    subject: &'a Subject,
    program: Program,
}

impl<'a> Pullback<'a> {
    /// Prepares the way from what the layer `of` makes, or from the logits, to what the layer `to` makes, or to the
    /// image.
    pub(crate) fn new(
        subject: &'a Subject,
        of: Option<&str>,
        to: Option<&str>,
        rule: RectifierRule,
    ) -> Result<Self, ExplainError> {
        let mut network = subject.network().clone();
        for layer in [of, to].into_iter().flatten() {
            subject.node(layer)?;
        }
        let made = |layer| made_by(subject.network(), layer);
        if let Some(of) = of.and_then(made) {
            network.outputs = vec![of];
        }
        // A layer whose gradient is wanted must not be fused into the next one: outputs are not.
        network.outputs.extend(to.and_then(made));
        let network = remember_maxima(&inference(&network)?)?;
        let of = network.outputs[0];
        let wanted = *network.outputs.get(1).unwrap_or(&network.inputs[0]);
        let grown = pullback_by(&network, of, &[wanted], rule)?;
        let program = subject.program(remove_dead(&grown))?;
        Ok(Self { subject, program })
    }

    /// Puts an image before the network.
    pub(crate) fn see(&mut self, image: &[f32]) -> Result<(), ExplainError> {
        self.subject.check_image(image)?;
        self.program.input_f32(0).copy_from_slice(image);
        Ok(())
    }

    /// The gradient that is carried back in a run, to be written.
    pub(crate) fn upstream(&mut self) -> &mut [f32] {
        self.program.input_f32(1)
    }

    /// Runs the network on the image, there and back.
    pub(crate) fn run(&mut self) {
        self.program.run(Run::default());
    }

    /// What is gone back from, as the last run made it.
    pub(crate) fn made(&self) -> &[f32] {
        self.program.output(0)
    }

    /// What the layer whose gradient is wanted makes.
    pub(crate) fn layer(&self) -> &[f32] {
        self.program.output(1)
    }

    /// The gradient.
    pub(crate) fn gradient(&self) -> &[f32] {
        self.program.output(self.program.graph().outputs.len() - 1)
    }
}
