//! Describing a network layer by layer.

mod arithmetic;
mod deformable;
mod functions;
mod normalisation;
mod parameters;
mod pooling;
mod rearrange;
mod sampling;
mod separable;
mod transposed;

use std::collections::{HashMap, HashSet};

use geometry::{ConvDesc, PoolDesc};

pub use separable::{Normaliser, Separable};

use crate::{
    Activation, ElementType, Graph, GraphError, Init, Op, OpError, ParameterKind, Role, Value,
    ValueId,
};

/// How the weights of convolutions or linear layers start, and their biases with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightInit {
    /// [`Init::Normal`] about zero, biases zero. As VGG's linear layers start.
    Normal {
        /// Standard deviation.
        deviation: f32,
    },
    /// [`Init::KaimingNormalFanOut`], biases zero. As ResNets are trained.
    KaimingNormalFanOut,
    /// [`Init::KaimingNormalFanIn`], biases zero. As DenseNets are trained.
    KaimingNormalFanIn,
    /// [`Init::KaimingUniformFanIn`], biases zero. As SqueezeNets are trained.
    KaimingUniformFanIn,
    /// [`Init::UniformFanIn`], biases alike. PyTorch's default.
    UniformFanIn,
    /// [`Init::XavierUniform`], biases zero. As TensorFlow-Slim networks are trained.
    XavierUniform,
}

/// Settings of a batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormOptions {
    /// Added to the variance, 1e-5 by default.
    pub epsilon: f32,
    /// Weight of the batch in the running statistics, 0.1 by default.
    pub momentum: f32,
    /// Gamma starts at zero instead of one: a residual block that ends with such a norm starts as
    /// the identity (Goyal et al. 2017).
    pub zero_init: bool,
    /// Gamma starts normally distributed about its start with this standard deviation, 0 by default
    /// (DCGAN: 0.02).
    pub gamma_deviation: f32,
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        Self {
            epsilon: 1e-5,
            momentum: 0.1,
            zero_init: false,
            gamma_deviation: 0.0,
        }
    }
}

/// Builds the forward graph of a network.
///
/// Every layer method takes the value it reads and gives the value it makes. Layers with parameters
/// have a name, relative to the [scopes](Self::scope) that are open and unique in the network, unless
/// they are to [share](Self::reusing) what another layer has; their parameters are named as in PyTorch: `NAME.weight`, `NAME.bias`, `NAME.running_mean`,
/// `NAME.running_var`. Layers without parameters are named after their operator.
///
/// ```
/// use geometry::{ConvDesc, PoolDesc};
/// use graph::NetworkBuilder;
///
/// let mut network = NetworkBuilder::new("tiny", [8, 1, 28, 28]);
/// let x = network.input();
/// let x = network.conv("conv1", x, ConvDesc::new(16, 3).padding(1), false)?;
/// let x = network.batch_norm("bn1", x)?;
/// let x = network.relu(x)?;
/// let x = network.max_pool("pool1", x, PoolDesc::max(2).stride(2))?;
/// let x = network.global_average_pool(x)?;
/// let x = network.flatten(x)?;
/// let logits = network.linear("fc", x, 10)?;
/// let network = network.finish(logits)?;
///
/// assert_eq!(network.value(logits).shape, [8, 10]);
/// let names: Vec<_> = network.parameters().map(|(_, p)| p.name.as_str()).collect();
/// assert_eq!(names, ["conv1.weight", "bn1.weight", "bn1.bias", "fc.weight", "fc.bias"]);
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NetworkBuilder {
    graph: Graph,
    input: ValueId,
    scopes: Vec<String>,
    layers: HashSet<String>,
    /// How far the layers that are named after their operator are counted.
    unnamed: HashMap<String, usize>,
    conv_init: WeightInit,
    linear_init: WeightInit,
    dropouts: u32,
    /// Layers read the parameters of their names instead of making some.
    reusing: bool,
    /// Parameters that are made do not learn.
    freezing: bool,
}

impl NetworkBuilder {
    /// A network on images of shape `[n, c, spatial…]`, usually `[n, c, h, w]`.
    pub fn new(name: &str, input_shape: impl Into<Vec<usize>>) -> Self {
        let mut graph = Graph {
            name: name.to_owned(),
            ..Graph::default()
        };
        let input = graph.add_value(Value {
            name: "images".to_owned(),
            shape: input_shape.into(),
            element: ElementType::Real,
            role: Role::Input,
        });
        graph.inputs.push(input);
        Self {
            graph,
            input,
            scopes: Vec::new(),
            layers: HashSet::new(),
            unnamed: HashMap::new(),
            conv_init: WeightInit::KaimingNormalFanOut,
            linear_init: WeightInit::UniformFanIn,
            dropouts: 0,
            reusing: false,
            freezing: false,
        }
    }

    /// Sets how the convolutions that follow start; [`WeightInit::KaimingNormalFanOut`] by default.
    pub fn conv_init(&mut self, init: WeightInit) -> &mut Self {
        self.conv_init = init;
        self
    }

    /// Sets how the linear layers that follow start; [`WeightInit::UniformFanIn`] by default.
    pub fn linear_init(&mut self, init: WeightInit) -> &mut Self {
        self.linear_init = init;
        self
    }

    /// Builds what `body` describes with all weights of convolutions and linear layers starting so.
    pub fn with_init<T>(&mut self, init: WeightInit, body: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.conv_init, self.linear_init);
        (self.conv_init, self.linear_init) = (init, init);
        let result = body(self);
        (self.conv_init, self.linear_init) = before;
        result
    }

    /// The images.
    pub fn input(&self) -> ValueId {
        self.input
    }

    /// The shape of a value so far.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for a value of another network.
    pub fn shape(&self, value: ValueId) -> Result<&[usize], GraphError> {
        let value = self.graph.known(|| "the builder".to_owned(), value)?;
        Ok(&value.shape)
    }

    /// Builds what `body` describes with `name.` before the names of its layers. Scopes nest.
    pub fn scope<T>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(name.to_owned());
        let result = body(self);
        self.scopes.pop();
        result
    }

    /// Convolution: `[n, c, spatial…] → [n, o, spatial'…]`, weight `[o, c/g, kernel…]`, bias `[o]`.
    ///
    /// # Errors
    /// A descriptor that does not fit `x`, or a name in use.
    pub fn conv(
        &mut self,
        name: &str,
        x: ValueId,
        desc: ConvDesc,
        bias: bool,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let input = self.shape(x)?;
        let geometry = desc.resolve(input).map_err(OpError::on("conv", input));
        let geometry = geometry.map_err(|error| error.in_layer(&layer))?;
        let weight = geometry.weight_shape();
        let fan_in = weight[1..].iter().product();
        let parameters = self.weight_and_bias(&layer, self.conv_init, weight, fan_in, bias)?;
        let op = Op::Conv {
            desc,
            bias,
            residual: false,
            activation: None,
        };
        self.push(op, layer, [&[x], &parameters[..]].concat())
    }

    /// Fully connected, with a bias: `[n, f] → [n, o]`, weight `[o, f]`, bias `[o]`.
    ///
    /// # Errors
    /// `x` is not a matrix, the weight cannot be addressed, or the name is in use.
    pub fn linear(
        &mut self,
        name: &str,
        x: ValueId,
        out_features: usize,
    ) -> Result<ValueId, GraphError> {
        self.fully_connected(name, x, out_features, true)
    }

    /// Fully connected, without a bias, for a normalisation to follow: `[n, f] → [n, o]`, weight `[o, f]`.
    ///
    /// # Errors
    /// As [`Self::linear`].
    pub fn linear_without_bias(
        &mut self,
        name: &str,
        x: ValueId,
        out_features: usize,
    ) -> Result<ValueId, GraphError> {
        self.fully_connected(name, x, out_features, false)
    }

    fn fully_connected(
        &mut self,
        name: &str,
        x: ValueId,
        out_features: usize,
        bias: bool,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let fan_in = match self.shape(x)? {
            &[_, features] => features,
            shape => {
                return Err(OpError::Rank {
                    op: "linear",
                    input: "x",
                    shape: shape.to_vec(),
                    expected: "[n, f]; flatten it first",
                }
                .in_layer(&layer));
            }
        };
        let weight = vec![out_features, fan_in];
        let parameters = self.weight_and_bias(&layer, self.linear_init, weight, fan_in, bias)?;
        let op = Op::Linear { bias };
        self.push(op, layer, [&[x], &parameters[..]].concat())
    }

    /// Batch normalisation with the default settings: `[n, c, spatial…]` unchanged, parameters and
    /// states `[c]`.
    ///
    /// # Errors
    /// `x` has no channels, or the name is in use.
    pub fn batch_norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        self.batch_norm_with(name, x, BatchNormOptions::default())
    }

    /// [`Self::batch_norm`] with other settings.
    ///
    /// # Errors
    /// As there, or a setting out of range.
    pub fn batch_norm_with(
        &mut self,
        name: &str,
        x: ValueId,
        options: BatchNormOptions,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        // Without channels, inference says what is wrong with x.
        let channels = self.shape(x)?.get(1).copied().unwrap_or(0);
        let mean = if options.zero_init { 0.0 } else { 1.0 };
        let gamma = match options.gamma_deviation {
            0.0 => Init::Constant(mean),
            deviation => Init::Normal { mean, deviation },
        };
        let norm = |init| Role::parameter(ParameterKind::Norm, init);
        let roles = [
            ("weight", norm(gamma)),
            ("bias", norm(Init::Constant(0.0))),
            ("running_mean", Role::State { init: 0.0 }),
            ("running_var", Role::State { init: 1.0 }),
        ];
        let mut inputs = vec![x];
        for (part, role) in roles {
            inputs.push(self.kept(&layer, part, vec![channels], role)?);
        }
        let op = Op::BatchNorm {
            epsilon: options.epsilon,
            momentum: options.momentum,
        };
        self.push(op, layer, inputs)
    }

    /// An elementwise non-linearity.
    ///
    /// # Errors
    /// A value of another network.
    pub fn activation(
        &mut self,
        x: ValueId,
        activation: Activation,
    ) -> Result<ValueId, GraphError> {
        let op = Op::Activation(activation);
        let layer = self.unnamed(op.name());
        self.push(op, layer, vec![x])
    }

    /// `max(x, 0)`
    ///
    /// # Errors
    /// A value of another network.
    pub fn relu(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        self.activation(x, Activation::Relu)
    }

    /// `min(max(x, 0), 6)`
    ///
    /// # Errors
    /// A value of another network.
    pub fn relu6(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        self.activation(x, Activation::Relu6)
    }

    /// Pooling of either kind: `[n, c, spatial…] → [n, c, spatial'…]`.
    ///
    /// # Errors
    /// A descriptor that does not fit `x`, or a name in use.
    pub fn pool(&mut self, name: &str, x: ValueId, desc: PoolDesc) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let op = Op::Pool {
            desc,
            indices: false,
        };
        self.push(op, layer, vec![x])
    }

    /// Max pooling; the kind of `desc` is set accordingly.
    ///
    /// # Errors
    /// As [`Self::pool`].
    pub fn max_pool(
        &mut self,
        name: &str,
        x: ValueId,
        desc: PoolDesc,
    ) -> Result<ValueId, GraphError> {
        let kind = geometry::PoolKind::Max;
        self.pool(name, x, PoolDesc { kind, ..desc })
    }

    /// Average pooling; a `desc` of another kind becomes one that counts padding.
    ///
    /// # Errors
    /// As [`Self::pool`].
    pub fn average_pool(
        &mut self,
        name: &str,
        x: ValueId,
        desc: PoolDesc,
    ) -> Result<ValueId, GraphError> {
        let kind = match desc.kind {
            average @ geometry::PoolKind::Average { .. } => average,
            _ => geometry::PoolKind::Average {
                count_padding: true,
            },
        };
        self.pool(name, x, PoolDesc { kind, ..desc })
    }

    /// Mean over space: `[n, c, h, w] → [n, c, 1, 1]`.
    ///
    /// # Errors
    /// `x` has no channels.
    pub fn global_average_pool(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("global_average_pool");
        self.push(Op::GlobalAveragePool, layer, vec![x])
    }

    /// `[n, c, h, w] → [n, c·h·w]`
    ///
    /// # Errors
    /// `x` has no channels.
    pub fn flatten(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("flatten");
        self.push(Op::Flatten, layer, vec![x])
    }

    /// `a + b`, equal shapes.
    ///
    /// # Errors
    /// Shapes that differ.
    pub fn add(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("add");
        self.push(Op::Add, layer, vec![a, b])
    }

    /// Feature maps side by side along the channels.
    ///
    /// # Errors
    /// No inputs, or inputs that differ in more than their channels.
    pub fn concat(&mut self, inputs: &[ValueId]) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("concat");
        self.push(Op::Concat, layer, inputs.to_vec())
    }

    /// Dropout (Srivastava et al. 2014), scaled in training so that inference leaves it out.
    ///
    /// # Errors
    /// A rate outside `0 ≤ rate < 1`.
    pub fn dropout(&mut self, x: ValueId, rate: f32) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("dropout");
        let stream = self.dropouts;
        self.dropouts += 1;
        self.push(Op::Dropout { rate, stream }, layer, vec![x])
    }

    /// Probabilities along the last axis; networks to be trained end with logits instead.
    ///
    /// # Errors
    /// `x` is not a matrix.
    pub fn softmax(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("softmax");
        self.push(Op::Softmax, layer, vec![x])
    }

    /// Makes `logits` those of an auxiliary head: of a classifier on the way that exists for training only
    /// and whose loss counts `weight` times (Szegedy et al. 2014). It sends a gradient into the middle of
    /// a deep network; a network that predicts is without it.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::NetworkBuilder;
    /// use graph::passes::{TrainingOptions, inference, training};
    ///
    /// let mut network = NetworkBuilder::new("two heads", [2, 3, 8, 8]);
    /// let x = network.input();
    /// let x = network.conv("conv1", x, ConvDesc::new(4, 3), true)?;
    /// let y = network.flatten(x)?;
    /// let early = network.linear("aux", y, 10)?;
    /// network.auxiliary(early, 0.3);
    /// let x = network.conv("conv2", x, ConvDesc::new(8, 3), true)?;
    /// let y = network.flatten(x)?;
    /// let logits = network.linear("fc", y, 10)?;
    /// let network = network.finish(logits)?;
    ///
    /// let step = training(&network, TrainingOptions::default())?;
    /// assert_eq!(step.gradients.len(), 8);
    /// let run = inference(&network)?;
    /// assert!(run.nodes.iter().all(|node| node.layer != "aux"));
    /// assert_eq!(run.parameters().count(), 8);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// [`Self::finish`] refuses logits of another shape than those of the network, and weights that are
    /// negative or no number.
    pub fn auxiliary(&mut self, logits: ValueId, weight: f32) {
        self.graph.auxiliary.push((logits, weight));
    }

    /// The finished, verified network.
    ///
    /// # Errors
    /// What [`Graph::verify`] finds.
    pub fn finish(mut self, output: ValueId) -> Result<Graph, GraphError> {
        self.graph.outputs = vec![output];
        self.graph.verify()?;
        Ok(self.graph)
    }

    /// Appends a node whose first output is the layer's result.
    fn push(&mut self, op: Op, layer: String, inputs: Vec<ValueId>) -> Result<ValueId, GraphError> {
        let outputs = self.graph.append(op, layer, inputs)?;
        Ok(outputs[0])
    }

    /// The full path of a layer the author named.
    fn named(&mut self, name: &str) -> Result<String, GraphError> {
        let path = self.path(name);
        match (self.layers.contains(&path), self.reusing) {
            (true, true) => {}
            (false, false) => {
                self.layers.insert(path.clone());
            }
            (true, false) => return Err(GraphError::DuplicateName { name: path }),
            (false, true) => return Err(GraphError::NothingToReuse { name: path }),
        }
        Ok(path)
    }

    /// A full path that is free: `relu`, `relu_1`, `relu_2` ….
    fn unnamed(&mut self, operator: &str) -> String {
        let path = self.path(operator);
        // Counting goes on where it stopped, so that naming a thousand layers is no work for a million.
        let count = self.unnamed.entry(path.clone()).or_default();
        loop {
            let free = match *count {
                0 => path.clone(),
                count => format!("{path}_{count}"),
            };
            *count += 1;
            if self.layers.insert(free.clone()) {
                return free;
            }
        }
    }

    fn path(&self, name: &str) -> String {
        let mut path = self.scopes.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path + name
    }
}
