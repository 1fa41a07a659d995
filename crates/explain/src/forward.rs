//! Runs of the network that show what layers make.

use graph::passes::inference;
use graph::{Graph, ValueId};
use runtime::{Program, Run};

use crate::batches::{BUDGET, MOST, batch_of};
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
        Ok(Self {
            subject,
            program: subject.program(of_layers(subject, batch, layers)?)?,
            batch,
        })
    }

    /// Prepares the network for one image, to show a value of [its graph](Subject::network) where it shows layers.
    pub(crate) fn of_value(subject: &'a Subject, value: ValueId) -> Result<Self, ExplainError> {
        let network = shown(subject, subject.network().clone(), [value])?;
        Ok(Self {
            subject,
            program: subject.program(network)?,
            batch: 1,
        })
    }

    /// Prepares the network for some of `images` at once: as many as [fit](fitting).
    pub(crate) fn for_many(
        subject: &'a Subject,
        images: usize,
        layers: &[&str],
    ) -> Result<Self, ExplainError> {
        let (batch, graph) = fitting(subject, images, layers)?;
        Ok(Self {
            subject,
            program: subject.program(graph)?,
            batch,
        })
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

/// The network for `batch` images, made ready to be run, which shows its probabilities and what some layers make.
fn of_layers(subject: &Subject, batch: usize, layers: &[&str]) -> Result<Graph, ExplainError> {
    let network = subject.network_of(batch)?;
    let mut values = Vec::new();
    for layer in layers {
        subject.node(layer)?;
        values.extend(made_by(&network, layer));
    }
    shown(subject, network, values)
}

/// A network, made ready to be run, which shows its probabilities and some of its values.
fn shown(
    subject: &Subject,
    mut network: Graph,
    values: impl IntoIterator<Item = ValueId>,
) -> Result<Graph, ExplainError> {
    let logits = network.outputs[0];
    let probabilities = network.append(subject.activation().op(), "probabilities", vec![logits])?;
    network.outputs.extend(probabilities);
    network.outputs.extend(values);
    Ok(inference(&network)?)
}

/// How many of `images` to run at once, and the network for them: what [`batch_of`] says, in a run of no more than
/// [`BUDGET`]; of one that is made for a single image, one.
fn fitting(
    subject: &Subject,
    images: usize,
    layers: &[&str],
) -> Result<(usize, Graph), ExplainError> {
    let mut most = MOST;
    loop {
        let batch = batch_of(images, most);
        let graph = match of_layers(subject, batch, layers) {
            Err(ExplainError::Build { .. }) if batch > 1 => {
                most = 1;
                continue;
            }
            graph => graph?,
        };
        // A single image is run whatever it takes, which nobody needs to plan for.
        if batch == 1 || subject.planned(&graph).is_ok_and(|bytes| bytes <= BUDGET) {
            return Ok((batch, graph));
        }
        most = batch / 2;
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

#[cfg(test)]
mod tests {
    use geometry::ConvDesc;
    use graph::{GraphError, NetworkBuilder, OutputActivation, passes};
    use runtime::{RuntimeOptions, initialise};

    use super::*;

    /// A network for images of `side` × `side` pixels; of `frozen` ones it is made for a single one.
    fn subject(side: usize, frozen: bool) -> Subject {
        let tiny = move |batch: usize, side: usize| -> Result<Graph, GraphError> {
            let mut network = NetworkBuilder::new("tiny", [batch, 3, side, side]);
            let x = network.input();
            let x = network.conv("conv1", x, ConvDesc::new(16, 3).padding(1), true)?;
            let x = network.relu(x)?;
            let x = network.global_average_pool(x)?;
            let x = match frozen {
                true => network.reshape(x, &[1, 16])?,
                false => network.flatten(x)?,
            };
            let logits = network.linear("fc", x, 3)?;
            network.finish(logits)
        };
        let options = RuntimeOptions::default();
        // Weights do not depend on the size of an image.
        let weights = passes::inference(&tiny(1, 8).unwrap()).unwrap();
        let mut weights = Program::new(weights, &options).unwrap();
        initialise(&mut weights, 7);
        let build = move |batch| Ok(tiny(batch, side)?);
        Subject::of_logits(build, OutputActivation::Softmax, weights, &options).unwrap()
    }

    fn batch(subject: &Subject, images: usize) -> usize {
        fitting(subject, images, &["relu"]).unwrap().0
    }

    #[test]
    fn runs_stay_within_the_budget() {
        assert_eq!(batch(&subject(8, false), 160), 16);
        // 200 MB an image and 1 GiB of maps behind it.
        assert_eq!(batch(&subject(4096, false), 226), 1);
        let large = subject(1024, false);
        let (some, graph) = fitting(&large, 226, &["relu"]).unwrap();
        assert!((2..16).contains(&some), "{some}");
        assert!(large.planned(&graph).unwrap() <= BUDGET);
    }

    #[test]
    fn a_network_of_a_single_image_gets_one_at_a_time() {
        assert_eq!(batch(&subject(8, true), 226), 1);
    }

    #[test]
    fn answers_depend_on_the_batch_in_rounding_alone() {
        let subject = subject(12, false);
        let images: Vec<Vec<f32>> = (0..5).map(|seed| subject.noise(seed)).collect();
        let answers = |batch: usize| -> Vec<Vec<f32>> {
            let mut forward = Forward::new(&subject, batch, &["relu"]).unwrap();
            let runs = images.chunks(batch).flat_map(|images| {
                let images: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
                forward.run(&images).unwrap();
                let of = |place| {
                    [
                        forward.probabilities(place).unwrap(),
                        forward.layer(0, place),
                    ]
                };
                (0..images.len())
                    .map(|place| of(place).concat())
                    .collect::<Vec<_>>()
            });
            runs.collect()
        };
        let alone = answers(1);
        for batch in [2, 3, 5, 16] {
            for (several, alone) in answers(batch).iter().zip(&alone) {
                let pairs = several.iter().zip(alone);
                let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart <= 1e-6, "{batch}: {apart}");
            }
        }
    }
}
