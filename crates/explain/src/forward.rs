//! Runs of the network that show what layers make.

use graph::passes::inference;
use graph::{Graph, ValueId};
use runtime::{Program, Run};

use crate::error::ExplainError;
use crate::subject::Subject;

/// The network for some images at once, which shows its probabilities and what some layers make.
pub(crate) struct Forward<'a> {
    subject: &'a Subject,
    program: Program,
    batch: usize,
}

/// Outputs before those of the layers: the logits and the probabilities.
const FIRST_LAYER: usize = 2;

impl<'a> Forward<'a> {
    /// Prepares the network for `batch` images.
    pub(crate) fn new(
        subject: &'a Subject,
        batch: usize,
        layers: &[&str],
    ) -> Result<Self, ExplainError> {
        let mut network = subject.network_of(batch)?;
        let logits = network.outputs[0];
        let probabilities =
            network.append(subject.activation().op(), "probabilities", vec![logits])?;
        network.outputs.extend(probabilities);
        for layer in layers {
            subject.node(layer)?;
            network.outputs.extend(made_by(&network, layer));
        }
        let program = subject.program(inference(&network)?)?;
        Ok(Self {
            subject,
            program,
            batch,
        })
    }

    /// Prepares the network for `batch` images, or where it is made for one image for that.
    pub(crate) fn for_many(
        subject: &'a Subject,
        batch: usize,
        layers: &[&str],
    ) -> Result<Self, ExplainError> {
        match Self::new(subject, batch, layers) {
            Err(ExplainError::Build { .. }) => Self::new(subject, 1, layers),
            made => made,
        }
    }

    /// Images that a run takes.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// Where an image of the next run is written.
    pub(crate) fn image_mut(&mut self, place: usize) -> &mut [f32] {
        let len = self.subject.image_len();
        &mut self.program.input_f32(0)[place * len..][..len]
    }

    /// Runs the network on no more images than it was prepared for; what places are left over keep what they had.
    pub(crate) fn run(&mut self, images: &[&[f32]]) -> Result<(), ExplainError> {
        for (place, image) in images.iter().enumerate() {
            self.subject.check_image(image)?;
            self.image_mut(place).copy_from_slice(image);
        }
        self.run_as_written();
        Ok(())
    }

    /// Runs the network on what was written.
    pub(crate) fn run_as_written(&mut self) {
        self.program.run(Run::default());
    }

    /// The probabilities of the classes on an image.
    pub(crate) fn probabilities(&self, place: usize) -> Result<&[f32], ExplainError> {
        let [logits, probabilities] = [0, 1].map(|index| self.of_image(index, place));
        match logits.iter().position(|logit| !logit.is_finite()) {
            None => Ok(probabilities),
            Some(class) => Err(ExplainError::NotFinite {
                network: self.subject.network().name.clone(),
                class,
                value: logits[class],
            }),
        }
    }

    /// What a layer, by its place in the list, makes of an image.
    pub(crate) fn layer(&self, layer: usize, place: usize) -> &[f32] {
        self.of_image(FIRST_LAYER + layer, place)
    }

    fn of_image(&self, output: usize, place: usize) -> &[f32] {
        let all = self.program.output(output);
        let len = all.len() / self.batch;
        &all[place * len..][..len]
    }
}

/// What the last node of a layer makes.
pub(crate) fn made_by(network: &Graph, layer: &str) -> Option<ValueId> {
    let mut nodes = network.nodes.iter().rev();
    nodes
        .find(|node| node.layer == layer)?
        .outputs
        .first()
        .copied()
}
