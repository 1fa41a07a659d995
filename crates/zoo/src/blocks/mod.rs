//! The blocks that networks are made of.
//!
//! Each builds its layers in the scope that is open: with
//! `network.scope("layer1.0", |network| basic_residual(network, x, 64, 1))` the first weight is
//! `layer1.0.conv1.weight`.

mod residual;
mod separable;

pub use residual::{BOTTLENECK_EXPANSION, basic_residual, bottleneck_residual};
pub use separable::depthwise_separable;
