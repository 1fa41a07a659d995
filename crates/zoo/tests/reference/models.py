"""The networks of the registry as PyTorch builds them.

`MODELS` has one entry a network, in the order of the registry. Networks that neither torchvision nor timm ships are
defined in files beside this one.
"""
from dataclasses import dataclass, field
from typing import Callable

import timm
import torchvision.models as tv
from timm.models.resnetv2 import PreActBasic, PreActBottleneck
from torch import nn

import bn_inception
import cifar_resnet
import dcgan
import inception_resnet_v1
import inception_v3
import lenet5
import preact_resnet
import segmentation
import shufflenet_v1
import unet
import zfnet


@dataclass
class Model:
    """A network: its constructor, which takes the number of classes, and what it was made for."""

    make: Callable[[int], nn.Module]
    input: tuple = (3, 224, 224)
    classes: int = 1000
    # Heads that exist for training only, in the order of the graph: the path of the module, the module whose result
    # it reads, and the weight of its loss.
    heads: list = field(default_factory=list)
    # The least image that a test may take: every layer and head has an output on it, and branches meet in size.
    least: int = 32
    # The result is a map and not a vector.
    dense: bool = False


def torchvision(name, **settings):
    return lambda classes: getattr(tv, name)(num_classes=classes, **settings)


def of_timm(name, **settings):
    return lambda classes: timm.create_model(name, num_classes=classes, **settings)


def of_torchvision(*names):
    return {name: Model(torchvision(name)) for name in names}


def cifar(make):
    return Model(make, (3, 32, 32), 10)


def preact(block, blocks):
    return cifar(lambda classes: preact_resnet.PreActResNet(block, blocks, classes))


def segmenting(name, **settings):
    heads = [("aux_classifier", "backbone.layer3", 0.5)]
    return Model(lambda classes: segmentation.make(name, classes), (3, 520, 520), 21, heads, dense=True, **settings)


MODELS = {
    "lenet5": Model(lenet5.LeNet5, (1, 32, 32), 10),
    "alexnet": Model(torchvision("alexnet"), least=63),
    "zfnet": Model(zfnet.ZFNet, least=47),
    **of_torchvision(*(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn"))),
    "googlenet": Model(
        torchvision("googlenet", aux_logits=True, init_weights=False),
        heads=[("aux1", "inception4a", 0.3), ("aux2", "inception4d", 0.3)],
    ),
    "bn_inception": Model(bn_inception.BnInception, least=128),
    "unet": Model(unet.UNet, (3, 256, 256), 2, dense=True),
    "dcgan_generator": Model(dcgan.Generator, (100, 1, 1), 3, dense=True),
    **{
        f"resnet{6 * blocks + 2}": cifar(lambda classes, blocks=blocks: cifar_resnet.CifarResNet(blocks, classes))
        for blocks in (3, 5, 7, 9, 18)
    },
    **of_torchvision("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    "inception_v3": Model(
        inception_v3.make,
        (3, 299, 299),
        heads=[("AuxLogits", "Mixed_6e", 0.4)],
        least=299,
    ),
    **of_torchvision("squeezenet1_0", "squeezenet1_1"),
    "inception_v4": Model(of_timm("inception_v4"), (3, 299, 299)),
    "inception_resnet_v1": Model(inception_resnet_v1.InceptionResnetV1, (3, 160, 160), 8631),
    "inception_resnet_v2": Model(of_timm("inception_resnet_v2"), (3, 299, 299)),
    **{f"preact_resnet{6 * blocks + 2}": preact(PreActBasic, blocks) for blocks in (3, 9, 18)},
    "preact_resnet164": preact(PreActBottleneck, 18),
    **{name: Model(of_timm(name)) for name in (f"resnetv2_{depth}" for depth in (18, 34, 50, 101, 152))},
    **of_torchvision("densenet121", "densenet161", "densenet169", "densenet201"),
    "xception": Model(of_timm("legacy_xception"), (3, 299, 299)),
    **of_torchvision("wide_resnet50_2", "wide_resnet101_2"),
    **of_torchvision("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    "mobilenet_v1": Model(of_timm("mobilenetv1_100")),
    "fcn_resnet50": segmenting("fcn_resnet50"),
    # Large enough for some of the pyramid's dilated taps to fall on the map.
    "deeplabv3_resnet50": segmenting("deeplabv3_resnet50", least=107),
    **{
        f"shufflenet_v1_g{groups}": Model(lambda classes, groups=groups: shufflenet_v1.ShuffleNetV1(groups, classes))
        for groups in (1, 2, 3, 4, 8)
    },
    "mobilenet_v2": Model(torchvision("mobilenet_v2")),
    **of_torchvision(*(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0"))),
}
