from timm.layers import BatchNormAct2d, create_conv2d
from timm.models.resnetv2 import DownsampleConv, PreActBottleneck
from torch import nn


class PreActResNet(nn.Module):
    """The networks for 32×32 images of He et al. 2016 with projection shortcuts, of timm's blocks."""

    def __init__(self, block, blocks, classes):
        super().__init__()
        bottleneck = block is PreActBottleneck
        self.conv1, given = nn.Conv2d(3, 16, 3, 1, 1, bias=False), 16
        for stage, (channels, stride) in enumerate([(16, 1), (32, 2), (64, 2)]):
            channels *= 4 if bottleneck else 1
            layer = []
            for place in range(blocks):
                s = stride if place == 0 else 1
                layer.append(block(
                    given, channels, 0.25 if bottleneck else 1.0, s, act_layer=nn.ReLU, conv_layer=create_conv2d,
                    norm_layer=BatchNormAct2d, proj_layer=DownsampleConv if s != 1 or given != channels else None,
                ))
                given = channels
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.norm, self.fc = nn.BatchNorm2d(given), nn.Linear(given, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(self.norm(x).relu().mean((2, 3)))
