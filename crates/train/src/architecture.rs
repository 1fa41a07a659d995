//! What a network is built from.

mod onnx;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use graph::{Graph, OutputActivation};
use runtime::{Program, RuntimeOptions};
use zoo::{BuildOptions, Found, Head, ZooError};

pub use self::onnx::{OnnxNetwork, OnnxNetworkError};
use crate::{ModelCard, TrainError};

/// A network of the zoo, or an ONNX model that is a classifier of pictures.
///
/// ```
/// use train::Architecture;
/// let network = Architecture::find("resnet20:0.5")?;
/// let graph = network.build(&network.options())?;
/// assert_eq!(graph.value(graph.outputs[0]).shape, [1, 10]);
/// # Ok::<(), train::ArchitectureError>(())
/// ```
#[derive(Clone, Debug)]
pub enum Architecture {
    /// By its name in the zoo.
    Zoo(Found),
    /// From a file.
    Onnx(Arc<OnnxNetwork>),
}

/// Why a network cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ArchitectureError {
    /// One of the zoo.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// One in a file.
    #[error(transparent)]
    Onnx(#[from] OnnxNetworkError),
}

/// The folder of a run in which the ONNX model that it trains is kept.
pub(crate) const KEPT: &str = "network";

impl Architecture {
    /// The network that a name of the zoo, or the path of a file that ends in `.onnx`, stands for.
    ///
    /// # Errors
    /// An unknown name, or a file that is no classifier of pictures.
    pub fn find(reference: &str) -> Result<Self, ArchitectureError> {
        match Self::is_onnx(Path::new(reference)) {
            true => Ok(Self::Onnx(Arc::new(OnnxNetwork::open(reference.as_ref())?))),
            false => Ok(Self::Zoo(zoo::find(reference)?)),
        }
    }

    /// Whether a path is meant as an ONNX file.
    pub fn is_onnx(path: &Path) -> bool {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
    }

    /// The network of a checkpoint in `file` whose card calls it `model`: an ONNX model lies where its run keeps it.
    ///
    /// # Errors
    /// As [`Architecture::find`]; a name that leads elsewhere.
    pub(crate) fn of_checkpoint(file: &Path, model: &str) -> Result<Self, ArchitectureError> {
        let name = Path::new(model);
        if !Self::is_onnx(name) {
            return Self::find(model);
        }
        if name.file_name() != Some(name.as_os_str()) {
            let path = PathBuf::from(model);
            return Err(OnnxNetworkError::Elsewhere { path }.into());
        }
        let kept = file.with_file_name(KEPT).join(name);
        match kept.exists() {
            true => Ok(Self::Onnx(Arc::new(OnnxNetwork::open(&kept)?))),
            false => Err(OnnxNetworkError::NotKept { path: kept }.into()),
        }
    }

    /// What a model card says of it: a name of the zoo, or that of the file.
    pub fn name(&self) -> String {
        match self {
            Self::Zoo(found) => found.name(),
            Self::Onnx(network) => network.name(),
        }
    }

    /// What [`Architecture::find`] finds it by.
    pub fn reference(&self) -> String {
        match self {
            Self::Zoo(found) => found.name(),
            Self::Onnx(network) => network.path().to_string_lossy().into_owned(),
        }
    }

    /// The same network, if it is a classifier.
    ///
    /// # Errors
    /// [`ZooError::NotAClassifier`]
    pub fn classifier(self) -> Result<Self, ZooError> {
        match self {
            Self::Zoo(found) => found.classifier().map(Self::Zoo),
            onnx @ Self::Onnx(_) => Ok(onnx),
        }
    }

    /// One image of the size the network was made for, and its own classes.
    pub fn options(&self) -> BuildOptions {
        match self {
            Self::Zoo(found) => found.model.options(),
            Self::Onnx(network) => network.options(),
        }
    }

    /// What makes probabilities of the logits for so many classes, as the network's author has it.
    pub fn activation(&self, classes: usize) -> OutputActivation {
        match self {
            Self::Zoo(_) => OutputActivation::usual(classes),
            Self::Onnx(network) => network.activation(),
        }
    }

    /// The forward graph: images `[batch, channels, height, width]` to logits `[batch, classes]`.
    ///
    /// # Errors
    /// Images that the network does not fit, and classes that an ONNX model cannot be made for.
    pub fn build(&self, options: &BuildOptions) -> Result<Graph, ArchitectureError> {
        Ok(match self {
            Self::Zoo(found) => found.build(options)?,
            Self::Onnx(network) => network.build(options)?,
        })
    }

    /// What changes when the network is built for other classes. Nothing does of a model whose classes cannot be
    /// changed.
    ///
    /// # Errors
    /// As [`Architecture::build`].
    pub fn head(&self, options: &BuildOptions) -> Result<Head, ArchitectureError> {
        Ok(match self {
            Self::Zoo(found) => found.head(options)?,
            Self::Onnx(network) => network.head(options)?,
        })
    }

    /// The forward graph of a classifier that a card describes, for batches of `batch` pictures.
    ///
    /// # Errors
    /// A network that is no classifier or whose input does not fit, and a card that makes no sense.
    pub(crate) fn network(&self, card: &ModelCard, batch: usize) -> Result<Graph, TrainError> {
        card.preprocess.check()?;
        Ok(self.clone().classifier()?.build(&card.options(batch))?)
    }

    /// A program that predicts, still without weights.
    ///
    /// # Errors
    /// As [`Architecture::network`], and [`TrainError::Runtime`] for a network that does not fit the machine.
    pub(crate) fn program(
        &self,
        card: &ModelCard,
        batch: usize,
        options: &RuntimeOptions,
    ) -> Result<Program, TrainError> {
        let graph = graph::passes::inference(&self.network(card, batch)?)?;
        Ok(Program::new(graph, options)?)
    }
}
