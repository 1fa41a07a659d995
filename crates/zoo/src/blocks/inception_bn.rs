//! The blocks of BN-Inception (Ioffe and Szegedy 2015, arXiv:1502.03167, figure 5), the first with batch
//! normalisation, named as in the weights that were published of it (from Caffe).
//!
//! Names are no paths there: block `inception_3a` has the layers `inception_3a_1x1` and `inception_3a_1x1_bn`.

use geometry::{ConvDesc, Padding, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId};

use super::conv_norm::{pointwise, square};

/// The pool in an [`inception_bn`] block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InceptionBnPool {
    /// Average, the padding counted.
    Average,
    /// Maximum.
    Max,
}

/// Channels and pool of an [`inception_bn`] block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InceptionBn {
    /// Of the 1×1 convolution.
    pub pointwise: usize,
    /// Of the reduction before the 3×3 convolution.
    pub reduce3: usize,
    /// Of the 3×3 convolution.
    pub conv3: usize,
    /// Of the reduction before the two 3×3 convolutions.
    pub reduce_double: usize,
    /// Of each of the two.
    pub double: usize,
    /// Of the projection after the pool.
    pub projection: usize,
    /// What is pooled.
    pub pool: InceptionBnPool,
}

/// The block: GoogLeNet's with two 3×3 convolutions in place of the 5×5, `[n, c, h, w] → [n, sum, h, w]`.
///
/// ```text
///      ┌─▶ 1x1 ────────────────────────────────────────────────────────────────────────────┐
///      ├─▶ 3x3_reduce: 1×1 ─▶ 3x3 ─────────────────────────────────────────────────────────┤
///  x ──┤                                                                                 concat ─▶ y
///      ├─▶ double_3x3_reduce: 1×1 ─▶ double_3x3_1: 3×3 ─▶ double_3x3_2: 3×3 ───────────────┤
///      └─▶ average or max pool 3×3 ─▶ pool_proj: 1×1 ──────────────────────────────────────┘
/// ```
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_bn(
    network: &mut NetworkBuilder,
    name: &str,
    x: ValueId,
    channels: InceptionBn,
) -> Result<ValueId, GraphError> {
    let part = |part: &str| format!("{name}_{part}");
    let first = unit(network, &part("1x1"), x, pointwise(channels.pointwise))?;
    let second = unit(network, &part("3x3_reduce"), x, pointwise(channels.reduce3))?;
    let second = unit(network, &part("3x3"), second, square(channels.conv3, 3))?;
    let reduce = pointwise(channels.reduce_double);
    let third = unit(network, &part("double_3x3_reduce"), x, reduce)?;
    let spatial = square(channels.double, 3);
    let third = unit(network, &part("double_3x3_1"), third, spatial.clone())?;
    let third = unit(network, &part("double_3x3_2"), third, spatial)?;
    let around = match channels.pool {
        InceptionBnPool::Average => PoolDesc::average(3),
        InceptionBnPool::Max => PoolDesc::max(3),
    };
    // With stride 1 there is nothing for ceil mode to do.
    let pooled = network.pool(&part("pool"), x, around.stride(1).padding(1))?;
    let fourth = unit(
        network,
        &part("pool_proj"),
        pooled,
        pointwise(channels.projection),
    )?;
    network.concat(&[first, second, third, fourth])
}

/// The block that halves the map, `[n, c, h, w] → [n, conv3 + double + c, ⌈h/2⌉, ⌈w/2⌉]`:
///
/// ```text
///      ┌─▶ 3x3_reduce: 1×1 ─▶ 3x3: /2 ──────────────────────────────────────────────┐
///  x ──┼─▶ double_3x3_reduce: 1×1 ─▶ double_3x3_1: 3×3 ─▶ double_3x3_2: 3×3 /2 ───concat ─▶ y
///      └─▶ max pool 3×3 /2 ─────────────────────────────────────────────────────────┘
/// ```
/// The channels are those of the two branches, from first to last.
///
/// # Errors
/// An input without two spatial axes, or names in use.
pub fn inception_bn_reduction(
    network: &mut NetworkBuilder,
    name: &str,
    x: ValueId,
    [reduce3, conv3]: [usize; 2],
    [reduce_double, double]: [usize; 2],
) -> Result<ValueId, GraphError> {
    let part = |part: &str| format!("{name}_{part}");
    let first = unit(network, &part("3x3_reduce"), x, pointwise(reduce3))?;
    let first = unit(network, &part("3x3"), first, square(conv3, 3).stride(2))?;
    let second = unit(
        network,
        &part("double_3x3_reduce"),
        x,
        pointwise(reduce_double),
    )?;
    let spatial = square(double, 3);
    let second = unit(network, &part("double_3x3_1"), second, spatial.clone())?;
    let second = unit(network, &part("double_3x3_2"), second, spatial.stride(2))?;
    // On maps of even extents the published pool, 3×3 /2 in ceil mode. On odd ones that would make a row and a column
    // less than the convolutions beside it; here the last window has the last pixel.
    let halve = PoolDesc::max(3)
        .stride(2)
        .padding(Padding::Explicit(vec![(0, 2)]));
    let third = network.max_pool(&part("pool"), x, halve)?;
    network.concat(&[first, second, third])
}

/// A convolution, which keeps a bias though the norm takes it away again, `NAME_bn` and ReLU.
pub(crate) fn unit(
    network: &mut NetworkBuilder,
    name: &str,
    x: ValueId,
    desc: ConvDesc,
) -> Result<ValueId, GraphError> {
    let y = network.conv(name, x, desc, true)?;
    let y = network.batch_norm(&format!("{name}_bn"), y)?;
    network.relu(y)
}
