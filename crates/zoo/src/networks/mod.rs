//! The networks, a file a family. Each file lists its own for the registry.

mod alexnet;
mod bn_inception;
mod dcgan;
mod densenet;
mod googlenet;
mod inception_resnet;
mod inception_v3;
mod inception_v4;
mod lenet;
mod mobilenet_v1;
mod mobilenet_v2;
mod resnet;
mod resnet_cifar;
mod resnet_v2;
mod resnext;
mod segmentation;
mod shufflenet_v1;
mod shufflenet_v2;
mod squeezenet;
mod unet;
mod vgg;
mod xception;
mod zfnet;

use crate::Model;

/// The networks of every family, in the order of publication.
pub(crate) const FAMILIES: &[&[Model]] = &[
    lenet::MODELS,
    alexnet::MODELS,
    zfnet::MODELS,
    vgg::MODELS,
    googlenet::MODELS,
    bn_inception::MODELS,
    unet::MODELS,
    dcgan::MODELS,
    resnet_cifar::MODELS,
    resnet::MODELS,
    inception_v3::MODELS,
    squeezenet::MODELS,
    inception_v4::MODELS,
    inception_resnet::MODELS,
    resnet_v2::MODELS,
    densenet::MODELS,
    xception::MODELS,
    resnext::MODELS,
    mobilenet_v1::MODELS,
    segmentation::MODELS,
    shufflenet_v1::MODELS,
    mobilenet_v2::MODELS,
    shufflenet_v2::MODELS,
];

/// Other names of networks: a family's own for its usual member.
pub(crate) const ALIASES: &[(&str, &str)] = &[
    ("dcgan", "dcgan_generator"),
    ("shufflenet_v1", "shufflenet_v1_g3"),
    ("shufflenet_v2", "shufflenet_v2_x1_0"),
];
