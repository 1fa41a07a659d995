//! What is looked into: a classifier, its weights, its layers.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use graph::passes::{logits, remove_dead};
use graph::{
    Graph, GraphError, Node, Op, OutputActivation, RearrangeOp, Role, SamplingOp, Value, ValueId,
};
use runtime::{Eager, Program, RuntimeOptions};

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::named;

/// Why a network could not be built.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

type Build = dyn Fn(usize) -> Result<Graph, BuildError> + Send + Sync;

/// A classifier that is looked into: images `[n, channels, height, width]` to logits `[n, classes]`.
///
/// Layers have the names that [`graph::summary`] shows; where several nodes make up a layer, its last one is meant. Images
/// are as the network takes them, prepared and channels first, in `channels · height · width` numbers.
///
/// ```
/// use explain::{Subject, saliency};
/// use geometry::ConvDesc;
/// use graph::{Graph, GraphError, NetworkBuilder, passes};
/// use runtime::{Program, RuntimeOptions, initialise};
///
/// fn tiny(batch: usize) -> Result<Graph, GraphError> {
///     let mut network = NetworkBuilder::new("tiny", [batch, 3, 8, 8]);
///     let x = network.input();
///     let x = network.conv("conv1", x, ConvDesc::new(4, 3).padding(1), true)?;
///     let x = network.relu(x)?;
///     let x = network.global_average_pool(x)?;
///     let x = network.flatten(x)?;
///     let logits = network.linear("fc", x, 2)?;
///     network.finish(logits)
/// }
///
/// let options = RuntimeOptions::default();
/// let mut weights = Program::new(passes::inference(&tiny(1)?)?, &options)?;
/// initialise(&mut weights, 7);
/// let subject = Subject::new(|batch| Ok(tiny(batch)?), weights, &options)?;
/// assert_eq!(subject.last_feature_map()?, "relu");
///
/// let image = subject.noise(1);
/// assert_eq!(subject.probabilities(&image)?.len(), 2);
/// assert_eq!(saliency(&subject, &image, 1)?.dims(), [3, 8, 8]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Subject {
    build: Arc<Build>,
    /// For one image, up to the logits.
    network: Graph,
    /// Where the weights are.
    weights: Arc<Program>,
    /// What makes probabilities of the logits.
    activation: OutputActivation,
    /// Weights that stand in for those.
    redrawn: BTreeMap<String, Vec<f32>>,
    options: RuntimeOptions,
}

/// A layer of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// The shape it makes of one image, batch first.
    pub output: Vec<usize>,
}

impl Layer {
    /// Channels, height and width, of a layer whose maps have more than one place.
    pub fn map(&self) -> Option<[usize; 3]> {
        map(&self.output)
    }
}

/// Channels, height and width, of an image's feature maps of more than one place. What has several places along its
/// first axis holds no maps: attention keeps tokens there, and windows.
fn map(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [1, channels, height, width] if height > 1 || width > 1 => Some([channels, height, width]),
        _ => None,
    }
}

impl Subject {
    /// The network that `build` makes for any number of images at once, as its author writes it: with batch
    /// normalisations, before any pass. A softmax or sigmoid at its end is taken off, and makes the probabilities; heads
    /// for training are left out.
    ///
    /// `weights` is a program of the network, such as the one that predicts: its parameters and statistics are taken by
    /// their names, and its threads are used.
    ///
    /// # Errors
    /// [`ExplainError::NotAClassifier`], [`ExplainError::MissingWeights`], [`ExplainError::Build`], and
    /// [`ExplainError::Graph`] for a network of several inputs or outputs.
    pub fn new(
        build: impl Fn(usize) -> Result<Graph, BuildError> + Send + Sync + 'static,
        weights: Program,
        options: &RuntimeOptions,
    ) -> Result<Self, ExplainError> {
        let network = build(1).map_err(|source| ExplainError::Build { batch: 1, source })?;
        // What is no network of one input and one output is refused as such.
        logits(&network)?;
        let activation = OutputActivation::of(&network);
        let up_to_logits = move |batch| Ok(logits(&build(batch)?)?);
        Self::of_logits(up_to_logits, activation, weights, options)
    }

    /// The same of a network that makes logits, of which `activation` makes probabilities; nothing is taken off.
    ///
    /// # Errors
    /// As [`Subject::new`].
    pub fn of_logits(
        build: impl Fn(usize) -> Result<Graph, BuildError> + Send + Sync + 'static,
        activation: OutputActivation,
        weights: Program,
        options: &RuntimeOptions,
    ) -> Result<Self, ExplainError> {
        let build: Arc<Build> = Arc::new(build);
        let network = built(&*build, 1)?;
        let (inputs, outputs) = (network.inputs.len(), network.outputs.len());
        if (inputs, outputs) != (1, 1) {
            let name = network.name;
            return Err(GraphError::NotANetwork {
                name,
                inputs,
                outputs,
            }
            .into());
        }
        let shape = |ids: &[ValueId]| network.value(ids[0]).shape.clone();
        let (input, output) = (shape(&network.inputs), shape(&network.outputs));
        if !matches!(input[..], [1, _, _, _]) || !matches!(output[..], [1, _]) {
            return Err(ExplainError::NotAClassifier {
                name: network.name.clone(),
                input,
                output,
            });
        }
        let subject = Self {
            build,
            network,
            weights: Arc::new(weights),
            activation,
            redrawn: BTreeMap::new(),
            options: *options,
        };
        let needed = subject.network.parameters().chain(subject.network.states());
        for (_, Value { name, shape, .. }) in needed {
            let elements = shape.iter().product();
            let found = subject.weight(name);
            if found.is_none_or(|found| found.len() != elements) {
                let name = name.clone();
                return Err(ExplainError::MissingWeights { name, elements });
            }
        }
        Ok(subject)
    }

    /// The network for one image, up to its logits.
    pub fn network(&self) -> &Graph {
        &self.network
    }

    /// Channels, height and width of an image.
    pub fn image(&self) -> [usize; 3] {
        let shape = &self.network.value(self.network.inputs[0]).shape;
        [shape[1], shape[2], shape[3]]
    }

    /// Numbers of an image.
    pub fn image_len(&self) -> usize {
        self.image().iter().product()
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.network.value(self.network.outputs[0]).shape[1]
    }

    /// What makes probabilities of its logits.
    pub fn activation(&self) -> OutputActivation {
        self.activation
    }

    /// The layers in the order of execution.
    pub fn layers(&self) -> Vec<Layer> {
        let mut named = HashSet::new();
        let mut layers: Vec<Layer> = Vec::new();
        // The last node of a layer speaks for it.
        for node in self.network.nodes.iter().rev() {
            if named.insert(node.layer.as_str()) {
                layers.push(self.layer_of(node));
            }
        }
        layers.reverse();
        layers
    }

    fn layer_of(&self, node: &Node) -> Layer {
        Layer {
            name: node.layer.clone(),
            op: node.op.name(),
            output: self.network.value(node.outputs[0]).shape.clone(),
        }
    }

    /// A layer by its name.
    ///
    /// # Errors
    /// [`ExplainError::NoLayer`] with the names that are most like it.
    pub fn layer(&self, name: &str) -> Result<Layer, ExplainError> {
        Ok(self.layer_of(self.node(name)?))
    }

    /// A layer that makes feature maps: its channels, height and width.
    ///
    /// # Errors
    /// [`ExplainError::NoLayer`], [`ExplainError::NoMap`]
    pub fn feature_map(&self, name: &str) -> Result<[usize; 3], ExplainError> {
        let layer = self.layer(name)?;
        layer.map().ok_or(ExplainError::NoMap {
            layer: layer.name,
            shape: layer.output,
        })
    }

    /// The last layer whose maps have more than one place, and which is no pooling: what global pooling or the linear
    /// layers read.
    ///
    /// # Errors
    /// [`ExplainError::NoFeatureMap`]
    pub fn last_feature_map(&self) -> Result<String, ExplainError> {
        let makes_maps = |node: &&Node| {
            let moves = matches!(
                node.op,
                Op::Pool { .. }
                    | Op::Pooling(_)
                    | Op::Dropout { .. }
                    | Op::Rearrange(_)
                    | Op::Sampling(SamplingOp::Resize { .. })
            );
            !moves && map(&self.network.value(node.outputs[0]).shape).is_some()
        };
        let last = self.network.nodes.iter().rev().find(makes_maps);
        last.map(|node| node.layer.clone())
            .ok_or_else(|| ExplainError::NoFeatureMap {
                name: self.network.name.clone(),
            })
    }

    /// The stages of the network, from the image on: of each size of map the last layer that all behind it see the image
    /// through; pooling is left out, and what only lays out the same numbers otherwise. Layers on a branch, which others
    /// lead round, are none.
    pub fn stages(&self) -> Vec<String> {
        let mut stages: Vec<([usize; 2], String)> = Vec::new();
        for node in self.bottlenecks() {
            let shape = &self.network.value(node.outputs[0]).shape;
            let moves = matches!(
                node.op,
                Op::Pool { .. }
                    | Op::Pooling(_)
                    | Op::Rearrange(RearrangeOp::Permute { .. } | RearrangeOp::Reshape { .. })
            );
            let (Some([_, height, width]), false) = (map(shape), moves) else {
                continue;
            };
            match stages.last_mut() {
                Some((extents, layer)) if *extents == [height, width] => {
                    layer.clone_from(&node.layer);
                }
                _ => stages.push(([height, width], node.layer.clone())),
            }
        }
        stages.into_iter().map(|(_, layer)| layer).collect()
    }

    /// The nodes after which nothing but what they made is read: the image reaches the logits through each of them.
    fn bottlenecks(&self) -> impl Iterator<Item = &Node> {
        let network = &self.network;
        let mut last_read = vec![0; network.values().len()];
        for (place, node) in network.nodes.iter().enumerate() {
            for input in &node.inputs {
                last_read[input.index()] = place;
            }
        }
        // The image, then everything that is made and still read.
        let mut alive = 1;
        let computed = |id: ValueId| {
            let role = network.value(id).role;
            matches!(role, Role::Input | Role::Computed)
        };
        let nodes = network.nodes.iter().enumerate();
        nodes.filter_map(move |(place, node)| {
            let later = |id: ValueId| last_read[id.index()] > place;
            let done = node.distinct_inputs().into_iter();
            alive -= done.filter(|&id| computed(id) && !later(id)).count();
            alive += node.outputs.iter().filter(|&&id| later(id)).count();
            let single = alive == 1 && node.outputs.first().is_some_and(|&id| later(id));
            single.then_some(node)
        })
    }

    /// The probability of every class.
    ///
    /// # Errors
    /// [`ExplainError::Image`], [`ExplainError::NotFinite`], and a network that cannot be run.
    pub fn probabilities(&self, image: &[f32]) -> Result<Vec<f32>, ExplainError> {
        let mut forward = Forward::new(self, 1, &[])?;
        forward.run(&[image])?;
        Ok(forward.probabilities(0)?.to_vec())
    }

    /// An image of noise: independent numbers of mean 0 and variance 1, evenly spread within `±√3`.
    pub fn noise(&self, seed: u64) -> Vec<f32> {
        crate::random::image(self.image_len(), seed)
    }

    /// The same network with other numbers for some parameters or statistics, by their names; others are ignored.
    ///
    /// # Errors
    /// [`ExplainError::MissingWeights`] for another number of elements.
    pub fn with_weights(
        &self,
        weights: impl IntoIterator<Item = (String, Vec<f32>)>,
    ) -> Result<Self, ExplainError> {
        let mut changed = self.clone();
        for (name, values) in weights {
            match self.weight(&name) {
                Some(there) if there.len() != values.len() => {
                    let elements = there.len();
                    return Err(ExplainError::MissingWeights { name, elements });
                }
                Some(_) => drop(changed.redrawn.insert(name, values)),
                None => {}
            }
        }
        Ok(changed)
    }

    /// A parameter or statistic.
    pub(crate) fn weight(&self, name: &str) -> Option<&[f32]> {
        if let Some(redrawn) = self.redrawn.get(name) {
            return Some(redrawn);
        }
        let mut kept = self.weights.kept();
        kept.find(|&(known, _)| known == name)
            .map(|(_, elements)| elements)
    }

    /// The network up to its logits for `batch` images.
    pub(crate) fn network_of(&self, batch: usize) -> Result<Graph, ExplainError> {
        if batch == 1 {
            return Ok(self.network.clone());
        }
        let network = built(&*self.build, batch)?;
        match self.is_the_same(&network, batch) {
            true => Ok(network),
            false => Err(ExplainError::Build {
                batch,
                source: "it is another network than for one".into(),
            }),
        }
    }

    /// Whether a network does with `batch` images what this one does with one: the same layers, parameters and maps.
    fn is_the_same(&self, other: &Graph, batch: usize) -> bool {
        let one = &self.network;
        let nodes = || one.nodes.iter().zip(&other.nodes);
        let kept = |graph: &Graph| -> Vec<(String, Vec<usize>)> {
            let values = graph.parameters().chain(graph.states());
            let named = values.map(|(_, value)| (value.name.clone(), value.shape.clone()));
            named.collect()
        };
        let fits = |&id: &ValueId, &of_one: &ValueId| {
            let (shape, of_one) = (&other.value(id).shape, &one.value(of_one).shape);
            let images = |shape: &[usize], count: usize| shape.first().map(|first| first * count);
            images(shape, 1) == images(of_one, batch) && shape.get(1..) == of_one.get(1..)
        };
        let ends = [(&one.inputs, &other.inputs), (&one.outputs, &other.outputs)];
        one.nodes.len() == other.nodes.len()
            && nodes().all(|(a, b)| a.layer == b.layer && a.op.name() == b.op.name())
            && kept(one) == kept(other)
            && ends.iter().all(|(of_one, ids)| fits(&ids[0], &of_one[0]))
            && nodes().all(|(a, b)| a.outputs.iter().zip(&b.outputs).all(|(a, b)| fits(b, a)))
    }

    /// A program of a graph made of the network, with the network's weights.
    pub(crate) fn program(&self, graph: Graph) -> Result<Program, ExplainError> {
        let team = Arc::clone(self.weights.team());
        let mut program = Program::with_team(graph, &self.options, team)?;
        named::restore(&mut program, |name| self.weight(name));
        Ok(program)
    }

    /// Bytes that a run of a graph made of the network takes, its parameters left out; by a single thread, so that nothing
    /// that follows from it depends on their number.
    pub(crate) fn planned(&self, graph: &Graph) -> Result<usize, ExplainError> {
        let planned = Program::planned(graph, &self.options, 1)?;
        Ok(planned.edges.saturating_add(planned.arena))
    }

    /// Applies single operators on the same threads.
    pub(crate) fn eager(&self) -> Eager {
        Eager::with_team(self.options, Arc::clone(self.weights.team()))
    }

    /// The last node of a layer.
    pub(crate) fn node(&self, layer: &str) -> Result<&Node, ExplainError> {
        let found = self.network.nodes.iter().rev();
        let mut found = found.filter(|node| node.layer == layer);
        found.next().ok_or_else(|| ExplainError::NoLayer {
            name: layer.to_owned(),
            nearest: self.network.layers_like(layer),
        })
    }

    pub(crate) fn check_class(&self, class: usize) -> Result<(), ExplainError> {
        let classes = self.classes();
        match class < classes {
            true => Ok(()),
            false => Err(ExplainError::Class { class, classes }),
        }
    }

    pub(crate) fn check_image(&self, image: &[f32]) -> Result<(), ExplainError> {
        let [channels, height, width] = self.image();
        match image.len() == self.image_len() {
            true => Ok(()),
            false => Err(ExplainError::Image {
                channels,
                height,
                width,
                given: image.len(),
            }),
        }
    }

    /// Names of the parameters and states that a layer reads.
    pub(crate) fn weights_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Value> {
        let values = node.inputs.iter().map(|&id| self.network.value(id));
        values.filter(|value| matches!(value.role, Role::Parameter { .. } | Role::State { .. }))
    }
}

/// The network for so many images, up to its logits and without heads for training.
fn built(build: &Build, batch: usize) -> Result<Graph, ExplainError> {
    let mut network = build(batch).map_err(|source| ExplainError::Build { batch, source })?;
    network.auxiliary.clear();
    Ok(remove_dead(&network))
}
