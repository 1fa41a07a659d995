//! Functions of one element, softmax along any axis.

use tensor::Unary;

use super::NetworkBuilder;
use crate::families::{SoftmaxKind, SoftmaxOp, UnaryOp};
use crate::{GraphError, Init, Op, ParameterKind, Role, ValueId};

impl NetworkBuilder {
    /// Any function of one element: `x → f(x)`.
    ///
    /// ```
    /// use graph::NetworkBuilder;
    /// use tensor::Unary;
    ///
    /// let mut network = NetworkBuilder::new("gelu", [1, 8, 5, 5]);
    /// let x = network.input();
    /// let y = network.unary(x, Unary::Gelu)?;
    /// assert_eq!(network.finish(y)?.nodes[0].layer, "gelu");
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A parameter that is no number, or a value of another network.
    pub fn unary(&mut self, x: ValueId, f: Unary) -> Result<ValueId, GraphError> {
        let layer = self.unnamed(&f.name().replace(' ', "_"));
        self.push(Op::Unary(UnaryOp::Apply(f)), layer, vec![x])
    }

    /// `1/(1 + e⁻ˣ)`
    ///
    /// # Errors
    /// A value of another network.
    pub fn sigmoid(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        self.unary(x, Unary::Sigmoid)
    }

    /// A rectifier with a learned slope below 0, one a channel where `channels` says so, else one for
    /// all (He et al. 2015). The parameter `NAME.weight` starts at 0.25.
    ///
    /// # Errors
    /// `x` has no channels, or the name is in use.
    pub fn prelu(&mut self, name: &str, x: ValueId, channels: bool) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        // Without channels, inference says what is wrong with x.
        let slopes = match channels {
            true => self.shape(x)?.get(1).copied().unwrap_or(0),
            false => 1,
        };
        // Weight decay would pull the slopes to 0, as it would the scales of norms.
        let role = Role::parameter(ParameterKind::Norm, Init::Constant(0.25));
        let slope = self.kept(&layer, "weight", vec![slopes], role)?;
        self.push(Op::Unary(UnaryOp::Prelu), layer, vec![x, slope])
    }

    /// Softmax along one axis of the shape, counted from the outermost.
    ///
    /// # Errors
    /// No such axis.
    pub fn softmax_along(&mut self, x: ValueId, axis: usize) -> Result<ValueId, GraphError> {
        self.along(SoftmaxKind::Softmax, x, axis)
    }

    /// The logarithm of [`Self::softmax_along`].
    ///
    /// # Errors
    /// As there.
    pub fn log_softmax_along(&mut self, x: ValueId, axis: usize) -> Result<ValueId, GraphError> {
        self.along(SoftmaxKind::LogSoftmax, x, axis)
    }

    fn along(&mut self, kind: SoftmaxKind, x: ValueId, axis: usize) -> Result<ValueId, GraphError> {
        let layer = self.unnamed(match kind {
            SoftmaxKind::Softmax => "softmax",
            SoftmaxKind::LogSoftmax => "log_softmax",
        });
        let op = SoftmaxOp::Along { kind, axis };
        self.push(Op::Softmaxes(op), layer, vec![x])
    }
}
