import torch
from torch import nn


def shuffle(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class Unit(nn.Module):
    """Figure 2 (b) and (c) of Zhang et al. 2017."""

    def __init__(self, given, channels, stride, groups, first_groups):
        super().__init__()
        middle, out = channels // 4, channels if stride == 1 else channels - given
        self.stride, self.groups = stride, groups
        self.conv1 = nn.Conv2d(given, middle, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out, 1, groups=groups, bias=False)
        self.bn3 = nn.BatchNorm2d(out)

    def forward(self, x):
        y = shuffle(self.bn1(self.conv1(x)).relu(), self.groups)
        y = self.bn3(self.conv3(self.bn2(self.conv2(y))))
        if self.stride == 1:
            return (x + y).relu()
        return torch.cat([nn.functional.avg_pool2d(x, 3, self.stride, 1), y], 1).relu()


class ShuffleNetV1(nn.Module):
    """Table 1 of Zhang et al. 2017."""

    CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}

    def __init__(self, groups, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        given, channels = 24, self.CHANNELS[groups]
        for stage, units in ((2, 4), (3, 8), (4, 4)):
            layers = []
            for unit in range(units):
                first = 1 if stage == 2 and unit == 0 else groups
                layers.append(Unit(given, channels, 2 if unit == 0 else 1, groups, first))
                given = channels
            setattr(self, f"stage{stage}", nn.Sequential(*layers))
            channels *= 2
        self.fc = nn.Linear(given, classes)

    def forward(self, x):
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        x = self.stage4(self.stage3(self.stage2(x)))
        return self.fc(x.mean((2, 3)))
