//! The networks, a file a family. Each file lists its own for the registry.

mod lenet;
mod mobilenet_v1;
mod resnet;
mod resnet_cifar;

use crate::Model;

/// The networks of every family, in the order of publication.
pub(crate) const FAMILIES: &[&[Model]] = &[
    lenet::MODELS,
    resnet_cifar::MODELS,
    resnet::MODELS,
    mobilenet_v1::MODELS,
];
