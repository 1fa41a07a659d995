"""Loss and gradients of one training step: batch statistics in the norms, no dropout, the heads' losses added.

Of each gradient the file keeps a digest, a row of `NETWORK.digests` in the order of the parameters:

    the norm, SAMPLES elements from the first to the last, PROJECTIONS inner products with vectors of the formula

A vector of v's has a mean square of 1/3 an element, so the mean square of what the projections of two gradients differ
by is a third of the square of the norm of their difference, whatever that is (Johnson and Lindenstrauss 1984).
`NETWORK.loss` is the loss.
"""
import torch
from torch import nn

import formula

# For each the side of the images and their number: enough of both that no norm sees but two numbers.
NETWORKS = {"googlenet": (107, 4), "inception_v3": (299, 4), "resnet18": (75, 4)}

CLASSES, SAMPLES, PROJECTIONS = 10, 4, 8

# That of He et al. 2015; norms of the batch keep activations in size.
GAIN = 2**0.5


def labels(batch):
    return [(7 * image + 3) % CLASSES for image in range(batch)]


def digest(name, gradient):
    g = gradient.flatten()
    samples = [g[place * (len(g) - 1) // (SAMPLES - 1)].item() for place in range(SAMPLES)]
    vectors = (torch.from_numpy(formula.signed(f"{name}#{k}", (len(g),))).double() for k in range(PROJECTIONS))
    return [g.norm().item(), *samples, *((g @ vector).item() for vector in vectors)]


def make(name, description):
    side, batch = NETWORKS[name]
    model = formula.load(description.make(CLASSES), GAIN).train()
    heads = {}
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for head, _, _ in description.heads:
        keep = lambda module, inputs, output, head=head: heads.update({head: output})
        model.get_submodule(head).register_forward_hook(keep)
    shape = (batch, description.input[0], side, side)
    logits = model(torch.from_numpy(formula.signed("input", shape)).double())
    wanted = torch.tensor(labels(batch))
    loss = nn.functional.cross_entropy(logits[0] if isinstance(logits, tuple) else logits, wanted)
    for head, _, weight in description.heads:
        loss = loss + weight * nn.functional.cross_entropy(heads[head], wanted)
    loss.backward()
    digests = [digest(name, parameter.grad) for name, parameter in model.named_parameters()]
    tensors = {"loss": loss.detach(), "digests": torch.tensor(digests, dtype=torch.float64)}
    return tensors, {"images": shape, "gain": GAIN}
