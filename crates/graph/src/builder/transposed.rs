//! Transposed convolutions of a network.

use geometry::TransposedDesc;

use super::NetworkBuilder;
use crate::{GraphError, Op, OpError, TransposedOp, ValueId};

impl NetworkBuilder {
    /// Transposed convolution: `[n, c, spatial…] → [n, o, spatial'…]`, weight `[c, o/g, kernel…]`, bias
    /// `[o]`. The weight starts as that of a [convolution](Self::conv) does; its fan is counted along
    /// the second axis, as PyTorch counts it.
    ///
    /// ```
    /// use geometry::{ConvDesc, TransposedDesc};
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("upsampling", [1, 64, 7, 7]);
    /// let x = network.input();
    /// let desc = TransposedDesc::new(ConvDesc::new(32, 4).stride(2).padding(1));
    /// let y = network.conv_transposed("up1", x, desc, true)?;
    /// assert_eq!(network.shape(y)?, [1, 32, 14, 14]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A descriptor that does not fit `x`, or a name in use.
    pub fn conv_transposed(
        &mut self,
        name: &str,
        x: ValueId,
        desc: TransposedDesc,
        bias: bool,
    ) -> Result<ValueId, GraphError> {
        let layer = self.named(name)?;
        let input = self.shape(x)?;
        let geometry = desc.resolve(input);
        let geometry = geometry.map_err(OpError::on("transposed conv", input));
        let geometry = geometry.map_err(|error| error.in_layer(&layer))?;
        let weight = geometry.weight_shape();
        let fan_in = weight[1..].iter().product();
        let bias_len = bias.then_some(geometry.in_channels);
        let parameters = self.parameters_of(&layer, self.conv_init, weight, fan_in, bias_len)?;
        let op = Op::Transposed(TransposedOp::Conv {
            desc,
            bias,
            residual: false,
            activation: None,
        });
        self.push(op, layer, [&[x], &parameters[..]].concat())
    }
}
