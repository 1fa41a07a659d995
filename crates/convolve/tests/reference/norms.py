"""Normalisation. Every ε is a power of two, as in 32 bits."""
import torch
from torch.nn import functional as F

EPSILON = 2.0**-10
# A difference from the mean has lost some units of the sum, and the deviation others.
SLACK = 32


def batch_norms(family):
    for shape, momentum in (([6, 3], 0.125), ([3, 4, 5], 0.25), ([2, 3, 4, 3], 0.5), ([2, 17, 2, 3], 0.0625),
                            ([2, 3, 2, 3, 2], 1.0), ([4, 1, 3, 1], 0.125)):
        c = shape[1]
        axes = [axis for axis in range(len(shape)) if axis != 1]
        inputs = [family.fine(*shape), family.positive(c), family.fine(c), family.fine(c), family.positive(c)]

        def training(x, gamma, beta, mean, var):
            mean, var = mean.detach().clone(), var.detach().clone()
            y = F.batch_norm(x, mean, var, gamma, beta, True, momentum, EPSILON)
            own = torch.native_batch_norm(x, gamma, beta, None, None, True, momentum, EPSILON)
            return y, own[1], own[2], mean, var

        def inference(x, gamma, beta, mean, var):
            return F.batch_norm(x, mean.detach(), var.detach(), gamma, beta, False, momentum, EPSILON)

        settings = {"epsilon": EPSILON, "momentum": momentum}
        family.add("batch norm training", settings, training, inputs, [0, 1, 2], slack=SLACK)
        family.add("batch norm inference", settings, inference, inputs, [], slack=SLACK)


def parameters(family, shape, count):
    return [family.positive(*shape), family.fine(*shape)][:count]


def record(family):
    batch_norms(family)
    for shape, groups, count in (([3, 4], 2, 2), ([2, 6, 5], 3, 1), ([2, 6, 3, 4], 2, 2), ([2, 5, 3, 2], 1, 0),
                                 ([2, 18, 2, 3], 9, 2), ([2, 4, 2, 3, 2], 2, 2)):
        def group(x, *given):
            return F.group_norm(x, groups, *given, eps=EPSILON)

        inputs = [family.fine(*shape), *parameters(family, [shape[1]], count)]
        settings = {"groups": groups, "epsilon": EPSILON, "parameters": count}
        family.add("group norm", settings, group, inputs, slack=SLACK)
    for shape, count in (([2, 3, 7], 2), ([3, 4, 4, 3], 0), ([2, 17, 3, 2], 2), ([2, 3, 2, 3, 4], 1)):
        def instance(x, gamma=None, beta=None):
            return F.instance_norm(x, weight=gamma, bias=beta, eps=EPSILON)

        inputs = [family.fine(*shape), *parameters(family, [shape[1]], count)]
        settings = {"groups": shape[1], "epsilon": EPSILON, "parameters": count}
        family.add("instance norm", settings, instance, inputs, slack=SLACK)
    for shape, axis, count in (([5, 7], 1, 2), ([2, 3, 4], 2, 2), ([2, 3, 4], 1, 1), ([3, 2, 3, 4], 1, 2),
                               ([2, 3, 17], 2, 0), ([11], 0, 2)):
        def layer(x, *given):
            return F.layer_norm(x, shape[axis:], *given, eps=EPSILON)

        inputs = [family.fine(*shape), *parameters(family, shape[axis:], count)]
        settings = {"axis": axis, "epsilon": EPSILON, "parameters": count}
        family.add("layer norm", settings, layer, inputs, slack=SLACK)
    for shape, count in (([3, 5], 2), ([2, 6, 7], 1), ([2, 17, 3, 2], 2), ([2, 4, 2, 3, 2], 0)):
        def channel(x, *given):
            y = F.layer_norm(x.movedim(1, -1), shape[1:2], *given, eps=EPSILON)
            return y.movedim(-1, 1)

        inputs = [family.fine(*shape), *parameters(family, [shape[1]], count)]
        family.add("channel norm", {"epsilon": EPSILON, "parameters": count}, channel, inputs, slack=SLACK)
    for shape, size, alpha, beta, k in (([2, 7, 5], 5, 0.5, 0.75, 1.0), ([2, 6, 3, 4], 4, 0.25, 0.5, 2.0),
                                        ([2, 17, 2, 2], 3, 1.0, 1.25, 0.5), ([2, 5, 2, 3, 2], 2, 0.5, 0.75, 1.0),
                                        ([3, 3, 4], 7, 2.0, 1.0, 1.5)):
        settings = {"size": size, "alpha": alpha, "beta": beta, "k": k}
        family.add("local response norm", settings, lambda x: F.local_response_norm(x, size, alpha, beta, k),
                   [family.fine(*shape)], slack=SLACK)
