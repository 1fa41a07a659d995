#!/usr/bin/env python3
"""Compares the program with PyTorch on images of full size, with weights that it loads from files.

    cargo build --release
    venv/bin/python crates/convolve/tests/networks/full_size.py [--program target/release/convolve] [NETWORK …]

Each network of `../../../zoo/tests/reference/models.py` gets random weights and random statistics of its norms, of the
laws in `formula.py`; they are saved as torchvision or timm would, and the program runs

    convolve run NETWORK --weights FILE --input x.npy --output FOLDER

Its logits must be PyTorch's in double precision to a relative L2 of 1e-5, with the same best class: of every image, and of
every pixel where it is pixels that are classified. Another class is as good where the reference's own logits of both are
no further apart than 1e-5 of the root mean square of all: a difference that the first condition lets any logit have, and
so a tie. Ends with 1 where a network does not agree, and with a line for each in any case. The environment is that of
`make.py`.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from safetensors.torch import save_file

from make import MODELS, here, read

import formula

BOUND = 1e-5


def places(found, wanted):
    """Where the best class is another, and at how many of them it is a tie."""
    ours, theirs = (logits.argmax(1, keepdims=True) for logits in (found, wanted))
    margins = (np.take_along_axis(wanted, theirs, 1) - np.take_along_axis(wanted, ours, 1))[ours != theirs]
    ties = margins <= BOUND * np.sqrt(np.mean(wanted**2))
    return len(margins), int(ties.sum())


def compare(program, name, gain, folder):
    description = MODELS[name]
    random = np.random.default_rng(formula.fnv1a64(name))
    model = formula.load(description.make(description.classes), gain, lambda _, count: random.random(count)).eval()
    images = random.uniform(-1, 1, (1, *description.input)).astype(np.float32)
    with torch.no_grad():
        wanted = model(torch.from_numpy(images).double()).numpy()
    # As published: 32 bits, and counters that nobody needs.
    state = {key: value.float() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    save_file({key: value.contiguous() for key, value in state.items()}, folder / "weights.safetensors")
    np.save(folder / "x.npy", images)
    command = [program, "run", name, "--weights", folder / "weights.safetensors", "--input", folder / "x.npy"]
    ran = subprocess.run([*command, "--output", folder], capture_output=True, text=True)
    if ran.returncode:
        return f"refused: {ran.stderr.strip()}"
    found = np.load(folder / "0.npy").astype(np.float64)
    if found.shape != wanted.shape:
        return f"shape {found.shape} instead of {wanted.shape}"
    error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    others, ties = places(found, wanted)
    of = wanted[:, 0].size
    classes = f"another at {others} of {of}, {ties} of them ties" if others else "the same"
    print(f"{name}: relative error {error:.1e}, best class {classes}", flush=True)
    return None if error <= BOUND and others == ties else "differs"


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description="networks of full size against PyTorch")
    parser.add_argument("--program", default=here.parents[3] / "target/release/convolve", type=pathlib.Path)
    parser.add_argument("networks", nargs="*", default=list(MODELS))
    arguments = parser.parse_args()
    _, settings = read(here / "logits.safetensors")
    wrong = {}
    for name in arguments.networks:
        with tempfile.TemporaryDirectory() as folder:
            verdict = compare(arguments.program.resolve(), name, settings[name]["gain"], pathlib.Path(folder))
        if verdict:
            wrong[name] = verdict
    for name, verdict in wrong.items():
        print(f"{name}: {verdict}", file=sys.stderr)
    print(f"{len(arguments.networks) - len(wrong)} of {len(arguments.networks)} networks agree")
    sys.exit(bool(wrong))
