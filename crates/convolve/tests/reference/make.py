#!/usr/bin/env python3
"""Writes what PyTorch and torchvision make of small problems: FAMILY.safetensors beside this file.

    python3 -m venv venv
    venv/bin/pip install torch torchvision
    venv/bin/python make.py [FAMILY …]

Made with the versions that stand in the metadata of the files. Operands are drawn with a seed of their
family's name, so that the same versions write the same bytes. `recording.py` says what is in a file.
"""
import sys
import warnings

import torch

import arithmetic
import convolutions
import functions
import norms
import pooling
import rearrange
import regions
import sampling
from recording import Family

FAMILIES = {
    module.__name__: module
    for module in (arithmetic, convolutions, functions, norms, pooling, rearrange, regions, sampling)
}

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
for name in sys.argv[1:] or FAMILIES:
    family = Family(name)
    FAMILIES[name].record(family)
    family.write()
