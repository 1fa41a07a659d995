"""The networks of the registry as PyTorch builds them.

`MODELS` has one entry a network, in the order of the registry. Networks that neither torchvision nor timm ships are
defined in files beside this one.
"""
from dataclasses import dataclass, field
from typing import Callable

import timm
import torchvision.models as tv
from torch import nn

import bn_inception
import cifar_resnet
import inception_resnet_v1
import inception_v3
import lenet5


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


def torchvision(name, **settings):
    return lambda classes: getattr(tv, name)(num_classes=classes, **settings)


def of_timm(name, **settings):
    return lambda classes: timm.create_model(name, num_classes=classes, **settings)


MODELS = {
    "lenet5": Model(lenet5.LeNet5, (1, 32, 32), 10),
    "googlenet": Model(
        torchvision("googlenet", aux_logits=True, init_weights=False),
        heads=[("aux1", "inception4a", 0.3), ("aux2", "inception4d", 0.3)],
    ),
    "bn_inception": Model(bn_inception.BnInception, least=128),
    "inception_v3": Model(
        inception_v3.make,
        (3, 299, 299),
        heads=[("AuxLogits", "Mixed_6e", 0.4)],
        least=299,
    ),
    "inception_v4": Model(of_timm("inception_v4"), (3, 299, 299)),
    "inception_resnet_v1": Model(inception_resnet_v1.InceptionResnetV1, (3, 160, 160), 8631),
    "inception_resnet_v2": Model(of_timm("inception_resnet_v2"), (3, 299, 299)),
    **{
        f"resnet{6 * blocks + 2}": Model(lambda classes, blocks=blocks: cifar_resnet.CifarResNet(blocks, classes), (3, 32, 32), 10)
        for blocks in (3, 5, 7, 9, 18)
    },
    **{name: Model(torchvision(name)) for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")},
    "xception": Model(of_timm("legacy_xception"), (3, 299, 299)),
    "mobilenet_v1": Model(of_timm("mobilenetv1_100")),
}
