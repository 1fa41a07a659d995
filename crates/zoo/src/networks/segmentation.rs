//! Segmentation by a dilated ResNet-50, as torchvision builds and names it: DeepLab v3 (Chen et al. 2017) and FCN (Long
//! et al. 2014).
//!
//! ```text
//!                                       ┌─▶ aux_classifier: FCN head, in training only
//! backbone: resnet50, stages 3 and 4 dilated ─▶ classifier: ASPP, 3×3, 1×1 (DeepLab) or FCN head ─▶ resized to the image
//!
//! FCN head: 3×3 to a quarter of the channels, bn, relu ─▶ dropout ─▶ 1×1 to the classes
//! ```

use geometry::{ConvDesc, ResizeDesc};
use graph::{Activation, GraphError, NetworkBuilder, ValueId, WeightInit};

use super::resnet::{PLAIN, body};
use crate::blocks::extents::{channels, space};
use crate::blocks::{aspp, conv_norm};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "fcn_resnet50",
        summary: "fully convolutional segmentation on a dilated resnet50",
        paper: "Long et al. 2014, Fully convolutional networks for semantic segmentation, arXiv:1411.4038",
        task: Task::Segmentation,
        input: INPUT,
        classes: CLASSES,
        network: |builder, width, classes| network(builder, fcn_head, width, classes),
    },
    Model {
        name: "deeplabv3_resnet50",
        summary: "segmentation by dilated convolutions of several rates on a dilated resnet50",
        paper: "Chen et al. 2017, Rethinking atrous convolution for semantic image segmentation, arXiv:1706.05587",
        task: Task::Segmentation,
        input: INPUT,
        classes: CLASSES,
        network: |builder, width, classes| {
            let head = |network: &mut NetworkBuilder, x, classes| {
                deeplab_head(network, x, width.channels(256), classes)
            };
            network(builder, head, width, classes)
        },
    },
];

/// The size torchvision's weights are trained and measured on.
const INPUT: [usize; 3] = [3, 520, 520];
/// Those of Pascal VOC, the background among them.
const CLASSES: usize = 21;
/// The loss of the auxiliary head counts half, as in torchvision's training.
const AUXILIARY_WEIGHT: f32 = 0.5;
/// Dilations of the pyramid on maps of an eighth of the image.
const RATES: [usize; 3] = [12, 24, 36];

/// `[n, c, h, w] → [n, classes, h, w]`.
fn network(
    network: &mut NetworkBuilder,
    head: impl FnOnce(&mut NetworkBuilder, ValueId, usize) -> Result<ValueId, GraphError>,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let images = network.input();
    let [.., early, x] = network.scope("backbone", |network| {
        body(network, PLAIN, [3, 4, 6, 3], 2, width)
    })?;
    // The backbone starts as a ResNet does, the heads as PyTorch's layers do.
    network.conv_init(WeightInit::UniformFanIn);
    let size = ResizeDesc::linear(space(network, images)?);
    let y = network.scope("aux_classifier", |network| {
        fcn_head(network, early, classes)
    })?;
    let y = network.resize(y, size.clone())?;
    network.auxiliary(y, AUXILIARY_WEIGHT);
    let y = network.scope("classifier", |network| head(network, x, classes))?;
    network.resize(y, size)
}

/// `[n, c, h, w] → [n, classes, h, w]`.
fn fcn_head(
    network: &mut NetworkBuilder,
    x: ValueId,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let narrow = (channels(network, x)? / 4).max(1);
    let spatial = ConvDesc::new(narrow, 3).padding(1);
    let x = conv_norm(network, x, ["0", "1"], spatial, Some(Activation::Relu))?;
    let x = network.dropout(x, 0.1)?;
    network.conv("4", x, ConvDesc::new(classes, 1), true)
}

/// `[n, c, h, w] → [n, classes, h, w]`.
fn deeplab_head(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let x = network.scope("0", |network| aspp(network, x, channels, &RATES))?;
    let spatial = ConvDesc::new(channels, 3).padding(1);
    let x = conv_norm(network, x, ["1", "2"], spatial, Some(Activation::Relu))?;
    network.conv("4", x, ConvDesc::new(classes, 1), true)
}
