"""How other programs count the operations of a network, for `graph/src/counting.rs`.

    python counts.py > counts.txt

Needs torch, torchvision, fvcore, torchinfo and ptflops; nothing is downloaded. `upsampler` is what no network of
torchvision has: a transposed convolution, group norm, and resizing.
"""

import logging

import torch
import torchvision
from fvcore.nn import FlopCountAnalysis
from ptflops import get_model_complexity_info
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary

logging.disable(logging.WARNING)

NETWORKS = [
    "alexnet",
    "densenet121",
    "mobilenet_v2",
    "resnet18",
    "resnet50",
    "squeezenet1_1",
    "vgg16",
    "vgg16_bn",
]


def upsampler():
    """See `upsampler` in `counts.rs`."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.GroupNorm(4, 8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        nn.BatchNorm2d(6),
        nn.AvgPool2d(2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Upsample(scale_factor=2, mode="nearest"),
    )


def counts(model, shape):
    """The totals of one forward run on one image."""
    model.eval()
    image = torch.zeros(1, *shape)
    flops = FlopCountAnalysis(model, image)
    flops.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    ptflops, _ = get_model_complexity_info(
        model, shape, as_strings=False, print_per_layer_stat=False, backend="pytorch"
    )
    return {
        "fvcore": int(flops.total()),
        "torchinfo": int(summary(model, input_data=image, verbose=0).total_mult_adds),
        "ptflops": int(ptflops),
        "torch": int(counter.get_total_flops()),
    }


if __name__ == "__main__":
    table = {
        name: counts(torchvision.models.get_model(name, weights=None), (3, 224, 224))
        for name in NETWORKS
    }
    table["upsampler"] = counts(upsampler(), (3, 16, 16))
    for network, each in table.items():
        for program, count in each.items():
            print(network, program, count)
