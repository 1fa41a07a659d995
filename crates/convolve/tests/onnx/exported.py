#!/usr/bin/env python3
"""Networks of this program, exported to ONNX, checked by the onnx package and run by ONNX Runtime.

    pip install numpy onnx onnxruntime
    exported.py [--convolve target/release/convolve] [--only resnet18,mobilenet_v2] [--opset 17,21] [--batch 2]

Each network of `convolve models` is exported with random weights, whose batch normalisations get random statistics;
`onnx.checker.check_model` reads it in full; and on the same images ONNX Runtime and `convolve run` must agree to a
relative L2 of 1e-5. The model is run on more images than it was exported for: the batch is open.
"""
import argparse, json, pathlib, subprocess, sys, tempfile, time
import numpy as np, onnx, onnxruntime
from onnx import numpy_helper

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--convolve", default="target/release/convolve")
ap.add_argument("--only", default="", help="names, separated by commas")
ap.add_argument("--opset", default="17", help="operator sets, separated by commas")
ap.add_argument("--batch", type=int, default=2); ap.add_argument("--tolerance", type=float, default=1e-5)
a = ap.parse_args()


def convolve(*arguments):
    p = subprocess.run([a.convolve, *map(str, arguments)], capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError((p.stderr.strip().splitlines() or [f"exit {p.returncode}"])[-1])
    return p.stdout


def with_statistics(path):
    """Gives every batch normalisation statistics and an affine map that differ from channel to channel."""
    model, random = onnx.load(path), np.random.default_rng(1)
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            for name, (low, high) in zip(node.input[1:], [(0.5, 1.5), (-0.2, 0.2), (-0.2, 0.2), (0.5, 1.5)]):
                old = initializers[name]
                new = random.uniform(low, high, tuple(old.dims)).astype(np.float32)
                old.CopyFrom(numpy_helper.from_array(new, name))
    onnx.save(model, path)
    return model


def run(path, folder, x):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run(None, {session.get_inputs()[0].name: x})
    np.save(folder / "x.npy", x)
    convolve("run", path, "--input", folder / "x.npy", "--output", folder / "out")
    found = [np.load(folder / f"out/{i}.npy") for i in range(len(wanted))]
    error = 0.0
    for f, w in zip(found, wanted):
        if f.shape != w.shape:
            raise RuntimeError(f"shapes {f.shape} and {w.shape}")
        error = max(error, np.linalg.norm(f.astype(np.float64) - w) / np.linalg.norm(w.astype(np.float64)))
    return error


done, bad = 0, []
for line in convolve("models", "--json").splitlines():
    card = json.loads(line); name = card["model"]
    if a.only and name not in a.only.split(","):
        continue
    for opset in map(int, a.opset.split(",")):
        start = time.time()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder); path = folder / "model.onnx"
            try:
                convolve("export", name, path, "--opset", opset)
                model = with_statistics(path)
                onnx.checker.check_model(str(path), full_check=True)
                assert model.opset_import[0].version == opset
                x = np.random.default_rng(2).standard_normal([a.batch, *card["input"]]).astype(np.float32)
                error = run(path, folder, x)
                fine, result = error <= a.tolerance, f"relative L2 {error:.1e}"
            except Exception as failure:
                fine, result = False, " ".join(str(failure).split())[:300]
        done += fine
        if not fine:
            bad.append(f"{name} ({opset})")
        print(f"{name:24} operator set {opset} {'ok  ' if fine else 'FAIL'} {result}, {time.time() - start:.1f} s", flush=True)
print(f"{done} of {done + len(bad)} models agree with ONNX Runtime" + (f"; not {', '.join(bad)}" if bad else ""))
sys.exit(1 if bad else 0)
