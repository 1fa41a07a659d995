//! Functions of one element, and softmax.

use graph::{Op, SoftmaxKind, SoftmaxOp, UnaryOp};
use tensor::{Tensor, Unary};

use super::{Eager, Element, Given};
use crate::RuntimeError;

impl Eager {
    /// Any function of one element: `y = f(x)`, any shape. [`Unary`] lists them: all activations of ONNX and
    /// plain arithmetic.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::{Tensor, Unary};
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[4], &[-2.0f32, -0.5, 0.5, 2.0])?;
    /// let soft = Unary::Shrink { bias: 1.0, lambd: 1.0 };
    /// assert_eq!(eager.unary(&x, soft)?.data(), [-1.0, 0.0, 0.0, 1.0]);
    /// assert_eq!(eager.unary(&x, Unary::Reciprocal)?.data(), [-0.5, -2.0, 2.0, 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter of `f` that is no number, a scale that is not above 0, or memory that cannot be had.
    pub fn unary<T: Element>(&self, x: &Tensor<T>, f: Unary) -> Result<Tensor<T>, RuntimeError> {
        self.first(Op::Unary(UnaryOp::Apply(f)), &[x.into()])
    }

    /// `max(x, 0)`
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn relu<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::Relu)
    }

    /// `x` above 0, else `alpha·x`.
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn leaky_relu<T: Element>(
        &self,
        x: &Tensor<T>,
        alpha: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::LeakyRelu { alpha })
    }

    /// `1/(1 + e⁻ˣ)`
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn sigmoid<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::Sigmoid)
    }

    /// `tanh x`
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn tanh<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::Tanh)
    }

    /// `x·Φ(x)` with the normal distribution Φ; [`Unary::GeluTanh`] is the approximation.
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn gelu<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::Gelu)
    }

    /// `x·σ(x)`, also known as swish.
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn silu<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::SILU)
    }

    /// `min(max(x, min), max)`, as PyTorch's `clamp`.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[3], &[-2.0f64, 0.5, 7.0])?;
    /// assert_eq!(eager.clip(&x, 0.0, 6.0)?.data(), [0.0, 0.5, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::unary`].
    pub fn clip<T: Element>(
        &self,
        x: &Tensor<T>,
        min: f32,
        max: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.unary(x, Unary::Clip { min, max })
    }

    /// `x` above 0, else `slope·x` (He et al. 2015): `x [n, c, …]`, the slope `[c]`, one a channel, or `[1]`.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 2], &[-2.0f32, 1.0, -2.0, 1.0])?;
    /// let slope = Tensor::from_slice(&[2], &[0.5, 0.25])?;
    /// assert_eq!(eager.prelu(&x, &slope)?.data(), [-1.0, 1.0, -0.5, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels, or a slope of another shape.
    pub fn prelu<T: Element>(
        &self,
        x: &Tensor<T>,
        slope: &Tensor<T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.first(Op::Unary(UnaryOp::Prelu), &[x.into(), slope.into()])
    }

    /// `exp(x) / Σ exp(x)` along an axis; one below 0 is counted from the innermost.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 2], &[0.0f32, 5.0, 0.0, 5.0])?;
    /// assert_eq!(eager.softmax(&x, 0)?.data(), [0.5; 4]);
    /// assert!((eager.softmax(&x, -1)?.data()[1] - 0.993307).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No such axis.
    pub fn softmax<T: Element>(&self, x: &Tensor<T>, axis: i64) -> Result<Tensor<T>, RuntimeError> {
        self.along(SoftmaxKind::Softmax, x, axis)
    }

    /// `x − ln Σ exp(x)` along an axis; one below 0 is counted from the innermost.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2], &[1000.0f64, 0.0])?;
    /// assert_eq!(eager.log_softmax(&x, 1)?.data(), [0.0, -1000.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No such axis.
    pub fn log_softmax<T: Element>(
        &self,
        x: &Tensor<T>,
        axis: i64,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.along(SoftmaxKind::LogSoftmax, x, axis)
    }

    /// What an operator makes first.
    pub(super) fn first<T: Element>(
        &self,
        op: Op,
        inputs: &[Given<'_, T>],
    ) -> Result<Tensor<T>, RuntimeError> {
        Ok(self.apply(op, inputs)?.swap_remove(0).real())
    }

    fn along<T: Element>(
        &self,
        kind: SoftmaxKind,
        x: &Tensor<T>,
        axis: i64,
    ) -> Result<Tensor<T>, RuntimeError> {
        let axis = axis_of(x, axis)?;
        self.first(Op::Softmaxes(SoftmaxOp::Along { kind, axis }), &[x.into()])
    }
}

/// An axis counted from the outermost, or where it is below 0 from the innermost.
pub(super) fn axis_of<T>(x: &Tensor<T>, axis: i64) -> Result<usize, RuntimeError>
where
    T: Element,
{
    let rank = x.dims().len();
    let place = if axis < 0 {
        i64::try_from(rank)
            .ok()
            .and_then(|rank| rank.checked_add(axis))
    } else {
        Some(axis)
    };
    place
        .and_then(|place| usize::try_from(place).ok())
        .filter(|&place| place < rank)
        .ok_or_else(|| RuntimeError::Given {
            what: format!("axis {axis} of a tensor of shape {:?}", x.dims()),
        })
}
