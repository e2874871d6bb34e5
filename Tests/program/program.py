"""The program under test, and what the tests of it share."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STREAMER = str(ROOT / ".build/release/streamer")
sys.path.insert(0, str(ROOT / "Tests/lab"))


def built(out, source):
    """A shared object for LD_PRELOAD. It is put in place whole: another program may be loading it."""
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        out.parent.mkdir(exist_ok=True)
        new = out.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", new, source], check=True)
        new.rename(out)
    return str(out)


PROBE = built(ROOT / "out/probe.so", ROOT / "Tests/program/probe.c")


def free_port(count=2, family=socket.AF_INET):
    """An even port, with `count` in a row that nobody uses now."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    for port in range(20000 + os.getpid() % 1000 * 10, 60000, 2):
        sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for number, each in enumerate(sockets):
                each.bind((host, port + number))
            return port
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
    raise RuntimeError("no free port")


class Run:
    """A streamer that runs. Ends with the `with` block; then it has .status, .out and .err."""

    def __init__(self, *words, env=None, wait_for=None, within=()):
        """`within`: a command that runs another one, such as ip netns exec NAME."""
        self.out_file = tempfile.TemporaryFile("w+")
        self.err_file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*within, STREAMER, *map(str, words)], stdout=self.out_file, stderr=self.err_file, stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})})
        if wait_for:
            self.wait_for(wait_for)

    def wait_for(self, text, seconds=10):
        """Until it says something, on either stream."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in self.text(self.out_file) + self.text(self.err_file):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"it never said '{text}': {self.text(self.out_file)}{self.text(self.err_file)}")

    @staticmethod
    def text(file):
        return os.pread(file.fileno(), 1 << 22, 0).decode()

    def stop(self, number=signal.SIGTERM):
        """Sends a signal; returns the seconds until its end."""
        start = time.monotonic()
        self.process.send_signal(number)
        self.wait()
        return time.monotonic() - start

    def wait(self, seconds=30):
        self.status = self.process.wait(seconds)
        self.out, self.err = self.text(self.out_file), self.text(self.err_file)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.wait()
        self.out_file.close()
        self.err_file.close()


def run(*words, **options):
    """Runs a streamer to its own end."""
    with Run(*words, **options) as process:
        return process.wait()


def stream_to_receiver(sending, receiving, host="127.0.0.1"):
    """Streams to the program's own receiver until that one ends; gives its JSON, and the ended sender."""
    port = free_port(family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with Run("receive", place, "--json", *receiving, wait_for="receiving at") as receiver:
        with Run(*sending, "--to", place) as sender:
            receiver.wait(60)
    assert receiver.status == 0, receiver.err
    return json.loads(receiver.out), sender
