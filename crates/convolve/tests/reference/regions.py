"""Pooling over regions of interest. Nothing flows back to the regions."""
import torch
from torchvision import ops

MAPS = [
    # map, bins, pixels a unit
    ([2, 3, 7, 6], [3, 2], 0.5),
    ([3, 2, 6, 7], [2, 4], 0.25),
    ([2, 9, 4, 5], [1, 3], 1.0),
]


def regions(family, shape, scale, count=5, point=True):
    """Within the map, over its edges, a thin one and one of an extent of 0; a corner is no pixel."""
    n, _, h, w = shape
    rows = []
    for index in range(count):
        x1, x2 = sorted((2 * family.integers((2,), -8, int(16 * w) + 8) + 1).tolist())
        y1, y2 = sorted((2 * family.integers((2,), -8, int(16 * h) + 8) + 1).tolist())
        x2, y2 = max(x1 + 2, x1 if index == 1 else x2), max(y1 + 2, y2)
        if index == 2 and point:
            x2, y2 = x1, y1
        rows.append([index % n] + [v / 32 / scale for v in (x1, y1, x2, y2)])
    return torch.tensor(rows).double()


def own_pool(x, boxes, scale, bins):
    """Position-sensitive RoI pooling. Its gradient in torchvision has the map's last row and column, which it leaves
    out itself; so the gradient here is that of the matrix which the operator is."""
    return torch.ops.torchvision.ps_roi_pool(x, boxes, scale, *bins)[0].detach()


def pixels(shape):
    """The maps with a single one."""
    count = torch.Size(shape).numel()
    return torch.eye(count).double().reshape(count, *shape)


def record(family):
    for shape, bins, scale in MAPS:
        for aligned in (True, False):
            for sampling in (0, 2, 3):
                inputs = [family.fine(*shape), regions(family, shape, scale)]
                settings = {"bins": bins, "scale": scale, "sampling": sampling, "aligned": aligned}

                def align(x, boxes):
                    return ops.roi_align(x, boxes, bins, scale, sampling or -1, aligned)

                # Points between pixels: their places are rounded too.
                family.add("roi align", settings, align, inputs, [0], slack=64)
        inputs = [family.distinct(*shape), regions(family, shape, scale)]

        def pool(x, boxes):
            return torch.ops.torchvision.roi_pool(x, boxes, scale, *bins)

        family.add("roi pool", {"bins": bins, "scale": scale}, pool, inputs, [0], exact=True)
        inputs = [family.coarse(*shape), regions(family, shape, scale)]
        family.add("roi pool", {"bins": bins, "scale": scale}, pool, inputs, [0], exact=True)
    for shape, bins, scale in (([2, 12, 6, 5], [3, 2], 0.5), ([3, 8, 5, 6], [2, 4], 0.25), ([2, 9, 4, 5], [3, 3], 1.0)):
        for sampling in (0, 2, 3):
            # Of no points torchvision makes 0/0.
            inputs = [family.fine(*shape), regions(family, shape, scale, point=sampling > 0)]

            def own_align(x, boxes):
                return torch.ops.torchvision.ps_roi_align(x, boxes, scale, *bins, sampling or -1)[0]

            settings = {"bins": bins, "scale": scale, "sampling": sampling}
            family.add("ps roi align", settings, own_align, inputs, [0], slack=64)
        boxes = regions(family, shape, scale)
        matrix = torch.stack([own_pool(pixel, boxes, scale, bins).flatten() for pixel in pixels(shape)], 1)

        def averages(x, boxes):
            return (matrix @ x.flatten()).reshape(own_pool(x, boxes, scale, bins).shape)

        family.add("ps roi pool", {"bins": bins, "scale": scale}, averages, [family.fine(*shape), boxes], [0], slack=16)
