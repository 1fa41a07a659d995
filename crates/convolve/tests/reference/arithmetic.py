"""Arithmetic of two tensors with broadcasting, and reductions."""
import torch

SHAPES = [
    ([2, 3, 4, 5], [2, 3, 4, 5]),
    ([2, 3, 4], [3, 1]),
    ([5], [2, 3, 1]),
    ([2, 1, 4, 1], [3, 1, 5]),
    ([3, 2, 2, 3, 2], []),
]
BINARY = {
    "sub": torch.sub, "mul": torch.mul, "div": torch.div, "min": torch.minimum, "max": torch.maximum,
    "pow": torch.pow, "add": torch.add,
}
REDUCTIONS = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}


def record(family):
    for name, function in BINARY.items():
        for a, b in SHAPES:
            if name in ("div", "pow"):
                # The base of a power above 0; powers and logarithms have lost some units of their own.
                inputs = [family.positive(*a), family.positive(*b)]
                family.add("binary", {"of": name}, function, inputs, slack=24)
            else:
                # Coarse numbers are equal here and there: both operands of a minimum share the gradient.
                family.add("binary", {"of": name}, function, [family.coarse(*a), family.coarse(*b)], exact=True)
    for shape in ([3, 5], [2, 3, 4, 2]):
        family.add("add", {}, torch.add, [family.coarse(*shape), family.coarse(*shape)], exact=True)
    for name, function in REDUCTIONS.items():
        for shape, axes in [([7], [0]), ([3, 5], [-1]), ([2, 3, 4, 5], [1]), ([2, 3, 4, 5], [0, -2]),
                            ([2, 3, 2, 4, 3], [4, 2, 3]), ([2, 3, 4], [0, 1, 2])]:
            for draw in (family.coarse, family.fine):
                x = draw(*shape)
                # Coarse numbers make equal maxima.
                exact = name == "sum" and draw == family.coarse
                family.add("reduce", {"of": name, "axes": axes}, lambda x: function(x, axes, keepdim=True), [x],
                           exact=exact)
