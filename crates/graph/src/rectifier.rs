//! What becomes of a gradient on its way back through a rectifier.

use tensor::Unary;

use crate::step::Step;
use crate::{Activation, GraphError, Op, ValueId};

/// How a gradient passes a rectifier: by its slope, or by a rule that makes a clearer picture of what excites a neuron.
///
/// With `g` what comes from above and `f'` the slope, which of a ReLU is 1 where its input was above 0, else 0:
///
/// | rule | passed on | |
/// |---|---|---|
/// | [`Slope`](Self::Slope) | `g·f'` | the gradient (Simonyan et al. 2014) |
/// | [`Guided`](Self::Guided) | `max(g·f', 0)` | guided backpropagation (Springenberg et al. 2015) |
/// | [`Deconvnet`](Self::Deconvnet) | `max(g, 0)` | the deconvolutional network (Zeiler and Fergus 2014) |
///
/// Rectifiers are ReLU, ReLU6 and what else is cut off at 0 (a clip or hard tanh whose least value is 0, the
/// thresholded one), and those that leak: leaky ReLU and PReLU. All other operators, smooth activations such as SiLU
/// or GELU too, pass gradients on by their slope whatever the rule; max pools pass them to where their maxima were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RectifierRule {
    /// By the slope.
    #[default]
    Slope,
    /// By the slope, and only what is above 0.
    Guided,
    /// Only what is above 0, wherever the rectifier was on.
    Deconvnet,
}

impl Step<'_> {
    /// Gives the gradient of a rectifier's output on to its input by the rule; by the slope that would be done by
    /// `by_slope`, which reads `reads`.
    pub(crate) fn give_rectified(
        &mut self,
        by_slope: Op,
        reads: Vec<ValueId>,
    ) -> Result<(), GraphError> {
        match self.rule {
            RectifierRule::Slope => self.give(by_slope, reads, &[0]),
            RectifierRule::Guided => {
                let slope = self.intermediate(by_slope, reads)?;
                self.give(ABOVE_ZERO, vec![slope], &[0])
            }
            RectifierRule::Deconvnet => {
                let dy = self.upstream()?;
                self.give(ABOVE_ZERO, vec![dy], &[0])
            }
        }
    }

    /// The gradient of what a fused activation was applied to.
    pub(crate) fn before_activation(
        &mut self,
        activation: Option<Activation>,
    ) -> Result<ValueId, GraphError> {
        let dy = self.upstream()?;
        let Some(activation) = activation else {
            return Ok(dy);
        };
        let reads = vec![dy, self.output(0)];
        let by_slope = Op::ActivationBackward(activation);
        match self.rule {
            RectifierRule::Slope => self.intermediate(by_slope, reads),
            RectifierRule::Guided => {
                let slope = self.intermediate(by_slope, reads)?;
                self.intermediate(ABOVE_ZERO, vec![slope])
            }
            RectifierRule::Deconvnet => self.intermediate(ABOVE_ZERO, vec![dy]),
        }
    }
}

/// What leaves a gradient as it is where it is above 0, and makes it 0 elsewhere.
const ABOVE_ZERO: Op = Op::Activation(Activation::Relu);

/// Whether a function of one element is a rectifier.
pub(crate) fn is_rectifier(f: Unary) -> bool {
    match f {
        Unary::Relu | Unary::LeakyRelu { .. } | Unary::ThresholdedRelu { .. } => true,
        Unary::Clip { min, .. } | Unary::HardTanh { min, .. } => min == 0.0,
        _ => false,
    }
}
