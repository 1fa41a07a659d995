"""Cases, and the files that hold them.

A file is in the safetensors format. Its metadata has the versions and, under `cases`, a list of objects in JSON:

    op, settings   what to compute
    inputs         how many operands
    outputs        how many results are held against ours, the first ones of the operator
    wanted         the operands whose gradients are known, for the gradient `dy` of the first result
    bounds         for each result that is no index and each gradient, the error allowed to an element in units of
                   the last place of 1; 0 where every sum is exact
    single         there and true where a setting has no exact form in 32 bits

Tensors of case 7 are `7.in.0`, `7.out.0`, `7.dy`, `7.grad.0` (in the order of `wanted`). Numbers are computed in
double precision; each tensor is stored in 16, 32 or 64 bits, the fewest that hold all its numbers exactly. For
operands 32 are enough.
"""
import json
import pathlib
import struct
import zlib

import torch
import torchvision

TYPES = {torch.float16: "F16", torch.float32: "F32", torch.float64: "F64", torch.int16: "I16"}


class Family:
    """Draws operands and keeps cases."""

    def __init__(self, name):
        self.name, self.cases, self.tensors = name, [], {}
        self.random = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def integers(self, shape, low, high):
        return torch.randint(low, high, shape, generator=self.random)

    def coarse(self, *shape):
        """Multiples of 1/16 below 1: sums of products are exact in 32 bits."""
        return self.integers(shape, -15, 16).double() / 16

    def fine(self, *shape):
        """Multiples of 1/1024 below 2, never 0: sums of products are not."""
        sign = self.integers(shape, 0, 2) * 2 - 1
        return (sign * self.integers(shape, 1, 2048)).double() / 1024

    def positive(self, *shape):
        """Multiples of 1/128 from 1/2 to 2."""
        return self.integers(shape, 64, 257).double() / 128

    def distinct(self, *shape):
        """Multiples of 1/64 around 0, no two the same."""
        count = torch.Size(shape).numel()
        return ((torch.randperm(count, generator=self.random) - count // 2).double() / 64).reshape(shape)

    def add(self, op, settings, function, inputs, wanted=None, exact=False, slack=4, parts=0, single=False):
        """Keeps what `function` makes of `inputs`; gradients of all floating operands unless `wanted` says of which.

        Results are exact in 32 bits, or within `bounds`.
        """
        if wanted is None:
            wanted = [place for place, t in enumerate(inputs) if t.is_floating_point()]
        leaves = [t.clone().requires_grad_(place in wanted) for place, t in enumerate(inputs)]
        made = function(*leaves)
        made = list(made) if isinstance(made, tuple) else [made]
        number = len(self.cases)
        tensors = {f"in.{place}": t for place, t in enumerate(inputs)}
        tensors |= {f"out.{place}": t.detach() for place, t in enumerate(made)}
        gradients = []
        if wanted:
            dy = tensors["dy"] = self.coarse(*made[0].shape)
            gradients = torch.autograd.grad(made[0], [leaves[place] for place in wanted], dy, retain_graph=True)
            tensors |= {f"grad.{place}": t for place, t in enumerate(gradients)}
        real = [t for t in made if t.is_floating_point()]
        case = {"op": op, "settings": settings, "inputs": len(inputs), "outputs": len(made), "wanted": wanted}
        case["bounds"] = [0] * (len(real) + len(gradients))
        if not exact:
            found = bounds(function, inputs, wanted, tensors.get("dy"), slack, parts)
            case["bounds"] = [float(f"{bound:.3g}") for bound in found]
        assert all(t.isfinite().all() for t in [*real, *gradients]), case
        if single:
            case["single"] = True
        self.cases.append(case)
        self.tensors |= {f"{number}.{key}": narrowed(t) for key, t in tensors.items()}

    def write(self):
        metadata = {
            "torch": torch.__version__.split("+")[0],
            "torchvision": torchvision.__version__.split("+")[0],
            "cases": json.dumps(self.cases, separators=(",", ":")),
        }
        header, data = {"__metadata__": metadata}, bytearray()
        # Wide elements first, so that all lie at multiples of their size.
        for key, tensor in sorted(self.tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
            start = len(data)
            data += tensor.contiguous().numpy().tobytes()
            header[key] = {
                "dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, len(data)]
            }
        header = json.dumps(header, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        path = pathlib.Path(__file__).parent / f"{self.name}.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + data)
        print(f"{self.name}: {len(self.cases)} cases, {path.stat().st_size} bytes")


def narrowed(tensor):
    if not tensor.is_floating_point():
        return tensor.short()
    exact = (t for t in (tensor.half(), tensor.float()) if torch.equal(t.double(), tensor))
    return next(exact, tensor)


def bounds(function, inputs, wanted, dy, slack, parts):
    """The error that rounding may leave in results and gradients, in units of the last place of 1.

    A result is a sum over the operands it depends on, so with the Jacobian J of its operand x the error is to first
    order at most (terms + slack)·|J|·|x|, and of a gradient (terms + slack)·|J|ᵀ·|dy|; the largest over the elements
    holds for all. The terms of a sum are the entries of J that are not 0. `slack` is what a term itself has lost, and
    `parts` the size of the numbers whose difference an entry is, where it is small beside them.
    """
    places = [place for place, t in enumerate(inputs) if t.is_floating_point()]

    def real(*given):
        operands = list(inputs)
        for place, operand in zip(places, given):
            operands[place] = operand
        made = function(*operands)
        made = made if isinstance(made, tuple) else (made,)
        return tuple(t for t in made if t.is_floating_point())

    given = tuple(inputs[place].clone() for place in places)
    found = []
    jacobians = torch.autograd.functional.jacobian(real, given)
    for y, row in zip(real(*given), jacobians):
        size, terms = y.abs().flatten(), torch.zeros(y.numel())
        for x, jacobian in zip(given, row):
            matrix = jacobian.reshape(y.numel(), x.numel())
            size = torch.maximum(size, matrix.abs() @ x.abs().flatten())
            terms = torch.maximum(terms, (matrix != 0).sum(1))
        found.append((terms.max() + slack) * size.max())
    for place in wanted:
        jacobian = jacobians[0][places.index(place)]
        matrix = jacobian.reshape(dy.numel(), inputs[place].numel())
        size = (matrix.abs().T @ dy.abs().flatten()).max()
        found.append(((matrix != 0).sum(0).max() + slack) * max(size, parts * dy.abs().max()))
    return found
