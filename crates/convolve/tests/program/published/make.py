#!/usr/bin/env python3
"""Writes a folder as timm publishes a network, a picture, and what PyTorch says is on it.

    pip install torch torchvision safetensors pillow
    python make.py

The network is torchvision's ResNet-18 with a thirty-second of its channels, random weights and random running
statistics: `resnet18:0.03125`. `config.json` has the form of timm 1.0; answers.json the logits for the picture prepared as it
says, and as torchvision prepares pictures for its own weights; and for one of the input's size, which is not resized.
"""
import json
import pathlib

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.transforms import v2

CLASSES, SIDE = 7, 48


class ThinResNet18(ResNet):
    """Two channels where the original has 64."""

    def __init__(self):
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=CLASSES)
        self.inplanes = 2
        self.conv1 = nn.Conv2d(3, 2, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(2)
        for stage, (planes, stride) in enumerate([(2, 1), (4, 2), (8, 2), (16, 2)], 1):
            setattr(self, f"layer{stage}", self._make_layer(BasicBlock, planes, 2, stride))
        self.fc = nn.Linear(16, CLASSES)


def answer(model, picture, short, interpolation, mean, std, size):
    prepare = v2.Compose([
        v2.Resize(short, interpolation), v2.CenterCrop(size), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean, std),
    ])
    with torch.no_grad():
        return model(prepare(picture)[None])[0].tolist()


here = pathlib.Path(__file__).parent
torch.manual_seed(5)
model = ThinResNet18().eval()
for module in model.modules():
    if isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.uniform_(module.bias, -0.5, 0.5)
        nn.init.uniform_(module.running_mean, -0.5, 0.5)
        nn.init.uniform_(module.running_var, 0.5, 2.0)
        module.num_batches_tracked += 123
nn.init.normal_(model.fc.weight)
save_file(model.state_dict(), here / "model.safetensors")

y, x = numpy.mgrid[:60, :80]
pixels = numpy.stack([128 + 100 * numpy.sin(x / 7), 3 * y + 20, (x * y) % 97 + 60], axis=-1)
picture = Image.fromarray(pixels.astype("uint8"))
picture.save(here / "picture.png")

mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
config = {
    "architecture": "resnet18:0.03125",
    "num_classes": CLASSES,
    "num_features": 16,
    "label_names": [f"kind {letter}" for letter in "ABCDEFG"],
    "pretrained_cfg": {
        "tag": "random", "custom_load": False, "input_size": [3, SIDE, SIDE], "fixed_input_size": False,
        "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center", "mean": mean, "std": std,
        "num_classes": CLASSES, "pool_size": [2, 2], "first_conv": "conv1", "classifier": "fc",
    },
}
(here / "config.json").write_text(json.dumps(config, indent=1) + "\n")
bicubic, bilinear = v2.InterpolationMode.BICUBIC, v2.InterpolationMode.BILINEAR
exact = Image.fromarray(pixels.astype("uint8")[:SIDE, :SIDE])
exact.save(here / "exact.png")
answers = {
    "exact": answer(model, exact, SIDE, bicubic, mean, std, SIDE),
    "config": answer(model, picture, int(SIDE / 0.95), bicubic, mean, std, SIDE),
    "torchvision": answer(model, picture, 256, bilinear, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 224),
}
(here / "answers.json").write_text(json.dumps(answers) + "\n")
