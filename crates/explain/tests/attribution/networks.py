"""Two small classifiers; `networks.rs` builds the same. Every ReLU is a module of its own, as hooks on modules need it."""
import torch
from torch import nn


class Plain(nn.Module):
    """Convolutions, norms and max pools in a row; the first pool's windows overlap."""

    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 5, padding=2)
        self.relu_1 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        # A norm that no convolution comes before.
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 10, 3, padding=1)
        self.relu_2 = nn.ReLU()
        self.fc1 = nn.Linear(10 * 5 * 6, 12)
        self.relu_3 = nn.ReLU()
        self.fc2 = nn.Linear(12, classes)

    def forward(self, x):
        x = self.pool1(self.relu(self.bn1(self.conv1(x))))
        x = self.pool2(self.relu_1(self.conv2(x)))
        x = self.relu_2(self.conv3(self.bn2(x)))
        return self.fc2(self.relu_3(self.fc1(torch.flatten(x, 1))))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu_1 = nn.ReLU()
        self.downsample = nn.Sequential()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu_1(y + self.downsample(x))


class Residual(nn.Module):
    """A stem and two residual blocks, the second with a projection; the mean of each map goes into the logits."""

    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.layer1 = Block(8, 8, 1)
        self.layer2 = Block(8, 12, 2)
        self.fc = nn.Linear(12, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))
