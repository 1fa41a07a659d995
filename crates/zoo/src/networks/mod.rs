//! The networks, a file a family. Each file lists its own for the registry.

mod bn_inception;
mod googlenet;
mod inception_resnet;
mod inception_v3;
mod inception_v4;
mod lenet;
mod mobilenet_v1;
mod resnet;
mod resnet_cifar;
mod xception;

use crate::Model;

/// The networks of every family, in the order of publication.
pub(crate) const FAMILIES: &[&[Model]] = &[
    lenet::MODELS,
    googlenet::MODELS,
    bn_inception::MODELS,
    inception_v3::MODELS,
    inception_v4::MODELS,
    inception_resnet::MODELS,
    resnet_cifar::MODELS,
    resnet::MODELS,
    xception::MODELS,
    mobilenet_v1::MODELS,
];
