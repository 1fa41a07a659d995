"""Operators that only move elements: exact to the last bit."""
import torch
from torch.nn import functional as F

PADS = [
    # shape, amounts for each axis
    ([2, 3, 7], [(0, 0), (0, 0), (3, 1)]),
    ([2, 3, 5, 6], [(0, 0), (0, 0), (1, 4), (3, 2)]),
    ([2, 2, 4, 3, 5], [(0, 0), (0, 0), (1, 2), (2, 0), (0, 3)]),
]
CROPS = [
    ([2, 3, 7], [(0, 0), (0, 0), (-2, 3)]),
    ([2, 3, 5, 6], [(1, 0), (0, 2), (3, -1), (-2, -1)]),
    ([4, 3], [(2, 0), (-1, 3)]),
]


def pads(family):
    def pad(mode, shape, amounts, axes, value=0.0):
        edges = [amount for pair in reversed(amounts[-axes:]) for amount in pair]
        settings = {"mode": mode, "amounts": amounts, "value": value}
        value = value if mode == "constant" else None
        family.add("pad", settings, lambda x: F.pad(x, edges, mode, value), [family.coarse(*shape)], exact=True)

    for shape, amounts in PADS + CROPS:
        pad("constant", shape, amounts, len(shape), -1.5)
    for mode in ("reflect", "replicate", "circular"):
        for shape, amounts in PADS:
            pad(mode, shape, amounts, len(shape) - 2)


def slices(family):
    for shape, ranges in (
        ([11], [(0, 2, 9, 3)]),
        ([3, 7], [(1, 1, 7, 2), (0, 1, 3, 1)]),
        ([2, 5, 4, 6], [(2, 1, 3, 1), (3, 0, 6, 4), (1, 2, 5, 2)]),
        ([2, 3, 4, 5, 3], [(4, 1, 2, 1), (-2, -4, -1, 2)]),
        ([4, 6, 5], [(1, -3, 1000, 1)]),
    ):
        def function(x):
            places = [slice(None)] * x.dim()
            for axis, start, stop, step in ranges:
                places[axis] = slice(start, stop, step)
            return x[tuple(places)]

        family.add("slice", {"ranges": ranges}, function, [family.coarse(*shape)], exact=True)
    # PyTorch has no negative steps but flips.
    backwards = {"ranges": [(1, 6, -1000, -3), (-1, 3, 0, -2)]}
    family.add("slice", backwards, lambda x: x.flip(1)[:, ::3].flip(2)[:, :, 1:4:2], [family.coarse(2, 7, 5)],
               exact=True)


def joined(family):
    for axis, shapes in (
        (0, [[2, 3], [1, 3], [4, 3]]), (1, [[2, 3, 4], [2, 1, 4]]), (-1, [[2, 3, 2, 4], [2, 3, 2, 1], [2, 3, 2, 2]]),
        (2, [[2, 2, 3, 2, 3], [2, 2, 1, 2, 3]]), (1, [[2, 17, 3, 2], [2, 3, 3, 2], [2, 8, 3, 2]]),
    ):
        inputs = [family.coarse(*shape) for shape in shapes]
        family.add("concat", {"axis": axis}, lambda *x: torch.cat(x, axis), inputs, exact=True)
    for shapes in ([[2, 3, 4], [2, 5, 4]], [[2, 17, 3, 2], [2, 3, 3, 2], [2, 8, 3, 2]]):
        inputs = [family.coarse(*shape) for shape in shapes]
        family.add("concat of channels", {}, lambda *x: torch.cat(x, 1), inputs, exact=True)
    x = family.coarse(2, 7, 3, 2)
    family.add("channel slice", {"start": 2, "count": 3}, lambda x: x[:, 2:5], [x], [], exact=True)


def record(family):
    pads(family)
    slices(family)
    joined(family)
    for shape, axes in (([3, 5], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4, 5], [0, 2, 3, 1]),
                        ([2, 3, 2, 4, 3], [4, 2, 0, 3, 1])):
        family.add("permute", {"axes": axes}, lambda x: x.permute(axes), [family.coarse(*shape)], exact=True)
    for shape, f in (([2, 8, 3, 4], 2), ([2, 9, 2, 1], 3), ([3, 32, 2, 3], 4), ([2, 12, 1, 5], 2)):
        x = family.coarse(*shape)
        family.add("pixel shuffle", {"factor": f}, lambda x: F.pixel_shuffle(x, f), [x], exact=True)
    for shape, f in (([2, 3, 4, 6], 2), ([2, 1, 3, 9], 3), ([3, 2, 8, 4], 4), ([2, 17, 2, 4], 2)):
        x = family.coarse(*shape)
        family.add("pixel unshuffle", {"factor": f}, lambda x: F.pixel_unshuffle(x, f), [x], exact=True)
    for shape, groups in (([2, 6, 3, 4], 2), ([2, 12, 5], 3), ([3, 34, 2, 2], 17), ([2, 8, 2, 3, 2], 4)):
        def shuffle(x):
            n, c, *spatial = x.shape
            return x.reshape(n, groups, c // groups, *spatial).transpose(1, 2).reshape(x.shape)

        # PyTorch's own has no gradient.
        x = family.coarse(*shape)
        if len(shape) == 4:
            assert torch.equal(F.channel_shuffle(x, groups), shuffle(x))
        family.add("channel shuffle", {"groups": groups}, shuffle, [x], exact=True)
    for shape, other in (([2, 3, 4], [4, 6]), ([2, 3, 2, 4], [2, 4, 3, 2]), ([6, 5], [1, 2, 3, 5])):
        family.add("reshape", {"shape": other}, lambda x: x.reshape(other), [family.coarse(*shape)], exact=True)
    for shape in ([2, 3, 4], [2, 5, 3, 2], [3, 2, 2, 3, 2]):
        family.add("flatten", {}, lambda x: x.flatten(1), [family.coarse(*shape)], exact=True)
        flat = family.coarse(shape[0], torch.Size(shape[1:]).numel())
        family.add("unflatten", {"shape": shape}, lambda x: x.reshape(shape), [flat], exact=True)
