//! What can stop a training, an evaluation or a prediction.

use std::io;
use std::path::PathBuf;

use formats::hub::HubError;
use formats::weights::WeightsError;
use formats::{DataError, ModelConfigError, PreprocessError};
use graph::GraphError;
use runtime::RuntimeError;
use tensor::MemoryError;
use zoo::ZooError;

use crate::state_dict::Mismatch;
use crate::{ArchitectureError, OnnxNetworkError};

/// Why a training, an evaluation or a prediction cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting that makes no sense.
    #[error("{0}")]
    Config(String),
    /// The memory for a batch, an optimiser or a table of classes could not be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A network that answers with what is no number: its weights are of no use, though each of them is finite.
    #[error("the network's answers are not finite: {what}")]
    NoAnswer {
        /// The first of them.
        what: String,
    },
    /// A network that does not make one row of logits of one picture.
    #[error("{name}: is no classifier of pictures: it makes {outputs:?} of {inputs:?}")]
    NotAClassifier {
        /// Its name.
        name: String,
        /// Shapes of its inputs.
        inputs: Vec<Vec<usize>>,
        /// Shapes of its outputs.
        outputs: Vec<Vec<usize>>,
    },
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A picture's way into the network.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The network's name or size.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// The network in an ONNX file.
    #[error(transparent)]
    Onnx(Box<OnnxNetworkError>),
    /// The network cannot be trained or run.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The network does not fit the machine.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The system refuses a thread.
    #[error("could not start a loader thread: {0}")]
    Thread(io::Error),
    /// The system refuses a file of the run folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A `config.toml` that cannot be read.
    #[error("{}: {reason}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in one line.
        reason: String,
    },
    /// A line of `metrics.jsonl` that is no report of an epoch.
    #[error("{}: line {line}: {reason}", path.display())]
    Metrics {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A new run would overwrite another one.
    #[error("{}: holds a run already ({file}); resume it or choose another folder", path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
        /// A file in it that a new run would overwrite.
        file: &'static str,
    },
    /// Another process trains in the folder.
    #[error("run folder {} is in use by another process", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no run to resume.
    #[error("{}: no run to resume here (no {missing})", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// The file that is not there.
        missing: &'static str,
    },
    /// The run folder's settings are not those that its checkpoint was made with.
    #[error(
        "{}: the settings were changed after the checkpoint was written; a resumed run must keep them",
        path.display()
    )]
    ConfigChanged {
        /// The configuration file.
        path: PathBuf,
    },
    /// The data set is not the one that the run began with.
    #[error(
        "the run began with {then} training pictures in {then_classes} classes, now there are {now} in {now_classes}{}",
        difference(.class)
    )]
    DataChanged {
        /// Training pictures at the beginning.
        then: usize,
        /// Classes at the beginning.
        then_classes: usize,
        /// Training pictures now.
        now: usize,
        /// Classes now.
        now_classes: usize,
        /// The first class that only one of both has, and whether it was there then.
        class: Option<(String, bool)>,
    },
    /// The loss or a weight became infinite or not a number.
    #[error("step {step} of epoch {epoch}: {what}; a lower learning rate may help{}", kept(.checkpoint))]
    Diverged {
        /// Epoch, counted from 1.
        epoch: u64,
        /// Step of the run, counted from 1.
        step: u64,
        /// What is not finite.
        what: String,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// All epochs are done.
    #[error("the run is finished: all of its {epochs} epochs are done")]
    Finished {
        /// Epochs of the run.
        epochs: u64,
    },
    /// A class of a data set that the model does not know.
    #[error("class `{class}` of the data set is not among the {known} classes of the model")]
    UnknownClass {
        /// Its name.
        class: String,
        /// Classes of the model.
        known: usize,
    },
}

impl From<ArchitectureError> for TrainError {
    fn from(error: ArchitectureError) -> Self {
        match error {
            ArchitectureError::Zoo(error) => Self::Zoo(error),
            ArchitectureError::Onnx(error) => Self::Onnx(Box::new(error)),
        }
    }
}

impl From<ArchitectureError> for CheckpointError {
    fn from(error: ArchitectureError) -> Self {
        match error {
            ArchitectureError::Zoo(error) => Self::Zoo(Box::new(error)),
            ArchitectureError::Onnx(error) => Self::Onnx(Box::new(error)),
        }
    }
}

impl From<OnnxNetworkError> for CheckpointError {
    fn from(error: OnnxNetworkError) -> Self {
        Self::Onnx(Box::new(error))
    }
}

fn kept(checkpoint: &Option<PathBuf>) -> String {
    match checkpoint {
        Some(path) => format!(" (the last good checkpoint is kept in {})", path.display()),
        None => String::new(),
    }
}

fn difference(class: &Option<(String, bool)>) -> String {
    match class {
        Some((class, true)) => format!("; class `{class}` is gone"),
        Some((class, false)) => format!("; class `{class}` is new"),
        None => String::new(),
    }
}

/// Why a file is no checkpoint, or its weights are not those of this network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written, or is damaged.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The memory for a copy of the weights could not be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Weights of another program, or no weights at all.
    #[error("{origin}: not a checkpoint of this program (its metadata has no `{key}`)")]
    Foreign {
        /// The file.
        origin: String,
        /// The entry that every checkpoint has.
        key: &'static str,
    },
    /// A checkpoint of a later version.
    #[error("{origin}: checkpoint format {found}, but only {known} can be read")]
    Version {
        /// The file.
        origin: String,
        /// Its version.
        found: String,
        /// The version known here.
        known: &'static str,
    },
    /// An entry of the metadata that makes no sense.
    #[error("{origin}: `{key}` in the metadata: {reason}")]
    Metadata {
        /// The file.
        origin: String,
        /// The entry.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor that the network needs and the file does not have.
    #[error("{origin}: no tensor `{tensor}` of shape {expected:?}, which the model has")]
    Missing {
        /// The file.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        expected: Vec<usize>,
    },
    /// A tensor of another shape.
    #[error("{origin}: `{tensor}` has shape {found:?}, the model needs {expected:?}")]
    Shape {
        /// The file.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// Tensors that are not those of the network.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
    /// Weights of which nobody says what network they are of.
    #[error("{origin}: {}", unidentified(.fits))]
    Unidentified {
        /// The file.
        origin: String,
        /// The networks of the zoo that fit: none or several.
        fits: Vec<String>,
    },
    /// The network's name or size.
    #[error(transparent)]
    Zoo(Box<ZooError>),
    /// The network in an ONNX file.
    #[error(transparent)]
    Onnx(Box<OnnxNetworkError>),
    /// What is written beside the weights.
    #[error(transparent)]
    Config(#[from] ModelConfigError),
    /// Weights on the hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A number that no sound training leaves behind.
    #[error("{origin}: `{tensor}` holds {value}; weights must be finite")]
    NotFinite {
        /// The file.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// NaN or an infinity.
        value: f32,
    },
    /// Weights without the state of a training, which cannot be continued.
    #[error("{origin}: holds weights alone, not the state of a training")]
    WeightsOnly {
        /// The file.
        origin: String,
    },
}

impl From<ZooError> for CheckpointError {
    fn from(error: ZooError) -> Self {
        Self::Zoo(Box::new(error))
    }
}

fn unidentified(fits: &[String]) -> String {
    match fits {
        [] => "no network of the zoo has these tensors at its usual width; name the network they are for".to_owned(),
        fits => format!("these may be the weights of {}; name the network", fits.join(" or ")),
    }
}
