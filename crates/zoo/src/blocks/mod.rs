//! The blocks that networks are made of.
//!
//! Each builds its layers in the scope that is open: with
//! `network.scope("layer1.0", |network| basic_residual(network, x, 64, 1))` the first weight is
//! `layer1.0.conv1.weight`.

mod aspp;
mod bottleneck;
mod conv_norm;
mod dcgan;
mod dense;
mod examples;
pub(crate) mod extents;
mod fire;
mod inception_bn;
mod inception_resnet;
mod inception_v1;
mod inception_v2;
mod inception_v3;
mod inception_v4;
mod inverted;
mod normalised;
mod preactivation;
mod residual;
mod separable;
mod shuffle_v1;
mod shuffle_v2;
mod squeeze_excite;
mod unet;
mod xception;

pub use aspp::aspp;
pub use bottleneck::{Bottleneck, Sampling};
pub use conv_norm::{chain, conv_norm_relu};
pub use dcgan::generator_step;
pub use dense::{bottleneck_dense_layer, dense_block, dense_layer, transition};
pub use examples::{BlockExample, example, examples};
pub use fire::fire;
pub(crate) use inception_bn::unit as conv_bias_norm_relu;
pub use inception_bn::{InceptionBn, InceptionBnPool, inception_bn, inception_bn_reduction};
pub use inception_resnet::{
    Ending, InceptionResnet, inception_resnet_a, inception_resnet_b, inception_resnet_c,
    inception_resnet_reduction_a, inception_resnet_reduction_b, inception_resnet_stem,
};
pub use inception_v1::{InceptionV1, WideKernel, inception_v1, inception_v1_naive};
pub use inception_v2::{
    InceptionV2A, InceptionV2B, InceptionV2C, inception_v2_a, inception_v2_b, inception_v2_c,
};
pub use inception_v3::{
    inception_v3_a, inception_v3_auxiliary, inception_v3_b, inception_v3_c, inception_v3_d,
    inception_v3_e, inception_v3_stem,
};
pub use inception_v4::{
    ReductionA, inception_reduction_a, inception_v4_a, inception_v4_b, inception_v4_c,
    inception_v4_reduction_b, inception_v4_stem,
};
pub use inverted::inverted_residual;
pub use normalised::{conv_norm, norm_relu_conv};
pub use preactivation::{basic_preactivation, bottleneck_preactivation};
pub use residual::{BOTTLENECK_EXPANSION, basic_residual, bottleneck_residual};
pub use separable::depthwise_separable;
pub use shuffle_v1::ShuffleUnit;
pub use shuffle_v2::{shuffle_unit_v2, shuffle_unit_v2_down};
pub use squeeze_excite::squeeze_excite;
pub use unet::{double_conv, unet_down, unet_up};
pub use xception::{XceptionBlock, xception_block, xception_separable};
