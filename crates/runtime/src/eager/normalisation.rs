//! Norms other than that of a batch.

use graph::{Affine, LocalResponse, NormOp, Op};
use tensor::Tensor;

use super::functions::axis_of;
use super::{Eager, Element, Given, tensor};
use crate::RuntimeError;

/// γ and β of a norm; without them 1 and 0.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a, T> {
    gamma: Option<&'a Tensor<T>>,
    beta: Option<&'a Tensor<T>>,
}

impl<'a, T: Element> Parameters<'a, T> {
    /// Neither.
    pub fn none() -> Self {
        Self {
            gamma: None,
            beta: None,
        }
    }

    /// γ alone.
    pub fn scale(gamma: &'a Tensor<T>) -> Self {
        Self {
            gamma: Some(gamma),
            beta: None,
        }
    }

    /// Both.
    pub fn new(gamma: &'a Tensor<T>, beta: &'a Tensor<T>) -> Self {
        Self {
            gamma: Some(gamma),
            beta: Some(beta),
        }
    }

    /// γ and β, with ones and zeros for what is missing, one a channel of `x`.
    pub(super) fn of_channels_of(&self, x: &Tensor<T>) -> Result<[Tensor<T>; 2], RuntimeError> {
        // Without channels, inference says what is wrong with x.
        let channels = x.dims().get(1).copied().unwrap_or(0);
        let or = |given: Option<&Tensor<T>>, value| match given {
            Some(given) => Ok(given.clone()),
            None => tensor(&[channels], &vec![value; channels]),
        };
        Ok([or(self.gamma, T::one())?, or(self.beta, T::zero())?])
    }

    fn affine(&self) -> Affine {
        match (self.gamma, self.beta) {
            (None, _) => Affine::None,
            (Some(_), None) => Affine::Scale,
            (Some(_), Some(_)) => Affine::ScaleShift,
        }
    }
}

impl Eager {
    /// Group normalisation (Wu & He 2018): `y = γ·(x − μ)/√(σ² + ε) + β` with μ and σ² over the channels of a group and all
    /// positions of an image. `x [n, c, …]`, γ and β `[c]`.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// // One position of four channels, in pairs.
    /// let x = Tensor::from_slice(&[1, 4, 1], &[1.0f32, 3.0, 10.0, 30.0])?;
    /// let gamma = Tensor::from_slice(&[4], &[1.0, 2.0, 1.0, 1.0])?;
    /// let y = eager.group_norm(&x, 2, Parameters::scale(&gamma), 0.0)?;
    /// assert_eq!(y.data(), [-1.0, 2.0, -1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Groups that do not divide the channels, parameters of another shape, or ε below 0.
    pub fn group_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        groups: usize,
        parameters: Parameters<'_, T>,
        epsilon: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = NormOp::Group {
            groups,
            epsilon,
            affine: parameters.affine(),
        };
        self.norm(op, x, parameters)
    }

    /// Instance normalisation (Ulyanov et al. 2016): [`Eager::group_norm`] with a group a channel.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 2], &[1.0f32, 3.0, 10.0, 30.0])?;
    /// let y = eager.instance_norm(&x, Parameters::none(), 0.0)?;
    /// assert_eq!(y.data(), [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels, parameters of another shape, or ε below 0.
    pub fn instance_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        parameters: Parameters<'_, T>,
        epsilon: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        // Without channels, inference says what is wrong with x.
        let groups = x.dims().get(1).copied().unwrap_or(1);
        self.group_norm(x, groups, parameters, epsilon)
    }

    /// Layer normalisation (Ba et al. 2016): μ and σ² over the axes from `axis` on, γ and β of their shape. An axis
    /// below 0 is counted from the innermost, so −1 is the last one alone.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 2], &[1.0f64, 3.0, 10.0, 30.0])?;
    /// let (gamma, beta) = (Tensor::from_slice(&[2], &[1.0, 2.0])?, Tensor::from_slice(&[2], &[0.0, 5.0])?);
    /// let y = eager.layer_norm(&x, -1, Parameters::new(&gamma, &beta), 0.0)?;
    /// assert_eq!(y.data(), [-1.0, 7.0, -1.0, 7.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No such axis, parameters of another shape, or ε below 0.
    pub fn layer_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        axis: i64,
        parameters: Parameters<'_, T>,
        epsilon: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = NormOp::Layer {
            axis: axis_of(x, axis)?,
            epsilon,
            affine: parameters.affine(),
        };
        self.norm(op, x, parameters)
    }

    /// Layer normalisation over the channels of each position, as ConvNeXt has it (Liu et al. 2022):
    /// `x [n, c, …]`, γ and β `[c]`.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// // Two channels of two positions: the positions hold (1, 3) and (30, 10).
    /// let x = Tensor::from_slice(&[1, 2, 2], &[1.0f32, 30.0, 3.0, 10.0])?;
    /// let y = eager.channel_norm(&x, Parameters::none(), 0.0)?;
    /// assert_eq!(y.data(), [-1.0, 1.0, 1.0, -1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels, parameters of another shape, or ε below 0.
    pub fn channel_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        parameters: Parameters<'_, T>,
        epsilon: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = NormOp::Channel {
            epsilon,
            affine: parameters.affine(),
        };
        self.norm(op, x, parameters)
    }

    /// Local response normalisation across channels (Krizhevsky et al. 2012): `y = x/(k + α/n · Σ x²)^β` over a window of
    /// `n` channels. `x [n, c, …]`.
    ///
    /// ```
    /// use graph::LocalResponse;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 3], &[1.0f64, 2.0, 3.0])?;
    /// let settings = LocalResponse { alpha: 3.0, beta: 1.0, ..LocalResponse::new(3) };
    /// let y = eager.local_response_norm(&x, settings)?;
    /// // 1/(1 + 1 + 4), 2/(1 + 1 + 4 + 9), 3/(1 + 4 + 9)
    /// for (y, want) in y.data().iter().zip([1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0]) {
    ///     assert!((y - want).abs() < 1e-15);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels, or a setting that is no finite number.
    pub fn local_response_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        settings: LocalResponse,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.first(Op::Norm(NormOp::LocalResponse(settings)), &[x.into()])
    }

    fn norm<T: Element>(
        &self,
        op: NormOp,
        x: &Tensor<T>,
        parameters: Parameters<'_, T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        let mut inputs: Vec<Given<'_, T>> = vec![x.into()];
        inputs.extend(parameters.gamma.map(Given::from));
        inputs.extend(parameters.beta.map(Given::from));
        self.first(Op::Norm(op), &inputs)
    }
}
