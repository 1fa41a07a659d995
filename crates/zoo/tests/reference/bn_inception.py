"""BN-Inception (Ioffe and Szegedy 2015) with the names of the weights that were published of it.

The names are Caffe's: flat, `inception_3a_3x3_reduce` and `inception_3a_3x3_reduce_bn`. Convolutions keep their biases.
"""
import torch
from torch import nn

# Of each block: 1×1, then a 3×3 branch and one of two 3×3 with their reductions, and the projection after the pool.
BLOCKS = {
    "3a": (64, (64, 64), (64, 96), 32, "average"),
    "3b": (64, (64, 96), (64, 96), 64, "average"),
    "3c": (None, (128, 160), (64, 96), None, "halve"),
    "4a": (224, (64, 96), (96, 128), 128, "average"),
    "4b": (192, (96, 128), (96, 128), 128, "average"),
    "4c": (160, (128, 160), (128, 160), 128, "average"),
    "4d": (96, (128, 192), (160, 192), 128, "average"),
    "4e": (None, (128, 192), (192, 256), None, "halve"),
    "5a": (352, (192, 320), (160, 224), 128, "average"),
    "5b": (352, (192, 320), (192, 224), 128, "max"),
}


class BnInception(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.unit("conv1_7x7_s2", 3, 64, 7, 2)
        self.unit("conv2_3x3_reduce", 64, 64, 1)
        self.unit("conv2_3x3", 64, 192, 3)
        channels = 192
        for name, (pointwise, (reduce, single), (reduce_double, double), projection, pool) in BLOCKS.items():
            at, stride = f"inception_{name}_", 2 if pool == "halve" else 1
            if pointwise:
                self.unit(at + "1x1", channels, pointwise, 1)
            self.unit(at + "3x3_reduce", channels, reduce, 1)
            self.unit(at + "3x3", reduce, single, 3, stride)
            self.unit(at + "double_3x3_reduce", channels, reduce_double, 1)
            self.unit(at + "double_3x3_1", reduce_double, double, 3)
            self.unit(at + "double_3x3_2", double, double, 3, stride)
            if projection:
                self.unit(at + "pool_proj", channels, projection, 1)
            channels = single + double + (pointwise + projection if pointwise else channels)
        self.last_linear = nn.Linear(channels, classes)

    def unit(self, name, inputs, outputs, kernel, stride=1):
        setattr(self, name, nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2))
        setattr(self, name + "_bn", nn.BatchNorm2d(outputs))

    def run(self, name, x):
        return getattr(self, name + "_bn")(getattr(self, name)(x)).relu()

    def forward(self, x):
        halve = nn.MaxPool2d(3, 2, ceil_mode=True)
        pools = {"halve": halve, "max": nn.MaxPool2d(3, 1, 1), "average": nn.AvgPool2d(3, 1, 1)}
        x = halve(self.run("conv1_7x7_s2", x))
        x = halve(self.run("conv2_3x3", self.run("conv2_3x3_reduce", x)))
        for name, (pointwise, _, _, _, pool) in BLOCKS.items():
            at = f"inception_{name}_"
            single = self.run(at + "3x3", self.run(at + "3x3_reduce", x))
            double = self.run(at + "double_3x3_1", self.run(at + "double_3x3_reduce", x))
            branches = [single, self.run(at + "double_3x3_2", double), pools[pool](x)]
            if pointwise:
                branches = [self.run(at + "1x1", x), *branches[:2], self.run(at + "pool_proj", branches[2])]
            x = torch.cat(branches, 1)
        return self.last_linear(x.mean((2, 3)))
