//! How well a network does on a data set.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use formats::{Dataset, Skipped, imagenet};
use runtime::{Program, Run, RuntimeOptions};
use tensor::memory::try_zeros;

use crate::logits::{likeliest, log_softmax, rank};
use crate::{
    Architecture, Checkpoint, Job, Loader, ModelCard, Score, TrainError, Transform, Weights,
};

/// Runs a network over data sets and compares its answers with the labels.
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
/// use train::{Checkpoint, Evaluator};
/// use formats::{Part, Shapes};
/// use runtime::RuntimeOptions;
/// let checkpoint = Checkpoint::open(Path::new("runs/shapes/best.safetensors"))?;
/// let mut evaluator = Evaluator::from_checkpoint(&checkpoint, 128, &RuntimeOptions::default())?;
/// let evaluation = evaluator.evaluate(Arc::new(Shapes::new(0, Part::HeldOut, 2000)))?;
/// println!("{:.1} %", 100.0 * evaluation.accuracy());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Evaluator {
    program: Program,
    card: ModelCard,
    batch: usize,
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Pictures that were classified.
    pub pictures: u64,
    /// Sum of the losses (cross-entropy, natural logarithm, without smoothing).
    pub loss_sum: f64,
    /// Pictures whose class is among the five likeliest.
    pub top5: u64,
    /// `confusion[true · classes + answered]` counts pictures.
    pub confusion: Vec<u64>,
    /// Number of classes.
    pub classes: usize,
    /// Pictures that could not be read.
    pub skipped: Skipped,
}

/// What the network answers to one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Place of the picture in the data set.
    pub index: usize,
    /// Its class, by its place among those of the network.
    pub class: usize,
    /// The class that the network takes for the likeliest.
    pub answer: usize,
    /// Logarithm of the probability of the picture's class; its negative is the picture's loss.
    pub log_probability: f64,
    /// Logarithm of the probability of the answer.
    pub log_probability_of_answer: f64,
}

impl Answer {
    /// Of a picture whose class is `class` and whose logits are these.
    fn new(index: usize, class: usize, logits: &[f32]) -> Self {
        let answer = likeliest(logits);
        Self {
            index,
            class,
            answer,
            log_probability: log_softmax(logits, class),
            log_probability_of_answer: log_softmax(logits, answer),
        }
    }

    /// Whether the answer is right.
    pub fn is_right(&self) -> bool {
        self.answer == self.class
    }
}

impl Evaluation {
    /// Pictures classified rightly.
    pub fn correct(&self) -> u64 {
        let diagonal = self.confusion.iter().step_by(self.classes + 1);
        diagonal.sum()
    }

    /// Part of the pictures classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.pictures.max(1) as f64
    }

    /// Part of the pictures whose class is among the five likeliest.
    pub fn top5_accuracy(&self) -> f64 {
        self.top5 as f64 / self.pictures.max(1) as f64
    }

    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.pictures.max(1) as f64
    }

    /// Pictures of a class, and those of them classified rightly.
    pub fn class(&self, class: usize) -> (u64, u64) {
        let row = &self.confusion[class * self.classes..(class + 1) * self.classes];
        (row.iter().sum(), row[class])
    }

    /// Accuracy and mean loss.
    pub fn score(&self) -> Score {
        Score {
            accuracy: self.accuracy(),
            loss: self.loss(),
        }
    }
}

impl Evaluator {
    /// An evaluator of a checkpoint's weights, with batches of `batch` pictures.
    ///
    /// # Errors
    /// [`TrainError::Graph`], [`TrainError::Runtime`] for a network that cannot be built, and
    /// [`TrainError::Checkpoint`] for a model that is not in the zoo or tensors that do not fit it.
    pub fn from_checkpoint(
        checkpoint: &Checkpoint,
        batch: usize,
        options: &RuntimeOptions,
    ) -> Result<Self, TrainError> {
        let card = checkpoint.card.clone();
        let architecture = checkpoint.architecture()?;
        checkpoint.network_of(&architecture, 1)?;
        let mut program = architecture.program(&card, batch, options)?;
        checkpoint.restore(&mut program)?;
        Ok(Self {
            program,
            card,
            batch,
        })
    }

    /// An evaluator of weights, with batches of `batch` pictures.
    ///
    /// # Errors
    /// As [`Evaluator::from_checkpoint`].
    pub fn from_weights(
        weights: &mut Weights,
        batch: usize,
        options: &RuntimeOptions,
    ) -> Result<Self, TrainError> {
        let card = weights.card().clone();
        let mut program = weights.architecture().program(&card, batch, options)?;
        weights.restore(&mut program)?;
        Ok(Self {
            program,
            card,
            batch,
        })
    }

    /// An evaluator beside a training, on the same threads.
    pub(crate) fn beside(
        training: &Program,
        architecture: &Architecture,
        card: &ModelCard,
        batch: usize,
        options: &RuntimeOptions,
    ) -> Result<Self, TrainError> {
        let graph = graph::passes::inference(&architecture.network(card, batch)?)?;
        let program = Program::with_team(graph, options, training.team().clone())?;
        let card = card.clone();
        Ok(Self {
            program,
            card,
            batch,
        })
    }

    /// Takes over the weights of a training.
    pub(crate) fn adopt(&mut self, training: &Program) -> Result<(), TrainError> {
        let weights = Checkpoint::capture(&self.card, training, None, None)?;
        Ok(weights.restore(&mut self.program)?)
    }

    /// The network, its classes and its input.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Where among the network's classes those of a data set are. An evaluation asks first of all.
    ///
    /// # Errors
    /// [`TrainError::UnknownClass`]
    pub fn class_places(&self, dataset: &dyn Dataset) -> Result<ClassPlaces, TrainError> {
        ClassPlaces::of(dataset.classes(), &self.card.classes)
    }

    /// Classifies all pictures of a data set.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate_until`].
    pub fn evaluate(&mut self, dataset: Arc<dyn Dataset>) -> Result<Evaluation, TrainError> {
        let never = AtomicBool::new(false);
        let evaluation = self.evaluate_until(dataset, &mut |_, _| {}, &never)?;
        Ok(evaluation.expect("only a stop flag ends an evaluation early"))
    }

    /// Classifies all pictures of a data set, telling after each batch how many of how many are done; `None` when
    /// the flag was raised before the end.
    ///
    /// Classes are matched by name, so a data set may have fewer of them or in another order; where the network's have
    /// numbers for names, they are taken in the data set's order ([`ClassPlaces`]).
    ///
    /// # Errors
    /// [`TrainError::UnknownClass`], [`TrainError::Data`] when more than a twentieth of the pictures are unreadable,
    /// and [`TrainError::NoAnswer`] for a network whose answers are no numbers.
    pub fn evaluate_until(
        &mut self,
        dataset: Arc<dyn Dataset>,
        on_progress: &mut dyn FnMut(usize, usize),
        stop: &AtomicBool,
    ) -> Result<Option<Evaluation>, TrainError> {
        self.examine_until(dataset, &mut |_| {}, on_progress, stop)
    }

    /// As [`Evaluator::evaluate_until`], telling the answer to every picture that can be read, in the order of the data set.
    ///
    /// # Errors
    /// As there.
    pub fn examine_until(
        &mut self,
        dataset: Arc<dyn Dataset>,
        on_answer: &mut dyn FnMut(Answer),
        on_progress: &mut dyn FnMut(usize, usize),
        stop: &AtomicBool,
    ) -> Result<Option<Evaluation>, TrainError> {
        let found = self.classify_until(dataset, on_answer, on_progress, stop)?;
        if let Some(evaluation) = &found {
            evaluation.skipped.check()?;
            if !evaluation.loss().is_finite() {
                let what = format!("the loss is {}", evaluation.loss());
                return Err(TrainError::NoAnswer { what });
            }
        }
        Ok(found)
    }

    /// As [`Evaluator::evaluate_until`], however many pictures are unreadable: for a part of a data set.
    pub(crate) fn classify_until(
        &mut self,
        dataset: Arc<dyn Dataset>,
        on_answer: &mut dyn FnMut(Answer),
        on_progress: &mut dyn FnMut(usize, usize),
        stop: &AtomicBool,
    ) -> Result<Option<Evaluation>, TrainError> {
        let classes = self.card.classes.len();
        let targets = self.class_places(&*dataset)?.places;
        let total = dataset.len();
        let mut evaluation = Evaluation {
            pictures: 0,
            loss_sum: 0.0,
            top5: 0,
            confusion: try_zeros(classes.saturating_mul(classes))?,
            classes,
            skipped: Skipped::new(total),
        };
        let workers = loader_workers(&*dataset, self.program.team().threads());
        let job = Job {
            transform: Transform::Evaluation(self.card.preprocess.clone()),
            order: (0..total).collect(),
            batch: self.batch,
            first: 0,
            tolerated: 0,
            dataset: dataset.clone(),
        };
        let mut loader = Loader::new(job, workers)?;
        let mut first = 0;
        while let Some(batch) = loader.next() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            for (index, reason) in &batch.unreadable {
                evaluation.skipped.add(dataset.name(*index), reason.clone());
            }
            self.program.input_f32(0).copy_from_slice(&batch.images);
            self.program.run(Run::default());
            let logits = self.program.output(0).chunks_exact(classes);
            // What could not be read has no place in the batch.
            let end = total.min(first + self.batch);
            let is_unreadable = |index: &usize| {
                batch
                    .unreadable
                    .iter()
                    .any(|(unreadable, _)| unreadable == index)
            };
            let read = (first..end).filter(|index| !is_unreadable(index));
            for ((logits, label), index) in logits.zip(&batch.labels[..batch.count]).zip(read) {
                let class = targets[*label as usize];
                evaluation.count(logits, class);
                on_answer(Answer::new(index, class, logits));
            }
            first = end;
            let done = evaluation.pictures as usize + evaluation.skipped.count;
            on_progress(done, total);
            loader.recycle(batch);
        }
        loader.end()?;
        Ok(Some(evaluation))
    }
}

impl Evaluation {
    fn count(&mut self, logits: &[f32], target: usize) {
        self.pictures += 1;
        self.loss_sum -= log_softmax(logits, target);
        self.top5 += u64::from(rank(logits, target) < 5);
        let answer = likeliest(logits);
        self.confusion[target * self.classes + answer] += 1;
    }
}

/// The place in a model of each class of a data set. They are matched by name; a folder of ImageNet may be called by
/// its synset.
///
/// # Errors
/// [`TrainError::UnknownClass`]
pub fn class_places(dataset: &[String], model: &[String]) -> Result<Vec<usize>, TrainError> {
    let of_imagenet = model == imagenet::labels(model.len());
    let place = |class: &String| {
        let synset = || imagenet::class_of_synset(class).filter(|_| of_imagenet);
        let found = model
            .iter()
            .position(|known| known == class)
            .or_else(synset);
        found.ok_or_else(|| TrainError::UnknownClass {
            class: class.clone(),
            known: model.len(),
        })
    };
    dataset.iter().map(place).collect()
}

/// How the classes of a data set were found among those of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassPlaces {
    /// The place in the model of each class of the data set.
    pub places: Vec<usize>,
    /// They were not known by name: the model's classes have numbers for names, and those of the data set are taken to
    /// be in their order.
    pub by_order: bool,
}

impl ClassPlaces {
    /// By name as [`class_places`], or in the data set's order where the model's classes have numbers for names and are
    /// as many.
    ///
    /// ```
    /// use train::ClassPlaces;
    ///
    /// let names = |names: [&str; 2]| names.map(str::to_owned);
    /// let found = ClassPlaces::of(&names(["cat", "dog"]), &names(["class 0", "class 1"]))?;
    /// assert!(found.by_order && found.places == [0, 1]);
    /// # Ok::<(), train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// [`TrainError::UnknownClass`]
    pub fn of(dataset: &[String], model: &[String]) -> Result<Self, TrainError> {
        // As `imagenet::labels` calls the classes that nobody named.
        let mut names = model.iter().enumerate();
        let numbered = names.all(|(place, name)| *name == format!("class {place}"));
        match class_places(dataset, model) {
            Err(TrainError::UnknownClass { .. }) if numbered && dataset.len() == model.len() => {
                Ok(Self {
                    places: (0..dataset.len()).collect(),
                    by_order: true,
                })
            }
            places => Ok(Self {
                places: places?,
                by_order: false,
            }),
        }
    }
}

/// Threads that make batches ready. Pictures in memory take one thread little time, and the others are for the
/// network; files must be decoded, which takes longer than many a network.
pub(crate) fn loader_workers(dataset: &dyn Dataset, threads: usize) -> usize {
    if dataset.in_memory() { 1 } else { threads }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn classes_are_matched_by_name() {
        let model = names("bird cat dog");
        assert_eq!(class_places(&names("dog bird"), &model).unwrap(), [2, 0]);
        let error = class_places(&names("cat fish"), &model)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "class `fish` of the data set is not among the 3 classes of the model"
        );
    }

    /// Four pictures of two classes by hand: answers 0, 1, 1, 1 for targets 0, 0, 1, 1.
    #[test]
    fn counts_are_those_of_the_answers() {
        let mut evaluation = Evaluation {
            pictures: 0,
            loss_sum: 0.0,
            top5: 0,
            confusion: vec![0; 4],
            classes: 2,
            skipped: Skipped::default(),
        };
        evaluation.count(&[3.0, 3.0], 0);
        evaluation.count(&[0.0, 1.0], 0);
        evaluation.count(&[-1.0, 0.0], 1);
        evaluation.count(&[0.0, 0.0001], 1);
        assert_eq!(evaluation.confusion, [1, 1, 0, 2]);
        assert_eq!((evaluation.correct(), evaluation.accuracy()), (3, 0.75));
        assert_eq!((evaluation.class(0), evaluation.class(1)), ((2, 1), (2, 2)));
        assert_eq!(evaluation.top5_accuracy(), 1.0);
        // ln 2, ln(1 + e), ln(1 + 1/e), and nearly ln 2 again.
        let expected = 2.0 * 2.0_f64.ln() + 1.0_f64.exp().ln_1p() + (-1.0_f64).exp().ln_1p();
        assert!((evaluation.loss() - expected / 4.0).abs() < 2e-5);
    }
}
