//! Pooling, on tensors.

use geometry::{AdaptiveDesc, Axes, NormOrder, PoolDesc, PoolKind, UnpoolDesc};
use graph::{Op, PoolingOp};
use kernels::pool::unpool::check_places;
use tensor::Tensor;

use super::{Eager, Element, Made};
use crate::RuntimeError;

impl Eager {
    /// Pooling over windows, of whatever kind `desc` says: `[n, c, spatial…]` with one to three axes
    /// of space, to `[n, c, placements…]`.
    ///
    /// # Errors
    /// A window that does not fit the padded input, a setting of 0, another number of axes.
    pub fn pool<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PoolDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let indices = false;
        Ok(first(self.apply(Op::Pool { desc, indices }, &[x.into()])?))
    }

    /// The maximum of each window. Padding never wins; a NaN does. The kind of `desc` is set
    /// accordingly.
    ///
    /// ```
    /// use geometry::PoolDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 5], &[1.0f32, 5.0, 2.0, 8.0, 3.0])?;
    /// let y = eager.max_pool(&x, PoolDesc::max(2).stride(2).ceil(true))?;
    /// assert_eq!(y.data(), [5.0, 8.0, 3.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::pool`].
    pub fn max_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PoolDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let kind = PoolKind::Max;
        self.pool(x, PoolDesc { kind, ..desc })
    }

    /// [`Eager::max_pool`], and where each maximum stands: `(d·H + h)·W + w` in the plane of its
    /// channel, `u32::MAX` for a window that sees padding alone.
    ///
    /// # Errors
    /// As [`Eager::pool`].
    pub fn max_pool_with_indices<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PoolDesc,
    ) -> Result<(Tensor<T>, Tensor<u32>), RuntimeError> {
        let op = Op::Pool {
            desc: PoolDesc {
                kind: PoolKind::Max,
                ..desc
            },
            indices: true,
        };
        Ok(both(self.apply(op, &[x.into()])?))
    }

    /// The mean of each window; a `desc` of another kind becomes one that counts padding.
    ///
    /// ```
    /// use geometry::PoolDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 3], &[3.0f64, 6.0, 9.0])?;
    /// let y = eager.average_pool(&x, PoolDesc::average(3).padding(1))?;
    /// assert_eq!(y.data(), [3.0, 6.0, 5.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::pool`].
    pub fn average_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PoolDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let kind = match desc.kind {
            average @ PoolKind::Average { .. } => average,
            _ => PoolKind::Average {
                count_padding: true,
            },
        };
        self.pool(x, PoolDesc { kind, ..desc })
    }

    /// The norm `(Σ|x|ᵖ)^(1/p)` of each window, as ONNX's `LpPool`; padding counts as zeros.
    /// (PyTorch's `lp_pool` raises the signed element, which differs for odd p on elements below 0.)
    /// The kind of `desc` is set accordingly.
    ///
    /// ```
    /// use geometry::{NormOrder, PoolDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 4], &[3.0f32, -4.0, 5.0, 12.0])?;
    /// let y = eager.lp_pool(&x, NormOrder::TWO, PoolDesc::max(2).stride(2))?;
    /// assert_eq!(y.data(), [5.0, 13.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::pool`].
    pub fn lp_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        order: NormOrder,
        desc: PoolDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let kind = PoolKind::Lp { order };
        self.pool(x, PoolDesc { kind, ..desc })
    }

    /// Pooling to a given number of bins, of whatever kind `desc` says. Bin `i` of `o` over an axis
    /// of `n` elements covers `⌊i·n/o⌋ .. ⌈(i+1)·n/o⌉`.
    ///
    /// # Errors
    /// No bins, an empty axis of space, or another number of axes.
    pub fn adaptive_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: AdaptiveDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        let op = PoolingOp::Adaptive {
            desc,
            indices: false,
        };
        Ok(first(self.apply(Op::Pooling(op), &[x.into()])?))
    }

    /// The mean of each of `output` bins an axis (PyTorch's `adaptive_avg_pool`).
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 5], &[1.0f32, 2.0, 3.0, 4.0, 5.0])?;
    /// let y = eager.adaptive_average_pool(&x, 3)?;
    /// assert_eq!(y.data(), [1.5, 3.0, 4.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::adaptive_pool`].
    pub fn adaptive_average_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        output: impl Into<Axes>,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.adaptive_pool(x, AdaptiveDesc::average(output))
    }

    /// The maximum of each of `output` bins an axis (PyTorch's `adaptive_max_pool`).
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 5], &[1.0f32, 7.0, 3.0, 4.0, 5.0])?;
    /// assert_eq!(eager.adaptive_max_pool(&x, 3)?.data(), [7.0, 7.0, 5.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::adaptive_pool`].
    pub fn adaptive_max_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        output: impl Into<Axes>,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.adaptive_pool(x, AdaptiveDesc::max(output))
    }

    /// [`Eager::adaptive_max_pool`], and where each maximum stands in the plane of its channel.
    ///
    /// # Errors
    /// As [`Eager::adaptive_pool`].
    pub fn adaptive_max_pool_with_indices<T: Element>(
        &self,
        x: &Tensor<T>,
        output: impl Into<Axes>,
    ) -> Result<(Tensor<T>, Tensor<u32>), RuntimeError> {
        let op = PoolingOp::Adaptive {
            desc: AdaptiveDesc::max(output),
            indices: true,
        };
        Ok(both(self.apply(Op::Pooling(op), &[x.into()])?))
    }

    /// The mean of each plane: `[n, c, spatial…] → [n, c, 1…]`.
    ///
    /// ```
    /// use geometry::NormOrder;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 2, 1, 2], &[3.0f32, -4.0, 5.0, 12.0])?;
    /// assert_eq!(eager.global_average_pool(&x)?.data(), [-0.5, 8.5]);
    /// assert_eq!(eager.global_max_pool(&x)?.data(), [3.0, 12.0]);
    /// assert_eq!(eager.global_lp_pool(&x, NormOrder::TWO)?.data(), [5.0, 13.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A tensor of fewer than two axes.
    pub fn global_average_pool<T: Element>(
        &self,
        x: &Tensor<T>,
    ) -> Result<Tensor<T>, RuntimeError> {
        Ok(first(self.apply(Op::GlobalAveragePool, &[x.into()])?))
    }

    /// The maximum of each plane: `[n, c, spatial…] → [n, c, 1…]`.
    ///
    /// # Errors
    /// As [`Eager::adaptive_pool`].
    pub fn global_max_pool<T: Element>(&self, x: &Tensor<T>) -> Result<Tensor<T>, RuntimeError> {
        self.adaptive_max_pool(x, 1)
    }

    /// The norm `(Σ|x|ᵖ)^(1/p)` of each plane: `[n, c, spatial…] → [n, c, 1…]`.
    ///
    /// # Errors
    /// As [`Eager::adaptive_pool`].
    pub fn global_lp_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        order: NormOrder,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.adaptive_pool(x, AdaptiveDesc::lp(order, 1))
    }

    /// Puts every element of `x` back to the place its maximum was taken from, and 0 elsewhere
    /// (PyTorch's `max_unpool`). `indices` are those of [`Eager::max_pool_with_indices`]; of several
    /// elements for one place the last one in the order of the plane stays.
    ///
    /// ```
    /// use geometry::{PoolDesc, UnpoolDesc};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 5], &[1.0f32, 5.0, 8.0, 2.0, 9.0])?;
    /// let (y, places) = eager.max_pool_with_indices(&x, PoolDesc::max(2).stride(2))?;
    /// let back = eager.max_unpool(&y, &places, UnpoolDesc::new(2).output(5))?;
    /// assert_eq!(back.data(), [0.0, 5.0, 8.0, 0.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Indices of another shape than `x`, one that lies outside the plane, or a size that no pooling
    /// of these windows can have come from.
    pub fn max_unpool<T: Element>(
        &self,
        x: &Tensor<T>,
        indices: &Tensor<u32>,
        desc: UnpoolDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        // What does not resolve is refused below, with the operator's name.
        if let Ok(geometry) = desc.resolve(x.dims()) {
            let plane = geometry.output.iter().product();
            check_places(indices.data(), plane).map_err(|error| RuntimeError::Given {
                what: format!("max unpool: {error}"),
            })?;
        }
        let op = Op::Pooling(PoolingOp::MaxUnpool { desc });
        let given = [x.into(), super::Given::Index(indices)];
        Ok(first(self.apply(op, &given)?))
    }
}

/// What an operator of one output made.
fn first<T>(mut made: Vec<Made<T>>) -> Tensor<T> {
    made.swap_remove(0).real()
}

/// Values and their places.
fn both<T>(mut made: Vec<Made<T>>) -> (Tensor<T>, Tensor<u32>) {
    let places = made.swap_remove(1).index();
    (made.swap_remove(0).real(), places)
}
