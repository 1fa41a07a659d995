#!/usr/bin/env python3
"""Seeds for the fuzz targets: the small models and weights that the tests have, and files made here.

    python3 fuzz/seeds.py

writes fuzz/corpus/{onnx,safetensors,checkpoint}. Needs nothing but Python.
"""
import json, pathlib, struct

root = pathlib.Path(__file__).resolve().parent
tests = root.parent / "crates"
MOST = 1 << 14


def seed(target, name, content):
    folder = root / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if len(content) <= MOST:
        (folder / name).write_bytes(content)


def safetensors(tensors, metadata=None):
    header, content = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (kind, shape, numbers) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(content), len(content) + len(numbers)]}
        content += numbers
    header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + content


# The models of the ONNX project's own tests, each a tensor of bytes.
for suite in ("node", "converted"):
    content = (tests / f"convolve/tests/onnx/{suite}.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    for name, entry in json.loads(content[8:8 + length]).items():
        if name.endswith(".model"):
            start, end = entry["data_offsets"]
            seed("onnx", f"{suite}-{name}", content[8 + length + start:8 + length + end])

for file in sorted(tests.rglob("*.safetensors")):
    seed("safetensors", file.name, file.read_bytes())
weights = {"fc.weight": ("F32", [2, 3], struct.pack("<6f", *range(6))), "fc.bias": ("F16", [2], bytes(4)),
           "n": ("I64", [], struct.pack("<q", 7)), "b": ("BF16", [1], bytes(2)), "none": ("F32", [0, 4], b"")}
seed("safetensors", "kinds", safetensors(weights))
seed("safetensors", "empty", safetensors({}))
seed("safetensors", "text", safetensors({}, {"format": "pt"}))
seed("safetensors", "pickle", b"\x80\x02}q\x00.")

preprocess = {"input": [28, 28], "channels": 1, "mean": [0.5], "std": [0.25], "crop_fraction": 1.0,
              "interpolation": "bilinear", "crop_mode": "center"}
score = {"accuracy": 0.5, "loss": 1.25}
sums = {"loss": 2.5, "batches": 2, "correct": 8, "pictures": 16}
progress = {"epoch": 1, "batch": 2, "step": 12, "seed": 7, "config": 3, "pictures": 80, "sums": sums, "best": [1, score]}
card = {"format": "convolve-checkpoint", "format_version": "1", "model": "lenet5", "classes": json.dumps(["cat", "dog"]),
        "preprocess": json.dumps(preprocess)}
best = card | {"score": json.dumps(score)}
last = best | {"progress": json.dumps(progress)}
tensors = {"c1.bias": ("F32", [6], bytes(24)), "optimiser.momentum_buffer.c1.bias": ("F32", [6], bytes(24))}
for name, metadata in (("card", card), ("best", best), ("last", last)):
    seed("checkpoint", name, safetensors(tensors, metadata))
