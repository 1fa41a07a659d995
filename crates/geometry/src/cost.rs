//! What a convolution costs, in parameters and multiply-accumulates.

use crate::error::checked_product;
use crate::{ConvGeometry, GeometryError};

impl ConvGeometry {
    /// Weights, without the bias: `o · c/g · k…`.
    pub fn weight_count(&self) -> usize {
        self.out_channels * self.in_channels_per_group() * self.kernel_area()
    }

    /// Multiply-accumulates of one direction: every output element sums `c/g · k…` products.
    /// Products with padding are counted, as every published table does. FLOPs are twice this.
    pub fn macs(&self) -> usize {
        self.batch * self.output_area() * self.weight_count()
    }

    /// [`ConvGeometry::macs`] with every factor checked, so that later sums cannot wrap.
    pub(crate) fn checked_macs(&self) -> Result<usize, GeometryError> {
        let mut factors = self.output_shape();
        factors.extend(self.weight_shape().into_iter().skip(1));
        checked_product("the number of multiply-accumulates", &factors)
    }
}
