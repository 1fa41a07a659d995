//! The step of DCGAN's generator (Radford et al. 2015, arXiv:1511.06434).

use geometry::{ConvDesc, TransposedDesc};
use graph::{BatchNormOptions, GraphError, NetworkBuilder, ValueId};

/// A step up by a transposed 4×4 convolution, named `[conv, norm]`: with stride 2 and padding 1
/// `[n, c, h, w] → [n, channels, 2h, 2w]`, with stride 1 and no padding `[n, c, 1, 1] → [n, channels, 4, 4]`:
///
/// ```text
///  x ─▶ transposed 4×4 /stride ─▶ bn ─▶ relu ─▶ y
/// ```
///
/// # Errors
/// An input without two spatial axes, a stride of zero, or names in use.
pub fn generator_step(
    network: &mut NetworkBuilder,
    x: ValueId,
    [conv, norm]: [&str; 2],
    channels: usize,
    stride: usize,
    padding: usize,
) -> Result<ValueId, GraphError> {
    let desc = ConvDesc::new(channels, 4).stride(stride).padding(padding);
    let y = network.conv_transposed(conv, x, TransposedDesc::new(desc), false)?;
    let options = BatchNormOptions {
        gamma_deviation: 0.02,
        ..BatchNormOptions::default()
    };
    let y = network.batch_norm_with(norm, y, options)?;
    network.relu(y)
}
