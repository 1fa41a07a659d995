//! Weights in a file, of this program or published by others, on their way into a network.

pub(crate) mod auxiliary;
mod identify;
mod tensors;
pub(crate) mod usual;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::hub::{self, Cache, HubId};
use formats::weights::{Precision, TensorFile, WeightsReader};
use formats::{ModelConfig, imagenet};
use graph::{Graph, OutputActivation};
use runtime::{Program, initialise_where};
use tensor::memory::try_zeros;
use zoo::{BuildOptions, Head};

use self::tensors::Tensors;
use crate::checkpoint::{is_checkpoint, metadata, read_card, read_score, unusable_model};
use crate::state_dict::Mismatch;
use crate::{
    Architecture, ArchitectureError, Checkpoint, CheckpointError, ModelCard, OnnxNetwork, Score,
};

/// A file of weights whose header is read and checked against the network it is for. Its numbers go straight into a
/// program, so a network is loaded without a second copy of them. Those of an ONNX model are its initializers.
///
/// Tensors must have the names and shapes of the network's parameters and running statistics, as torchvision and timm
/// name them; PyTorch's `num_batches_tracked` is ignored, and heads that exist for training only may be missing. What the network and its classes are, and how pictures are
/// prepared, is said by
///
/// 1. the file itself, if this program wrote it, be it an ONNX file,
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
    architecture: Architecture,
    activation: OutputActivation,
    tensors: Tensors,
    /// Names of the tensors of auxiliary heads that are not there, head by head.
    absent: Vec<Vec<String>>,
    /// What they reached, where the file says so.
    score: Option<Score>,
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
    /// the network, as [`Architecture::find`] reads it, whatever else says what it is; the weights of an ONNX file are
    /// by default those of the network in it.
    ///
    /// # Errors
    /// A missing or damaged file, a pickle, an unknown network, [`CheckpointError::Mismatch`] with all that is missing
    /// or left over, [`CheckpointError::Unidentified`] where nobody says what the network is.
    pub fn open(path: &Path, model: Option<&str>) -> Result<Self, CheckpointError> {
        let named = model.map(Architecture::find).transpose()?;
        if Architecture::is_onnx(path) {
            return Self::of_onnx(path, named);
        }
        let file = match path.join(MODEL) {
            file if Self::are_in(path) => file,
            _ => Checkpoint::find(path)?,
        };
        let reader = WeightsReader::open(&file)?;
        if !is_checkpoint(reader.metadata()) {
            let config = file.with_file_name(CONFIG);
            let config = config
                .is_file()
                .then(|| ModelConfig::open(&config))
                .transpose()?;
            return Self::describe(Tensors::File(reader), config.as_ref(), named);
        }
        let mut card = read_card(reader.metadata(), reader.origin())?;
        let unusable = |error: ArchitectureError| match (model, error) {
            (None, ArchitectureError::Zoo(error)) => unusable_model(reader.origin(), &error),
            (_, error) => error.into(),
        };
        let architecture = match named {
            Some(named) => {
                card.model = named.name();
                named
            }
            None => Architecture::of_checkpoint(&file, &card.model).map_err(unusable)?,
        };
        let network = architecture.build(&card.options(1)).map_err(unusable)?;
        // Whatever the network ended in when it came here, it was trained on a softmax of its logits.
        let activation = OutputActivation::usual(card.classes.len());
        let score = read_score(reader.metadata(), reader.origin())?;
        let tensors = Tensors::File(reader);
        let weights = Self::fitting(card, architecture, activation, tensors, &network)?;
        Ok(Self { score, ..weights })
    }

    /// Tensors of a network with its card, if they are all that it needs.
    fn fitting(
        card: ModelCard,
        architecture: Architecture,
        activation: OutputActivation,
        tensors: Tensors,
        network: &Graph,
    ) -> Result<Self, CheckpointError> {
        let absent = check_fits(&tensors, &card.model, network)?;
        Ok(Self {
            card,
            architecture,
            activation,
            tensors,
            absent,
            score: None,
        })
    }

    /// The weights in an ONNX file: of the network in it, or of another one whose parameters have the same names.
    fn of_onnx(path: &Path, named: Option<Architecture>) -> Result<Self, CheckpointError> {
        let own = match &named {
            Some(Architecture::Onnx(named)) if named.path() == path => named.clone(),
            _ => Arc::new(OnnxNetwork::open(path)?),
        };
        let (card, tensors) = (own.card()?, Tensors::of_model(&own)?);
        let activation = own.activation();
        match named {
            Some(named) if named.reference() != path.to_string_lossy() => {
                if !own.is_described() {
                    let described = Self::describe(tensors, None, Some(named))?;
                    return Ok(Self {
                        activation,
                        ..described
                    });
                }
                let model = named.name();
                let card = ModelCard { model, ..card };
                let network = named.build(&card.options(1))?;
                Self::fitting(card, named, activation, tensors, &network)
            }
            _ => Ok(Self {
                card,
                architecture: Architecture::Onnx(own),
                activation,
                tensors,
                absent: Vec::new(),
                score: None,
            }),
        }
    }

    /// Weights from elsewhere, with the card of their network.
    fn describe(
        tensors: Tensors,
        config: Option<&ModelConfig>,
        named: Option<Architecture>,
    ) -> Result<Self, CheckpointError> {
        let architecture = match (named, config) {
            (Some(named), _) => named,
            (None, Some(config)) => {
                Architecture::find(&usual::registry_name(&config.architecture))?
            }
            (None, None) => Architecture::Zoo(identify::only_one_that_fits(&tensors)?),
        };
        let usual = match &architecture {
            Architecture::Zoo(found) => usual::preprocess(found.model.name, found.model.input),
            Architecture::Onnx(network) => network.card()?.preprocess,
        };
        let mut options = architecture.options();
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
            None => (architecture.head(&options)?).classes(|name| tensors.shape(name)),
        };
        options.classes = classes.unwrap_or(options.classes);
        // Before so many names are made: a small file may claim any number.
        let network = architecture.build(&options)?;
        let absent = check_fits(&tensors, &architecture.name(), &network)?;
        let card = ModelCard {
            model: architecture.name(),
            classes: match config {
                Some(config) => config.labels(options.classes),
                None => imagenet::labels(options.classes),
            },
            preprocess: match config {
                Some(config) => config.preprocess.clone(),
                None => usual,
            },
        };
        Ok(Self {
            activation: architecture.activation(card.classes.len()),
            card,
            architecture,
            tensors,
            absent,
            score: None,
        })
    }

    /// What makes probabilities of the network's logits.
    pub fn activation(&self) -> OutputActivation {
        self.activation
    }

    /// The network, its classes and its input.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// What the network is built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// What they reached, where a file of this program says so.
    pub fn score(&self) -> Option<Score> {
        self.score
    }

    /// The file.
    pub fn origin(&self) -> &str {
        self.tensors.origin()
    }

    /// Heads for training only whose tensors the file lacks, such as `aux1`. A network that predicts does without them;
    /// in a training they start anew.
    pub fn absent_heads(&self) -> Vec<String> {
        self.absent
            .iter()
            .map(|head| auxiliary::name(head))
            .collect()
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
        let slots = program.slots().iter();
        let (anew, differs) =
            self.head_anew(slots.map(|slot| (slot.name.as_str(), slot.shape.as_slice())))?;
        self.restore_but(program, &anew)?;
        Ok(differs)
    }

    /// As [`Weights::restore_body`], and draws what they leave as it is, as [`runtime::initialise`] does.
    ///
    /// # Errors
    /// As there.
    pub fn restore_or_initialise(
        &mut self,
        program: &mut Program,
        seed: u64,
    ) -> Result<bool, CheckpointError> {
        let slots = program.slots().iter();
        let (anew, differs) =
            self.head_anew(slots.map(|slot| (slot.name.as_str(), slot.shape.as_slice())))?;
        let left = |name: &str| anew.contains(name) || !self.is_there(name);
        initialise_where(program, seed, left);
        self.restore_but(program, &anew)?;
        Ok(differs)
    }

    /// Whether [`Weights::restore_body`] would find what a network built for other images or classes needs, without
    /// reading a number. Says whether the head would be left as it is.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`]
    pub fn check_body(&self, network: &Graph) -> Result<bool, CheckpointError> {
        let (anew, differs) = self.head_anew(needed(network))?;
        self.compare(needed(network), &anew, &network.name)?;
        Ok(differs)
    }

    /// What of a network with these tensors starts anew, and whether anything does: the head, if it has other shapes.
    fn head_anew<'a>(
        &self,
        mut tensors: impl Iterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<(Head, bool), CheckpointError> {
        let head = self.architecture.head(&self.card.options(1))?;
        let differs = tensors.any(|(name, shape)| {
            head.contains(name) && self.is_there(name) && self.tensors.shape(name) != Some(shape)
        });
        Ok(match differs {
            true => (head, true),
            false => (Head::default(), false),
        })
    }

    /// Compares the tensors that a network needs, but for what starts anew, with those of the file. It may hold more
    /// than a program that only predicts reads.
    fn compare<'a>(
        &'a self,
        needed: impl Iterator<Item = (&'a str, &'a [usize])>,
        anew: &Head,
        model: &str,
    ) -> Result<(), CheckpointError> {
        let needed = needed.filter(|(name, _)| !anew.contains(name) && self.is_there(name));
        match Mismatch::between(needed, self.tensors.named()) {
            Some(mut mismatch)
                if !(mismatch.missing.is_empty() && mismatch.reshaped.is_empty()) =>
            {
                mismatch.origin = self.origin().to_owned();
                mismatch.model = model.to_owned();
                Err(CheckpointError::Mismatch(Box::new(mismatch)))
            }
            _ => Ok(()),
        }
    }

    fn restore_but(&mut self, program: &mut Program, anew: &Head) -> Result<(), CheckpointError> {
        let kept = |name: &str| !anew.contains(name) && self.is_there(name);
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
        self.compare(needed, anew, &program.graph().name)?;
        for (name, _, range) in slots {
            self.tensors
                .read(&name, &mut program.parameters_mut()[range])?;
        }
        for (name, _, range) in states {
            self.tensors.read(&name, &mut program.state_mut()[range])?;
        }
        Ok(())
    }

    /// Writes the network's parameters and statistics under their published names, with the card, whole or not at all:
    /// a file that says of itself what it is. Heads for training only that are absent stay so.
    ///
    /// # Errors
    /// [`CheckpointError::NotFinite`], [`CheckpointError::Memory`], [`CheckpointError::Weights`]: the file system, or a
    /// number that 16 bits cannot hold.
    pub fn save(&mut self, path: &Path, precision: Precision) -> Result<(), CheckpointError> {
        let network = self.architecture.build(&self.card.options(1))?;
        let mut tensors = TensorFile::default();
        for (name, shape) in needed(&network) {
            if !self.is_there(name) {
                continue;
            }
            let mut values = try_zeros(shape.iter().product())?;
            self.tensors.read(name, &mut values)?;
            tensors.push(name, shape, values)?;
        }
        tensors.metadata = metadata(&self.card).collect();
        Ok(tensors.save(path, precision)?)
    }

    /// Whether a parameter or state is not one of an absent head.
    fn is_there(&self, name: &str) -> bool {
        !self.absent.iter().flatten().any(|absent| absent == name)
    }
}

/// Compares the tensors with all parameters and states of a network; gives those of the auxiliary heads that are absent.
fn check_fits(
    tensors: &Tensors,
    model: &str,
    network: &Graph,
) -> Result<Vec<Vec<String>>, CheckpointError> {
    auxiliary::compare(network, tensors).map_err(|mut mismatch| {
        mismatch.origin = tensors.origin().to_owned();
        mismatch.model = model.to_owned();
        mismatch.fits = identify::all_that_fit(tensors);
        CheckpointError::Mismatch(mismatch)
    })
}

/// Names and shapes of a network's parameters and states.
pub(crate) fn needed(network: &Graph) -> impl Iterator<Item = (&str, &[usize])> {
    let values = network.parameters().chain(network.states());
    values.map(|(_, value)| (value.name.as_str(), value.shape.as_slice()))
}
