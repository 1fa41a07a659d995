#!/usr/bin/env python3
"""Writes what PyTorch makes of the networks of the registry, logits.safetensors and gradients.safetensors, and of
blocks by themselves, blocks.safetensors.

    python3 -m venv venv
    venv/bin/pip install torch torchvision timm safetensors
    venv/bin/python make.py [NETWORK …]

Weights and images are drawn from a formula (`formula.py`), so that the files hold results alone. With names only
those networks are computed anew, and what the files hold of the others stays; blocks are computed in any case. `../../../zoo/tests/reference/models.py`
lists the networks; a new one needs nothing here.

The logits of NETWORK are the tensor of its name, in double precision rounded to 32 bits, and those of its auxiliary
heads `NETWORK.aux0`, …; the entry `networks` of the metadata says for each the images and the gain of its weights.
"""
import json
import pathlib
import sys
import warnings

import torch
from safetensors import safe_open
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[2] / "zoo/tests/reference"))

import blocks
import gradients
import logits
from models import MODELS

warnings.filterwarnings("ignore")


def read(path):
    if not path.exists():
        return {}, {}
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["networks"])


def write(part, listed, names):
    """Replaces the entries of `names` in the file of a part; those that are listed no more are dropped."""
    path = here / f"{part.__name__}.safetensors"
    tensors, settings = read(path)
    for name in names:
        tensors = {key: value for key, value in tensors.items() if key.split(".")[0] != name}
        made, settings[name] = part.make(name, listed[name])
        tensors |= {f"{name}.{key}" if key else name: value.contiguous() for key, value in made.items()}
        print(f"{part.__name__} of {name}: {settings[name]}", flush=True)
    tensors = {key: value for key, value in tensors.items() if key.split(".")[0] in listed}
    settings = {name: settings[name] for name in listed if name in settings}
    save_file(tensors, path, {"networks": json.dumps(settings)})


if __name__ == "__main__":
    names = sys.argv[1:] or list(MODELS)
    write(logits, MODELS, names)
    write(gradients, MODELS, [name for name in names if name in gradients.NETWORKS])
    write(blocks, blocks.BLOCKS, list(blocks.BLOCKS))
