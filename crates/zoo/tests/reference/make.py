#!/usr/bin/env python3
"""Writes names and shapes of the parameters and states of each network, and its cost, as PyTorch sees them.

    pip install torch torchvision timm
    python make.py

No number is computed: the models live on PyTorch's device `meta`, which knows shapes alone.

NAME.txt has a line `tensor EXTENTxEXTENT…` for each entry of the state dict; costs.txt a line
`NAME parameters multiply-accumulates` on one image of the default size, counted by PyTorch's
FlopCounterMode (two operations a multiply-accumulate, convolutions and matrix products only) in a run that predicts:
heads that exist for training only are among the parameters, not among the multiply-accumulates.
`models.py` lists the networks.
"""
import pathlib

import torch
from torch.utils.flop_counter import FlopCounterMode

from models import MODELS

here = pathlib.Path(__file__).parent
costs = []
for name, description in MODELS.items():
    with torch.device("meta"):
        model, images = description.make(description.classes).eval(), torch.zeros(1, *description.input)
    lines = [
        f"{key} {'x'.join(map(str, value.shape))}\n"
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    (here / f"{name}.txt").write_text("".join(lines))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(images)
    parameters = sum(p.numel() for p in model.parameters())
    costs.append(f"{name} {parameters} {counter.get_total_flops() // 2}\n")
(here / "costs.txt").write_text("".join(costs))
