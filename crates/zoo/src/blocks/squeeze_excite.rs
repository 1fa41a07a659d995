//! Squeeze-and-excitation (Hu et al. 2017, arXiv:1709.01507), named as torchvision and timm name it.

use geometry::ConvDesc;
use graph::{BinaryOp, GraphError, NetworkBuilder, ValueId};

/// A factor between 0 and 1 for every channel, from the means of all, `[n, c, h, w]` unchanged:
///
/// ```text
///      ┌─▶ mean ─▶ fc1: 1×1, squeezed ─▶ relu ─▶ fc2: 1×1, c ─▶ sigmoid ─┐
///  x ──┤                                                                (·)─▶ y
///      └─────────────────────────────────────────────────────────────────┘
/// ```
/// The paper squeezes to a sixteenth of the channels. The block goes after any other; in a residual one, before the
/// sum.
///
/// ```
/// use graph::NetworkBuilder;
/// use zoo::blocks::squeeze_excite;
///
/// let mut network = NetworkBuilder::new("gated", [2, 64, 14, 14]);
/// let x = network.input();
/// let y = network.scope("se", |network| squeeze_excite(network, x, 4))?;
/// let network = network.finish(y)?;
/// assert_eq!(network.value(y).shape, [2, 64, 14, 14]);
/// let names: Vec<_> = network.parameters().map(|(_, p)| p.name.as_str()).collect();
/// assert_eq!(names, ["se.fc1.weight", "se.fc1.bias", "se.fc2.weight", "se.fc2.bias"]);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn squeeze_excite(
    network: &mut NetworkBuilder,
    x: ValueId,
    squeezed: usize,
) -> Result<ValueId, GraphError> {
    let channels = network.shape(x)?.get(1).copied().unwrap_or(0);
    let means = network.global_average_pool(x)?;
    let y = network.conv("fc1", means, ConvDesc::new(squeezed, 1), true)?;
    let y = network.relu(y)?;
    let y = network.conv("fc2", y, ConvDesc::new(channels, 1), true)?;
    let factors = network.sigmoid(y)?;
    network.binary(BinaryOp::Mul, x, factors)
}
