//! Atrous spatial pyramid pooling (Chen et al. 2017, arXiv:1706.05587), named as torchvision names it.

use geometry::{ConvDesc, ResizeDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId};

use super::extents::space;
use super::normalised::conv_norm;

/// The same map seen at several dilations and as a whole, `[n, c, h, w] → [n, channels, h, w]`:
///
/// ```text
///      ┌─▶ convs.0   1×1, bn, relu ──────────────────────────────────────────┐
///      ├─▶ convs.1   3×3, dilation rates[0], bn, relu ───────────────────────┤
///  x ──┼─▶ convs.2   3×3, dilation rates[1], bn, relu ──────────────────── concat ─▶ project 1×1, bn, relu ─▶ dropout ─▶ y
///      ├─▶ …                                                                 │
///      └─▶ convs.last  mean over space, 1×1, bn, relu, spread over the map ──┘
/// ```
///
/// # Errors
/// An input without two spatial axes, a rate of zero, or names in use.
pub fn aspp(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    rates: &[usize],
) -> Result<ValueId, GraphError> {
    let relu = Some(Activation::Relu);
    let pointwise = ConvDesc::new(channels, 1);
    let branches = network.scope("convs", |network| {
        let mut branches = vec![conv_norm(
            network,
            x,
            ["0.0", "0.1"],
            pointwise.clone(),
            relu,
        )?];
        for (place, &rate) in (1..).zip(rates) {
            let [conv, norm] = [0, 1].map(|part| format!("{place}.{part}"));
            let dilated = ConvDesc::new(channels, 3).dilation(rate).padding(rate);
            branches.push(conv_norm(network, x, [&conv, &norm], dilated, relu)?);
        }
        let place = branches.len();
        let [conv, norm] = [1, 2].map(|part| format!("{place}.{part}"));
        let whole = network.global_average_pool(x)?;
        let whole = conv_norm(network, whole, [&conv, &norm], pointwise.clone(), relu)?;
        let spread = ResizeDesc::linear(space(network, x)?);
        branches.push(network.resize(whole, spread)?);
        Ok(branches)
    })?;
    let y = network.concat(&branches)?;
    let y = conv_norm(network, y, ["project.0", "project.1"], pointwise, relu)?;
    network.dropout(y, 0.5)
}
