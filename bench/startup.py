#!/usr/bin/env python3
"""From the start of a process to its first answer, weights on disk.

    python3 bench/startup.py --peers PEERS/bin/python [--name resnet50] [--rounds 7]

Ours: `run NAME --weights NAME.safetensors` and `run NAME.onnx`. The peer: a Python that imports ONNX Runtime,
makes a session of the same ONNX file and runs it; also what is left without Python and its imports. Medians of
rounds, in which all run in turn.
"""
import statistics
import tempfile

import process
from memory import image


def main():
    parser = process.parser(__doc__)
    parser.add_argument("--name", default="resnet50")
    parser.add_argument("--side", type=int, default=224, help="of the image")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    onnx, weights = (process.model(arguments, arguments.name, suffix) for suffix in ("onnx", "safetensors"))
    times = {"convolve, safetensors": [], "convolve, ONNX": [], "ONNX Runtime": [], "ONNX Runtime, session and run": []}
    with tempfile.TemporaryDirectory() as folder:
        rest = ["--input", image(folder, arguments.side), "--output", f"{folder}/out"]
        rest += ["--threads", str(arguments.threads)]
        ways = [["run", arguments.name, "--weights", weights], ["run", onnx]]
        for _ in range(arguments.rounds):
            for key, way in zip(times, ways):
                times[key].append(process.Finished([arguments.convolve, *way, *rest]).seconds)
            theirs = process.peer(arguments, "infer", onnx, arguments.threads, 1)
            _, session, run = map(float, theirs.output.split())
            times["ONNX Runtime"].append(theirs.seconds)
            times["ONNX Runtime, session and run"].append(session + run)
    for key, values in times.items():
        print(f"{key:32s}{1e3 * statistics.median(values):8.1f} ms")


if __name__ == "__main__":
    main()
