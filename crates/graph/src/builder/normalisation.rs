//! Norms other than that of a batch.

use super::NetworkBuilder;
use crate::families::{Affine, LocalResponse, NormOp};
use crate::{GraphError, Init, Op, ParameterKind, Role, ValueId};

/// ε of PyTorch's norms.
const EPSILON: f32 = 1e-5;

impl NetworkBuilder {
    /// Group normalisation (Wu & He 2018): `[n, c, …]` unchanged, parameters `NAME.weight` and `NAME.bias` `[c]`;
    /// ε = 10⁻⁵.
    ///
    /// ```
    /// let mut network = graph::NetworkBuilder::new("norms", [2, 32, 7, 7]);
    /// let x = network.input();
    /// let y = network.group_norm("norm", x, 8)?;
    /// let network = network.finish(y)?;
    /// let names: Vec<_> = network.parameters().map(|(_, p)| p.name.as_str()).collect();
    /// assert_eq!(names, ["norm.weight", "norm.bias"]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// The groups do not divide the channels, or the name is in use.
    pub fn group_norm(
        &mut self,
        name: &str,
        x: ValueId,
        groups: usize,
    ) -> Result<ValueId, GraphError> {
        let affine = Affine::ScaleShift;
        let op = NormOp::Group {
            groups,
            epsilon: EPSILON,
            affine,
        };
        let shape = self.channels(x)?;
        self.norm(name, x, op, affine, shape)
    }

    /// Instance normalisation (Ulyanov et al. 2016): every channel of every image by itself. As PyTorch's it
    /// has no parameters; ε = 10⁻⁵.
    ///
    /// # Errors
    /// `x` has no channels.
    pub fn instance_norm(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let op = NormOp::Group {
            // Without channels, inference says what is wrong with x.
            groups: self.shape(x)?.get(1).copied().unwrap_or(1),
            epsilon: EPSILON,
            affine: Affine::None,
        };
        let layer = self.unnamed("instance_norm");
        self.push(Op::Norm(op), layer, vec![x])
    }

    /// Layer normalisation (Ba et al. 2016) over the axes from `axis` on, counted from the outermost;
    /// parameters `NAME.weight` and `NAME.bias` of their shape; ε = 10⁻⁵.
    ///
    /// # Errors
    /// No such axis, or the name is in use.
    pub fn layer_norm(
        &mut self,
        name: &str,
        x: ValueId,
        axis: usize,
    ) -> Result<ValueId, GraphError> {
        let affine = Affine::ScaleShift;
        let op = NormOp::Layer {
            axis,
            epsilon: EPSILON,
            affine,
        };
        let shape = self.shape(x)?;
        let shape = shape.get(axis..).unwrap_or(&[]).to_vec();
        self.norm(name, x, op, affine, shape)
    }

    /// Layer normalisation over the channels of every position, as ConvNeXt has it: parameters `NAME.weight`
    /// and `NAME.bias` `[c]`; ε = 10⁻⁶, as there.
    ///
    /// # Errors
    /// `x` has no channels, or the name is in use.
    pub fn channel_norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        let affine = Affine::ScaleShift;
        let op = NormOp::Channel {
            epsilon: 1e-6,
            affine,
        };
        let shape = self.channels(x)?;
        self.norm(name, x, op, affine, shape)
    }

    /// Local response normalisation across channels (Krizhevsky et al. 2012).
    ///
    /// # Errors
    /// `x` has no channels, or a setting is out of range.
    pub fn local_response_norm(
        &mut self,
        x: ValueId,
        settings: LocalResponse,
    ) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("local_response_norm");
        self.push(Op::Norm(NormOp::LocalResponse(settings)), layer, vec![x])
    }

    fn channels(&self, x: ValueId) -> Result<Vec<usize>, GraphError> {
        // Without channels, inference says what is wrong with x.
        Ok(vec![self.shape(x)?.get(1).copied().unwrap_or(0)])
    }

    fn norm(
        &mut self,
        name: &str,
        x: ValueId,
        op: NormOp,
        affine: Affine,
        shape: Vec<usize>,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let mut inputs = vec![x];
        for (part, init) in [("weight", 1.0), ("bias", 0.0)]
            .into_iter()
            .take(affine.parameters())
        {
            let role = Role::parameter(ParameterKind::Norm, Init::Constant(init));
            inputs.push(self.kept(&layer, part, shape.clone(), role)?);
        }
        self.push(Op::Norm(op), layer, inputs)
    }
}
