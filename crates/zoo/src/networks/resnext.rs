//! ResNets whose bottlenecks are grouped (Xie et al. 2016) or wide (Zagoruyko & Komodakis 2016), as torchvision builds
//! and names them. But for the 3×3 convolutions they are those of `resnet.rs`.

use super::resnet::{Block, network};
use crate::{Model, Task};

/// A ResNet of bottlenecks with so many groups of so many channels in its first stage.
macro_rules! model {
    ($name:literal, $groups:literal, $width:literal, $stages:expr, $paper:expr, $summary:literal) => {
        Model {
            name: $name,
            summary: $summary,
            paper: $paper,
            task: Task::Classification,
            input: [3, 224, 224],
            classes: 1000,
            network: |builder, width, classes| {
                let (groups, group_width) = ($groups, $width);
                let block = Block::Bottleneck {
                    groups,
                    group_width,
                };
                network(builder, block, $stages, width, classes)
            },
        }
    };
}

const GROUPED: &str = "Xie et al. 2016, Aggregated residual transformations for deep neural networks, arXiv:1611.05431";
const WIDE: &str = "Zagoruyko & Komodakis 2016, Wide residual networks, arXiv:1605.07146";

pub(crate) const MODELS: &[Model] = &[
    model!(
        "wide_resnet50_2",
        1,
        128,
        [3, 4, 6, 3],
        WIDE,
        "resnet50 with twice the channels in its 3×3 convolutions"
    ),
    model!(
        "wide_resnet101_2",
        1,
        128,
        [3, 4, 23, 3],
        WIDE,
        "resnet101 with twice the channels in its 3×3 convolutions"
    ),
    model!(
        "resnext50_32x4d",
        32,
        4,
        [3, 4, 6, 3],
        GROUPED,
        "residual network of grouped bottlenecks, 50 layers, 32 groups of 4"
    ),
    model!(
        "resnext101_32x8d",
        32,
        8,
        [3, 4, 23, 3],
        GROUPED,
        "residual network of grouped bottlenecks, 101 layers, 32 groups of 8"
    ),
    model!(
        "resnext101_64x4d",
        64,
        4,
        [3, 4, 23, 3],
        GROUPED,
        "residual network of grouped bottlenecks, 101 layers, 64 groups of 4"
    ),
];
