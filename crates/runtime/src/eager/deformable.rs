//! Deformable convolution on tensors.

use geometry::DeformableDesc;
use graph::{DeformableOp, Op};
use tensor::Tensor;

use super::{Eager, Element, Given};
use crate::RuntimeError;

impl Eager {
    /// Deformable convolution (Dai et al. 2017) and, with a mask, its modulated version (Zhu et al.
    /// 2018), as torchvision's `deform_conv2d`.
    ///
    /// | tensor | shape |
    /// |---|---|
    /// | `x` | `[n, c, h, w]` |
    /// | `offset` | `[n, f·kh·kw·2, oh, ow]`: for each of `f` offset groups and each tap, row by row, how many pixels its sample moves down and how many across |
    /// | `mask` | `[n, f·kh·kw, oh, ow]`, used as it is; given exactly when `desc` is modulated |
    /// | `weight`, `bias` | `[o, c/g, kh, kw]`, `[o]` |
    /// | result | `[n, o, oh, ow]` |
    ///
    /// Samples between pixels are interpolated, those off the map are 0. Gradients of all tensors come
    /// from [`Eager::pullback`] of [`DeformableOp::Conv`].
    ///
    /// ```
    /// use geometry::{ConvDesc, DeformableDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 1, 2], &[1.0f32, 2.0])?;
    /// // The first sample moves half a pixel across, the second a quarter of one up.
    /// let offset = Tensor::from_slice(&[1, 2, 1, 2], &[0.0, -0.25, 0.5, 0.0])?;
    /// let weight = Tensor::from_slice(&[1, 1, 1, 1], &[10.0])?;
    /// let desc = DeformableDesc::new(ConvDesc::new(1, 1));
    /// let y = eager.deform_conv2d(&x, &offset, None, &weight, None, &desc)?;
    /// assert_eq!(y.data(), [15.0, 15.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A descriptor without meaning on `x`, or tensors that do not fit it, with the numbers.
    pub fn deform_conv2d<T: Element>(
        &self,
        x: &Tensor<T>,
        offset: &Tensor<T>,
        mask: Option<&Tensor<T>>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        desc: &DeformableDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = Op::Deformable(DeformableOp::Conv {
            desc: desc.clone(),
            bias: bias.is_some(),
        });
        let given = [Some(x), Some(offset), mask, Some(weight), bias];
        let given: Vec<_> = given.into_iter().flatten().map(Given::Real).collect();
        Ok(self.apply(op, &given)?.remove(0).real())
    }
}
