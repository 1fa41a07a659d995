//! The first Inception blocks (Szegedy et al. 2014, arXiv:1409.4842), named as torchvision names them.

use geometry::PoolDesc;
use graph::{GraphError, NetworkBuilder, ValueId};

use super::conv_norm::{chain, pointwise, square};

/// Channels of the four branches of [`inception_v1`], in the order of the paper's table 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionV1 {
    /// Of the 1×1 convolution.
    pub pointwise: usize,
    /// Of the reduction before the 3×3 convolution.
    pub reduce3: usize,
    /// Of the 3×3 convolution.
    pub conv3: usize,
    /// Of the reduction before the 5×5 convolution.
    pub reduce5: usize,
    /// Of the 5×5 convolution.
    pub conv5: usize,
    /// Of the projection after the pool.
    pub pool: usize,
}

/// Size of the kernel that the paper draws as 5×5, for [`inception_v1`].
///
/// torchvision's GoogLeNet has 3×3 there; its weights have that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WideKernel {
    /// As in torchvision.
    Three,
    /// As in the paper.
    Five,
}

/// The naive block (figure 2a), `[n, c, h, w] → [n, conv1 + conv3 + conv5 + c, h, w]`: things of every size are
/// seen by a kernel of about theirs.
///
/// ```text
///      ┌─▶ branch1: 1×1 ──────────────┐
///      ├─▶ branch2: 3×3 ──────────────┤
///  x ──┤                            concat ─▶ y
///      ├─▶ branch3: 5×5 ──────────────┤
///      └─▶ max pool 3×3 ──────────────┘
/// ```
///
/// The pool keeps all channels, so that the maps grow thicker with every block, and 5×5 convolutions of thick maps
/// cost most: hence the reductions of [`inception_v1`].
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_v1_naive(
    network: &mut NetworkBuilder,
    x: ValueId,
    [conv1, conv3, conv5]: [usize; 3],
) -> Result<ValueId, GraphError> {
    let branches = [
        chain(network, x, [("branch1", pointwise(conv1))])?,
        chain(network, x, [("branch2", square(conv3, 3))])?,
        chain(network, x, [("branch3", square(conv5, 5))])?,
        network.max_pool("branch4", x, around())?,
    ];
    network.concat(&branches)
}

/// The block with 1×1 reductions (figure 2b), `[n, c, h, w] → [n, pointwise + conv3 + conv5 + pool, h, w]`:
///
/// ```text
///      ┌─▶ branch1: 1×1 ────────────────────────┐
///      ├─▶ branch2.0: 1×1 ─▶ branch2.1: 3×3 ────┤
///  x ──┤                                      concat ─▶ y
///      ├─▶ branch3.0: 1×1 ─▶ branch3.1: 5×5 ────┤
///      └─▶ max pool 3×3 ─▶ branch4.1: 1×1 ──────┘
/// ```
/// Every convolution is followed by batch normalisation and ReLU, as in torchvision; the paper had biases alone.
///
/// # Errors
/// As [`inception_v1_naive`].
pub fn inception_v1(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: InceptionV1,
    wide: WideKernel,
) -> Result<ValueId, GraphError> {
    let wide = match wide {
        WideKernel::Three => 3,
        WideKernel::Five => 5,
    };
    let InceptionV1 {
        reduce3, reduce5, ..
    } = channels;
    let branch1 = chain(network, x, [("branch1", pointwise(channels.pointwise))])?;
    let spatial = ("branch2.1", square(channels.conv3, 3));
    let branch2 = chain(network, x, [("branch2.0", pointwise(reduce3)), spatial])?;
    let spatial = ("branch3.1", square(channels.conv5, wide));
    let branch3 = chain(network, x, [("branch3.0", pointwise(reduce5)), spatial])?;
    // torchvision sets ceil mode too; with stride 1 it changes nothing.
    let pooled = network.max_pool("branch4.0", x, around())?;
    let branch4 = chain(network, pooled, [("branch4.1", pointwise(channels.pool))])?;
    network.concat(&[branch1, branch2, branch3, branch4])
}

/// 3×3 around every pixel.
fn around() -> PoolDesc {
    PoolDesc::max(3).stride(1).padding(1)
}
