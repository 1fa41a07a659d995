"""Bottlenecks whose 3×3 convolution is deformable, and dense blocks without bottlenecks."""
import torch
from torch import nn
from torchvision.ops import DeformConv2d


class OffsetConv(DeformConv2d):
    """A convolution of the map makes the offsets and, in version 2, the logits of the mask."""

    def __init__(self, channels, stride, modulated):
        super().__init__(channels, channels, 3, stride, 1, bias=False)
        self.modulated = modulated
        self.conv_offset = nn.Conv2d(channels, 27 if modulated else 18, 3, stride, 1)

    def forward(self, x):
        made = self.conv_offset(x)
        return super().forward(x, made[:, :18], made[:, 18:].sigmoid() if self.modulated else None)


class DeformableBottleneck(nn.Module):
    def __init__(self, inputs, channels, stride, modulated):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, channels, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = OffsetConv(channels, stride, modulated), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = nn.Conv2d(channels, 4 * channels, 1, bias=False), nn.BatchNorm2d(4 * channels)
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, 4 * channels, 1, stride, bias=False), nn.BatchNorm2d(4 * channels)
        )

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + self.downsample(x)).relu()


class DenseBlock(nn.Module):
    def __init__(self, inputs, layers, growth):
        super().__init__()
        for layer in range(layers):
            channels = inputs + layer * growth
            self.add_module(f"denselayer{layer + 1}", nn.Sequential())
            unit = getattr(self, f"denselayer{layer + 1}")
            unit.add_module("norm1", nn.BatchNorm2d(channels))
            unit.add_module("relu", nn.ReLU())
            unit.add_module("conv1", nn.Conv2d(channels, growth, 3, padding=1, bias=False))

    def forward(self, x):
        for unit in self.children():
            x = torch.cat([x, unit(x)], 1)
        return x
