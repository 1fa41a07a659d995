#!/usr/bin/env python3
"""Writes names and shapes of the parameters and states of each network, and its cost, as PyTorch sees them.

    pip install torch torchvision timm
    python make.py

NAME.txt has a line `tensor EXTENTxEXTENT…` for each entry of the state dict; costs.txt a line
`NAME parameters multiply-accumulates` on one image of the default size, counted by PyTorch's
FlopCounterMode (two operations a multiply-accumulate, convolutions and matrix products only).
"""
import pathlib

import timm
import torch
import torchvision.models as tv
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.resnet import BasicBlock


class LeNet5(nn.Module):
    """For 32×32 images: no padding."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        return self.fc3(self.fc2(self.fc1(x.flatten(1)).relu()).relu())


class CifarResNet(nn.Module):
    """The networks of section 4.2 of He et al. 2015 with projection shortcuts."""

    def __init__(self, blocks):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        channels = 16
        for stage, (out, stride) in enumerate([(16, 1), (32, 2), (64, 2)]):
            layer = []
            for block in range(blocks):
                s = stride if block == 0 else 1
                down = None
                if s != 1 or channels != out:
                    down = nn.Sequential(nn.Conv2d(channels, out, 1, s, bias=False), nn.BatchNorm2d(out))
                layer.append(BasicBlock(channels, out, s, down))
                channels = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


MODELS = {
    "lenet5": (LeNet5, (1, 32, 32)),
    **{f"resnet{6 * n + 2}": (lambda n=n: CifarResNet(n), (3, 32, 32)) for n in (3, 5, 7, 9, 18)},
    **{name: (getattr(tv, name), (3, 224, 224)) for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")},
    "mobilenet_v1": (lambda: timm.create_model("mobilenetv1_100"), (3, 224, 224)),
}

here = pathlib.Path(__file__).parent
costs = []
for name, (make, shape) in MODELS.items():
    model = make().eval()
    lines = [
        f"{key} {'x'.join(map(str, value.shape))}\n"
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    (here / f"{name}.txt").write_text("".join(lines))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *shape))
    parameters = sum(p.numel() for p in model.parameters())
    costs.append(f"{name} {parameters} {counter.get_total_flops() // 2}\n")
(here / "costs.txt").write_text("".join(costs))
