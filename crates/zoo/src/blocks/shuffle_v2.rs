//! The units of ShuffleNet v2 (Ma et al. 2018, arXiv:1807.11164), named as torchvision names them.

use geometry::{ConvDesc, SliceDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::channels as channels_of;
use super::normalised::{conv_norm, depthwise};

/// The unit that keeps the shape (figure 3c), `[n, c, h, w] → [n, c, h, w]`, `c` even:
///
/// ```text
///        ┌─ first half ──────────────────────────────────────────────────────────────────────┐
///  x ─▶ split                                                                             concat ─▶ shuffle ─▶ y
///        └─ second half ─▶ branch2: 1×1, bn, relu ─▶ 3×3 depthwise, bn ─▶ 1×1, bn, relu ─────┘
/// ```
///
/// # Errors
/// An input without two spatial axes, an odd number of channels, or names in use.
pub fn shuffle_unit_v2(network: &mut NetworkBuilder, x: ValueId) -> Result<ValueId, GraphError> {
    let channels = channels_of(network, x)?;
    let half = channels / 2;
    // A shape's extent fits i64: the shape was checked when the value was made.
    let part = |from: usize, to: usize| SliceDesc::new().axis(1, from as i64, to as i64, 1);
    let kept = network.slice(x, part(0, half))?;
    let y = network.slice(x, part(half, channels))?;
    // Of an odd number of channels, the shuffle says that they are not two groups.
    let y = branch2(network, y, channels - half, 1)?;
    mixed(network, kept, y)
}

/// The unit that halves the size (figure 3d), `[n, c, h, w] → [n, channels, ⌈h/2⌉, ⌈w/2⌉]`, `channels` even:
///
/// ```text
///      ┌─▶ branch1: 3×3 depthwise /2, bn ─▶ 1×1, bn, relu ─────────────────────────────┐
///  x ──┤                                                                            concat ─▶ shuffle ─▶ y
///      └─▶ branch2: 1×1, bn, relu ─▶ 3×3 depthwise /2, bn ─▶ 1×1, bn, relu ────────────┘
/// ```
///
/// # Errors
/// As [`shuffle_unit_v2`].
pub fn shuffle_unit_v2_down(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
) -> Result<ValueId, GraphError> {
    let half = channels / 2;
    let kept = network.scope("branch1", |network| {
        let spatial = depthwise(network, x, 2)?;
        let y = conv_norm(network, x, ["0", "1"], spatial, None)?;
        let pointwise = ConvDesc::new(half, 1);
        conv_norm(network, y, ["2", "3"], pointwise, Some(Activation::Relu))
    })?;
    let y = branch2(network, x, half, 2)?;
    mixed(network, kept, y)
}

fn branch2(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let relu = Some(Activation::Relu);
    let pointwise = ConvDesc::new(channels, 1);
    network.scope("branch2", |network| {
        let y = conv_norm(network, x, ["0", "1"], pointwise.clone(), relu)?;
        let spatial = depthwise(network, y, stride)?;
        let y = conv_norm(network, y, ["3", "4"], spatial, None)?;
        conv_norm(network, y, ["5", "6"], pointwise, relu)
    })
}

/// Both halves, their channels in turn.
fn mixed(network: &mut NetworkBuilder, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
    let both = network.concat(&[a, b])?;
    network.channel_shuffle(both, 2)
}
