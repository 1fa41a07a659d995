"""Loss and gradients of one training step: batch statistics in the norms, no dropout, the heads' losses added.

Of each gradient the file keeps a digest, a row of `NETWORK.digests` in the order of the parameters:

    the norm, SAMPLES elements from the first to the last, PROJECTIONS inner products with vectors of the formula

A vector of v's has a mean square of 1/3 an element, so the mean square of what the projections of two gradients differ
by is a third of the square of the norm of their difference, whatever that is (Johnson and Lindenstrauss 1984).
`NETWORK.loss` is the loss.

Both sides compute in 64 bits. In 32 bits a gradient cannot be found so well: it takes a step where a ReLU turns on or a
maximum moves, and one activation that rounding puts on the other side of zero is worth 1e-2 in the layers around it.
The metadata say as `single` how far PyTorch's own gradients in 32 bits are off where they are worst.
"""
import torch
from torch import nn

import formula

# For each the side of the images and their number: enough of both that no norm sees but two numbers.
NETWORKS = {
    "googlenet": (63, 4),
    "resnet18": (75, 4),
    "inception_v3": (107, 4),
    "densenet121": (75, 4),
    # On these, no activation comes nearer than 4e-6 to where a ReLU turns, so that 32 bits take few steps.
    "mobilenet_v2": (45, 4),
    "shufflenet_v2_x1_0": (36, 4),
}

CLASSES, SAMPLES, PROJECTIONS = 10, 4, 8

# A gradient that is so much smaller than the largest is 0 but for rounding: a norm takes away what a shift before it
# adds to all. Its error counts against the largest.
VANISHING = 1e-9

# That of He et al. 2015; norms of the batch keep activations in size.
GAIN = 2**0.5


def labels(batch):
    return [(7 * image + 3) % CLASSES for image in range(batch)]


def digest(name, gradient):
    g = gradient.flatten()
    samples = [g[place * (len(g) - 1) // (SAMPLES - 1)].item() for place in range(SAMPLES)]
    vectors = (torch.from_numpy(formula.signed(f"{name}#{k}", (len(g),))).double() for k in range(PROJECTIONS))
    return [g.norm().item(), *samples, *((g @ vector).item() for vector in vectors)]


def gradients(model, heads, images):
    """The loss and the gradients by name."""
    outputs = {}
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for head, _, _ in heads:
        keep = lambda module, inputs, output, head=head: outputs.update({head: output})
        model.get_submodule(head).register_forward_hook(keep)
    logits, wanted = model(images), torch.tensor(labels(len(images)))
    loss = nn.functional.cross_entropy(logits[0] if isinstance(logits, tuple) else logits, wanted)
    for head, _, weight in heads:
        loss = loss + weight * nn.functional.cross_entropy(outputs[head], wanted)
    loss.backward()
    return loss.detach(), {name: parameter.grad.double() for name, parameter in model.named_parameters()}


def make(name, description):
    side, batch = NETWORKS[name]
    shape = (batch, description.input[0], side, side)
    images = torch.from_numpy(formula.signed("input", shape))
    double, single = (formula.load(description.make(CLASSES), GAIN).train() for _ in range(2))
    loss, exact = gradients(double, description.heads, images.double())
    _, rounded = gradients(single.float(), description.heads, images)
    largest = max(g.norm() for g in exact.values())
    size = {key: g.norm() if g.norm() > VANISHING * largest else largest for key, g in exact.items()}
    worst = max(((rounded[key] - g).norm() / size[key]).item() for key, g in exact.items())
    digests = [digest(key, g) for key, g in exact.items()]
    tensors = {"loss": loss, "digests": torch.tensor(digests, dtype=torch.float64)}
    return tensors, {"images": shape, "gain": GAIN, "single": float(f"{worst:.2g}")}
