"""Pooling over windows and to bins, and max unpooling."""
from torch.nn import functional as F

MAX = [F.max_pool1d, F.max_pool2d, F.max_pool3d]
AVERAGE = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d]
LP = [lambda x, order, k, s: F.lp_pool1d(x, order, *k, *s), F.lp_pool2d, F.lp_pool3d]
UNPOOL = [F.max_unpool1d, F.max_unpool2d, F.max_unpool3d]
ADAPTIVE_MAX = [F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d]
ADAPTIVE_AVERAGE = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d]

# shape, kernel, stride, padding, dilation, ceil
WINDOWS = [
    ([2, 3, 11], [3], [2], [1], [2], False),
    ([3, 2, 12], [4], [3], [2], [1], True),
    ([2, 2, 10], [2], [4], [0], [3], True),
    ([2, 3, 9, 8], [3, 2], [2, 3], [1, 0], [1, 2], False),
    ([2, 3, 9, 8], [2, 4], [3, 1], [0, 2], [2, 1], True),
    ([2, 9, 4, 6], [3, 2], [1, 2], [1, 1], [1, 1], False),
    ([2, 2, 12, 13], [3, 4], [4, 3], [1, 2], [1, 1], True),
    ([2, 2, 7, 7], [4, 5], [4, 5], [2, 1], [1, 1], True),
    ([2, 2, 5, 6, 7], [2, 3, 2], [1, 2, 3], [1, 0, 1], [2, 1, 1], False),
    ([2, 2, 6, 5, 4], [3, 2, 2], [2, 3, 1], [1, 1, 0], [1, 1, 2], True),
]
ADAPTIVE = [
    ([2, 3, 7], [3]),
    ([2, 2, 5], [8]),
    ([2, 3, 7, 5], [3, 2]),
    ([2, 9, 4, 6], [5, 4]),
    ([3, 2, 8, 6], [4, 3]),
    ([2, 2, 5, 4, 7], [2, 3, 4]),
    ([2, 3, 6, 5], [1, 1]),
]


def windows(family):
    for shape, k, s, p, d, ceil in WINDOWS:
        rank = len(k)
        settings = {"kernel": k, "stride": s, "padding": p, "dilation": d, "ceil": ceil}
        for x in (family.distinct(*shape), family.coarse(*shape)):
            # Coarse numbers have equal maxima: the first one counts.
            family.add("max pool", settings, lambda x: MAX[rank - 1](x, k, s, p, d, ceil, True), [x], exact=True)
    for shape, k, s, p, _, ceil in WINDOWS:
        settings = {"kernel": k, "stride": s, "padding": p, "dilation": [1] * len(k), "ceil": ceil}
        for counts in (True, False):
            average = AVERAGE[len(k) - 1]
            family.add("average pool", settings | {"counts": counts}, lambda x: average(x, k, s, p, ceil, counts),
                       [family.fine(*shape)])
    # Without padding and overhang, of which PyTorch makes something else.
    for shape, order, k, s in (
        ([2, 3, 9], 2, [3], [2]), ([2, 3, 9], 3, [4], [3]), ([2, 3, 7, 8], 2, [2, 3], [3, 2]),
        ([2, 2, 7, 8], 1, [3, 2], [2, 3]), ([2, 2, 6, 5], 1.5, [2, 2], [1, 3]), ([2, 5, 6, 5], 4, [3, 2], [2, 2]),
        ([2, 2, 5, 4, 6], 2, [2, 3, 2], [3, 1, 2]), ([2, 3, 4, 5], 2, [4, 5], [1, 1]),
    ):
        # PyTorch raises the signed element: odd orders are taken of positive numbers.
        x = family.fine(*shape) if order % 2 == 0 else family.positive(*shape)
        settings = {"order": order, "kernel": k, "stride": s, "padding": [0] * len(k), "dilation": [1] * len(k)}
        lp = LP[len(k) - 1]
        family.add("lp pool", settings | {"ceil": False}, lambda x: lp(x, order, k, s), [x], slack=24)


def record(family):
    windows(family)
    for shape, output in ADAPTIVE:
        rank = len(output)
        for x in (family.distinct(*shape), family.coarse(*shape)):
            family.add("adaptive max pool", {"output": output}, lambda x: ADAPTIVE_MAX[rank - 1](x, output, True), [x],
                       exact=True)
        family.add("adaptive average pool", {"output": output}, lambda x: ADAPTIVE_AVERAGE[rank - 1](x, output),
                   [family.fine(*shape)])
    for shape in ([3, 5, 7], [2, 17, 3, 4], [2, 3, 2, 3, 4]):
        axes = list(range(2, len(shape)))
        family.add("global average pool", {}, lambda x: x.mean(axes, keepdim=True), [family.fine(*shape)])
        family.add("global max pool", {"output": [1] * len(axes)}, lambda x: x.amax(axes, keepdim=True),
                   [family.distinct(*shape)], exact=True)
        lp = LP[len(axes) - 1]
        family.add("global lp pool", {"order": 2}, lambda x: lp(x, 2, shape[2:], [1] * len(axes)),
                   [family.fine(*shape)], slack=24)
    for shape, k, s, p, output in (
        ([2, 3, 9], [2], [2], [0], [9]), ([2, 2, 9], [3], [4], [1], None),
        ([2, 3, 7, 8], [2, 3], [3, 2], [1, 0], [7, 8]),
        ([2, 17, 6, 4], [2, 2], [2, 2], [0, 0], None), ([2, 2, 9, 7], [3, 2], [3, 4], [1, 1], [9, 7]),
        ([2, 2, 5, 6, 7], [2, 3, 2], [2, 3, 4], [0, 0, 1], [5, 6, 7]),
    ):
        # Windows that do not overlap: PyTorch says nothing of two elements for one place.
        y, places = MAX[len(k) - 1](family.distinct(*shape), k, s, p, return_indices=True)
        unpool = UNPOOL[len(k) - 1]

        def function(x, places):
            return unpool(x, places, k, s, p, output)

        settings = {"kernel": k, "stride": s, "padding": p, "output": output}
        family.add("max unpool", settings, function, [y, places], exact=True)
