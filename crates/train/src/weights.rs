//! Weights in a file, of this program or published by others, on their way into a network.

mod identify;
pub(crate) mod usual;

use std::path::{Path, PathBuf};

use formats::hub::{self, Cache, HubId};
use formats::weights::WeightsReader;
use formats::{ModelConfig, imagenet};
use graph::Graph;
use runtime::Program;
use zoo::{BuildOptions, Found, Head, ZooError};

use crate::checkpoint::{is_checkpoint, is_of_optimiser, read_card, unusable_model};
use crate::state_dict::Mismatch;
use crate::{Checkpoint, CheckpointError, ModelCard};

/// A file of weights whose header is read and checked against the network it is for. Its numbers go straight into a
/// program, so a network is loaded without a second copy of them.
///
/// Tensors must have the names and shapes of the network's parameters and running statistics, as torchvision and timm
/// name them; PyTorch's `num_batches_tracked` is ignored. What the network and its classes are, and how pictures are
/// prepared, is said by
///
/// 1. the file itself, if this program wrote it,
/// 2. `config.json` beside it, as timm writes it,
/// 3. the caller, or else the tensors, if a single network of the zoo has such. Pictures are then prepared as
///    torchvision does for its weights, and a thousand classes are those of ImageNet.
///
/// ```no_run
/// use std::path::Path;
/// use runtime::RuntimeOptions;
/// use train::{Classifier, Weights};
/// let mut weights = Weights::open(Path::new("resnet18.safetensors"), Some("resnet18"))?;
/// let classifier = Classifier::from_weights(&mut weights, &RuntimeOptions::default())?;
/// assert_eq!(classifier.card().classes[0], "tench");
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Weights {
    card: ModelCard,
    reader: WeightsReader,
}

/// Name of the weights in a folder of timm's.
const MODEL: &str = "model.safetensors";

/// Name of what describes them.
const CONFIG: &str = "config.json";

impl Weights {
    /// The file or folder that `FILE`, `RUN` or `hf-hub:ORG/NAME[@REVISION]` stands for. Nothing is downloaded.
    ///
    /// # Errors
    /// [`CheckpointError::Hub`] for a name of the hub that is none or is not in the cache.
    pub fn locate(reference: &str) -> Result<PathBuf, CheckpointError> {
        if !reference.starts_with(hub::PREFIX) {
            return Ok(PathBuf::from(reference));
        }
        let id: HubId = reference.parse()?;
        Ok(Cache::from_env()?.get(&id)?)
    }

    /// Whether a folder holds weights as timm lays them out.
    pub fn are_in(folder: &Path) -> bool {
        folder.join(MODEL).is_file()
    }

    /// Opens a file, a run folder, whose best weights are taken, or a folder with `model.safetensors`. `model` names
    /// the network, as [`zoo::find`] reads it, whatever else says what it is.
    ///
    /// # Errors
    /// A missing or damaged file, a pickle, an unknown network, [`CheckpointError::Mismatch`] with all that is missing
    /// or left over, [`CheckpointError::Unidentified`] where nobody says what the network is.
    pub fn open(path: &Path, model: Option<&str>) -> Result<Self, CheckpointError> {
        let file = match path.join(MODEL) {
            file if Self::are_in(path) => file,
            _ => Checkpoint::find(path)?,
        };
        let reader = WeightsReader::open(&file)?;
        let card = if is_checkpoint(reader.metadata()) {
            let mut card = read_card(reader.metadata(), reader.origin())?;
            if let Some(model) = model {
                model.clone_into(&mut card.model);
            }
            let unusable = |error: ZooError| match model {
                Some(_) => error.into(),
                None => unusable_model(reader.origin(), &error),
            };
            let found = zoo::find(&card.model).map_err(unusable)?;
            let network = found.build(&card.options(1)).map_err(unusable)?;
            check_fits(&reader, &found, &network)?;
            card
        } else {
            let config = file.with_file_name(CONFIG);
            let config = config
                .is_file()
                .then(|| ModelConfig::open(&config))
                .transpose()?;
            describe(&reader, config.as_ref(), model)?
        };
        Ok(Self { card, reader })
    }

    /// The network, its classes and its input.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The file.
    pub fn origin(&self) -> &str {
        self.reader.origin()
    }

    /// Gives a program of the network its parameters and statistics.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] for a program of another network; [`CheckpointError::NotFinite`] or
    /// [`CheckpointError::Weights`] for numbers that cannot be used, and then the program cannot be used either.
    pub fn restore(&mut self, program: &mut Program) -> Result<(), CheckpointError> {
        self.restore_but(program, &Head::default())
    }

    /// As [`Weights::restore`], but leaves the head as it is if the program tells another number of classes apart.
    /// Says whether it did.
    ///
    /// # Errors
    /// As there.
    pub fn restore_body(&mut self, program: &mut Program) -> Result<bool, CheckpointError> {
        let head = zoo::find(&self.card.model)?.head(&self.card.options(1))?;
        let differs = program.slots().iter().any(|slot| {
            head.contains(&slot.name) && self.reader.shape(&slot.name) != Some(&slot.shape)
        });
        let anew = if differs { head } else { Head::default() };
        self.restore_but(program, &anew)?;
        Ok(differs)
    }

    fn restore_but(&mut self, program: &mut Program, anew: &Head) -> Result<(), CheckpointError> {
        let kept = |name: &str| !anew.contains(name);
        let slots = program.slots().iter().filter(|slot| kept(&slot.name));
        let slots: Vec<_> = slots
            .map(|slot| (slot.name.clone(), slot.shape.clone(), slot.range.clone()))
            .collect();
        let states = program.states().iter().filter(|slot| kept(&slot.name));
        let states: Vec<_> = states
            .map(|slot| (slot.name.clone(), slot.shape.clone(), slot.range.clone()))
            .collect();
        let needed = slots.iter().chain(&states);
        let needed = needed.map(|(name, shape, _)| (name.as_str(), shape.as_slice()));
        // The file may hold more than a program that only predicts reads.
        let mismatch = Mismatch::between(needed, tensors(&self.reader));
        if let Some(mut mismatch) = mismatch
            && !(mismatch.missing.is_empty() && mismatch.reshaped.is_empty())
        {
            mismatch.origin = self.origin().to_owned();
            mismatch.model = program.graph().name.clone();
            return Err(CheckpointError::Mismatch(Box::new(mismatch)));
        }
        for (name, _, range) in slots {
            self.read(&name, &mut program.parameters_mut()[range])?;
        }
        for (name, _, range) in states {
            self.read(&name, &mut program.state_mut()[range])?;
        }
        Ok(())
    }

    fn read(&mut self, name: &str, values: &mut [f32]) -> Result<(), CheckpointError> {
        self.reader.read_into(name, values)?;
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(CheckpointError::NotFinite {
                origin: self.origin().to_owned(),
                tensor: name.to_owned(),
                value: *value,
            }),
        }
    }
}

/// The card of weights from elsewhere.
fn describe(
    reader: &WeightsReader,
    config: Option<&ModelConfig>,
    model: Option<&str>,
) -> Result<ModelCard, CheckpointError> {
    let found = match (model, config) {
        (Some(model), _) => zoo::find(model)?,
        (None, Some(config)) => zoo::find(&usual::registry_name(&config.architecture))?,
        (None, None) => identify::only_one_that_fits(reader)?,
    };
    let mut options = found.model.options();
    if let Some(config) = config {
        let (height, width) = config.preprocess.input;
        let channels = config.preprocess.channels;
        options = BuildOptions {
            channels,
            height,
            width,
            ..options
        };
    }
    let classes = config.and_then(|config| config.classes);
    let classes = match classes {
        Some(classes) => Some(classes),
        None => found.head(&options)?.classes(|name| reader.shape(name)),
    };
    options.classes = classes.unwrap_or(options.classes);
    // Before so many names are made: a small file may claim any number.
    check_fits(reader, &found, &found.build(&options)?)?;
    Ok(ModelCard {
        model: found.name(),
        classes: match config {
            Some(config) => config.labels(options.classes),
            None => imagenet::labels(options.classes),
        },
        preprocess: match config {
            Some(config) => config.preprocess.clone(),
            None => usual::preprocess(found.model.name, found.model.input),
        },
    })
}

/// What a network is compared with: all but PyTorch's counters and what only a continued training needs.
fn tensors(reader: &WeightsReader) -> impl Iterator<Item = (&str, &[usize])> {
    let own = is_checkpoint(reader.metadata());
    reader.tensors().filter(move |(name, _)| {
        let counter = *name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
        let average = own && is_of_optimiser(name);
        !(counter || average)
    })
}

/// Compares the tensors with all parameters and states of a network.
fn check_fits(
    reader: &WeightsReader,
    found: &Found,
    network: &Graph,
) -> Result<(), CheckpointError> {
    let Some(mut mismatch) = Mismatch::between(needed(network), tensors(reader)) else {
        return Ok(());
    };
    mismatch.origin = reader.origin().to_owned();
    mismatch.model = found.name();
    mismatch.fits = identify::all_that_fit(reader);
    Err(CheckpointError::Mismatch(Box::new(mismatch)))
}

/// Names and shapes of a network's parameters and states.
pub(crate) fn needed(network: &Graph) -> impl Iterator<Item = (&str, &[usize])> {
    let values = network.parameters().chain(network.states());
    values.map(|(_, value)| (value.name.as_str(), value.shape.as_slice()))
}
