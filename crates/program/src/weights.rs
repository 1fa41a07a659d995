//! Weights by name: a file, a run folder, or `hf-hub:ORG/NAME[@REVISION]`, which is downloaded where the program is
//! built for it.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use formats::{Picture, hub};
use train::{Architecture, Weights};
use zoo::BuildOptions;

use super::failure::usage;
use super::input_shape::InputShape;
use super::model::is_onnx;
use super::output::Messages;
use super::printable::printable;
use super::trained::is_trained;

/// A network that was asked for by name, and its weights where there are any.
pub(crate) struct Network {
    pub(crate) architecture: Architecture,
    /// One image of the size asked for.
    pub(crate) options: BuildOptions,
    pub(crate) weights: Option<Weights>,
}

/// What a verb that takes `MODEL|RUN` and `--weights` may be told.
pub(crate) struct Asked<'a> {
    /// A network of the zoo, or what weights stand for.
    pub(crate) model: &'a str,
    pub(crate) weights: Option<&'a str>,
    pub(crate) classes: Option<usize>,
    pub(crate) input: Option<InputShape>,
}

impl Network {
    /// Finds a network, opens its weights, and settles what it is built for: what was asked, else what its weights
    /// are used to, else what it was made for.
    ///
    /// # Errors
    /// An unknown network, or weights that are none or not of this network.
    pub(crate) fn open(asked: &Asked<'_>, messages: Messages) -> anyhow::Result<Self> {
        let (architecture, weights) = match (zoo::find(asked.model), asked.weights) {
            (Ok(found), None) => (Architecture::Zoo(found), None),
            (Ok(found), Some(weights)) => {
                let weights = open(weights, Some(asked.model), messages)?;
                (Architecture::Zoo(found), Some(weights))
            }
            (Err(_), _) if is_picture(asked.model) => {
                let picture = printable(asked.model);
                return Err(usage(format!("{picture} is a picture, and no network")));
            }
            (Err(_), _) if is_missing(asked.model) => {
                let place = printable(asked.model);
                return Err(usage(format!("{place}: no such file or folder")));
            }
            (Err(error), _) if !stands_for_weights(asked.model) => return Err(error.into()),
            (Err(_), None) => {
                let weights = open(asked.model, None, messages)?;
                (weights.architecture().clone(), Some(weights))
            }
            (Err(_), Some(_)) => return Err(has_weights(asked.model)),
        };
        let mut options = match &weights {
            Some(weights) => weights.card().options(1),
            None => architecture.options(),
        };
        options.classes = asked.classes.unwrap_or(options.classes);
        if let Some(InputShape([channels, height, width])) = asked.input {
            (options.channels, options.height, options.width) = (channels, height, width);
        }
        Ok(Self {
            architecture,
            options,
            weights,
        })
    }
}

/// Whether a name that is no network is meant as weights.
pub(crate) fn stands_for_weights(name: &str) -> bool {
    name.starts_with(hub::PREFIX) || Path::new(name).exists() || is_trained(Path::new(name))
}

/// Refuses what is asked for with weights besides its own, which must not be forgotten for them.
///
/// # Errors
/// An ONNX file, or what stands for weights.
pub(crate) fn must_need_weights(model: &str) -> anyhow::Result<()> {
    let own = is_onnx(Path::new(model)) || stands_for_weights(model);
    match zoo::find(model).is_err() && own {
        true => Err(has_weights(model)),
        false => Ok(()),
    }
}

/// What weights are refused for that others are named beside.
pub(crate) fn has_weights(model: impl Display) -> anyhow::Error {
    usage(format!(
        "{model}: has weights of its own; --weights goes with a network by name"
    ))
}

/// Whether a name is a network of the zoo alone, which nobody has given weights.
pub(crate) fn lacks_weights(model: &Path) -> bool {
    let named = model.to_str().is_some_and(|name| zoo::find(name).is_ok());
    named && !model.exists()
}

/// What can be done about a network without weights.
pub(crate) fn lacking(model: impl Display) -> anyhow::Error {
    usage(format!(
        "{model}: a network without weights; --weights names some"
    ))
}

/// Whether a name is that of a picture that is there.
fn is_picture(name: &str) -> bool {
    let path = Path::new(name);
    path.is_file() && Picture::is_meant_by(path)
}

/// Whether a name is a place where nothing is: no model has a name with a slash.
fn is_missing(name: &str) -> bool {
    name.contains('/') && !stands_for_weights(name)
}

/// Opens weights, of the network `model` if one is named.
///
/// # Errors
/// As [`locate`] and [`Weights::open`].
pub(crate) fn open(
    reference: &str,
    model: Option<&str>,
    messages: Messages,
) -> anyhow::Result<Weights> {
    Ok(Weights::open(&locate(reference, messages)?, model)?)
}

/// The file or folder that a name stands for, which is on this machine afterwards.
///
/// # Errors
/// Weights of the hub that cannot be had.
pub(crate) fn locate(reference: &str, messages: Messages) -> anyhow::Result<PathBuf> {
    #[cfg(feature = "hub")]
    if let Some(folder) = download::bring(reference, messages)? {
        return Ok(folder);
    }
    #[cfg(not(feature = "hub"))]
    let _ = messages;
    Ok(Weights::locate(reference)?)
}

#[cfg(feature = "hub")]
mod download {
    //! The way to the hub.

    use std::path::PathBuf;

    use formats::hub::{self, Cache, HubId};
    use train::CheckpointError;

    use crate::bar::Bar;
    use crate::output::Messages;

    /// Downloads what the cache lacks of a repository; nothing for other names, or where it is forbidden.
    pub(super) fn bring(reference: &str, messages: Messages) -> anyhow::Result<Option<PathBuf>> {
        if !reference.starts_with(hub::PREFIX) || hub::is_offline() {
            return Ok(None);
        }
        let of_weights = CheckpointError::Hub;
        let id: HubId = reference.parse().map_err(of_weights)?;
        let cache = Cache::from_env().map_err(of_weights)?;
        if let Some(folder) = cache.find(&id) {
            return Ok(Some(folder));
        }
        messages.say(format_args!(
            "downloading {id} to {}",
            cache.folder().display()
        ));
        let bar = Bar::new(messages);
        let kib = |bytes: u64| usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX);
        let mut show = |now: hub::Arrived| {
            bar.show(
                now.file.to_owned(),
                kib(now.done),
                kib(now.total),
                "KiB".to_owned(),
            );
        };
        let folder = hub::fetch(&cache, &id, &mut show);
        bar.clear();
        Ok(Some(folder.map_err(of_weights)?))
    }
}
