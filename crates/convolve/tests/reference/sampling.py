"""Spatial transformers and resizing."""
import itertools

from torch.nn import functional as F

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def grids(family):
    for size in ([3, 4], [1, 5], [7, 2], [2, 3, 4]):
        for align in (False, True):
            axes = len(size)
            theta = family.fine(2, axes, axes + 1)
            family.add("affine grid", {"size": size, "align": align},
                       lambda theta: F.affine_grid(theta, [2, 1, *size], align_corners=align), [theta], slack=16)
    for shape, output in (([2, 3, 5, 4], [3, 5]), ([2, 2, 3, 4, 5], [2, 3, 2])):
        axes = len(output)
        modes = ("nearest", "bilinear", "bicubic") if axes == 2 else ("nearest", "bilinear")
        for mode, padding, align in itertools.product(modes, ("zeros", "border", "reflection"), (False, True)):
            # Up to 1.75 to all sides. An odd multiple of 1/64 is neither on a pixel nor half way to the next, where
            # slopes jump, under either rule.
            grid = (2 * family.integers((2, *output, axes), -56, 56) + 1).double() / 64
            settings = {"mode": mode, "padding": padding, "align": align}

            def sample(x, grid):
                return F.grid_sample(x, grid, mode, padding, align)

            family.add("grid sample", settings, sample, [family.fine(*shape), grid], slack=64)


def resize(family, mode, shape, size=None, scales=None, align=None, antialias=False):
    def function(x):
        return F.interpolate(x, size, scales, mode, align, False if scales else None, antialias)

    settings = {"mode": mode, "size": size, "scales": scales, "align": bool(align), "antialias": antialias}
    # Places are rounded, and the weights of a pixel follow its place.
    family.add("resize", settings, function, [family.fine(*shape)], slack=16 * max(shape[2:]))


def record(family):
    grids(family)
    for shape, size in (([2, 3, 5], [8]), ([2, 3, 4, 5], [7, 3]), ([2, 9, 3, 2], [4, 5]), ([2, 2, 2, 3, 4], [3, 5, 2])):
        for mode in ("nearest", "nearest-exact"):
            resize(family, mode, shape, size)
        for align in (False, True):
            resize(family, LINEAR[len(size)], shape, size, align=align)
            if len(size) == 2:
                resize(family, "bicubic", shape, size, align=align)
    for shape, size in (([2, 3, 4, 5], [7, 3]), ([2, 2, 9, 7], [2, 3]), ([2, 2, 7, 8], [1, 5])):
        for mode in ("bilinear", "bicubic"):
            resize(family, mode, shape, size, align=False, antialias=True)
    for scales in ([1.75, 0.75], [2.5, 3.25], [0.5, 0.625]):
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
            resize(family, mode, [2, 2, 4, 5], scales=scales, align=None if mode.startswith("nearest") else False)
    resize(family, "linear", [2, 3, 7], scales=[1.625], align=False)
    resize(family, "trilinear", [2, 2, 3, 4, 3], scales=[1.5, 0.75, 2.25], align=False)
