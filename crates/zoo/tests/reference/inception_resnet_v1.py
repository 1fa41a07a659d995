"""Inception-ResNet v1 (Szegedy et al. 2016) with the names of facenet-pytorch, whose weights tell faces apart."""
import torch
from torch import nn


class Unit(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class Residual(nn.Module):
    """Branches of units, each a list of (channels, kernel height, kernel width), expanded, scaled and added."""

    def __init__(self, channels, branches, scale, relu=True):
        super().__init__()
        self.scale, self.ends_with_relu, self.count, width = scale, relu, len(branches), 0
        for place, branch in enumerate(branches):
            units, inputs = [], channels
            for outputs, height, width_ in branch:
                units.append(Unit(inputs, outputs, (height, width_), 1, (height // 2, width_ // 2)))
                inputs = outputs
            setattr(self, f"branch{place}", units[0] if len(units) == 1 else nn.Sequential(*units))
            width += inputs
        self.conv2d = nn.Conv2d(width, channels, 1)

    def forward(self, x):
        branches = [getattr(self, f"branch{place}")(x) for place in range(self.count)]
        y = self.conv2d(torch.cat(branches, 1)) * self.scale + x
        return y.relu() if self.ends_with_relu else y


class Reduction(nn.Module):
    """Branches whose last unit is strided, beside a max pool. A branch is a list of channels."""

    def __init__(self, channels, branches):
        super().__init__()
        self.count = len(branches)
        for place, branch in enumerate(branches):
            units, inputs = [], channels
            for step, outputs in enumerate(branch):
                last, first = step == len(branch) - 1, step == 0
                kernel = 3 if last or not first else 1
                units.append(Unit(inputs, outputs, kernel, 2 if last else 1, 0 if last or first else 1))
                inputs = outputs
            setattr(self, f"branch{place}", units[0] if len(units) == 1 else nn.Sequential(*units))

    def forward(self, x):
        branches = [getattr(self, f"branch{place}")(x) for place in range(self.count)]
        return torch.cat([*branches, nn.functional.max_pool2d(x, 3, 2)], 1)


class InceptionResnetV1(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv2d_1a, self.conv2d_2a = Unit(3, 32, 3, 2), Unit(32, 32, 3)
        self.conv2d_2b, self.conv2d_3b = Unit(32, 64, 3, 1, 1), Unit(64, 80, 1)
        self.conv2d_4a, self.conv2d_4b = Unit(80, 192, 3), Unit(192, 256, 3, 2)
        one, three, row, column = (1, 1), (3, 3), (1, 7), (7, 1)
        unit = lambda channels, kernel: (channels, *kernel)
        a = [[unit(32, one)], [unit(32, one), unit(32, three)], [unit(32, one), unit(32, three), unit(32, three)]]
        b = [[unit(128, one)], [unit(128, one), unit(128, row), unit(128, column)]]
        c = [[unit(192, one)], [unit(192, one), unit(192, (1, 3)), unit(192, (3, 1))]]
        self.repeat_1 = nn.Sequential(*(Residual(256, a, 0.17) for _ in range(5)))
        self.mixed_6a = Reduction(256, [[384], [192, 192, 256]])
        self.repeat_2 = nn.Sequential(*(Residual(896, b, 0.1) for _ in range(10)))
        self.mixed_7a = Reduction(896, [[256, 384], [256, 256], [256, 256, 256]])
        self.repeat_3 = nn.Sequential(*(Residual(1792, c, 0.2) for _ in range(5)))
        self.block8 = Residual(1792, c, 1.0, relu=False)
        self.dropout = nn.Dropout(0.6)
        self.last_linear = nn.Linear(1792, 512, bias=False)
        self.last_bn = nn.BatchNorm1d(512, eps=1e-3)
        self.logits = nn.Linear(512, classes)

    def forward(self, x):
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x)))
        x = self.conv2d_3b(nn.functional.max_pool2d(x, 3, 2))
        x = self.repeat_1(self.conv2d_4b(self.conv2d_4a(x)))
        x = self.repeat_2(self.mixed_6a(x))
        x = self.block8(self.repeat_3(self.mixed_7a(x)))
        return self.logits(self.last_bn(self.last_linear(self.dropout(x.mean((2, 3))))))
