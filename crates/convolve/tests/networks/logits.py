"""Logits of a network that predicts, on small images."""
import math

import torch
from torch import nn

import formula

# Odd, so that strides and pools meet borders that are no multiples of theirs.
SIDE = 107
BATCH, CLASSES = 2, 50

# Of networks whose result is a map, which has many more numbers.
DENSE_SIDE, DENSE_BATCH, DENSE_CLASSES = 75, 1, 3

# Tried in this order; the one that keeps activations nearest to 1 is taken.
GAINS = (math.sqrt(2), 1.0, 0.75, 0.5)


def images(description):
    """The shape of a batch: reduced where the network is made for large images."""
    channels, height, width = description.input
    side, batch = (DENSE_SIDE, DENSE_BATCH) if description.dense else (SIDE, BATCH)
    side = max(side, description.least)
    return (batch, channels, min(height, side), min(width, side))


def run(description, gain):
    """Logits, those of the heads, and the sizes of all activations on the way."""
    classes = DENSE_CLASSES if description.dense else CLASSES
    model = formula.load(description.make(classes), gain).eval()
    sizes, read = [], {}

    def size(module, inputs, output):
        if isinstance(output, torch.Tensor):
            sizes.append(output.square().mean().sqrt().item())

    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(size)
    for _, source, _ in description.heads:
        # A copy: an activation in place may follow.
        keep = lambda module, inputs, output, source=source: read.update({source: output.clone()})
        model.get_submodule(source).register_forward_hook(keep)
    x = torch.from_numpy(formula.signed("input", images(description))).double()
    with torch.no_grad():
        results = {"": model(x)}
        for place, (head, source, _) in enumerate(description.heads):
            results[f"aux{place}"] = model.get_submodule(head)(read[source])
    return results, sizes


def spread(sizes):
    """How far from 1 activations come, as a factor."""
    return max(max(size, 1 / max(size, 1e-300)) for size in sizes)


def make(name, description):
    best = None
    for gain in GAINS:
        results, sizes = run(description, gain)
        if best is None or spread(sizes) < spread(best[1]):
            best = results, sizes, gain
        if spread(sizes) < 30:
            break
    results, sizes, gain = best
    assert spread(sizes) < 1000, f"{name}: activations from {min(sizes)} to {max(sizes)}"
    return {key: value.float() for key, value in results.items()}, {"images": images(description), "gain": gain}
