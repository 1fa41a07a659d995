//! Arithmetic of tensors.

use graph::{ArithmeticOp, BinaryOp, Op, ReduceOp};
use tensor::Tensor;

use super::{Eager, Element};
use crate::RuntimeError;

impl Eager {
    /// `a + b`, shapes broadcast as in NumPy: aligned at their last axes, extents of 1 and missing axes
    /// repeated.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let bias = Tensor::from_slice(&[2, 1], &[10.0f32, 20.0])?;
    /// assert_eq!(eager.add(&x, &bias)?.data(), [11.0, 12.0, 23.0, 24.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Extents that differ, neither of them 1.
    pub fn add<T: Element>(&self, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Add, a, b)
    }

    /// `a − b`, shapes broadcast as in [`Eager::add`].
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[2], &[1.0f64, 2.0])?;
    /// let b = Tensor::from_slice(&[2, 1], &[1.0, 5.0])?;
    /// assert_eq!(eager.sub(&a, &b)?.data(), [0.0, 1.0, -4.0, -3.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn sub<T: Element>(&self, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Sub, a, b)
    }

    /// `a · b`, shapes broadcast as in [`Eager::add`]: a factor for each channel has shape `[c, 1, 1]`.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 1, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let factors = Tensor::from_slice(&[2, 1, 1], &[10.0f32, 100.0])?;
    /// assert_eq!(eager.mul(&x, &factors)?.data(), [10.0, 20.0, 300.0, 400.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn mul<T: Element>(&self, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Mul, a, b)
    }

    /// `a / b`, shapes broadcast as in [`Eager::add`].
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[2], &[1.0f32, 9.0])?;
    /// let b = Tensor::from_slice(&[], &[4.0f32])?;
    /// assert_eq!(eager.div(&a, &b)?.data(), [0.25, 2.25]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn div<T: Element>(&self, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Div, a, b)
    }

    /// The smaller of `a` and `b`, NaN if either is; shapes broadcast as in [`Eager::add`].
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[3], &[1.0f32, 5.0, f32::NAN])?;
    /// let b = Tensor::from_slice(&[1], &[3.0f32])?;
    /// let y = eager.minimum(&a, &b)?;
    /// assert_eq!(y.data()[..2], [1.0, 3.0]);
    /// assert!(y.data()[2].is_nan());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn minimum<T: Element>(
        &self,
        a: &Tensor<T>,
        b: &Tensor<T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Min, a, b)
    }

    /// The larger of `a` and `b`, NaN if either is; shapes broadcast as in [`Eager::add`].
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[2], &[1.0f32, 5.0])?;
    /// let b = Tensor::from_slice(&[2], &[3.0f32, 4.0])?;
    /// assert_eq!(eager.maximum(&a, &b)?.data(), [3.0, 5.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn maximum<T: Element>(
        &self,
        a: &Tensor<T>,
        b: &Tensor<T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Max, a, b)
    }

    /// `aᵇ`, shapes broadcast as in [`Eager::add`].
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[2], &[2.0f64, 9.0])?;
    /// let b = Tensor::from_slice(&[2], &[3.0f64, 0.5])?;
    /// assert_eq!(eager.pow(&a, &b)?.data(), [8.0, 3.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::add`].
    pub fn pow<T: Element>(&self, a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.binary(BinaryOp::Pow, a, b)
    }

    /// The sum over axes, which stay with extent 1; negative axes count from the end.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// let y = eager.sum(&x, &[-1])?;
    /// assert_eq!((y.dims(), y.data()), (&[2, 1][..], &[6.0, 15.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An axis that does not exist or is named twice.
    pub fn sum<T: Element>(&self, x: &Tensor<T>, axes: &[i64]) -> Result<Tensor<T>, RuntimeError> {
        self.reduce(ReduceOp::Sum, x, axes)
    }

    /// The mean over axes, which stay with extent 1.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 2], &[1.0f32, 2.0, 3.0, 6.0])?;
    /// assert_eq!(eager.mean(&x, &[0])?.data(), [2.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::sum`].
    pub fn mean<T: Element>(&self, x: &Tensor<T>, axes: &[i64]) -> Result<Tensor<T>, RuntimeError> {
        self.reduce(ReduceOp::Mean, x, axes)
    }

    /// The maximum over axes, which stay with extent 1; NaN if one is. Equal maxima share the gradient, as
    /// in PyTorch's `amax`.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 2], &[1.0f32, 2.0, 7.0, 6.0])?;
    /// assert_eq!(eager.amax(&x, &[0, 1])?.data(), [7.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::sum`].
    pub fn amax<T: Element>(&self, x: &Tensor<T>, axes: &[i64]) -> Result<Tensor<T>, RuntimeError> {
        self.reduce(ReduceOp::Max, x, axes)
    }

    fn binary<T: Element>(
        &self,
        op: BinaryOp,
        a: &Tensor<T>,
        b: &Tensor<T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Arithmetic(ArithmeticOp::Binary(op));
        Ok(self.apply(op, &[a.into(), b.into()])?.remove(0).real())
    }

    fn reduce<T: Element>(
        &self,
        op: ReduceOp,
        x: &Tensor<T>,
        axes: &[i64],
    ) -> Result<Tensor<T>, RuntimeError> {
        let axes = axes.to_vec();
        let op = Op::Arithmetic(ArithmeticOp::Reduce { op, axes });
        Ok(self.apply(op, &[x.into()])?.remove(0).real())
    }
}
