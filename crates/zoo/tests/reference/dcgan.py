from torch import nn


class Generator(nn.Module):
    """Radford et al. 2015 with the widths of PyTorch's example: 512 channels in the first map."""

    def __init__(self, colours):
        super().__init__()
        layers, given = [], 100
        for channels, stride, padding in ((512, 1, 0), (256, 2, 1), (128, 2, 1), (64, 2, 1)):
            layers += [
                nn.ConvTranspose2d(given, channels, 4, stride, padding, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            given = channels
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(given, colours, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, x):
        return self.main(x)
