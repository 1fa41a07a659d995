from torch import nn
from torchvision.models.resnet import BasicBlock


class CifarResNet(nn.Module):
    """The networks of section 4.2 of He et al. 2015 with projection shortcuts."""

    def __init__(self, blocks, classes):
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
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))
