//! The unit that Inception networks are made of, and chains of it.

use geometry::{ConvDesc, Padding};
use graph::{BatchNormOptions, GraphError, NetworkBuilder, ValueId};

/// Added to the variance by every norm of the Inception networks since v3, and of GoogLeNet as torchvision
/// has it.
const EPSILON: f32 = 1e-3;

/// A convolution without bias, batch normalisation with ε = 10⁻³ and ReLU, named `NAME.conv` and `NAME.bn`:
///
/// ```text
///  x ─▶ conv ─▶ bn ─▶ relu ─▶ y
/// ```
///
/// # Errors
/// A convolution that does not fit `x`, or names in use.
pub fn conv_norm_relu(
    network: &mut NetworkBuilder,
    name: &str,
    x: ValueId,
    desc: ConvDesc,
) -> Result<ValueId, GraphError> {
    network.scope(name, |network| {
        let y = network.conv("conv", x, desc, false)?;
        let options = BatchNormOptions {
            epsilon: EPSILON,
            ..BatchNormOptions::default()
        };
        let y = network.batch_norm_with("bn", y, options)?;
        network.relu(y)
    })
}

/// [`conv_norm_relu`] several times, each on what the one before it made.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::NetworkBuilder;
/// use zoo::blocks::chain;
///
/// // A 5×5 convolution as two of 3×3, after a reduction to 16 channels.
/// let mut network = NetworkBuilder::new("branch", [1, 192, 28, 28]);
/// let x = network.input();
/// let spatial = ConvDesc::new(32, 3).padding(1);
/// let y = chain(&mut network, x, [
///     ("reduce", ConvDesc::new(16, 1)),
///     ("first", spatial.clone()),
///     ("second", spatial),
/// ])?;
/// assert_eq!(network.shape(y)?, [1, 32, 28, 28]);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// As [`conv_norm_relu`].
pub fn chain<'a>(
    network: &mut NetworkBuilder,
    x: ValueId,
    units: impl IntoIterator<Item = (&'a str, ConvDesc)>,
) -> Result<ValueId, GraphError> {
    let mut units = units.into_iter();
    units.try_fold(x, |x, (name, desc)| conv_norm_relu(network, name, x, desc))
}

/// 1×1.
pub(super) fn pointwise(channels: usize) -> ConvDesc {
    ConvDesc::new(channels, 1)
}

/// k×k for odd k, padded so that the map keeps its size.
pub(super) fn square(channels: usize, k: usize) -> ConvDesc {
    ConvDesc::new(channels, k).padding(k / 2)
}

/// 1×k, padded likewise.
pub(super) fn row(channels: usize, k: usize) -> ConvDesc {
    ConvDesc::new(channels, [1, k]).padding(Padding::per_axis(&[0, k / 2]))
}

/// k×1, padded likewise.
pub(super) fn column(channels: usize, k: usize) -> ConvDesc {
    ConvDesc::new(channels, [k, 1]).padding(Padding::per_axis(&[k / 2, 0]))
}

/// 3×3 with a stride of 2 and no padding: what makes maps smaller from v3 on.
pub(super) fn halving(channels: usize) -> ConvDesc {
    ConvDesc::new(channels, 3).stride(2)
}
