//! The one list of networks. Listings, documentation and tests iterate it.

use geometry::names;
use graph::{Graph, GraphError, NetworkBuilder, ValueId};

use crate::{Task, Width, ZooError, networks};

/// A network of the zoo.
#[derive(Debug)]
pub struct Model {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// What it makes of its input.
    pub task: Task,
    /// Channels, height and width of the images it was made for.
    pub input: [usize; 3],
    /// Classes it was made for; of a generator, channels of its pictures.
    pub classes: usize,
    /// From images to logits, or what the [task](Self::task) says.
    pub(crate) network: fn(&mut NetworkBuilder, Width, usize) -> Result<ValueId, GraphError>,
}

/// The input and the classes to build a network for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// Images of a run.
    pub batch: usize,
    /// Channels of an image.
    pub channels: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Classes to tell apart; of a generator, channels of its pictures.
    pub classes: usize,
}

/// A network by name, with its width multiplier.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The network.
    pub model: &'static Model,
    /// Factor on its channels.
    pub width: Width,
}

/// Every network, by family, in the order of publication and size.
pub fn models() -> impl Iterator<Item = &'static Model> {
    networks::FAMILIES.iter().copied().flatten()
}

impl Model {
    /// One image of the size the network was made for, and its own classes.
    pub fn options(&self) -> BuildOptions {
        let [channels, height, width] = self.input;
        BuildOptions {
            batch: 1,
            channels,
            height,
            width,
            classes: self.classes,
        }
    }
}

impl Found {
    /// The name that finds it: `resnet20`, `mobilenet_v1:0.5`.
    pub fn name(&self) -> String {
        if self.width == Width::default() {
            self.model.name.to_owned()
        } else {
            format!("{}:{}", self.model.name, self.width.factor())
        }
    }

    /// The same network, if it is a classifier: what is trained, evaluated and asked with labels must be one.
    ///
    /// # Errors
    /// [`ZooError::NotAClassifier`]
    pub fn classifier(self) -> Result<Self, ZooError> {
        match self.model.task {
            Task::Classification => Ok(self),
            task => Err(ZooError::NotAClassifier {
                name: self.name(),
                task,
            }),
        }
    }

    /// The forward graph: images `[batch, channels, height, width]` to logits `[batch, classes]`, or to
    /// what the [task](Model::task) says.
    ///
    /// # Errors
    /// [`ZooError::Graph`] when the images are too small for the network or its sizes overflow,
    /// [`ZooError::NoClasses`].
    pub fn build(&self, options: &BuildOptions) -> Result<Graph, ZooError> {
        let name = self.name();
        if options.classes == 0 {
            return Err(ZooError::NoClasses { name });
        }
        let input = [
            options.batch,
            options.channels,
            options.height,
            options.width,
        ];
        let mut network = NetworkBuilder::new(&name, input);
        (self.model.network)(&mut network, self.width, options.classes)
            .and_then(|logits| network.finish(logits))
            .map_err(|source| ZooError::Graph { name, source })
    }
}

/// Other names of networks, each with the network that [`find`] finds by it.
///
/// ```
/// assert!(zoo::aliases().any(|(alias, name)| (alias, name) == ("dcgan", "dcgan_generator")));
/// ```
pub fn aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    networks::ALIASES.iter().copied()
}

/// Finds `NAME` or `NAME:WIDTH`, such as `resnet20`, `resnet20:2`, `mobilenet_v1:0.5`. A few families go
/// by their own name too: `shufflenet_v2` is `shufflenet_v2_x1_0`.
///
/// # Errors
/// [`ZooError::UnknownModel`] with the nearest names, or [`ZooError::Width`].
pub fn find(name: &str) -> Result<Found, ZooError> {
    let (base, factor) = match name.split_once(':') {
        Some((base, factor)) => (base, Some(factor)),
        None => (name, None),
    };
    let meant = networks::ALIASES
        .iter()
        .find(|(alias, _)| *alias == base)
        .map_or(base, |(_, model)| model);
    let model =
        models()
            .find(|model| model.name == meant)
            .ok_or_else(|| ZooError::UnknownModel {
                name: name.to_owned(),
                nearest: names::like(base, models().map(|model| model.name)),
            })?;
    let width = match factor {
        None => Width::default(),
        Some(factor) => {
            factor
                .parse()
                .ok()
                .and_then(Width::new)
                .ok_or_else(|| ZooError::Width {
                    name: name.to_owned(),
                    model: model.name,
                    width: factor.to_owned(),
                })?
        }
    };
    Ok(Found { model, width })
}

/// [`find`] and [`Found::build`] in one.
///
/// # Errors
/// As there.
pub fn build(name: &str, options: &BuildOptions) -> Result<Graph, ZooError> {
    find(name)?.build(options)
}
