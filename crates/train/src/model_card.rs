//! What one must know about a network besides its weights to use it.

use formats::{Preprocess, imagenet};
use graph::Graph;
use serde::{Deserialize, Serialize};
use zoo::BuildOptions;

use crate::checkpoint::to_json;
use crate::weights::usual;
use crate::{Architecture, TrainError};

/// Everything but the weights: enough to build the network, feed it and read its answers.
///
/// ```
/// use train::ModelCard;
/// use formats::{CropMode, Interpolation, Preprocess};
/// let card = ModelCard {
///     model: "resnet20:0.5".into(),
///     classes: vec!["cat".into(), "dog".into()],
///     preprocess: Preprocess {
///         input: (32, 32),
///         channels: 3,
///         mean: vec![0.5; 3],
///         std: vec![0.25; 3],
///         crop_fraction: 1.0,
///         interpolation: Interpolation::Bilinear,
///         crop_mode: CropMode::Center,
///     },
/// };
/// let network = card.network(4)?;
/// assert_eq!(network.value(network.outputs[0]).shape, [4, 2]);
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name in the zoo, with the width multiplier if there is one: `resnet20`, `mobilenet_v1:0.5`; or that of an ONNX
    /// file: `resnet18.onnx`.
    pub model: String,
    /// Names of the classes in the order of the logits.
    pub classes: Vec<String>,
    /// How a picture becomes the input.
    pub preprocess: Preprocess,
}

impl ModelCard {
    /// The entry of an ONNX file, or of a checkpoint, that holds the classes in JSON.
    pub const CLASSES: &str = "classes";
    /// The one that holds the preprocessing.
    pub const PREPROCESS: &str = "preprocess";

    /// The card as text entries of an ONNX file.
    pub fn entries(&self) -> Vec<(String, String)> {
        [
            ("model", self.model.clone()),
            (Self::CLASSES, to_json(&self.classes)),
            (Self::PREPROCESS, to_json(&self.preprocess)),
        ]
        .map(|(key, text)| (key.to_owned(), text))
        .into()
    }

    /// The card of a network from elsewhere that nobody wrote one for: pictures are prepared as torchvision does, a thousand
    /// classes are those of ImageNet, others have numbers. `input` is `[channels, height, width]`.
    pub fn usual(model: &str, input: [usize; 3], classes: usize) -> Self {
        Self {
            model: model.to_owned(),
            classes: imagenet::labels(classes),
            preprocess: usual::preprocess(model, input),
        }
    }

    /// What makes no sense, if anything does: the name of the field and the reason. Class names may be any text, which
    /// whoever shows them escapes; the model's name stands in errors, and no network has such a one.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        if self.model.contains(char::is_control) {
            return Some(("model", format!("control characters in {:?}", self.model)));
        }
        let fault = self.preprocess.check().err()?;
        Some(("preprocess", fault.to_string()))
    }

    /// The forward graph of a network of the zoo for batches of `batch` pictures; an ONNX file takes the
    /// [`Architecture`] made of it.
    ///
    /// # Errors
    /// [`TrainError::Zoo`] for an unknown name, for what is no classifier or an input that does not fit,
    /// [`TrainError::Preprocess`] for an input that makes no sense.
    pub fn network(&self, batch: usize) -> Result<Graph, TrainError> {
        Architecture::Zoo(zoo::find(&self.model)?).network(self, batch)
    }

    /// What the network is built for.
    pub fn options(&self, batch: usize) -> BuildOptions {
        let (height, width) = self.preprocess.input;
        BuildOptions {
            batch,
            channels: self.preprocess.channels,
            height,
            width,
            classes: self.classes.len(),
        }
    }
}
