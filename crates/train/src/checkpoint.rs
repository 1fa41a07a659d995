//! Checkpoints: a safetensors file with the weights, the running statistics and, to continue a training, the
//! optimiser's averages.
//!
//! | tensor | holds |
//! |---|---|
//! | `layer1.0.conv1.weight`, `bn1.running_mean`, … | parameters and statistics, named as torchvision names them |
//! | `optimiser.momentum_buffer.layer1.0.conv1.weight`, … | the optimiser's averages, in `last.safetensors` only |
//!
//! | metadata | holds |
//! |---|---|
//! | `format` | `convolve-checkpoint` |
//! | `format_version` | `1` |
//! | `model`, `classes`, `preprocess` | the [`ModelCard`]; the last two in JSON |
//! | `progress` | [`Progress`] in JSON, in `last.safetensors` only |
//! | `score` | [`Score`] in JSON: what the weights reached, if that was measured |
//!
//! Files are written by [`formats::atomic`], so a kill at any moment leaves either the former or the new one.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use formats::weights::{NamedTensor, Precision, TensorFile, WeightsError};
use graph::Graph;
use runtime::Program;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use tensor::MemoryError;
use tensor::memory::try_copy;

use crate::optimiser::Optimiser;
use crate::state_dict::Mismatch;
use crate::weights::needed;
use crate::{Architecture, ArchitectureError, CheckpointError, ModelCard};

const FORMAT: &str = "convolve-checkpoint";
const VERSION: &str = "1";
const OPTIMISER: &str = "optimiser";

/// How far a training has come: everything that the next step depends on besides tensors and settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs that are done.
    pub epoch: u64,
    /// Batches of the next epoch that are done.
    pub batch: usize,
    /// Steps that are done in all.
    pub step: u64,
    /// Seed of the run.
    pub seed: u64,
    /// Tells whether the settings are still those of the checkpoint.
    pub config: u64,
    /// Training pictures, to tell another data set.
    pub pictures: usize,
    /// What the batches of the unfinished epoch add up to.
    pub sums: Sums,
    /// The best result so far and the epoch (from 1) that reached it.
    pub best: Option<(u64, Score)>,
}

impl Progress {
    /// What cannot be so in a run of `epochs` epochs of `batches` batches of `pictures` pictures, if anything.
    pub(crate) fn fault(&self, epochs: u64, batches: usize, pictures: usize) -> Option<String> {
        let sums = &self.sums;
        let steps = u128::from(self.epoch) * batches as u128 + self.batch as u128;
        let seen = self.batch as u128 * pictures as u128;
        if self.epoch > epochs || self.batch > batches {
            return Some(format!(
                "{} epochs and {} batches are done in a run of {epochs} epochs of {batches} batches",
                self.epoch, self.batch
            ));
        }
        if u128::from(self.step) != steps {
            let step = self.step;
            return Some(format!("{step} steps are done where it must be {steps}"));
        }
        // A loss is a finite number of 32 bits.
        let most = sums.batches as f64 * f64::from(f32::MAX);
        let add_up = u128::from(sums.batches) == self.batch as u128
            && u128::from(sums.pictures) == seen
            && sums.correct <= sums.pictures
            && sums.loss.abs() <= most;
        if !add_up {
            return Some(format!(
                "a loss of {}, {} of {} pictures right and {} batches cannot add up to {} batches of {pictures}",
                sums.loss, sums.correct, sums.pictures, sums.batches, self.batch
            ));
        }
        let (epoch, score) = self.best?;
        let possible = (1..=self.epoch).contains(&epoch)
            && (0.0..=1.0).contains(&score.accuracy)
            && score.loss.is_finite();
        (!possible).then(|| {
            let Score { accuracy, loss } = score;
            format!("a best accuracy of {accuracy} and loss of {loss} after epoch {epoch}")
        })
    }
}

/// Running sums of an epoch of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Sum of the losses of the batches.
    pub loss: f64,
    /// Batches.
    pub batches: u64,
    /// Pictures classified rightly.
    pub correct: u64,
    /// Pictures.
    pub pictures: u64,
}

impl Sums {
    /// Mean loss.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.batches.max(1) as f64
    }

    /// Part of the pictures classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.pictures.max(1) as f64
    }
}

/// What weights reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Part of the pictures classified rightly.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
}

impl Score {
    /// More pictures right, or as many at a lower loss. What is not a number is never better.
    pub fn beats(&self, other: &Self) -> bool {
        let rightly = self.accuracy.total_cmp(&other.accuracy);
        rightly.is_gt() || (rightly.is_eq() && self.loss < other.loss)
    }
}

/// A checkpoint, in memory.
///
/// ```no_run
/// use std::path::Path;
/// use train::Checkpoint;
/// let best = Checkpoint::open(&Checkpoint::find(Path::new("runs/photos"))?)?;
/// println!("{} tells {} classes apart", best.card.model, best.card.classes.len());
/// # Ok::<(), train::CheckpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The network, its classes and its input.
    pub card: ModelCard,
    /// How far the training has come; `None` in a file of weights alone.
    pub progress: Option<Progress>,
    /// What the weights reached, if that was measured.
    pub score: Option<Score>,
    tensors: TensorFile,
    origin: String,
}

impl Checkpoint {
    /// Name of the newest checkpoint of a run folder, with everything to continue.
    pub const LAST: &str = "last.safetensors";
    /// Name of the best weights of a run folder.
    pub const BEST: &str = "best.safetensors";

    /// The file that stands for a path: the best weights of a run folder, or the last ones where none are marked as
    /// best, or the file itself.
    ///
    /// # Errors
    /// [`CheckpointError::Weights`] when nothing is there.
    pub fn find(path: &Path) -> Result<PathBuf, CheckpointError> {
        let candidates = match path.is_dir() {
            true => vec![path.join(Self::BEST), path.join(Self::LAST)],
            false => vec![path.to_path_buf()],
        };
        let found = candidates.iter().find(|file| file.is_file()).cloned();
        found.ok_or_else(|| {
            let (kind, text) = match path.is_dir() {
                true => (
                    ErrorKind::NotFound,
                    "the folder holds neither best.safetensors nor last.safetensors",
                ),
                false if path.exists() => (
                    ErrorKind::InvalidInput,
                    "neither a regular file nor a folder",
                ),
                false => (ErrorKind::NotFound, "no such file or folder"),
            };
            let source = std::io::Error::new(kind, text);
            let path = path.to_path_buf();
            CheckpointError::Weights(WeightsError::Io { path, source })
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A missing or damaged file, one of another program or version, or metadata that make no sense.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        Self::of(TensorFile::open(path)?, path.to_string_lossy().into_owned())
    }

    /// Reads the content of a file; `origin` stands in error messages.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, CheckpointError> {
        Self::of(TensorFile::from_bytes(bytes, origin)?, origin.to_owned())
    }

    fn of(tensors: TensorFile, origin: String) -> Result<Self, CheckpointError> {
        let text = |key: &'static str| tensors.metadata.get(key).map(String::as_str);
        let card = read_card(&tensors.metadata, &origin)?;
        let progress = text("progress").map(|text| json(&origin, "progress", text));
        let score = read_score(&tensors.metadata, &origin)?;
        Ok(Self {
            card,
            progress: progress.transpose()?,
            score,
            tensors,
            origin,
        })
    }

    /// The parameters and statistics of a program, and the averages of its optimiser where the training is to be
    /// continued.
    ///
    /// # Errors
    /// [`CheckpointError::Memory`]; names and shapes that no network of the zoo has.
    pub fn capture(
        card: &ModelCard,
        program: &Program,
        score: Option<Score>,
        training: Option<(&Optimiser, Progress)>,
    ) -> Result<Self, CheckpointError> {
        let mut tensors = TensorFile::default();
        for (name, shape, range) in entries(program) {
            let values = match range {
                Place::Parameter(range) => try_copy(&program.parameters()[range])?,
                Place::State(range) => try_copy(&program.state()[range])?,
            };
            tensors.push(name, shape, values)?;
        }
        let mut progress = None;
        if let Some((optimiser, training)) = training {
            for moment in optimiser.moments() {
                for slot in program.slots() {
                    let name = moment_name(moment.name, &slot.name);
                    tensors.push(
                        &name,
                        &slot.shape,
                        try_copy(&moment.values[slot.range.clone()])?,
                    )?;
                }
            }
            progress = Some(training);
        }
        Ok(Self {
            card: card.clone(),
            progress,
            score,
            tensors,
            origin: String::new(),
        })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// [`CheckpointError::Weights`]: the file system, or a number that 16 bits cannot hold;
    /// [`CheckpointError::Memory`].
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), CheckpointError> {
        let copy = |tensor: &NamedTensor| {
            Ok(NamedTensor {
                name: tensor.name.clone(),
                shape: tensor.shape.clone(),
                values: try_copy(&tensor.values)?,
            })
        };
        let tensors = self.tensors.tensors.iter().map(copy);
        let progress = self
            .progress
            .iter()
            .map(|value| ("progress", to_json(value)));
        let score = self.score.iter().map(|value| ("score", to_json(value)));
        let more = progress.chain(score);
        let more = more.map(|(key, text)| (key.to_owned(), text));
        let metadata = metadata(&self.card).chain(more).collect();
        let file = TensorFile {
            tensors: tensors.collect::<Result<_, MemoryError>>()?,
            metadata,
        };
        Ok(file.save(path, precision)?)
    }

    /// The checkpoint without what only a continued training needs.
    pub fn into_weights(mut self) -> Self {
        self.progress = None;
        self.tensors
            .tensors
            .retain(|tensor| !is_of_optimiser(&tensor.name));
        self
    }

    /// The file it was read from; empty for a captured one.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the network is built from. A run that trains an ONNX model keeps it beside its checkpoints.
    ///
    /// # Errors
    /// [`CheckpointError::Metadata`] for a model that the zoo does not have, [`CheckpointError::Onnx`].
    pub fn architecture(&self) -> Result<Architecture, CheckpointError> {
        let found = Architecture::of_checkpoint(Path::new(&self.origin), &self.card.model);
        found.map_err(|error| match error {
            ArchitectureError::Zoo(error) => unusable_model(&self.origin, &error),
            error => error.into(),
        })
    }

    /// The network of the card for batches of `batch` pictures, which the tensors fit.
    ///
    /// # Errors
    /// As [`Checkpoint::architecture`] and [`Checkpoint::check_fits`]; [`CheckpointError::Metadata`] for a model that
    /// cannot be built for such an input.
    pub fn network(&self, batch: usize) -> Result<Graph, CheckpointError> {
        self.network_of(&self.architecture()?, batch)
    }

    /// The same, where the architecture is at hand.
    pub(crate) fn network_of(
        &self,
        architecture: &Architecture,
        batch: usize,
    ) -> Result<Graph, CheckpointError> {
        let network = architecture.network(&self.card, batch);
        let network = network.map_err(|error| unusable_model(&self.origin, &error))?;
        self.check_fits(&network)?;
        Ok(network)
    }

    /// Compares the tensors with those of a network. Planning a program takes memory by the network's size, which a
    /// small file may claim to be anything, so this comes first.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] when the tensors are not those of the network, [`CheckpointError::NotFinite`] for
    /// a number that is none.
    pub fn check_fits(&self, network: &Graph) -> Result<(), CheckpointError> {
        let is_weight = |name: &str| self.progress.is_none() || !is_of_optimiser(name);
        let found = self.tensors.tensors.iter();
        let found = found
            .map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice()))
            .filter(|(name, _)| is_weight(name));
        if let Some(mut mismatch) = Mismatch::between(needed(network), found) {
            mismatch.origin.clone_from(&self.origin);
            mismatch.model.clone_from(&self.card.model);
            return Err(CheckpointError::Mismatch(Box::new(mismatch)));
        }
        needed(network).try_for_each(|(name, shape)| self.tensor(name, shape).map(|_| ()))
    }

    /// Gives a program its parameters and statistics.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`], [`CheckpointError::Shape`] or [`CheckpointError::NotFinite`]; the program is then
    /// as it was.
    pub fn restore(&self, program: &mut Program) -> Result<(), CheckpointError> {
        let entries: Vec<_> = entries(program)
            .map(|(name, shape, place)| (name.to_owned(), shape.to_vec(), place))
            .collect();
        for (name, shape, _) in &entries {
            self.tensor(name, shape)?;
        }
        for (name, shape, place) in &entries {
            let values = self.tensor(name, shape)?;
            match place {
                Place::Parameter(range) => &mut program.parameters_mut()[range.clone()],
                Place::State(range) => &mut program.state_mut()[range.clone()],
            }
            .copy_from_slice(values);
        }
        Ok(())
    }

    /// Gives an optimiser its averages, and tells how far the training had come.
    ///
    /// # Errors
    /// [`CheckpointError::WeightsOnly`], [`CheckpointError::Missing`], [`CheckpointError::Shape`] or
    /// [`CheckpointError::NotFinite`].
    pub(crate) fn restore_training(
        &self,
        program: &Program,
        optimiser: &mut Optimiser,
    ) -> Result<Progress, CheckpointError> {
        let Some(progress) = &self.progress else {
            let origin = self.origin.clone();
            return Err(CheckpointError::WeightsOnly { origin });
        };
        let (moments, steps) = optimiser.restore();
        *steps = progress.step;
        for moment in moments {
            for slot in program.slots() {
                let values = self.tensor(&moment_name(moment.name, &slot.name), &slot.shape)?;
                moment.values[slot.range.clone()].copy_from_slice(values);
            }
        }
        Ok(progress.clone())
    }

    fn tensor(&self, name: &str, expected: &[usize]) -> Result<&[f32], CheckpointError> {
        match self.tensors.get(name) {
            Some(tensor) if tensor.shape == expected => {
                match tensor.values.iter().find(|value| !value.is_finite()) {
                    None => Ok(&tensor.values),
                    Some(value) => Err(CheckpointError::NotFinite {
                        origin: self.origin.clone(),
                        tensor: name.to_owned(),
                        value: *value,
                    }),
                }
            }
            Some(tensor) => Err(CheckpointError::Shape {
                origin: self.origin.clone(),
                tensor: name.to_owned(),
                found: tensor.shape.clone(),
                expected: expected.to_vec(),
            }),
            None => Err(CheckpointError::Missing {
                origin: self.origin.clone(),
                tensor: name.to_owned(),
                expected: expected.to_vec(),
            }),
        }
    }
}

/// Whether the text entries of a file are those of a checkpoint.
pub(crate) fn is_checkpoint(metadata: &BTreeMap<String, String>) -> bool {
    metadata
        .get("format")
        .is_some_and(|format| format == FORMAT)
}

/// Reads the card among the text entries of a checkpoint.
pub(crate) fn read_card(
    metadata: &BTreeMap<String, String>,
    origin: &str,
) -> Result<ModelCard, CheckpointError> {
    let origin = origin.to_owned();
    let needed = |key: &'static str| {
        let text = metadata.get(key).map(String::as_str);
        text.ok_or_else(|| CheckpointError::Foreign {
            origin: origin.clone(),
            key,
        })
    };
    if needed("format")? != FORMAT {
        let key = "format: convolve-checkpoint";
        return Err(CheckpointError::Foreign { origin, key });
    }
    let version = needed("format_version")?;
    if version != VERSION {
        return Err(CheckpointError::Version {
            found: version.to_owned(),
            known: VERSION,
            origin,
        });
    }
    let card = ModelCard {
        model: needed("model")?.to_owned(),
        classes: class_names(&origin, needed(ModelCard::CLASSES)?)?,
        preprocess: json(
            &origin,
            ModelCard::PREPROCESS,
            needed(ModelCard::PREPROCESS)?,
        )?,
    };
    match card.fault() {
        None => Ok(card),
        Some((key, reason)) => Err(CheckpointError::Metadata {
            origin,
            key,
            reason,
        }),
    }
}

/// Whether a tensor of a checkpoint is an average of the optimiser's.
pub(crate) fn is_of_optimiser(name: &str) -> bool {
    name.strip_prefix(OPTIMISER)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// The error for a file whose card names a network that cannot be built.
pub(crate) fn unusable_model(origin: &str, error: &impl ToString) -> CheckpointError {
    CheckpointError::Metadata {
        origin: origin.to_owned(),
        key: "model",
        reason: error.to_string(),
    }
}

/// Where a tensor lies in a program.
enum Place {
    Parameter(Range<usize>),
    State(Range<usize>),
}

/// Name, shape and place of everything that weights consist of.
fn entries(program: &Program) -> impl Iterator<Item = (&str, &[usize], Place)> {
    let parameters = program.slots().iter().map(|slot| {
        let place = Place::Parameter(slot.range.clone());
        (slot.name.as_str(), slot.shape.as_slice(), place)
    });
    let states = program.states().iter().map(|slot| {
        let place = Place::State(slot.range.clone());
        (slot.name.as_str(), slot.shape.as_slice(), place)
    });
    parameters.chain(states)
}

/// What a file says of the network that it holds the weights of.
pub(crate) fn metadata(card: &ModelCard) -> impl Iterator<Item = (String, String)> {
    let format = [("format", FORMAT), ("format_version", VERSION)];
    let format = format.map(|(key, text)| (key.to_owned(), text.to_owned()));
    format.into_iter().chain(card.entries())
}

fn moment_name(moment: &str, parameter: &str) -> String {
    format!("{OPTIMISER}.{moment}.{parameter}")
}

pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values have a JSON form")
}

/// The names of the classes, which are counted first: a list that grows by doubling would take many times its text.
fn class_names(origin: &str, text: &str) -> Result<Vec<String>, CheckpointError> {
    let count = json::<Vec<IgnoredAny>>(origin, "classes", text)?.len();
    let mut from = serde_json::Deserializer::from_str(text);
    let names = from.deserialize_seq(Names { count });
    names.map_err(|error| faulty(origin, "classes", &error))
}

/// A list of so many names.
struct Names {
    count: usize,
}

impl<'de> Visitor<'de> for Names {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut names = Vec::with_capacity(self.count);
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(names)
    }
}

/// Reads what the weights reached among the text entries of a checkpoint, if it is there.
pub(crate) fn read_score(
    metadata: &BTreeMap<String, String>,
    origin: &str,
) -> Result<Option<Score>, CheckpointError> {
    let text = metadata.get("score");
    text.map(|text| json(origin, "score", text)).transpose()
}

fn json<T: DeserializeOwned>(
    origin: &str,
    key: &'static str,
    text: &str,
) -> Result<T, CheckpointError> {
    serde_json::from_str(text).map_err(|error| faulty(origin, key, &error))
}

fn faulty(origin: &str, key: &'static str, error: &serde_json::Error) -> CheckpointError {
    CheckpointError::Metadata {
        origin: origin.to_owned(),
        key,
        reason: error.to_string(),
    }
}
