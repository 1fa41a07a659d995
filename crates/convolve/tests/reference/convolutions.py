"""Convolutions, transposed and deformable ones, and fully connected layers."""
from torch.nn import functional as F
from torchvision.ops import deform_conv2d

CONV = [F.conv1d, F.conv2d, F.conv3d]
TRANSPOSED = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d]


def symmetric(padding):
    return [(amount, amount) for amount in padding]


def conv(family, n, c, spatial, o, k, s=1, p=0, d=1, g=1, bias=True, mode="zeros", fine=False):
    """Settings are one number or one an axis; padding also (before, after) for each, or none for PyTorch's "same"."""
    rank = len(spatial)
    k, s, p, d = ([v] * rank if isinstance(v, int) else v for v in (k, s, p, d))
    edges = p and [tuple(v) if isinstance(v, tuple) else (v, v) for v in p]
    draw = family.fine if fine else family.coarse
    inputs = [draw(n, c, *spatial), draw(o, c // g, *k)] + ([draw(o)] if bias else [])

    def function(x, weight, bias=None):
        plain = mode == "zeros" and not (p and any(before != after for before, after in edges))
        if plain:
            return CONV[rank - 1](x, weight, bias, s, p or "same", d, g)
        amounts = [amount for pair in reversed(edges) for amount in pair]
        x = F.pad(x, amounts, "constant" if mode == "zeros" else mode)
        return CONV[rank - 1](x, weight, bias, s, 0, d, g)

    settings = {"out": o, "kernel": k, "stride": s, "padding": edges, "dilation": d, "groups": g, "mode": mode}
    family.add("conv", settings, function, inputs, exact=not fine)


def transposed(family, n, c, spatial, o, k, s=1, p=0, d=1, g=1, extra=0, bias=True, fine=False):
    rank = len(spatial)
    k, s, p, d, extra = ([v] * rank if isinstance(v, int) else v for v in (k, s, p, d, extra))
    draw = family.fine if fine else family.coarse
    inputs = [draw(n, c, *spatial), draw(c, o // g, *k)] + ([draw(o)] if bias else [])

    def function(x, weight, bias=None):
        return TRANSPOSED[rank - 1](x, weight, bias, s, p, extra, g, d)

    settings = {"out": o, "kernel": k, "stride": s, "padding": symmetric(p), "dilation": d, "groups": g, "extra": extra}
    family.add("conv transposed", settings, function, inputs, exact=not fine)


def deformable(family, n, c, spatial, o, k, s=(1, 1), p=(0, 0), d=(1, 1), g=1, offset_groups=1, mask=True, bias=True):
    taps = k[0] * k[1]
    output = [(i + 2 * b - e * (t - 1) - 1) // a + 1 for i, t, a, b, e in zip(spatial, k, s, p, d)]
    # Odd multiples of 1/32: exact in every precision, and never on a pixel, where the slope jumps.
    offset = (2 * family.integers((n, 2 * offset_groups * taps, *output), -40, 40) + 1).double() / 32
    inputs = [family.fine(n, c, *spatial), offset]
    inputs += [family.positive(n, offset_groups * taps, *output)] if mask else []
    inputs += [family.fine(o, c // g, *k)] + ([family.fine(o)] if bias else [])

    def function(x, offset, *rest):
        rest = list(rest)
        modulation = rest.pop(0) if mask else None
        return deform_conv2d(x, offset, rest[0], rest[1] if bias else None, s, p, d, modulation)

    settings = {"out": o, "kernel": k, "stride": s, "padding": symmetric(p), "dilation": d, "groups": g}
    settings |= {"offset_groups": offset_groups, "mask": mask, "bias": bias}
    # A sample is a sum over four pixels.
    family.add("conv deformable", settings, function, inputs, slack=16)


def record(family):
    for fine in (False, True):
        conv(family, 2, 3, [11], 4, 3, 2, 1, 2, fine=fine)
        conv(family, 3, 4, [13], 6, 4, 3, 2, 1, 2, fine=fine)
        conv(family, 2, 3, [9, 10], 4, [3, 2], [2, 3], [1, 2], [2, 1], fine=fine)
        conv(family, 2, 4, [11, 8], 6, [2, 4], [3, 1], [0, 2], [3, 2], 2, fine=fine)
        conv(family, 2, 4, [5, 6, 7], 6, [2, 3, 1], [1, 2, 3], [1, 0, 2], [2, 1, 1], 2, fine=fine)
    # What is left over beyond the last window: (i + 2p − ke) mod s ≥ 2.
    conv(family, 2, 2, [15], 3, 4, 4, 1)
    conv(family, 2, 2, [12, 13], 3, [3, 4], [4, 3], [0, 1], 1, fine=True)
    conv(family, 2, 4, [10, 9], 4, [2, 3], [5, 4], [1, 2], [1, 2], 2)
    conv(family, 2, 2, [7, 8, 7], 2, [1, 2, 3], [3, 4, 3], [1, 1, 2], [1, 2, 1])
    # Strides beyond the kernel, kernels beyond the image, channels around a vector.
    conv(family, 2, 2, [9, 7], 3, [1, 2], [3, 4], fine=True)
    conv(family, 2, 2, [4, 3], 3, [5, 6], [2, 1], [2, 3])
    conv(family, 2, 17, [5, 4], 15, [3, 2], [1, 2], [1, 0], bias=False, fine=True)
    conv(family, 1, 8, [4, 6], 33, [2, 3], [2, 1], [1, 1])
    conv(family, 2, 7, [17], 9, 5, 1, 2, bias=False)
    conv(family, 2, 2, [31], 2, 7, 1, 9, 3, bias=False)
    conv(family, 2, 2, [4, 5, 6], 3, [3, 2, 2], [2, 1, 3], [1, 1, 0], [1, 2, 2], bias=False)
    conv(family, 2, 3, [6, 4, 5], 3, [2, 2, 3], [1, 2, 2], [0, 1, 1], [3, 1, 2], 3)
    # Groups; depthwise with and without a multiplier; pointwise.
    conv(family, 2, 6, [8, 7], 9, [3, 2], [2, 1], [1, 1], [1, 2], 3, fine=True)
    conv(family, 2, 8, [7, 9], 12, [2, 3], [3, 2], [1, 0], [2, 1], 4)
    conv(family, 2, 5, [12], 5, 3, 2, 1, 2, 5)
    conv(family, 2, 3, [14], 9, 4, 3, 2, 1, 3, fine=True)
    conv(family, 2, 9, [8, 7], 9, [3, 5], [1, 2], [1, 2], 1, 9, fine=True)
    conv(family, 2, 4, [9, 8], 8, [3, 2], [2, 3], [2, 1], [2, 1], 4)
    conv(family, 2, 3, [7, 9], 12, [2, 4], [2, 1], [1, 0], [1, 2], 3, bias=False)
    conv(family, 2, 3, [5, 6, 7], 6, [3, 2, 3], [1, 2, 3], [1, 0, 1], [1, 2, 1], 3)
    conv(family, 3, 7, [9], 5, 1)
    conv(family, 2, 18, [4, 5], 10, 1, fine=True)
    conv(family, 2, 6, [5, 7], 8, 1, [2, 3], 0, 1, 2)
    conv(family, 2, 5, [3, 4, 3], 6, 1, [2, 1, 2], bias=False)
    for mode in ("reflect", "replicate", "circular"):
        conv(family, 2, 3, [9], 4, 4, 2, 3, mode=mode)
        conv(family, 2, 4, [7, 8], 6, [3, 2], [2, 3], [1, 3], [2, 1], 2, mode=mode, fine=True)
        conv(family, 2, 3, [6, 5], 3, [3, 4], 1, [4, 2], 1, 3, mode=mode, bias=False)
        conv(family, 2, 2, [4, 5, 6], 3, [2, 3, 3], [1, 2, 3], [2, 1, 3], [2, 1, 1], mode=mode)
    # "Same", with an odd element more behind; and paddings of two amounts.
    conv(family, 2, 3, [9], 4, 4, 1, None, 3)
    conv(family, 2, 4, [6, 7], 6, [2, 3], 1, None, [3, 2], 2, fine=True)
    conv(family, 2, 3, [4, 5, 6], 3, [2, 3, 4], 1, None, [1, 2, 1], 3)
    conv(family, 2, 3, [10], 4, 3, 2, [(0, 3)], 2)
    conv(family, 2, 4, [7, 8], 6, [3, 2], [2, 3], [(2, 0), (1, 3)], [2, 1], 2, fine=True)
    conv(family, 2, 2, [7, 6], 4, [4, 3], [3, 2], [(1, 3), (2, 0)], 1, 2, mode="reflect")
    conv(family, 2, 2, [7, 6], 3, [4, 3], [1, 2], [(0, 3), (5, 1)], mode="replicate", bias=False)
    conv(family, 2, 2, [4, 5, 4], 3, [2, 3, 2], [2, 3, 1], [(1, 0), (2, 4), (0, 3)], [1, 1, 3], mode="circular")

    for fine in (False, True):
        transposed(family, 2, 3, [6], 4, 4, 3, 1, 2, extra=2, fine=fine)
        transposed(family, 2, 3, [4, 5], 4, [3, 2], [2, 3], [1, 0], [2, 1], extra=[1, 2], fine=fine)
        transposed(family, 2, 4, [5, 4], 6, [2, 4], [3, 1], [0, 2], [1, 2], 2, extra=[2, 1], fine=fine)
        transposed(family, 2, 4, [3, 4, 2], 2, [2, 3, 1], [1, 2, 3], [1, 0, 0], [2, 1, 1], 2, [1, 1, 2], fine=fine)
    transposed(family, 3, 4, [7], 6, 3, 2, 2, g=2)
    transposed(family, 2, 2, [5], 3, 5, 1, 2, 3, bias=False)
    transposed(family, 2, 3, [6], 3, 2, 4, 0, 1, 3, 3)
    transposed(family, 2, 5, [8], 9, 1, 3, extra=2)
    transposed(family, 2, 5, [4, 3], 3, [2, 2], [2, 2], bias=False)
    transposed(family, 2, 4, [4, 5], 4, [3, 4], [2, 3], [1, 2], 1, 4, [1, 0], fine=True)
    transposed(family, 2, 2, [3, 5], 6, [3, 2], [4, 3], [2, 0], 1, 2, [3, 2])
    transposed(family, 2, 3, [6, 4], 2, [4, 3], [1, 2], [3, 1], [1, 3], extra=[0, 2], fine=True)
    transposed(family, 2, 17, [3, 4], 15, [3, 2], [2, 1], [1, 1], extra=[1, 0], bias=False)
    transposed(family, 2, 6, [4, 3], 4, 1, [2, 3], g=2, extra=[1, 2])
    transposed(family, 1, 1, [7, 6], 2, [5, 3], [3, 2], [2, 1], bias=False)
    transposed(family, 2, 2, [2, 3, 4], 3, [3, 2, 2], [2, 3, 1], [1, 0, 1], [1, 1, 2], 1, [1, 2, 0])
    transposed(family, 2, 3, [3, 2, 3], 6, [2, 2, 3], [2, 1, 2], [0, 1, 1], [1, 2, 1], 3, [1, 1, 0])
    transposed(family, 2, 2, [3, 3, 2], 2, [2, 3, 3], [3, 2, 2], [1, 2, 0], 1, bias=False)

    deformable(family, 2, 6, [7, 5], 4, (3, 2), (2, 1), (1, 0), (2, 1), 2, 3)
    deformable(family, 2, 6, [7, 5], 4, (3, 2), (2, 1), (1, 0), (2, 1), 2, 3, mask=False)
    deformable(family, 2, 3, [6, 7], 2, (2, 3), (1, 2), (0, 1), (1, 2), bias=False)
    deformable(family, 2, 3, [6, 7], 2, (2, 3), (1, 2), (0, 1), (1, 2), mask=False, bias=False)
    deformable(family, 2, 4, [7, 5], 4, (1, 3), (3, 1), (2, 2), (1, 1), 4, 2)
    deformable(family, 2, 4, [5, 4], 6, (3, 3), (2, 1), (1, 1), (1, 1), 1, 4, mask=False)
    deformable(family, 2, 2, [9, 8], 3, (2, 2), (4, 3), (1, 2), (2, 3))
    deformable(family, 2, 4, [4, 5], 2, (4, 2), (1, 2), (3, 1), (1, 2), 2, 1, mask=False)
    deformable(family, 2, 2, [6, 6], 2, (1, 1), (2, 1), bias=False)
    deformable(family, 1, 9, [4, 3], 9, (2, 3), (1, 1), (1, 1), (1, 1), 9, 3)

    for n, inner, out, bias in [(3, 7, 5, True), (2, 17, 9, False), (1, 33, 1, True), (4, 1, 6, True)]:
        inputs = [family.fine(n, inner), family.fine(out, inner)] + ([family.fine(out)] if bias else [])
        family.add("linear", {"bias": bias}, F.linear, inputs)
