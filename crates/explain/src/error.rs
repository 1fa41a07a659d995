//! Why a network cannot be looked into.

use geometry::GeometryError;
use geometry::names::suggestion_or;
use graph::{GraphError, NeuronError};
use runtime::RuntimeError;
use tensor::{MemoryError, ShapeError};

use crate::subject::BuildError;

/// Why a network cannot be looked into, or not so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// A network that does not take one image and give one logit a class.
    #[error(
        "{name} is no classifier of images: it makes {output:?} of {input:?}, not [1, classes] of [1, channels, height, width]"
    )]
    NotAClassifier {
        /// The network.
        name: String,
        /// Shape of its input.
        input: Vec<usize>,
        /// Shape of its output.
        output: Vec<usize>,
    },
    /// The network cannot be built for so many images at once.
    #[error("the network cannot be built for {batch} images at once: {source}")]
    Build {
        /// The images.
        batch: usize,
        /// Why.
        source: BuildError,
    },
    /// A parameter or statistic that the given program does not have.
    #[error("the weights have no '{name}' of {elements} elements")]
    MissingWeights {
        /// Its name.
        name: String,
        /// Elements that the network needs.
        elements: usize,
    },
    /// No layer has this name.
    #[error(
        "there is no layer '{name}'{}",
        suggestion_or(nearest, "convolve summary MODEL --wide")
    )]
    NoLayer {
        /// The name.
        name: String,
        /// Those most like it.
        nearest: Vec<String>,
    },
    /// A layer that makes no maps.
    #[error(
        "layer {layer} makes {shape:?}, which are no feature maps of an image, [1, channels, height, width] of more than one place"
    )]
    NoMap {
        /// The layer.
        layer: String,
        /// The shape of what it makes.
        shape: Vec<usize>,
    },
    /// A layer that reads no map of an image.
    #[error(
        "layer {layer} reads {shape:?}, which is no map of an image, [1, channels, height, width]"
    )]
    ReadsNoMap {
        /// The layer.
        layer: String,
        /// What it reads.
        shape: Vec<usize>,
    },
    /// A network none of whose layers makes maps.
    #[error("{name} has no layer whose maps have more than one place")]
    NoFeatureMap {
        /// The network.
        name: String,
    },
    /// A layer without filters that can be looked at.
    #[error("layer {layer} ({op}) has no filters")]
    NoFilters {
        /// The layer.
        layer: String,
        /// Its operator.
        op: &'static str,
    },
    /// A class that the network does not know.
    #[error("class {class} is not one of the {classes} classes, which count from 0")]
    Class {
        /// The class.
        class: usize,
        /// Classes there are.
        classes: usize,
    },
    /// A channel that a layer does not have.
    #[error("layer {layer} has no channel {channel}: it has {channels}, which count from 0")]
    Channel {
        /// The layer.
        layer: String,
        /// The channel.
        channel: usize,
        /// Channels there are.
        channels: usize,
    },
    /// A place outside the maps of a layer.
    #[error("layer {layer} has no neuron at {at:?}: its maps are {map:?}")]
    Place {
        /// The layer.
        layer: String,
        /// Row and column.
        at: [usize; 2],
        /// Height and width of its maps.
        map: [usize; 2],
    },
    /// Pixels of another number than the network takes.
    #[error("an image of {channels}×{height}×{width} has {} numbers, not {given}", channels * height * width)]
    Image {
        /// Channels that the network takes.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Numbers given.
        given: usize,
    },
    /// A map that is not of the image.
    #[error("a map of {given:?} does not lie over an image of {image:?}")]
    MapSize {
        /// Its height and width.
        given: [usize; 2],
        /// Those of the image.
        image: [usize; 2],
    },
    /// Another number of grey values than channels.
    #[error("a baseline of {given} numbers for {channels} channels: it has one, or one a channel")]
    Baseline {
        /// Numbers given.
        given: usize,
        /// Channels of the image.
        channels: usize,
    },
    /// A setting that makes no sense on this image.
    #[error("{setting} of {given} on {what} of {extent}: it must be from 1 to {extent}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        given: usize,
        /// What it is too large for, or of.
        what: &'static str,
        /// The largest value.
        extent: usize,
    },
    /// Nothing was given of what is averaged or searched.
    #[error("{what} of no images")]
    NoImages {
        /// What was asked for.
        what: &'static str,
    },
    /// An answer that is no number.
    #[error("{network} answers {value} for class {class}")]
    NotFinite {
        /// The network.
        network: String,
        /// The class.
        class: usize,
        /// The answer.
        value: f32,
    },
    /// A graph that does not hold together or cannot be differentiated.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A graph that cannot become a program.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Fields that cannot be counted.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A neuron whose pixels cannot be counted.
    #[error(transparent)]
    Neuron(#[from] NeuronError),
    /// A result that cannot be addressed or kept.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Memory that cannot be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}
