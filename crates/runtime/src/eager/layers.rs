//! Layers of a network that are no window operation: fully connected, batch norm, dropout, flatten.

use graph::Op;
use tensor::Tensor;

use super::{Eager, Element, Given, Made, Parameters};
use crate::RuntimeError;

/// A batch normalised by its own statistics; all but `y` are `[c]`.
#[derive(Clone, Debug)]
pub struct NormalisedBatch<T> {
    /// The normalised map.
    pub y: Tensor<T>,
    /// Mean of the batch.
    pub mean: Tensor<T>,
    /// `1/√(σ² + ε)` with the biased variance of the batch.
    pub inv_std: Tensor<T>,
    /// The running mean, moved on.
    pub running_mean: Tensor<T>,
    /// The running variance, moved on by the unbiased variance of the batch.
    pub running_var: Tensor<T>,
}

impl Eager {
    /// Fully connected: `x [n, f]`, `weight [o, f]` and `bias [o]` give `x·weightᵀ + bias`, `[n, o]`.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2], &[2.0f32, 3.0])?;
    /// let weight = Tensor::from_slice(&[3, 2], &[1.0, 10.0, 0.0, 1.0, 1.0, 0.0])?;
    /// let bias = Tensor::from_slice(&[3], &[0.5, 0.0, 0.0])?;
    /// let y = eager.linear(&x, &weight, Some(&bias))?;
    /// assert_eq!(y.data(), [32.5, 3.0, 2.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Operands that are no matrices, or of sizes that do not go together.
    pub fn linear<T: Element>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
    ) -> Result<Tensor<T>, RuntimeError> {
        let mut inputs = vec![x.into(), weight.into()];
        inputs.extend(bias.map(Given::from));
        let bias = bias.is_some();
        self.first(Op::Linear { bias }, &inputs)
    }

    /// Batch normalisation with given statistics (Ioffe & Szegedy 2015), as a trained network has it:
    /// `y = γ·(x − mean)/√(var + ε) + β`. `x [n, c, …]`, all others `[c]`.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 1, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let (mean, var) = (Tensor::from_slice(&[1], &[2.0])?, Tensor::from_slice(&[1], &[4.0])?);
    /// let y = eager.batch_norm(&x, &mean, &var, Parameters::none(), 0.0)?;
    /// assert_eq!(y.data(), [-0.5, 0.0, 0.5, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels, vectors of another length, or ε below 0.
    pub fn batch_norm<T: Element>(
        &self,
        x: &Tensor<T>,
        mean: &Tensor<T>,
        var: &Tensor<T>,
        parameters: Parameters<'_, T>,
        epsilon: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::BatchNormInference {
            epsilon,
            residual: false,
            activation: None,
        };
        let [gamma, beta] = parameters.of_channels_of(x)?;
        let inputs = [x, &gamma, &beta, mean, var].map(Given::from);
        self.first(op, &inputs)
    }

    /// Batch normalisation with the statistics of the batch, as in training. The running statistics
    /// become `(1 − momentum)·old + momentum·batch`, PyTorch's sense of momentum.
    ///
    /// ```
    /// use runtime::eager::Parameters;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 1, 2], &[1.0f32, 1.0, 3.0, 3.0])?;
    /// let (mean, var) = (Tensor::from_slice(&[1], &[0.0])?, Tensor::from_slice(&[1], &[1.0])?);
    /// let made = eager.batch_norm_training(&x, &mean, &var, Parameters::none(), 0.0, 0.5)?;
    /// assert_eq!(made.y.data(), [-1.0, -1.0, 1.0, 1.0]);
    /// assert_eq!((made.mean.data(), made.running_mean.data()), (&[2.0][..], &[1.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::batch_norm`], a single value a channel, or a momentum outside 0 … 1.
    pub fn batch_norm_training<T: Element>(
        &self,
        x: &Tensor<T>,
        running_mean: &Tensor<T>,
        running_var: &Tensor<T>,
        parameters: Parameters<'_, T>,
        epsilon: f32,
        momentum: f32,
    ) -> Result<NormalisedBatch<T>, RuntimeError> {
        let op = Op::BatchNormTraining {
            epsilon,
            momentum,
            residual: false,
            activation: None,
        };
        let [gamma, beta] = parameters.of_channels_of(x)?;
        let inputs = [x, &gamma, &beta, running_mean, running_var].map(Given::from);
        let made = self.apply(op, &inputs)?;
        let Ok(made) = <[_; 5]>::try_from(made) else {
            unreachable!("inference says what it makes")
        };
        let [y, mean, inv_std, running_mean, running_var] = made.map(Made::real);
        Ok(NormalisedBatch {
            y,
            mean,
            inv_std,
            running_mean,
            running_var,
        })
    }

    /// Dropout (Srivastava et al. 2014, inverted): zero with probability `rate`, else `x/(1 − rate)`. The
    /// mask is a function of the [seed and step](Eager::seeded), so that the same call drops the same
    /// elements.
    ///
    /// ```
    /// use runtime::{Eager, Run, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?.seeded(Run { seed: 7, step: 1 });
    /// let x = Tensor::from_slice(&[1, 1000], &[1.0f32; 1000])?;
    /// let y = eager.dropout(&x, 0.5)?;
    /// assert!(y.data().iter().all(|y| [0.0, 2.0].contains(y)));
    /// assert_eq!(eager.dropout(&x, 0.5)?.data(), y.data());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A rate outside `0 ≤ rate < 1`.
    pub fn dropout<T: Element>(&self, x: &Tensor<T>, rate: f32) -> Result<Tensor<T>, RuntimeError> {
        self.first(Op::Dropout { rate, stream: 0 }, &[x.into()])
    }

    /// `[n, c, …] → [n, c·…]`, channels outermost.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::<f32>::zeros(&[2, 3, 4, 5])?;
    /// assert_eq!(eager.flatten(&x)?.dims(), [2, 60]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `x` without channels.
    pub fn flatten<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.first(Op::Flatten, &[x.into()])
    }
}
