"""Weights and images drawn from a formula, so that no file has to hold them. `weights.rs` has the same in Rust.

Element i of tensor `name` has a number u in [0, 1), the top 24 bits of splitmix64(fnv1a64(name) + i), and v = 2u − 1:

    weights of more than one axis    v · sqrt(3 / fan_in) · gain, fan_in the product of all extents but the first
    weight, running_var of norms     0.75 + 0.5·u
    biases, running_mean             0.2·v

all computed in double precision and rounded once to 32 bits. With a gain of sqrt(2) a ReLU network keeps the size of
its activations from layer to layer (He et al. 2015); sums of residual blocks grow, so those networks take less.
"""
import numpy as np
import torch

GAMMA, MULTIPLIERS = np.uint64(0x9E3779B97F4A7C15), [(30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)]


def fnv1a64(name):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    return state


def units(name, count):
    """The u of the first elements of a tensor."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64(fnv1a64(name)) + GAMMA
        for shift, multiplier in MULTIPLIERS:
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(multiplier)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def signed(name, shape):
    """The v of a tensor, in 32 bits, which hold them exactly."""
    return (2 * units(name, int(np.prod(shape))) - 1).astype(np.float32).reshape(shape)


def tensor(name, shape, gain, draw=units):
    u = draw(name, int(np.prod(shape)))
    if len(shape) > 1:
        values = (2 * u - 1) * np.sqrt(3 / np.prod(shape[1:])) * gain
    elif name.endswith((".weight", ".running_var")):
        values = 0.75 + 0.5 * u
    else:
        values = 0.2 * (2 * u - 1)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def load(model, gain, draw=units):
    """Gives a model the weights and statistics of the formula, in double precision, or those made of other u."""
    drawn = {
        name: tensor(name, tuple(value.shape), gain, draw)
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    missing, extra = model.load_state_dict(drawn, strict=False)
    assert not extra and all(name.endswith("num_batches_tracked") for name in missing)
    return model.double()
