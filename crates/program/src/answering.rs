//! Which network answers about pictures, and which arguments are the pictures: those of `predict` and `explain`.

use std::fmt;
use std::path::{Path, PathBuf};

use formats::{DataError, Picture, images_below};

use super::failure::usage;
use super::printable::printable;
use super::{model, trained, weights};

/// The network for those who have none: it tells the ten classes of CIFAR-10 apart.
pub(crate) static BUILT_IN: &[u8] = include_bytes!("../assets/classifier.safetensors");

/// What the network inside the program is called in errors.
pub(crate) const BUILT_IN_NAME: &str = "the built-in classifier";

/// The network that answers.
pub(crate) enum Answering {
    /// The one inside the program.
    BuiltIn,
    /// One whose weights were named.
    Weights {
        /// The network, where the weights do not say it.
        model: Option<String>,
        /// A file, a run folder, or a name of the hub.
        weights: String,
    },
}

impl Answering {
    /// Finds out what the weights are of and where they are; what follows is pictures.
    ///
    /// # Errors
    /// Arguments that name no network where one is meant, and a network without a picture.
    pub(crate) fn among<'a>(
        paths: &'a [PathBuf],
        weights: Option<&str>,
    ) -> anyhow::Result<(Self, &'a [PathBuf])> {
        let name = |path: &Path| path.to_string_lossy().into_owned();
        let answering = |model: Option<&Path>, weights: String| Self::Weights {
            model: model.map(name),
            weights,
        };
        let (network, pictures) = match (paths.split_first(), weights) {
            (Some((first, rest)), Some(weights)) if weights::lacks_weights(first) => {
                (answering(Some(first), weights.to_owned()), rest)
            }
            (Some((first, _)), Some(_)) if trained::is_trained(first) || model::is_onnx(first) => {
                return Err(weights::has_weights(first.display()));
            }
            (_, Some(weights)) => (answering(None, weights.to_owned()), paths),
            (Some((first, rest)), None) if trained::is_trained(first) || model::is_onnx(first) => {
                (answering(None, name(first)), rest)
            }
            (Some((first, _)), None) if trained::is_foreign(first) => {
                return Err(usage(format!(
                    "{}: networks in this form are not read; name a run folder or a .safetensors file",
                    first.display()
                )));
            }
            (Some((first, [_, ..])), None) if weights::lacks_weights(first) => {
                return Err(weights::lacking(first.display()));
            }
            // It would have to be a network, and another one shall not answer in its place.
            (Some((first, [_, ..])), None) if !first.exists() && !names_a_picture(first) => {
                return Err(usage(format!(
                    "{}: no such file or folder",
                    first.display()
                )));
            }
            (Some((first, [_, ..])), None) if first.is_file() && !Picture::is_meant_by(first) => {
                return Err(usage(format!(
                    "{}: neither a picture nor a trained network",
                    first.display()
                )));
            }
            // Nor for one that is looked for in the wrong folder.
            (Some((first, [_, ..])), None) if is_bare(first) => {
                return Err(usage(format!(
                    "{}: the folder holds neither weights nor pictures",
                    first.display()
                )));
            }
            _ => (Self::BuiltIn, paths),
        };
        match pictures {
            [] => Err(usage("a network alone says nothing; name a picture")),
            pictures => Ok((network, pictures)),
        }
    }
}

/// The only picture of those that were named: a file, or what will be told to be missing.
///
/// # Errors
/// Several, of which the first may have been meant as a network; folders and devices.
pub(crate) fn the_picture(pictures: &[PathBuf]) -> anyhow::Result<&Path> {
    match pictures {
        [picture] => match picture.metadata() {
            Ok(found) if !found.is_file() => Err(usage(format!(
                "{}: no regular file; one picture is looked at at a time",
                picture.display()
            ))),
            Err(_) if zoo::find(&picture.to_string_lossy()).is_ok() => Err(usage(format!(
                "{}: a network, and no picture is named that it looks at",
                picture.display()
            ))),
            _ => Ok(picture),
        },
        [first, _] if !first.exists() => {
            let name = first.to_string_lossy();
            match zoo::find(&name) {
                Err(error) => Err(usage(error)),
                Ok(_) => Err(weights::lacking(first.display())),
            }
        }
        many => Err(usage(format!(
            "one picture is looked at at a time, not {}",
            many.len()
        ))),
    }
}

impl fmt::Display for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("the network inside the program"),
            Self::Weights {
                model: Some(model),
                weights,
            } => write!(f, "{model} with {}", printable(weights)),
            Self::Weights {
                model: None,
                weights,
            } => f.write_str(&printable(weights)),
        }
    }
}

/// Whether a path is a folder without pictures.
fn is_bare(path: &Path) -> bool {
    let bare = |error| {
        matches!(
            error,
            DataError::EmptyFolder { .. } | DataError::NoImages { .. }
        )
    };
    path.is_dir() && images_below(path).is_err_and(bare)
}

/// Whether a path that leads nowhere looks like a picture's.
fn names_a_picture(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending != "safetensors")
}
