"""A child process, its time and its memory: what the scripts beside this share. Standard library only."""
import argparse
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent


class Finished:
    """What came of a process: wall seconds, peak resident megabytes, its standard output."""

    def __init__(self, command):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.output = child.stdout.read()
        # The usage of this child alone.
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.perf_counter() - start
        self.megabytes = usage.ru_maxrss / 1024
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{' '.join(map(str, command))}: exit status {child.returncode}")


def parser(text):
    """The arguments that all scripts take."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--convolve", default="target/release/convolve", help="the program")
    made.add_argument("--peers", default=sys.executable, help="a Python that has the peers")
    made.add_argument("--models", default="target/peers", help="where exported networks are kept")
    made.add_argument("--threads", type=int, default=os.cpu_count())
    return made


def peer(arguments, *task):
    """Runs a task of peers.py."""
    return Finished([arguments.peers, HERE / "peers.py", *map(str, task)])


def model(arguments, name, suffix):
    """A network as a file, exported if it is not there yet."""
    folder = pathlib.Path(arguments.models)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{suffix}"
    if not path.exists():
        peer(arguments, "models", name, folder)
    return str(path)
