"""What sending over loopback costs the thread that does it, with a receiver that drains its socket and counts."""

import collections
import mmap
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import common

import program

WINDOW = 0.05
# Nanoseconds of CPU a packet in all, and the same of each window, sorted; packets a second; how many the program says it sent
# in all, and how many arrived.
Run = collections.namedtuple("Run", "cost windows rate sent arrived")


class Drain:
    """A receiver in a process of its own."""

    def __init__(self):
        self.port = program.free_port()
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(8)
            self.memory = mmap.mmap(file.fileno(), 8)
            self.process = subprocess.Popen([common.FLOOR, "drain", str(self.port), file.name])
            while not self.waiting():
                time.sleep(0.01)

    def packets(self):
        """So far."""
        return int.from_bytes(self.memory[:8], sys.byteorder)

    def waiting(self):
        """How many bytes wait in its socket, as the kernel writes it; None where there is no socket yet."""
        found = re.search(rf":{self.port:04X} \S+ \S+ \w+:(\w+)", pathlib.Path("/proc/net/udp").read_text())
        return found and found[1]

    def rest(self):
        """The same as packets(), when none waits."""
        while int(self.waiting(), 16):
            time.sleep(0.01)
        time.sleep(0.1)
        return self.packets()

    def close(self):
        self.process.terminate()
        self.process.wait()


def measure(words, drain, seconds):
    """What a program costs that sends to the drain."""
    first = drain.packets()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        time.sleep(0.5)
        task = max(pathlib.Path(f"/proc/{process.pid}/task").iterdir(), key=common.cpu)      # the thread that sends
        samples = []
        end = time.monotonic() + seconds
        while not samples or samples[-1][0] < end:
            samples.append((time.monotonic(), common.cpu(task), drain.packets()))
            time.sleep(WINDOW)
    finally:
        process.terminate()
        said = re.search(r"(\d+) packets", process.communicate()[0])
    windows = sorted((after[1] - before[1]) / max(1, after[2] - before[2]) for before, after in zip(samples, samples[1:]))
    length, spent, packets = (after - before for before, after in zip(samples[0], samples[-1]))
    return Run(spent / packets, windows, packets / length, said and int(said[1]), drain.rest() - first)
