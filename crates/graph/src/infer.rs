//! Shape inference: what each operator makes of its inputs. Sizes of windows are `geometry`'s.

use std::fmt;

use geometry::{GeometryError, PoolKind};
use tensor::Shape;

use crate::families::check_places;
use crate::operands::{Operand, Operands};
use crate::{ElementType, Op, OpError, Value};

/// Shape and elements of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueType {
    /// Extents, channels first.
    pub shape: Vec<usize>,
    /// Element type.
    pub element: ElementType,
}

impl ValueType {
    pub(crate) fn float(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            shape: shape.into(),
            element: ElementType::Real,
        }
    }

    pub(crate) fn index(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            shape: shape.into(),
            element: ElementType::Index,
        }
    }
}

impl fmt::Display for ValueType {
    /// `[1, 64, 56, 56] of Real`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}", self.shape, self.element)
    }
}

impl Value {
    /// Shape and elements.
    pub fn value_type(&self) -> ValueType {
        ValueType {
            shape: self.shape.clone(),
            element: self.element,
        }
    }
}

impl Op {
    /// Types of the outputs, in order, that this operator makes of `inputs`.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::{NetworkBuilder, Op};
    ///
    /// let mut network = NetworkBuilder::new("one layer", [1, 3, 224, 224]);
    /// let images = network.input();
    /// let y = network.conv("conv1", images, ConvDesc::new(64, 7).stride(2).padding(3), false)?;
    /// let network = network.finish(y)?;
    /// let inferred = Op::GlobalAveragePool.infer(&[network.value(y)]).unwrap();
    /// assert_eq!(inferred[0].shape, [1, 64, 1, 1]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// Missing or superfluous inputs, shapes that do not go together, settings out of range and
    /// sizes that cannot be addressed; see [`OpError`].
    pub fn infer(&self, inputs: &[&Value]) -> Result<Vec<ValueType>, OpError> {
        let mut operands = Operands::new(self.name(), inputs);
        let outputs = self.outputs(&mut operands)?;
        operands.finish()?;
        for output in &outputs {
            Shape::new(&output.shape).map_err(|source| OpError::TooLarge {
                op: self.name(),
                source,
            })?;
        }
        Ok(outputs)
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        if let Some(family) = self.family() {
            return family.outputs(read);
        }
        let one = |shape: &[usize]| vec![ValueType::float(shape)];
        Ok(match self {
            Self::Conv {
                desc,
                bias,
                residual,
                activation: _,
            } => {
                let x = read.float("x")?;
                let weight = read.float("weight")?;
                let geometry = desc.resolve(x.shape).map_err(self.on(x.shape))?;
                weight.must_be(&geometry.weight_shape(), x)?;
                if *bias {
                    read.float("bias")?
                        .must_be(&[geometry.out_channels], weight)?;
                }
                let output = geometry.output_shape();
                if *residual {
                    read.float("residual")?.must_be(&output, x)?;
                }
                one(&output)
            }
            Self::ConvBackwardData { desc, input } => {
                let dy = read.float("dy")?;
                let weight = read.float("weight")?;
                let geometry = desc.resolve(input).map_err(self.on(input))?;
                dy.must_fit(&geometry.output_shape(), "forward input", input)?;
                weight.must_fit(&geometry.weight_shape(), "forward input", input)?;
                one(input)
            }
            Self::ConvBackwardWeights { desc } => {
                let x = read.float("x")?;
                let dy = read.float("dy")?;
                let geometry = desc.resolve(x.shape).map_err(self.on(x.shape))?;
                dy.must_be(&geometry.output_shape(), x)?;
                one(&geometry.weight_shape())
            }
            Self::ChannelSum => {
                let (_, channels, _) = read.float("dy")?.feature_map()?;
                one(&[channels])
            }
            Self::Linear { bias } => {
                let x = read.float("x")?;
                let weight = read.float("weight")?;
                let (batch, features) = x.matrix("[n, f]")?;
                let (outputs, _) = weight.matrix("[o, f]")?;
                weight.must_be(&[outputs, features], x)?;
                if *bias {
                    read.float("bias")?.must_be(&[outputs], weight)?;
                }
                one(&[batch, outputs])
            }
            Self::LinearBackwardData => {
                let dy = read.float("dy")?;
                let weight = read.float("weight")?;
                let (batch, outputs) = dy.matrix("[n, o]")?;
                let (_, features) = weight.matrix("[o, f]")?;
                weight.must_be(&[outputs, features], dy)?;
                one(&[batch, features])
            }
            Self::LinearBackwardWeights => {
                let x = read.float("x")?;
                let dy = read.float("dy")?;
                let (batch, features) = x.matrix("[n, f]")?;
                let (_, outputs) = dy.matrix("[n, o]")?;
                dy.must_be(&[batch, outputs], x)?;
                one(&[outputs, features])
            }
            Self::Pool { desc, indices } => {
                let x = read.float("x")?;
                let geometry = desc.resolve(x.shape).map_err(self.on(x.shape))?;
                let output = geometry.output_shape();
                let mut outputs = one(&output);
                if *indices && desc.kind == PoolKind::Max {
                    check_places(x.shape).map_err(self.on(x.shape))?;
                    outputs.push(ValueType::index(output));
                }
                outputs
            }
            Self::PoolBackward { desc, input } => {
                let dy = read.float("dy")?;
                let geometry = desc.resolve(input).map_err(self.on(input))?;
                let output = geometry.output_shape();
                dy.must_fit(&output, "forward input", input)?;
                match desc.kind {
                    PoolKind::Max => {
                        check_places(input).map_err(self.on(input))?;
                        read.index("indices")?.must_be(&output, dy)?;
                    }
                    PoolKind::Average { .. } => {}
                    PoolKind::Lp { .. } => {
                        read.float("x")?.must_fit(input, "forward input", input)?;
                        read.float("y")?.must_be(&output, dy)?;
                    }
                }
                one(input)
            }
            Self::GlobalAveragePool => one(&pooled(read.float("x")?)?),
            Self::GlobalAveragePoolBackward { input } => {
                let dy = read.float("dy")?;
                // What the forward pass made of its input.
                let mut expected = input.clone();
                expected.iter_mut().skip(2).for_each(|extent| *extent = 1);
                dy.must_fit(&expected, "forward input", input)?;
                one(input)
            }
            Self::BatchNorm { epsilon, momentum } => {
                self.check_epsilon(*epsilon)?;
                self.check_momentum(*momentum)?;
                let x = read.float("x")?;
                per_channel(
                    read,
                    x,
                    &["gamma", "beta", "running mean", "running variance"],
                )?;
                one(x.shape)
            }
            Self::BatchNormTraining {
                epsilon,
                momentum,
                residual,
                activation: _,
            } => {
                self.check_epsilon(*epsilon)?;
                self.check_momentum(*momentum)?;
                let x = read.float("x")?;
                let names = ["gamma", "beta", "running mean", "running variance"];
                let channels = per_channel(read, x, &names)?;
                if *residual {
                    read.float("residual")?.must_be(x.shape, x)?;
                }
                self.check_values(x)?;
                let statistics = ValueType::float([channels]);
                let mut outputs = one(x.shape);
                outputs.extend(vec![statistics; 4]);
                outputs
            }
            Self::BatchNormBackward {
                residual,
                activation,
            } => {
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                dy.must_be(x.shape, x)?;
                let channels = per_channel(read, x, &["gamma", "mean", "inverse deviation"])?;
                if activation.is_some() {
                    read.float("y")?.must_be(x.shape, x)?;
                }
                let mut outputs = one(x.shape);
                outputs.extend(vec![ValueType::float([channels]); 2]);
                if *residual {
                    outputs.push(ValueType::float(x.shape));
                }
                outputs
            }
            Self::BatchNormInference {
                epsilon,
                residual,
                activation: _,
            } => {
                self.check_epsilon(*epsilon)?;
                let x = read.float("x")?;
                per_channel(read, x, &["gamma", "beta", "mean", "variance"])?;
                if *residual {
                    read.float("residual")?.must_be(x.shape, x)?;
                }
                one(x.shape)
            }
            Self::FoldBatchNorm { epsilon, bias } => {
                self.check_epsilon(*epsilon)?;
                let weight = read.float("weight")?;
                let (outputs, _, _) = weight.feature_map()?;
                let names = ["bias", "gamma", "beta", "mean", "variance"];
                for name in &names[usize::from(!bias)..] {
                    read.float(name)?.must_be(&[outputs], weight)?;
                }
                vec![ValueType::float(weight.shape), ValueType::float([outputs])]
            }
            Self::Activation(_) => one(read.float("x")?.shape),
            Self::ActivationBackward(_) => {
                let dy = read.float("dy")?;
                let y = read.float("y")?;
                dy.must_be(y.shape, y)?;
                one(y.shape)
            }
            Self::Add => {
                let a = read.float("a")?;
                let b = read.float("b")?;
                b.must_be(a.shape, a)?;
                one(a.shape)
            }
            Self::Concat => {
                let first = read.float("x1")?;
                let (_, mut channels, _) = first.feature_map()?;
                let mut shape = first.shape.to_vec();
                while read.more() {
                    let next = read.float("x")?;
                    let (_, more, _) = next.feature_map()?;
                    shape[1] = more;
                    next.must_be(&shape, first)?;
                    let too_many = GeometryError::Overflow { what: "channels" };
                    let sum = channels.checked_add(more).ok_or(too_many);
                    channels = sum.map_err(self.on(first.shape))?;
                }
                shape[1] = channels;
                one(&shape)
            }
            Self::ChannelSlice { start, count } => {
                let x = read.float("x")?;
                let (_, channels, _) = x.feature_map()?;
                if start.checked_add(*count).is_none_or(|end| end > channels) {
                    return Err(OpError::Channels {
                        op: self.name(),
                        start: *start,
                        count: *count,
                        channels,
                    });
                }
                let mut shape = x.shape.to_vec();
                shape[1] = *count;
                one(&shape)
            }
            Self::Flatten => {
                let x = read.float("x")?;
                let (batch, _, _) = x.feature_map()?;
                one(&[batch, self.features(x.shape)?])
            }
            Self::Unflatten { shape } => {
                let x = read.float("x")?;
                x.matrix("[n, f]")?;
                let batch = shape.first().copied().unwrap_or(1);
                x.must_fit(&[batch, self.features(shape)?], "result", shape)?;
                one(shape)
            }
            Self::Dropout { rate, stream: _ } => {
                self.check("rate", *rate, (0.0..1.0).contains(rate), "0 ≤ rate < 1")?;
                one(read.float("x")?.shape)
            }
            Self::Softmax => {
                let logits = read.float("logits")?;
                logits.matrix("[n, k]")?;
                one(logits.shape)
            }
            Self::CrossEntropy { label_smoothing } => {
                self.classified(read, *label_smoothing)?;
                one(&[])
            }
            Self::CrossEntropyBackward {
                label_smoothing,
                upstream,
            } => {
                let logits = self.classified(read, *label_smoothing)?;
                if *upstream {
                    read.float("dloss")?.must_be(&[], logits)?;
                }
                one(logits.shape)
            }
            Self::Fill { shape, value: _ } => one(shape),
            Self::Arithmetic(_)
            | Self::Deformable(_)
            | Self::Norm(_)
            | Self::Pooling(_)
            | Self::Rearrange(_)
            | Self::Region(_)
            | Self::Sampling(_)
            | Self::Softmaxes(_)
            | Self::Transposed(_)
            | Self::Unary(_) => unreachable!("inferred by its family"),
        })
    }

    /// Logits with a label for each row.
    fn classified<'a>(
        &self,
        read: &mut Operands<'a>,
        label_smoothing: f32,
    ) -> Result<Operand<'a>, OpError> {
        self.check(
            "label smoothing",
            label_smoothing,
            (0.0..=1.0).contains(&label_smoothing),
            "0 … 1",
        )?;
        let logits = read.float("logits")?;
        let labels = read.index("labels")?;
        let (batch, _) = logits.matrix("[n, k]")?;
        labels.must_be(&[batch], logits)?;
        Ok(logits)
    }

    /// Elements of one image.
    fn features(&self, shape: &[usize]) -> Result<usize, OpError> {
        Shape::new(shape.get(1..).unwrap_or(&[]))
            .map(|features| features.len())
            .map_err(|source| OpError::TooLarge {
                op: self.name(),
                source,
            })
    }

    fn check_values(&self, x: Operand<'_>) -> Result<(), OpError> {
        let (batch, _, spatial) = x.feature_map()?;
        let values = spatial
            .iter()
            .fold(batch, |values, &extent| values.saturating_mul(extent));
        if values < 2 {
            return Err(OpError::TooFewValues {
                op: self.name(),
                input: x.shape.to_vec(),
                values,
            });
        }
        Ok(())
    }

    fn check_epsilon(&self, epsilon: f32) -> Result<(), OpError> {
        OpError::unless_epsilon(self.name(), epsilon)
    }

    fn check_momentum(&self, momentum: f32) -> Result<(), OpError> {
        let within = (0.0..=1.0).contains(&momentum);
        self.check("momentum", momentum, within, "0 … 1")
    }

    fn check(
        &self,
        setting: &'static str,
        value: f32,
        within: bool,
        range: &'static str,
    ) -> Result<(), OpError> {
        OpError::unless(within, self.name(), setting, value, range)
    }

    fn on(&self, input: &[usize]) -> impl Fn(GeometryError) -> OpError {
        OpError::on(self.name(), input)
    }
}

/// The shape with every axis of space brought to one.
fn pooled(x: Operand<'_>) -> Result<Vec<usize>, OpError> {
    let (batch, channels, spatial) = x.feature_map()?;
    let mut shape = vec![batch, channels];
    shape.resize(2 + spatial.len(), 1);
    Ok(shape)
}

/// Reads inputs of one element a channel of `x`; gives the channels.
fn per_channel(
    read: &mut Operands<'_>,
    x: Operand<'_>,
    names: &[&'static str],
) -> Result<usize, OpError> {
    let (_, channels, _) = x.feature_map()?;
    for name in names {
        read.float(name)?.must_be(&[channels], x)?;
    }
    Ok(channels)
}
