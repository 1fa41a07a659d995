"""Blocks that no network of the registry is made of, by themselves on a small map."""
import torch
from torch import nn
from torchvision.models.inception import BasicConv2d
from torchvision.ops import SqueezeExcitation

import formula
import residual

MAP = (1, 12, 7, 8)
GAIN = 2**0.5


class Branches(nn.Module):
    """Chains of convolutions with norms and ReLUs, and a pool with or without one behind it, side by side.

    A chain is a list of (name, channels, kernel height, kernel width); a list in its last place holds two that read the
    same map.
    """

    def __init__(self, chains, pool, projection=None):
        super().__init__()
        self.chains, self.pool, self.projection = chains, pool, projection
        for chain in chains:
            inputs = MAP[1]
            for step in chain:
                for unit in step if isinstance(step, list) else [step]:
                    self.add(inputs, *unit)
                inputs = unit[1]
        if projection:
            self.add(MAP[1], *projection)

    def add(self, inputs, name, outputs, height, width):
        padding = (height // 2, width // 2)
        *path, last = name.split(".")
        parent = self
        for part in path:
            if not hasattr(parent, part):
                setattr(parent, part, nn.Module())
            parent = getattr(parent, part)
        parent.add_module(last, BasicConv2d(inputs, outputs, kernel_size=(height, width), padding=padding))

    def run(self, unit, x):
        return self.get_submodule(unit[0])(x)

    def forward(self, x):
        results = []
        for chain in self.chains:
            y = x
            for step in chain:
                y = torch.cat([self.run(unit, y) for unit in step], 1) if isinstance(step, list) else self.run(step, y)
            results.append(y)
        pooled = self.pool(x)
        return torch.cat([*results, self.run(self.projection, pooled) if self.projection else pooled], 1)


def largest(x):
    return nn.functional.max_pool2d(x, 3, 1, 1)


def mean(x):
    return nn.functional.avg_pool2d(x, 3, 1, 1)


BLOCKS = {
    "inception_v1_naive": lambda: Branches(
        [[("branch1", 5, 1, 1)], [("branch2", 6, 3, 3)], [("branch3", 7, 5, 5)]], largest
    ),
    "inception_v1": lambda: Branches(
        [
            [("branch1", 5, 1, 1)],
            [("branch2.0", 4, 1, 1), ("branch2.1", 6, 3, 3)],
            [("branch3.0", 3, 1, 1), ("branch3.1", 7, 5, 5)],
        ],
        largest,
        ("branch4.1", 8, 1, 1),
    ),
    "inception_v2_a": lambda: Branches(
        [
            [("branch1x1", 5, 1, 1)],
            [("branch3x3_1", 4, 1, 1), ("branch3x3_2", 6, 3, 3)],
            [("branch3x3dbl_1", 3, 1, 1), ("branch3x3dbl_2", 7, 3, 3), ("branch3x3dbl_3", 7, 3, 3)],
        ],
        mean,
        ("branch_pool", 8, 1, 1),
    ),
    "inception_v2_b": lambda: Branches(
        [
            [("branch1x1", 5, 1, 1)],
            [("branch5x5_1", 4, 1, 1), ("branch5x5_2", 4, 1, 5), ("branch5x5_3", 6, 5, 1)],
            [
                ("branch5x5dbl_1", 4, 1, 1),
                ("branch5x5dbl_2", 4, 5, 1),
                ("branch5x5dbl_3", 4, 1, 5),
                ("branch5x5dbl_4", 4, 5, 1),
                ("branch5x5dbl_5", 6, 1, 5),
            ],
        ],
        mean,
        ("branch_pool", 8, 1, 1),
    ),
    "inception_v2_c": lambda: Branches(
        [
            [("branch1x1", 5, 1, 1)],
            [("branch3x3_1", 4, 1, 1), [("branch3x3_2a", 6, 1, 3), ("branch3x3_2b", 6, 3, 1)]],
            [
                ("branch3x3dbl_1", 3, 1, 1),
                ("branch3x3dbl_2", 7, 3, 3),
                [("branch3x3dbl_3a", 6, 1, 3), ("branch3x3dbl_3b", 6, 3, 1)],
            ],
        ],
        mean,
        ("branch_pool", 8, 1, 1),
    ),
    "squeeze_excite": lambda: SqueezeExcitation(MAP[1], 3),
    "deformable_bottleneck": lambda: residual.DeformableBottleneck(MAP[1], 5, 2, modulated=False),
    "modulated_bottleneck": lambda: residual.DeformableBottleneck(MAP[1], 5, 1, modulated=True),
    "dense_block": lambda: residual.DenseBlock(MAP[1], 3, 5),
}


def make(name, block):
    model = formula.load(block(), GAIN).eval()
    with torch.no_grad():
        y = model(torch.from_numpy(formula.signed("input", MAP)).double())
    return {"": y.float()}, {"images": MAP, "gain": GAIN}
