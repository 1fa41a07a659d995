from torch import nn


class ZFNet(nn.Module):
    """Figure 3 of Zeiler & Fergus 2013; the response normalisation is AlexNet's, whose alpha is not divided by its size."""

    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 96, 7, 2, 1), nn.Conv2d(96, 256, 5, 2)
        self.conv3, self.conv4 = nn.Conv2d(256, 384, 3, 1, 1), nn.Conv2d(384, 384, 3, 1, 1)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
        self.avgpool, self.drop = nn.AdaptiveAvgPool2d(6), nn.Dropout(0.5)
        self.fc6, self.fc7, self.fc8 = nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, classes)

    def forward(self, x):
        x = self.norm(self.pool(self.conv1(x).relu()))
        x = self.norm(self.pool(self.conv2(x).relu()))
        x = self.conv5(self.conv4(self.conv3(x).relu()).relu()).relu()
        x = self.avgpool(self.pool(x)).flatten(1)
        x = self.fc6(self.drop(x)).relu()
        return self.fc8(self.fc7(self.drop(x)).relu())
