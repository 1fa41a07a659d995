//! Convolutions of tensors.

use geometry::{ConvDesc, SeparableDesc, TransposedDesc};
use graph::{Op, TransposedOp};
use tensor::Tensor;

use super::{Eager, Element, Given};
use crate::RuntimeError;

impl Eager {
    /// Convolution: `x [n, c, spatial…]`, `weight [o, c/g, kernel…]` and `bias [o]` give
    /// `[n, o, spatial'…]`, of one to three axes.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 4], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let w = Tensor::from_slice(&[1, 1, 3], &[1.0f32, 10.0, 100.0])?;
    /// let y = eager.conv(&x, &w, None, &ConvDesc::new(1, 3).padding(1))?;
    /// assert_eq!(y.data(), [210.0, 321.0, 432.0, 43.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Tensors that do not fit the descriptor, or a descriptor without meaning, with the numbers.
    pub fn conv<T: Element>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        desc: &ConvDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Conv {
            desc: desc.clone(),
            bias: bias.is_some(),
            residual: false,
            activation: None,
        };
        self.layer(op, x, weight, bias)
    }

    /// Transposed (fractionally strided) convolution: `x [n, c, spatial…]`, `weight [c, o/g, kernel…]`
    /// and `bias [o]` give `[n, o, spatial'…]`, as PyTorch's `conv_transpose` does (Dumoulin and
    /// Visin, *A guide to convolution arithmetic for deep learning*, 2016, section 4).
    ///
    /// ```
    /// use geometry::{ConvDesc, SeparableDesc, TransposedDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 2], &[1.0f32, 2.0])?;
    /// let w = Tensor::from_slice(&[1, 1, 3], &[1.0f32, 10.0, 100.0])?;
    /// let bias = Tensor::from_slice(&[1], &[0.5f32])?;
    /// let desc = TransposedDesc::new(ConvDesc::new(1, 3).stride(2)).output_padding(1);
    /// let y = eager.conv_transposed(&x, &w, Some(&bias), &desc)?;
    /// assert_eq!(y.data(), [1.5, 10.5, 102.5, 20.5, 200.5, 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::conv`].
    pub fn conv_transposed<T: Element>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        desc: &TransposedDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Transposed(TransposedOp::Conv {
            desc: desc.clone(),
            bias: bias.is_some(),
            residual: false,
            activation: None,
        });
        self.layer(op, x, weight, bias)
    }

    /// Depthwise-separable convolution (Howard et al. 2017): `x [n, c, spatial…]`, the `depthwise` weight
    /// `[c·m, 1, kernel…]`, in which filter `q` of channel `c` stands at `c·m + q`, the `pointwise` weight
    /// `[o, c·m, 1…]`, given exactly when `desc` has output channels, and `bias [o]` give
    /// `[n, o, spatial'…]`. Without a pointwise stage there are `c·m` outputs.
    ///
    /// ```
    /// use geometry::{ConvDesc, SeparableDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let depthwise = Tensor::from_slice(&[2, 1, 2], &[10.0, 1.0, 0.0, 1.0])?;
    /// let pointwise = Tensor::from_slice(&[1, 2, 1], &[1.0, 100.0])?;
    /// let desc = SeparableDesc::new(ConvDesc::new(1, 2));
    /// let y = eager.conv_separable(&x, &depthwise, Some(&pointwise), None, &desc)?;
    /// assert_eq!(y.data(), [412.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::conv`], and a pointwise weight without a stage for it or the other way round.
    pub fn conv_separable<T: Element>(
        &self,
        x: &Tensor<T>,
        depthwise: &Tensor<T>,
        pointwise: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        desc: &SeparableDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let refused = |source| RuntimeError::Geometry {
            layer: "separable conv".to_owned(),
            source,
        };
        let geometry = desc.resolve(x.dims()).map_err(refused)?;
        let stages = desc.stages(geometry.depthwise.in_channels);
        let (filters, mixture) = stages.map_err(refused)?;
        match (mixture, pointwise) {
            (Some(mixture), Some(weight)) => {
                let z = self.conv(x, depthwise, None, &filters)?;
                self.conv(&z, weight, bias, &mixture)
            }
            (None, None) => self.conv(x, depthwise, bias, &filters),
            (mixture, _) => Err(RuntimeError::Given {
                what: format!(
                    "a separable convolution to {} output channels {} pointwise weight",
                    desc.conv.out_channels,
                    if mixture.is_some() {
                        "needs a"
                    } else {
                        "has no"
                    },
                ),
            }),
        }
    }

    /// An operator of a map, a weight and perhaps a bias.
    fn layer<T: Element>(
        &self,
        op: Op,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
    ) -> Result<Tensor<T>, RuntimeError> {
        let mut inputs = vec![x.into(), weight.into()];
        inputs.extend(bias.map(Given::from));
        Ok(self.apply(op, &inputs)?.remove(0).real())
    }
}
