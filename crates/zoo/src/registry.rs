//! The one list of networks. Listings, documentation and tests iterate it.

use graph::{Graph, GraphError, NetworkBuilder, ValueId};

use crate::{Width, ZooError, lenet, mobilenet, resnet, resnet_cifar};

/// A network of the zoo.
#[derive(Debug)]
pub struct Model {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// Channels, height and width of the images it was made for.
    pub input: [usize; 3],
    /// Classes it was made for.
    pub classes: usize,
    /// From images to logits.
    network: fn(&mut NetworkBuilder, Width, usize) -> Result<ValueId, GraphError>,
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
    /// Classes to tell apart.
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

const LENET: &str = "LeCun et al. 1998, Gradient-based learning applied to document recognition";
const RESNET: &str =
    "He et al. 2015, Deep residual learning for image recognition, arXiv:1512.03385";
const MOBILENET: &str = "Howard et al. 2017, MobileNets, arXiv:1704.04861";

/// A ResNet for small images; its depth is 6 · blocks + 2.
macro_rules! cifar_resnet {
    ($name:literal, $blocks:literal, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: RESNET,
            input: [3, 32, 32],
            classes: 10,
            network: |network, width, classes| {
                resnet_cifar::network(network, $blocks, width, classes)
            },
        }
    };
}

/// A ResNet for large images: blocks of each of its four stages.
macro_rules! imagenet_resnet {
    ($name:literal, $block:ident, $stages:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: RESNET,
            input: [3, 224, 224],
            classes: 1000,
            network: |network, width, classes| {
                resnet::network(network, resnet::Block::$block, $stages, width, classes)
            },
        }
    };
}

/// Every network, in the order of publication and size.
pub static MODELS: &[Model] = &[
    Model {
        name: "lenet5",
        summary: "two convolutions and three linear layers for digits",
        paper: LENET,
        input: [1, 32, 32],
        classes: 10,
        network: lenet::network,
    },
    cifar_resnet!(
        "resnet20",
        3,
        "residual network for 32×32 images, 20 layers"
    ),
    cifar_resnet!(
        "resnet32",
        5,
        "residual network for 32×32 images, 32 layers"
    ),
    cifar_resnet!(
        "resnet44",
        7,
        "residual network for 32×32 images, 44 layers"
    ),
    cifar_resnet!(
        "resnet56",
        9,
        "residual network for 32×32 images, 56 layers"
    ),
    cifar_resnet!(
        "resnet110",
        18,
        "residual network for 32×32 images, 110 layers"
    ),
    imagenet_resnet!(
        "resnet18",
        Basic,
        [2, 2, 2, 2],
        "residual network of basic blocks, 18 layers"
    ),
    imagenet_resnet!(
        "resnet34",
        Basic,
        [3, 4, 6, 3],
        "residual network of basic blocks, 34 layers"
    ),
    imagenet_resnet!(
        "resnet50",
        Bottleneck,
        [3, 4, 6, 3],
        "residual network of bottlenecks, 50 layers"
    ),
    imagenet_resnet!(
        "resnet101",
        Bottleneck,
        [3, 4, 23, 3],
        "residual network of bottlenecks, 101 layers"
    ),
    Model {
        name: "mobilenet_v1",
        summary: "depthwise-separable convolutions for small devices",
        paper: MOBILENET,
        input: [3, 224, 224],
        classes: 1000,
        network: mobilenet::network,
    },
];

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

    /// The forward graph: images `[batch, channels, height, width]` to logits `[batch, classes]`.
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

/// Finds `NAME` or `NAME:WIDTH`, such as `resnet20`, `resnet20:2`, `mobilenet_v1:0.5`.
///
/// # Errors
/// [`ZooError::UnknownModel`] with the nearest names, or [`ZooError::Width`].
pub fn find(name: &str) -> Result<Found, ZooError> {
    let (base, factor) = match name.split_once(':') {
        Some((base, factor)) => (base, Some(factor)),
        None => (name, None),
    };
    let model = MODELS
        .iter()
        .find(|model| model.name == base)
        .ok_or_else(|| ZooError::UnknownModel {
            name: name.to_owned(),
            nearest: nearest(base),
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

/// The three names most like a name.
fn nearest(name: &str) -> Vec<&'static str> {
    let mut names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    names.sort_by_key(|known| strsim::damerau_levenshtein(known, name));
    names.truncate(3);
    names
}
