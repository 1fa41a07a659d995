#!/usr/bin/env python3
"""Peak resident memory, each in a process of its own.

    python3 bench/memory.py inference --peers PEERS/bin/python [--only resnet18,vgg16]
    python3 bench/memory.py train     --peers PEERS/bin/python [--batch 8]

Inference of one image: ours as an ONNX file that is read and run (`run`) and with weights made in place
(`bench`), against ONNX Runtime on the same file. Training: ours against PyTorch. What the peer's imports take
alone is shown beside it.
"""
import json
import pathlib
import tempfile

import process

NETS = (
    "resnet18 resnet50 vgg16 alexnet mobilenet_v1 mobilenet_v2 shufflenet_v2 googlenet inception_v3 inception_v4 "
    "inception_resnet_v2 densenet121"
).split()
TRAINED = "resnet18 resnet50 mobilenet_v1 mobilenet_v2 googlenet inception_v3 densenet121 shufflenet_v2".split()


def image(folder, side):
    """A picture of zeros as .npy: the header of that format, then nothing but zero bytes."""
    path = pathlib.Path(folder) / f"{side}.npy"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, {side}, {side}), }}"
    header = header.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(12 * side * side))
    return str(path)


def inference(arguments, name):
    file = process.model(arguments, name, "onnx")
    threads = ["--threads", str(arguments.threads)]
    side = 299 if name.startswith("inception") else 224
    with tempfile.TemporaryDirectory() as folder:
        run = ["run", file, "--input", image(folder, side), "--output", f"{folder}/out", *threads]
        ours = process.Finished([arguments.convolve, *run])
    bench = process.Finished([arguments.convolve, "bench", name, "--seconds", "0", *threads])
    theirs = process.peer(arguments, "infer", file, arguments.threads, 3)
    return {"run": ours.megabytes, "bench": bench.megabytes, "onnxruntime": theirs.megabytes}


def training(arguments, name):
    command = ["bench", name, "--train", "--batch", str(arguments.batch), "--seconds", "0"]
    ours = process.Finished([arguments.convolve, *command, "--threads", str(arguments.threads)])
    theirs = process.peer(arguments, "train", name, arguments.batch, arguments.threads)
    return {"bench": ours.megabytes, "torch": theirs.megabytes}


def main():
    parser = process.parser(__doc__)
    parser.add_argument("what", choices=["inference", "train"])
    parser.add_argument("--batch", type=int, default=8, help="of training")
    parser.add_argument("--only", default="", help="networks, separated by commas")
    parser.add_argument("--out", help="write the figures here as JSON, a network a line")
    arguments = parser.parse_args()
    names, measure, library = {
        "inference": (NETS, inference, "onnxruntime"),
        "train": (TRAINED, training, "torch"),
    }[arguments.what]
    names = [name for name in names if not arguments.only or name in arguments.only.split(",")]
    imports = process.peer(arguments, "imports", library).megabytes
    print(f"{library}'s imports alone: {imports:.0f} MB")
    rows = []
    for name in names:
        row = measure(arguments, name)
        rows.append({"name": name, **row, "imports": imports})
        cells = "  ".join(f"{key} {value:.0f} MB" for key, value in row.items())
        print(f"{name:20s}  {cells}", flush=True)
    if arguments.out:
        text = ",\n".join(json.dumps({key: round(v, 1) if key != "name" else v for key, v in row.items()}) for row in rows)
        pathlib.Path(arguments.out).write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
