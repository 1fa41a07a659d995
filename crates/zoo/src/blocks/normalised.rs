//! A convolution with a batch normalisation behind or before it, which most blocks are made of.

use geometry::ConvDesc;
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::channels;

/// A convolution without a bias, its normalisation and, where there is one, the activation:
///
/// ```text
///  x ─▶ conv ─▶ norm ─▶ [activation] ─▶ y
/// ```
///
/// # Errors
/// A descriptor that does not fit `x`, or names in use.
pub fn conv_norm(
    network: &mut NetworkBuilder,
    x: ValueId,
    [conv, norm]: [&str; 2],
    desc: ConvDesc,
    activation: Option<Activation>,
) -> Result<ValueId, GraphError> {
    let y = network.conv(conv, x, desc, false)?;
    let y = network.batch_norm(norm, y)?;
    match activation {
        Some(activation) => network.activation(y, activation),
        None => Ok(y),
    }
}

/// The other order, in which what is normalised is what comes in (He et al. 2016):
///
/// ```text
///  x ─▶ norm ─▶ relu ─▶ conv ─▶ y
/// ```
///
/// # Errors
/// As [`conv_norm`].
pub fn norm_relu_conv(
    network: &mut NetworkBuilder,
    x: ValueId,
    [norm, conv]: [&str; 2],
    desc: ConvDesc,
) -> Result<ValueId, GraphError> {
    let y = network.batch_norm(norm, x)?;
    let y = network.relu(y)?;
    network.conv(conv, y, desc, false)
}

/// A filter for each channel of `x`: 3×3, padded by one.
pub(crate) fn depthwise(
    network: &NetworkBuilder,
    x: ValueId,
    stride: usize,
) -> Result<ConvDesc, GraphError> {
    // Without channels, the convolution says what is wrong with x.
    let channels = channels(network, x)?;
    let desc = ConvDesc::new(channels, 3).padding(1).stride(stride);
    Ok(desc.groups(channels))
}
