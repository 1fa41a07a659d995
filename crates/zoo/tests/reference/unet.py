import torch
from torch import nn


class DoubleConv(nn.Module):
    def __init__(self, given, channels):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(given, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
        )

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, given, channels):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(given, channels))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, given, channels):
        super().__init__()
        self.up, self.conv = nn.ConvTranspose2d(given, given // 2, 2, 2), DoubleConv(given, channels)

    def forward(self, x, skip):
        x = self.up(x)
        rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = nn.functional.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.conv(torch.cat([skip, x], 1))


class OutConv(nn.Module):
    def __init__(self, given, classes):
        super().__init__()
        self.conv = nn.Conv2d(given, classes, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    """Ronneberger et al. 2015 with padded convolutions and batch normalisation, transposed convolutions on the way up."""

    def __init__(self, classes):
        super().__init__()
        self.inc = DoubleConv(3, 64)
        for step, channels in enumerate((128, 256, 512, 1024)):
            setattr(self, f"down{step + 1}", Down(channels // 2, channels))
        for step, channels in enumerate((512, 256, 128, 64)):
            setattr(self, f"up{step + 1}", Up(2 * channels, channels))
        self.outc = OutConv(64, classes)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return self.outc(self.up4(self.up3(self.up2(x, x3), x2), x1))
