//! `config.json` as timm writes it beside published weights: what network they are of, how pictures are prepared for
//! it, and what its classes are called.
//!
//! Today's form keeps the preprocessing in `pretrained_cfg`; the older one has it at the top:
//!
//! ```json
//! {"architecture": "resnet18", "num_classes": 1000, "label_names": ["tench", …],
//!  "pretrained_cfg": {"input_size": [3, 224, 224], "mean": […], "std": […],
//!                     "crop_pct": 0.95, "interpolation": "bicubic", "crop_mode": "center"}}
//! ```
//!
//! What is left out has timm's defaults: 3×224×224, ImageNet's mean and deviation, 0.875, bicubic, centre.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{CropMode, Interpolation, Preprocess, imagenet};

/// Longest file; a thousand described classes take a hundredth of it.
const MAX_BYTES: u64 = 4 << 20;

/// What a `config.json` says.
///
/// ```
/// use convolve_formats::ModelConfig;
/// let text = r#"{"architecture": "resnet18", "num_classes": 2, "label_names": ["cat", "dog"],
///                "pretrained_cfg": {"crop_pct": 0.95}}"#;
/// let config = ModelConfig::from_json(text, "config.json")?;
/// assert_eq!(config.architecture, "resnet18");
/// assert_eq!(config.preprocess.crop_fraction, 0.95);
/// assert_eq!(config.labels(2)[1], "dog");
/// # Ok::<(), convolve_formats::ModelConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Name of the network in timm: `resnet18`, `mobilenetv1_100`.
    pub architecture: String,
    /// Number of classes, if it is given.
    pub classes: Option<usize>,
    /// How a picture becomes the input.
    pub preprocess: Preprocess,
    /// Names of the classes in the order of the logits, if they are given.
    label_names: Option<Vec<String>>,
}

/// A `config.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelConfigError {
    /// The operating system refused the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No JSON, or not of a model, or values that make no sense.
    #[error("{origin}: {reason}")]
    Content {
        /// The file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The fields of both forms.
#[derive(Deserialize)]
struct Written {
    architecture: String,
    num_classes: Option<usize>,
    label_names: Option<Labels>,
    label_descriptions: Option<BTreeMap<String, String>>,
    pretrained_cfg: Option<Prepared>,
    #[serde(flatten)]
    flat: Prepared,
}

/// How pictures are prepared; other fields are of no interest.
#[derive(Default, Deserialize)]
struct Prepared {
    input_size: Option<[usize; 3]>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    crop_pct: Option<f64>,
    interpolation: Option<String>,
    crop_mode: Option<String>,
    num_classes: Option<usize>,
    label_names: Option<Labels>,
    label_descriptions: Option<BTreeMap<String, String>>,
}

/// In the order of the classes, or by their numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Labels {
    List(Vec<String>),
    Numbered(BTreeMap<String, String>),
}

impl ModelConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ModelConfigError`]: see its variants.
    pub fn open(path: &Path) -> Result<Self, ModelConfigError> {
        let refused = |source| ModelConfigError::Io {
            path: path.to_path_buf(),
            source,
        };
        let mut text = String::new();
        let file = tensor::regular::open(path).map_err(refused)?;
        let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        read.map_err(refused)?;
        let origin = path.to_string_lossy();
        if text.len() as u64 > MAX_BYTES {
            return Err(ModelConfigError::Content {
                origin: origin.into_owned(),
                reason: format!("more than the {MAX_BYTES} bytes that are allowed"),
            });
        }
        Self::from_json(&text, &origin)
    }

    /// Reads the content of a file; `origin` stands in error messages.
    ///
    /// # Errors
    /// [`ModelConfigError::Content`].
    pub fn from_json(text: &str, origin: &str) -> Result<Self, ModelConfigError> {
        Self::parse(text).map_err(|reason| ModelConfigError::Content {
            origin: origin.to_owned(),
            reason,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Written {
            architecture, flat, ..
        } = written;
        let nested = written.pretrained_cfg.unwrap_or_default();
        if architecture.contains(char::is_control) {
            return Err(format!(
                "control characters in the architecture {architecture:?}"
            ));
        }
        let [channels, height, width] =
            (nested.input_size.or(flat.input_size)).unwrap_or([3, 224, 224]);
        let of_channels = |given: Option<Vec<f32>>, usual: [f32; 3]| match (given, channels) {
            (Some(given), _) => given,
            // A network of grey pictures sees the mean of the three colours.
            (None, 1) => vec![usual.iter().sum::<f32>() / 3.0],
            (None, _) => usual.to_vec(),
        };
        let preprocess = Preprocess {
            input: (height, width),
            channels,
            mean: of_channels(nested.mean.or(flat.mean), imagenet::MEAN),
            std: of_channels(nested.std.or(flat.std), imagenet::STD),
            crop_fraction: nested.crop_pct.or(flat.crop_pct).unwrap_or(0.875),
            interpolation: interpolation(nested.interpolation.or(flat.interpolation).as_deref())?,
            crop_mode: crop_mode(nested.crop_mode.or(flat.crop_mode).as_deref())?,
        };
        preprocess.check().map_err(|error| error.to_string())?;
        let names = written.label_names.or(nested.label_names);
        let descriptions = (written.label_descriptions)
            .or(nested.label_descriptions)
            .unwrap_or_default();
        let label_names = names.map(Labels::in_order).transpose()?.map(|names| {
            let described = |name: String| descriptions.get(&name).cloned().unwrap_or(name);
            names.into_iter().map(described).collect::<Vec<_>>()
        });
        let classes = written.num_classes.or(nested.num_classes);
        if let (Some(classes), Some(names)) = (classes, &label_names)
            && classes != names.len()
        {
            return Err(format!("{} label names for {classes} classes", names.len()));
        }
        Ok(Self {
            architecture,
            classes: classes.or(label_names.as_ref().map(Vec::len)),
            preprocess,
            label_names,
        })
    }

    /// Names of so many classes: those of the file, or [`imagenet::labels`].
    pub fn labels(&self, classes: usize) -> Vec<String> {
        match &self.label_names {
            Some(names) if names.len() == classes => names.clone(),
            _ => imagenet::labels(classes),
        }
    }
}

impl Labels {
    fn in_order(self) -> Result<Vec<String>, String> {
        match self {
            Self::List(names) => Ok(names),
            Self::Numbered(names) => (0..names.len())
                .map(|class| {
                    let name = names.get(&class.to_string()).cloned();
                    name.ok_or_else(|| format!("no label name for class {class}"))
                })
                .collect(),
        }
    }
}

/// timm's names of filters; `random` is for training, and evaluated with the first of what it draws from.
fn interpolation(name: Option<&str>) -> Result<Interpolation, String> {
    match name {
        None | Some("bicubic") => Ok(Interpolation::Bicubic),
        Some("bilinear" | "random") => Ok(Interpolation::Bilinear),
        Some(other) => Err(format!(
            "interpolation {other:?}; bilinear and bicubic are possible"
        )),
    }
}

fn crop_mode(name: Option<&str>) -> Result<CropMode, String> {
    match name {
        None | Some("center") => Ok(CropMode::Center),
        Some("squash") => Ok(CropMode::Squash),
        Some("border") => Ok(CropMode::Border),
        Some(other) => Err(format!(
            "crop mode {other:?}; center, squash and border are possible"
        )),
    }
}

#[cfg(test)]
mod tests;
