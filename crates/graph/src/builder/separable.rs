//! Depthwise-separable convolution as a layer, with everything that goes with it.

use geometry::{Axes, ConvDesc, GeometryError, Padding, SeparableDesc};
use tensor::{Layout, Unary};

use super::{BatchNormOptions, NetworkBuilder};
use crate::{Activation, GraphError, Init, Op, OpError, ParameterKind, Regulariser, Role, ValueId};

/// A separable convolution as TensorFlow-Slim's `separable_convolution2d` describes it; a
/// [`NetworkBuilder`] applies it with [`NetworkBuilder::separable`].
///
/// ```text
/// x ─▶ conv_dw (m filters a channel) ─▶ [conv_pw (1×1, num_outputs)] ─▶ norm or bias ─▶ activation ─▶ y
/// ```
///
/// ```
/// use geometry::Padding;
/// use graph::{NetworkBuilder, Regulariser, Separable};
///
/// let mut network = NetworkBuilder::new("two", [8, 3, 32, 32]);
/// let x = network.input();
/// let first = Separable::new(Some(16), 3).stride(2).depthwise_regulariser(Regulariser::l2(4e-5));
/// let x = network.separable("sep1", x, &first)?;
/// let x = network.separable("sep2", x, &Separable::new(None, [1, 5]).padding(Padding::Valid))?;
/// assert_eq!(network.shape(x)?, [8, 16, 16, 12]);
/// let network = network.finish(x)?;
/// let names: Vec<_> = network.parameters().map(|(_, p)| p.name.as_str()).collect();
/// assert_eq!(names[..3], ["sep1.conv_dw.weight", "sep1.conv_pw.weight", "sep1.conv_pw.bias"]);
/// assert_eq!(names[3..], ["sep2.conv_dw.weight", "sep2.conv_dw.bias"]);
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Separable {
    num_outputs: Option<usize>,
    window: ConvDesc,
    multiplier: usize,
    data_format: Layout,
    activation: Option<Unary>,
    normaliser: Option<Normaliser>,
    depthwise_initialiser: Init,
    pointwise_initialiser: Option<Init>,
    bias_initialiser: Option<Init>,
    depthwise_regulariser: Option<Regulariser>,
    pointwise_regulariser: Option<Regulariser>,
    bias_regulariser: Option<Regulariser>,
    reuse: bool,
    trainable: bool,
}

/// The normalisation that takes the place of a bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normaliser {
    /// [`NetworkBuilder::batch_norm_with`], named `bn`.
    Batch(BatchNormOptions),
    /// [`NetworkBuilder::group_norm`], named `norm`.
    Group {
        /// Groups of channels.
        groups: usize,
    },
    /// [`NetworkBuilder::instance_norm`], without parameters.
    Instance,
    /// [`NetworkBuilder::channel_norm`], named `norm`.
    Channel,
}

impl Separable {
    /// A kernel, one extent for all axes or one each, and how many outputs the pointwise stage mixes; with
    /// `None` the filtered channels are left as they are. The rest is as in Slim: one filter a channel,
    /// stride 1, SAME padding, no dilation, a bias that starts at 0, ReLU, weights drawn by Glorot and
    /// Bengio's uniform law. Only the order of axes is this library's, channels first.
    pub fn new(num_outputs: Option<usize>, kernel: impl Into<Axes>) -> Self {
        Self {
            num_outputs,
            window: ConvDesc::new(num_outputs.unwrap_or(0), kernel).padding(Padding::Same),
            multiplier: 1,
            data_format: Layout::Nchw,
            activation: Some(Unary::Relu),
            normaliser: None,
            depthwise_initialiser: Init::XavierUniform,
            pointwise_initialiser: None,
            bias_initialiser: Some(Init::Constant(0.0)),
            depthwise_regulariser: None,
            pointwise_regulariser: None,
            bias_regulariser: None,
            reuse: false,
            trainable: true,
        }
    }

    /// Sets how many filters each input channel has.
    pub fn depth_multiplier(mut self, multiplier: usize) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// Sets the stride of the filters.
    pub fn stride(mut self, stride: impl Into<Axes>) -> Self {
        self.window.stride = stride.into();
        self
    }

    /// Sets the padding of the filters: [`Padding::Same`], [`Padding::Valid`] or any other.
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.window.padding = padding.into();
        self
    }

    /// Sets the dilation of the filters, which Slim calls the rate of an atrous convolution. With one above 1
    /// every stride must be 1.
    pub fn rate(mut self, rate: impl Into<Axes>) -> Self {
        self.window.dilation = rate.into();
        self
    }

    /// Sets the order of axes of the value it is applied to and of the value it makes: [`Layout::Nchw`], the
    /// default, `[n, c, h, w]`, or [`Layout::Nhwc`], `[n, h, w, c]`. The names are read by
    /// `"NHWC".parse::<Layout>()`, in either case.
    ///
    /// Graphs are channels first, so with `Nhwc` the layer permutes what it reads and what it makes; the
    /// weights are the same. How the engine lies feature maps in memory is a setting of the program, not of a
    /// layer: a network that is channels first throughout is computed channels last without a copy.
    pub fn data_format(mut self, order: Layout) -> Self {
        self.data_format = order;
        self
    }

    /// Sets the function that is applied last; with `None` the layer stays linear.
    pub fn activation(mut self, function: Option<Unary>) -> Self {
        self.activation = function;
        self
    }

    /// Puts a normalisation in the place of the bias: there is then none, whatever is said of it.
    pub fn normaliser(mut self, normaliser: Option<Normaliser>) -> Self {
        self.normaliser = normaliser;
        self
    }

    /// Sets how the depthwise weight starts, and the pointwise one with it unless that has its own.
    ///
    /// [`Init::XavierUniform`] counts the fans of a depthwise weight as Slim does, `c·k` in and `m·k` out for `c`
    /// channels, `m` filters each and `k` taps.
    pub fn depthwise_initialiser(mut self, init: Init) -> Self {
        self.depthwise_initialiser = init;
        self
    }

    /// Sets how the pointwise weight starts.
    pub fn pointwise_initialiser(mut self, init: Init) -> Self {
        self.pointwise_initialiser = Some(init);
        self
    }

    /// Sets how the bias starts; with `None` there is no bias.
    pub fn bias_initialiser(mut self, init: Option<Init>) -> Self {
        self.bias_initialiser = init;
        self
    }

    /// Sets the penalty on both weights, as Slim has a single one for them.
    pub fn weights_regulariser(self, regulariser: Regulariser) -> Self {
        self.depthwise_regulariser(regulariser)
            .pointwise_regulariser(regulariser)
    }

    /// Sets the penalty on the depthwise weight.
    pub fn depthwise_regulariser(mut self, regulariser: Regulariser) -> Self {
        self.depthwise_regulariser = Some(regulariser);
        self
    }

    /// Sets the penalty on the pointwise weight.
    pub fn pointwise_regulariser(mut self, regulariser: Regulariser) -> Self {
        self.pointwise_regulariser = Some(regulariser);
        self
    }

    /// Sets the penalty on the bias.
    pub fn bias_regulariser(mut self, regulariser: Regulariser) -> Self {
        self.bias_regulariser = Some(regulariser);
        self
    }

    /// Sets whether it shares the parameters of the layer that already has its name, as under
    /// [`NetworkBuilder::reusing`], the norm's too.
    pub fn reuse(mut self, reuse: bool) -> Self {
        self.reuse = reuse;
        self
    }

    /// Sets whether its parameters learn, the norm's too; if not, they are as under
    /// [`NetworkBuilder::frozen`].
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The two stages on an input `[n, c, spatial…]`: what each convolves, how its weight starts, and what it
    /// is penalised by.
    fn stages(&self, input: &[usize]) -> Result<Vec<Stage>, OpError> {
        let settings = [
            self.depthwise_regulariser,
            self.pointwise_regulariser,
            self.bias_regulariser,
        ];
        for regulariser in settings.into_iter().flatten() {
            regulariser.check()?;
        }
        let refused = OpError::on("separable conv", input);
        if self.num_outputs == Some(0) {
            let what = "output channels";
            return Err(refused(GeometryError::Zero { what }));
        }
        let desc = SeparableDesc::new(self.window.clone()).multiplier(self.multiplier);
        let geometry = desc.resolve(input).map_err(&refused)?;
        let channels = geometry.depthwise.in_channels;
        let (depthwise, pointwise) = desc.stages(channels).map_err(&refused)?;
        let taps = geometry.depthwise.kernel_area();
        let init = match self.depthwise_initialiser {
            Init::XavierUniform => Init::XavierUniformFans {
                fan_in: channels * taps,
                fan_out: self.multiplier * taps,
            },
            other => other,
        };
        let mut stages = vec![Stage {
            name: "conv_dw",
            conv: depthwise,
            weight: geometry.depthwise.weight_shape(),
            init,
            regulariser: self.depthwise_regulariser,
        }];
        stages.extend(pointwise.zip(geometry.pointwise).map(|(conv, geometry)| {
            Stage {
                name: "conv_pw",
                conv,
                weight: geometry.weight_shape(),
                init: self
                    .pointwise_initialiser
                    .unwrap_or(self.depthwise_initialiser),
                regulariser: self.pointwise_regulariser,
            }
        }));
        Ok(stages)
    }
}

/// One of the convolutions, without a bias.
struct Stage {
    name: &'static str,
    conv: ConvDesc,
    weight: Vec<usize>,
    init: Init,
    regulariser: Option<Regulariser>,
}

impl NetworkBuilder {
    /// A separable convolution: `[n, c, spatial…] → [n, o, spatial'…]`, with `o` its outputs or, without a
    /// pointwise stage, `c·m`; with channels last where its [data format](Separable::data_format) says so. Its
    /// layers are in a scope of its name: `NAME.conv_dw.weight [c·m, 1, kernel…]`, filter `q` of channel `c` at
    /// `c·m + q`; `NAME.conv_pw.weight [o, c·m, 1…]`; a `bias [o]` of the last of the two; the norm.
    ///
    /// # Errors
    /// Settings that do not fit each other or `x`, a name in use, or with [`Separable::reuse`] one that is not
    /// or that has parameters of other shapes.
    pub fn separable(
        &mut self,
        name: &str,
        x: ValueId,
        layer: &Separable,
    ) -> Result<ValueId, GraphError> {
        let build = |network: &mut Self| {
            let path = network.named(name)?;
            network.scope(name, |network| network.separable_layers(&path, x, layer))
        };
        let build = |network: &mut Self| match layer.trainable {
            true => build(network),
            false => network.frozen(build),
        };
        match layer.reuse {
            true => self.reusing(build),
            false => build(self),
        }
    }

    fn separable_layers(
        &mut self,
        path: &str,
        x: ValueId,
        layer: &Separable,
    ) -> Result<ValueId, GraphError> {
        let given = self.shape(x)?;
        let mut order: Vec<_> = (0..given.len()).collect();
        // Too few axes to tell channels from space are refused as they are.
        let permuted = layer.data_format == Layout::Nhwc && order.len() > 2;
        if permuted {
            order[1..].rotate_right(1);
        }
        let shape: Vec<_> = order.iter().map(|&axis| given[axis]).collect();
        let stages = layer.stages(&shape).map_err(|e| e.in_layer(path))?;
        let mut y = match permuted {
            true => self.permute(x, &order)?,
            false => x,
        };
        let bias = layer
            .bias_initialiser
            .filter(|_| layer.normaliser.is_none());
        let last = stages.len() - 1;
        for (place, stage) in stages.into_iter().enumerate() {
            let bias = bias.filter(|_| place == last).map(|init| Role::Parameter {
                kind: ParameterKind::Bias,
                init,
                regulariser: layer.bias_regulariser,
                trainable: true,
            });
            y = self.separable_stage(y, stage, bias)?;
        }
        y = match layer.normaliser {
            Some(Normaliser::Batch(options)) => self.batch_norm_with("bn", y, options)?,
            Some(Normaliser::Group { groups }) => self.group_norm("norm", y, groups)?,
            Some(Normaliser::Instance) => self.instance_norm(y)?,
            Some(Normaliser::Channel) => self.channel_norm("norm", y)?,
            None => y,
        };
        y = match layer.activation {
            // These can be fused with what is before them.
            Some(Unary::Relu) => self.activation(y, Activation::Relu)?,
            Some(Unary::RELU6) => self.activation(y, Activation::Relu6)?,
            Some(function) => self.unary(y, function)?,
            None => y,
        };
        if !permuted {
            return Ok(y);
        }
        order.sort_unstable();
        order[1..].rotate_left(1);
        self.permute(y, &order)
    }

    fn separable_stage(
        &mut self,
        x: ValueId,
        stage: Stage,
        bias: Option<Role>,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(stage.name)?;
        let outputs = stage.conv.out_channels;
        let role = Role::Parameter {
            kind: ParameterKind::Weight,
            init: stage.init,
            regulariser: stage.regulariser,
            trainable: true,
        };
        let mut inputs = vec![x, self.kept(&layer, "weight", stage.weight, role)?];
        if let Some(role) = bias {
            inputs.push(self.kept(&layer, "bias", vec![outputs], role)?);
        }
        let op = Op::Conv {
            desc: stage.conv,
            bias: inputs.len() > 2,
            residual: false,
            activation: None,
        };
        self.push(op, layer, inputs)
    }
}
