#!/usr/bin/env python3
"""Writes classes.txt: synset and name of each class of ImageNet-1k, in the order of published networks' logits.

    pip install torchvision timm
    python make.py
"""
import pathlib

from timm.data import ImageNetInfo
from torchvision.models._meta import _IMAGENET_CATEGORIES as NAMES

synsets = ImageNetInfo("imagenet-1k").label_names()
assert synsets == sorted(synsets) and len(synsets) == len(set(NAMES)) == 1000
lines = [f"{synset} {name}\n" for synset, name in zip(synsets, NAMES)]
(pathlib.Path(__file__).parent / "classes.txt").write_text("".join(lines))
