//! What is on a picture.

use std::path::Path;

use formats::Picture;
use graph::{OutputActivation, ValueId};
use runtime::{InferenceProgram, Program, Run, RuntimeOptions};

use crate::logits::{order, probability};
use crate::{Checkpoint, ModelCard, TrainError, Weights};

/// A trained network, ready to name what is on pictures.
///
/// ```no_run
/// use std::path::Path;
/// use train::Classifier;
/// use formats::Picture;
/// use runtime::RuntimeOptions;
/// let mut classifier = Classifier::open(Path::new("runs/photos"), &RuntimeOptions::default())?;
/// let picture = Picture::open(Path::new("holiday.jpg"))?;
/// for guess in classifier.classify(&picture, 3)? {
///     println!("{:5.1} %  {}", 100.0 * guess.probability, guess.label);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Classifier {
    card: ModelCard,
    program: InferenceProgram,
    activation: OutputActivation,
}

/// A class and how likely it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Name of the class.
    pub label: String,
    /// Its place among the classes of the model.
    pub class: usize,
    /// What the network makes of it.
    pub logit: f32,
    /// Its probability, by the classifier's [activation](Classifier::activation).
    pub probability: f64,
}

impl Classifier {
    /// Loads a checkpoint, or the best one of a run folder.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] for a missing, damaged or foreign file; otherwise as [`Classifier::new`].
    pub fn open(path: &Path, options: &RuntimeOptions) -> Result<Self, TrainError> {
        let file = Checkpoint::find(path)?;
        Self::new(&Checkpoint::open(&file)?, options)
    }

    /// Loads a checkpoint from memory, such as one inside the program; `origin` stands in error messages.
    ///
    /// # Errors
    /// As [`Classifier::open`].
    pub fn from_bytes(
        bytes: &[u8],
        origin: &str,
        options: &RuntimeOptions,
    ) -> Result<Self, TrainError> {
        Self::new(&Checkpoint::from_bytes(bytes, origin)?, options)
    }

    /// Builds the network of a checkpoint for single pictures.
    ///
    /// # Errors
    /// [`TrainError::Graph`], [`TrainError::Runtime`] for a network that cannot be built, and
    /// [`TrainError::Checkpoint`] for a model that is not in the zoo or tensors that do not fit it.
    pub fn new(checkpoint: &Checkpoint, options: &RuntimeOptions) -> Result<Self, TrainError> {
        let card = checkpoint.card.clone();
        let architecture = checkpoint.architecture()?;
        checkpoint.network_of(&architecture, 1)?;
        let mut program = architecture.program(&card, 1, options)?;
        checkpoint.restore(&mut program)?;
        Ok(Self {
            activation: OutputActivation::usual(card.classes.len()),
            card,
            program: program.into_inference(),
        })
    }

    /// Builds the network of weights for single pictures.
    ///
    /// # Errors
    /// As [`Classifier::new`].
    pub fn from_weights(
        weights: &mut Weights,
        options: &RuntimeOptions,
    ) -> Result<Self, TrainError> {
        let card = weights.card().clone();
        let mut program = weights.architecture().program(&card, 1, options)?;
        weights.restore(&mut program)?;
        Ok(Self {
            activation: weights.activation(),
            card,
            program: program.into_inference(),
        })
    }

    /// A classifier of any other program, such as that of an imported model: it reads one picture as the card says and
    /// makes one logit a class, of which `activation` makes probabilities.
    ///
    /// # Errors
    /// [`TrainError::NotAClassifier`] for a program of other inputs or outputs, [`TrainError::Preprocess`] for a card
    /// that makes no sense.
    pub fn from_program(
        card: ModelCard,
        program: Program,
        activation: OutputActivation,
    ) -> Result<Self, TrainError> {
        card.preprocess.check()?;
        let graph = program.graph();
        let shapes = |ids: &[ValueId]| -> Vec<Vec<usize>> {
            ids.iter()
                .map(|&id| graph.value(id).shape.clone())
                .collect()
        };
        let (inputs, outputs) = (shapes(&graph.inputs), shapes(&graph.outputs));
        let (height, width) = card.preprocess.input;
        let picture = vec![1, card.preprocess.channels, height, width];
        if inputs != [picture] || outputs != [[1, card.classes.len()]] {
            return Err(TrainError::NotAClassifier {
                name: graph.name.clone(),
                inputs,
                outputs,
            });
        }
        Ok(Self {
            card,
            program: program.into_inference(),
            activation,
        })
    }

    /// The network, its classes and its input.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// What makes probabilities of the network's logits.
    pub fn activation(&self) -> OutputActivation {
        self.activation
    }

    /// The `top` likeliest classes of a picture, the likeliest first.
    ///
    /// # Errors
    /// [`TrainError::Preprocess`] for a picture without pixels, [`TrainError::NoAnswer`] for an answer that is no number.
    pub fn classify(
        &mut self,
        picture: &Picture,
        top: usize,
    ) -> Result<Vec<Prediction>, TrainError> {
        self.card
            .preprocess
            .apply(picture, self.program.input_f32(0))?;
        self.program.run(Run::default());
        let logits = self.program.output(0);
        if let Some(class) = logits.iter().position(|logit| !logit.is_finite()) {
            let what = format!("{} for `{}`", logits[class], self.card.classes[class]);
            return Err(TrainError::NoAnswer { what });
        }
        let mut classes: Vec<usize> = (0..logits.len()).collect();
        classes.sort_by(|&a, &b| order(logits, a, b));
        let prediction = |class: usize| Prediction {
            label: self.card.classes[class].clone(),
            class,
            logit: logits[class],
            probability: probability(logits, class, self.activation),
        };
        Ok(classes.into_iter().take(top).map(prediction).collect())
    }
}
