//! Normalisation over groups, layers and neighbouring channels.

use geometry::GeometryError;

use super::Family;
use crate::infer::ValueType;
use crate::operands::{Operand, Operands};
use crate::step::Step;
use crate::{GraphError, Op, OpError, ValueId};

/// Which parameters a norm has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Affine {
    /// None.
    None,
    /// γ alone.
    Scale,
    /// γ and β.
    ScaleShift,
}

/// A normalisation other than that of a batch.
///
/// `y = γ·(x − μ)·r + β` with `r = 1/√(σ² + ε)`; the operators differ in what μ and σ² are taken over. Besides `y`
/// they give μ and `r`, for their backward passes.
#[derive(Clone, Debug, PartialEq)]
pub enum NormOp {
    /// Over the channels of a group and all positions of an image (Wu & He 2018); with a group a channel
    /// instance normalisation. `x [n, c, …], [gamma [c]], [beta [c]] → y, mean [n, groups], inv_std [n, groups]`.
    Group {
        /// Groups of neighbouring channels; they divide the channels.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
        /// Which parameters there are.
        affine: Affine,
    },
    /// `dy, x, mean, inv_std, [gamma] → dx, [dgamma], [dbeta]`
    GroupBackward {
        /// As in [`NormOp::Group`].
        groups: usize,
        /// As there.
        affine: Affine,
    },
    /// Over the trailing axes of a tensor (Ba et al. 2016), as PyTorch's `LayerNorm` and ONNX's
    /// `LayerNormalization`. With `outer = shape[..axis]` and `inner = shape[axis..]`:
    /// `x, [gamma inner], [beta inner] → y, mean outer, inv_std outer`.
    Layer {
        /// The first of the axes.
        axis: usize,
        /// Added to the variance.
        epsilon: f32,
        /// Which parameters there are.
        affine: Affine,
    },
    /// `dy, x, mean, inv_std, [gamma] → dx, [dgamma], [dbeta]`
    LayerBackward {
        /// As in [`NormOp::Layer`].
        axis: usize,
        /// As there.
        affine: Affine,
    },
    /// Over the channels of each position, as ConvNeXt's layer normalisation of maps:
    /// `x [n, c, spatial…], [gamma [c]], [beta [c]] → y, mean [n, spatial…], inv_std [n, spatial…]`.
    Channel {
        /// Added to the variance.
        epsilon: f32,
        /// Which parameters there are.
        affine: Affine,
    },
    /// `dy, x, mean, inv_std, [gamma] → dx, [dgamma], [dbeta]`
    ChannelBackward {
        /// As in [`NormOp::Channel`].
        affine: Affine,
    },
    /// Across neighbouring channels (Krizhevsky et al. 2012): `x [n, c, …] → y`.
    LocalResponse(LocalResponse),
    /// `dy, x → dx`
    LocalResponseBackward(LocalResponse),
}

/// Settings of a local response normalisation: `y = x/(k + α/n · Σ x²)^β`, the sum over a window of `n = before + 1 +
/// after` channels around each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponse {
    /// Channels of the window before the one in question.
    pub before: usize,
    /// Channels of the window behind it.
    pub after: usize,
    /// α, divided by the size of the window.
    pub alpha: f32,
    /// β
    pub beta: f32,
    /// k; ONNX calls it the bias.
    pub k: f32,
}

impl LocalResponse {
    /// A window of `size` channels as PyTorch lays it, with the longer side first where the size is even;
    /// α = 10⁻⁴, β = 0.75, k = 1.
    pub fn new(size: usize) -> Self {
        Self {
            before: size / 2,
            after: size.saturating_sub(1) / 2,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }

    /// A window of `size` channels as ONNX lays it, with the longer side last where the size is even;
    /// otherwise as [`LocalResponse::new`].
    pub fn onnx(size: usize) -> Self {
        let pytorch = Self::new(size);
        Self {
            before: pytorch.after,
            after: pytorch.before,
            ..pytorch
        }
    }
}

impl Affine {
    /// How many parameters there are: γ first.
    pub fn parameters(self) -> usize {
        match self {
            Self::None => 0,
            Self::Scale => 1,
            Self::ScaleShift => 2,
        }
    }
}

impl Family for NormOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Group { .. } => "group norm",
            Self::GroupBackward { .. } => "group norm backward",
            Self::Layer { .. } => "layer norm",
            Self::LayerBackward { .. } => "layer norm backward",
            Self::Channel { .. } => "channel norm",
            Self::ChannelBackward { .. } => "channel norm backward",
            Self::LocalResponse(_) => "local response norm",
            Self::LocalResponseBackward(_) => "local response norm backward",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        match self {
            Self::Group {
                epsilon, affine, ..
            }
            | Self::Layer {
                epsilon, affine, ..
            }
            | Self::Channel { epsilon, affine } => {
                self.check_epsilon(*epsilon)?;
                let x = read.float("x")?;
                let (statistics, parameters) = self.shapes(x)?;
                for name in &["gamma", "beta"][..affine.parameters()] {
                    read.float(name)?.must_be(&parameters, x)?;
                }
                let statistics = ValueType::float(statistics);
                Ok(vec![
                    ValueType::float(x.shape),
                    statistics.clone(),
                    statistics,
                ])
            }
            Self::GroupBackward { affine, .. }
            | Self::LayerBackward { affine, .. }
            | Self::ChannelBackward { affine } => {
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                dy.must_be(x.shape, x)?;
                let (statistics, parameters) = self.shapes(x)?;
                for name in ["mean", "inverse deviation"] {
                    read.float(name)?.must_be(&statistics, x)?;
                }
                if *affine != Affine::None {
                    read.float("gamma")?.must_be(&parameters, x)?;
                }
                let mut outputs = vec![ValueType::float(x.shape)];
                outputs.extend(vec![ValueType::float(parameters); affine.parameters()]);
                Ok(outputs)
            }
            Self::LocalResponse(settings) => {
                self.check_response(settings)?;
                let x = read.float("x")?;
                x.feature_map()?;
                Ok(vec![ValueType::float(x.shape)])
            }
            Self::LocalResponseBackward(settings) => {
                self.check_response(settings)?;
                let dy = read.float("dy")?;
                let x = read.float("x")?;
                x.feature_map()?;
                dy.must_be(x.shape, x)?;
                Ok(vec![ValueType::float(x.shape)])
            }
        }
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let (dy, x) = (step.upstream()?, step.input(0));
        let (backward, affine) = match *self {
            Self::Group { groups, affine, .. } => (Self::GroupBackward { groups, affine }, affine),
            Self::Layer { axis, affine, .. } => (Self::LayerBackward { axis, affine }, affine),
            Self::Channel { affine, .. } => (Self::ChannelBackward { affine }, affine),
            Self::LocalResponse(settings) => {
                let backward = Op::Norm(Self::LocalResponseBackward(settings));
                return step.give(backward, vec![dy, x], &[0]);
            }
            Self::GroupBackward { .. }
            | Self::LayerBackward { .. }
            | Self::ChannelBackward { .. }
            | Self::LocalResponseBackward(_) => return Err(step.refuse("")),
        };
        let mut inputs: Vec<ValueId> = vec![dy, x, step.output(1), step.output(2)];
        if affine != Affine::None {
            inputs.push(step.input(1));
        }
        step.give(
            Op::Norm(backward),
            inputs,
            &[0, 1, 2][..=affine.parameters()],
        )
    }

    fn output_suffix(&self, place: usize) -> &'static str {
        let names: &[&'static str] = match self {
            Self::Group { .. } | Self::Layer { .. } | Self::Channel { .. } => {
                &["", "mean", "inv_std"]
            }
            _ => &["", "dgamma", "dbeta"],
        };
        names.get(place).copied().unwrap_or("")
    }
}

impl NormOp {
    /// Shapes of the statistics and of the parameters, as `x` asks for them.
    fn shapes(&self, x: Operand<'_>) -> Result<(Vec<usize>, Vec<usize>), OpError> {
        match *self {
            Self::Layer { axis, .. } | Self::LayerBackward { axis, .. } => {
                x.must_have_axis(axis)?;
                Ok((x.shape[..axis].to_vec(), x.shape[axis..].to_vec()))
            }
            Self::Group { groups, .. } | Self::GroupBackward { groups, .. } => {
                let (batch, channels, _) = x.feature_map()?;
                let refusal = if groups == 0 {
                    Some(GeometryError::Zero { what: "groups" })
                } else if !channels.is_multiple_of(groups) {
                    Some(GeometryError::Groups {
                        side: "input",
                        channels,
                        groups,
                    })
                } else {
                    None
                };
                if let Some(source) = refusal {
                    return Err(OpError::on(self.name(), x.shape)(source));
                }
                Ok((vec![batch, groups], vec![channels]))
            }
            _ => {
                let (batch, channels, spatial) = x.feature_map()?;
                Ok(([&[batch], spatial].concat(), vec![channels]))
            }
        }
    }

    fn check_epsilon(&self, epsilon: f32) -> Result<(), OpError> {
        OpError::unless_epsilon(self.name(), epsilon)
    }

    fn check_response(&self, settings: &LocalResponse) -> Result<(), OpError> {
        let LocalResponse {
            before,
            after,
            alpha,
            beta,
            k,
        } = *settings;
        self.check("alpha", alpha, alpha.is_finite(), "the finite numbers")?;
        self.check("beta", beta, beta.is_finite(), "the finite numbers")?;
        self.check("k", k, k.is_finite(), "the finite numbers")?;
        // The window is held against a padded row of channels.
        let size = before
            .checked_add(after)
            .filter(|&size| size < MOST_NEIGHBOURS);
        match size {
            Some(_) => Ok(()),
            None => self.check(
                "window",
                before as f32 + after as f32 + 1.0,
                false,
                "1 ≤ window ≤ 65536",
            ),
        }
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
}

/// No window has more channels.
const MOST_NEIGHBOURS: usize = 65_536;
