#!/usr/bin/env python3
"""A network with fewer and more threads than there are cores.

    python3 bench/threads.py [--name resnet50] [--counts 1,2,3,4,8] [--rounds 3]

Medians of rounds, in which all counts run in turn, and each as a multiple of the best.
"""
import json
import statistics

import process


def main():
    parser = process.parser(__doc__)
    parser.add_argument("--name", default="resnet50")
    parser.add_argument("--counts", default="1,2,3,4,8")
    parser.add_argument("--seconds", default="0.5")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    times = {count: [] for count in arguments.counts.split(",")}
    for _ in range(arguments.rounds):
        for count, values in times.items():
            bench = [arguments.convolve, "bench", arguments.name, "--seconds", arguments.seconds]
            answer = process.Finished([*bench, "--threads", count, "--json"]).output
            values.append(json.loads(answer)["median_ms"])
    medians = {count: statistics.median(values) for count, values in times.items()}
    best = min(medians.values())
    for count, median in medians.items():
        print(f"{count:>4s} threads {median:8.2f} ms  {median / best:5.2f}")


if __name__ == "__main__":
    main()
