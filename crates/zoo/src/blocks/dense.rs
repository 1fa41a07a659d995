//! Densely connected blocks (Huang et al. 2016, arXiv:1608.06993), named as torchvision names them.

use geometry::{ConvDesc, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId};

use super::normalised::norm_relu_conv;

/// A layer of a dense block, `[n, c, h, w] → [n, growth, h, w]`:
///
/// ```text
///  x ─▶ norm1 ─▶ relu ─▶ conv1 3×3 ─▶ y
/// ```
///
/// # Errors
/// An input without two spatial axes, a growth of zero, or names in use.
pub fn dense_layer(
    network: &mut NetworkBuilder,
    x: ValueId,
    growth: usize,
) -> Result<ValueId, GraphError> {
    let spatial = ConvDesc::new(growth, 3).padding(1);
    norm_relu_conv(network, x, ["norm1", "conv1"], spatial)
}

/// The same with a bottleneck of `factor·growth` channels in front ("DenseNet-B"; 4 in the paper):
///
/// ```text
///  x ─▶ norm1 ─▶ relu ─▶ conv1 1×1 ─▶ norm2 ─▶ relu ─▶ conv2 3×3 ─▶ y
/// ```
///
/// # Errors
/// As [`dense_layer`].
pub fn bottleneck_dense_layer(
    network: &mut NetworkBuilder,
    x: ValueId,
    growth: usize,
    factor: usize,
) -> Result<ValueId, GraphError> {
    let narrow = ConvDesc::new(growth.saturating_mul(factor), 1);
    let y = norm_relu_conv(network, x, ["norm1", "conv1"], narrow)?;
    let spatial = ConvDesc::new(growth, 3).padding(1);
    norm_relu_conv(network, y, ["norm2", "conv2"], spatial)
}

/// So many layers, each of which reads all maps before it, `[n, c, h, w] → [n, c + layers·growth, h, w]`:
///
/// ```text
///  x ──┬──────────────────▶ concat ──┬──────────────────▶ concat ── … ─▶ y
///      └─▶ denselayer1 ────────┘     └─▶ denselayer2 ────────┘
/// ```
///
/// Layers have a bottleneck where its factor is given.
///
/// # Errors
/// As [`dense_layer`].
pub fn dense_block(
    network: &mut NetworkBuilder,
    x: ValueId,
    layers: usize,
    growth: usize,
    bottleneck: Option<usize>,
) -> Result<ValueId, GraphError> {
    let mut x = x;
    for layer in 1..=layers {
        let y = network.scope(&format!("denselayer{layer}"), |network| match bottleneck {
            Some(factor) => bottleneck_dense_layer(network, x, growth, factor),
            None => dense_layer(network, x, growth),
        })?;
        x = network.concat(&[x, y])?;
    }
    Ok(x)
}

/// Between dense blocks: fewer channels on half the size, `[n, c, h, w] → [n, channels, ⌊h/2⌋, ⌊w/2⌋]`:
///
/// ```text
///  x ─▶ norm ─▶ relu ─▶ conv 1×1 ─▶ mean of 2×2 /2 ─▶ y
/// ```
///
/// # Errors
/// As [`dense_layer`].
pub fn transition(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let y = norm_relu_conv(network, x, ["norm", "conv"], ConvDesc::new(channels, 1))?;
    network.average_pool("pool", y, PoolDesc::average(2).stride(2))
}
