#!/usr/bin/env python3
"""Writes sampling.txt: what PyTorch makes of small sampling problems, in double precision.

    pip install torch numpy && python3 sampling.py > sampling.txt

One line a problem: its name and settings, then after each `|` a list of numbers: sizes of the input, sizes of the
output, results. The operands are not written down: operand k of a problem is `numbers(length, k)`.
"""
import itertools, warnings
import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def numbers(length, seed):
    """Multiples of 1/64 from −1 to 1 without an order to be seen."""
    values = [((7 * i * i + 37 * i + 53 * seed + 11) % 127 - 63) / 64 for i in range(length)]
    return torch.tensor(values, dtype=torch.float64)


def count(sizes):
    return torch.Size(sizes).numel()


def line(*parts):
    def text(part):
        if isinstance(part, torch.Tensor):
            return " ".join(f"{v:.10g}" for v in part.flatten().tolist())
        return " ".join(map(str, part))
    print(" | ".join(map(text, parts)))


def flag(value):
    return "1" if value else "0"


# affine_grid align | size | grid | dtheta
for size in ([3, 4], [1, 5], [2, 3, 4]):
    for align in (False, True):
        axes = len(size)
        theta = numbers(2 * axes * (axes + 1), 0).reshape(2, axes, axes + 1).requires_grad_(True)
        grid = F.affine_grid(theta, [2, 1, *size], align_corners=align)
        grid.backward(numbers(grid.numel(), 1).reshape(grid.shape))
        line(["affine_grid", flag(align)], size, grid, theta.grad)

# grid_sample mode padding align | input | output | y | dx | dgrid, for one image of two channels
for input, output in (([3, 4], [2, 3]), ([2, 3, 4], [2, 1, 3])):
    modes = ("nearest", "bilinear", "bicubic") if len(input) == 2 else ("nearest", "bilinear")
    for mode, padding, align in itertools.product(modes, ("zeros", "border", "reflection"), (False, True)):
        x = numbers(2 * count(input), 0).reshape(1, 2, *input).requires_grad_(True)
        grid = numbers(count(output) * len(input), 1).reshape(1, *output, len(input))
        grid = (1.75 * grid).requires_grad_(True)
        y = F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=align)
        y.backward(numbers(y.numel(), 2).reshape(y.shape))
        line(["grid_sample", mode, padding, flag(align)], input, output, y, x.grad, grid.grad)

# interpolate mode align antialias | input | output | scales | y | dx, for one image of two channels
linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
problems = []
for input, output in (([5], [8]), ([4, 5], [7, 3]), ([4, 5], [1, 1]), ([2, 3, 4], [3, 5, 2])):
    problems += [(m, None, False, input, output, None) for m in ("nearest", "nearest-exact")]
    problems += [(linear[len(input)], align, False, input, output, None) for align in (False, True)]
for input, output in (([4, 5], [7, 3]), ([4, 5], [1, 1])):
    problems += [("bicubic", align, False, input, output, None) for align in (False, True)]
for input, output in (([4, 5], [7, 3]), ([7, 9], [2, 4]), ([7, 9], [1, 1])):
    problems += [(mode, False, True, input, output, None) for mode in ("bilinear", "bicubic")]
for scales in ([1.6, 0.7], [2.5, 2.9]):
    problems += [(mode, None, False, [4, 5], None, scales) for mode in ("nearest", "nearest-exact")]
    problems += [(mode, False, False, [4, 5], None, scales) for mode in ("bilinear", "bicubic")]
for mode, align, antialias, input, output, scales in problems:
    x = numbers(2 * count(input), 0).reshape(1, 2, *input).requires_grad_(True)
    y = F.interpolate(x, size=output, scale_factor=scales, mode=mode, align_corners=align, antialias=antialias,
                      recompute_scale_factor=None if output else False)
    y.backward(numbers(y.numel(), 1).reshape(y.shape))
    line(["interpolate", mode, flag(align), flag(antialias)], input, list(y.shape[2:]), scales or [], y, x.grad)
