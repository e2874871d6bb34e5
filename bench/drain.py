"""A receiver of packets over loopback that keeps none, and costs as little as can be."""

import mmap
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import common

import program


class Drain:
    """A process of its own (bench/floor.c), which counts."""

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
