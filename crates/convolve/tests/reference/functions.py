"""Functions of one element, softmax and its loss.

Settings are fractions that 32 bits hold, except where PyTorch fixes others.
"""
import torch
from torch.nn import functional as F

ELU = torch.ops.aten.elu
UNARY = [
    # name, settings, function, and what it is given
    ("relu", {}, F.relu, "fine"),
    ("leaky relu", {"alpha": 0.125}, lambda x: F.leaky_relu(x, 0.125), "fine"),
    ("leaky relu", {"alpha": 1.5}, lambda x: F.leaky_relu(x, 1.5), "coarse"),
    ("elu", {"alpha": 0.75}, lambda x: F.elu(x, 0.75), "fine"),
    ("elu", {"alpha": 1.5}, lambda x: F.elu(x, 1.5), "wide"),
    ("selu", {"alpha": 1.625, "gamma": 1.0625}, lambda x: ELU(x, 1.625, 1.0625), "fine"),
    ("selu", {}, F.selu, "wide"),
    ("celu", {"alpha": 0.5}, lambda x: F.celu(x, 0.5), "fine"),
    ("celu", {"alpha": 2.0}, lambda x: F.celu(x, 2.0), "wide"),
    ("thresholded relu", {"alpha": 0.75}, lambda x: F.threshold(x, 0.75, 0.0), "fine"),
    ("sigmoid", {}, torch.sigmoid, "fine"),
    ("sigmoid", {}, torch.sigmoid, "wide"),
    ("hard sigmoid", {}, F.hardsigmoid, "wide"),
    ("hard swish", {}, F.hardswish, "fine"),
    ("hard swish", {}, F.hardswish, "wide"),
    ("tanh", {}, torch.tanh, "fine"),
    ("tanh", {}, torch.tanh, "wide"),
    ("softplus", {}, lambda x: F.softplus(x, threshold=1000), "fine"),
    ("softplus", {}, lambda x: F.softplus(x, threshold=1000), "wide"),
    ("softsign", {}, F.softsign, "fine"),
    ("gelu", {}, F.gelu, "fine"),
    ("gelu", {}, F.gelu, "wide"),
    ("gelu tanh", {}, lambda x: F.gelu(x, approximate="tanh"), "fine"),
    ("gelu tanh", {}, lambda x: F.gelu(x, approximate="tanh"), "wide"),
    ("mish", {}, F.mish, "fine"),
    ("mish", {}, F.mish, "wide"),
    ("swish", {"alpha": 1.0}, F.silu, "fine"),
    ("swish", {"alpha": 1.0}, F.silu, "wide"),
    ("swish", {"alpha": 1.75}, lambda x: x * torch.sigmoid(1.75 * x), "fine"),
    # Not at the bounds, where versions of PyTorch differ.
    ("clip", {"min": -0.53125, "max": 0.78125}, lambda x: torch.clamp(x, -0.53125, 0.78125), "coarse"),
    ("hard tanh", {"min": -0.5, "max": 0.75}, lambda x: F.hardtanh(x, -0.5, 0.75), "coarse"),
    ("hard tanh", {"min": 0.0, "max": 6.0}, F.relu6, "wide"),
    ("shrink", {"bias": 0.0, "lambda": 0.5}, lambda x: F.hardshrink(x, 0.5), "fine"),
    ("shrink", {"bias": 0.5, "lambda": 0.5}, lambda x: F.softshrink(x, 0.5), "fine"),
    ("erf", {}, torch.erf, "fine"),
    ("exp", {}, torch.exp, "fine"),
    ("log", {}, torch.log, "positive"),
    ("sqrt", {}, torch.sqrt, "positive"),
    ("neg", {}, torch.neg, "coarse"),
    ("abs", {}, torch.abs, "coarse"),
    ("reciprocal", {}, torch.reciprocal, "positive"),
]
SINGLE = {"selu", "hard sigmoid"}
SHAPES = [[2, 3, 4, 3], [5, 7], [3, 2, 9], [37]]


def record(family):
    for number, (name, settings, function, range_) in enumerate(UNARY):
        shape = SHAPES[number % len(SHAPES)]
        x = 6 * family.fine(*shape) if range_ == "wide" else getattr(family, range_)(*shape)
        # Exponentials lose some units, and more where one is taken from another.
        family.add(name, settings, function, [x], slack=24, single=name in SINGLE and not settings)
    for f in ("relu", "relu6"):
        x = 6 * family.fine(2, 5, 3, 3)
        family.add("activation", {"of": f}, getattr(F, f), [x], exact=True)
    for shape, slopes in (([3, 5], 5), ([2, 3, 7], 3), ([2, 17, 3, 2], 17), ([2, 2, 3, 2, 4], 1)):
        family.add("prelu", {}, F.prelu, [family.fine(*shape), family.fine(slopes)])
    for shape, axis in (([7], 0), ([3, 33], 1), ([5, 4], 0), ([2, 5, 3, 4], 1), ([2, 5, 3, 4], 3),
                        ([2, 3, 4, 2, 2], 2)):
        # An entry of the Jacobian is a difference of probabilities, or of one and 1.
        for name, function in (("softmax", F.softmax), ("log softmax", F.log_softmax)):
            x = 4 * family.fine(*shape)
            family.add(name, {"axis": axis}, lambda x: function(x, axis), [x], slack=24, parts=1)
    for shape in ([4, 10], [3, 1]):
        family.add("softmax of rows", {}, lambda x: F.softmax(x, 1), [4 * family.fine(*shape)], [], slack=24)
    for n, classes, smoothing in ((4, 5, 0.0), (3, 17, 0.125), (1, 2, 0.5), (5, 3, 1.0), (2, 33, 0.0625)):
        labels = family.integers((n,), 0, classes)

        def function(x, labels):
            return F.cross_entropy(x, labels, label_smoothing=smoothing)

        settings = {"smoothing": smoothing}
        family.add("cross-entropy", settings, function, [4 * family.fine(n, classes), labels], slack=24, parts=1)
