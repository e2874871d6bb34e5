#!/usr/bin/env python3
"""Streams with a program that was built with ThreadSanitizer: all threads at work, and all that the main thread asks of a
camera's. Fails where a race is reported, or a program does not end as it should.

    streams.py PROGRAM
"""

import contextlib
import json
import pathlib
import re
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "program"), str(HERE.parent / "lab")]

import kinds
import pictures
import program

SECONDS = 4


def streams(folder, running):
    """Two cameras, one of raw pictures, each with two receivers and one that is not there; statistics, an SDP, a receiver that
    leaves and one that comes, SIGUSR1, and the end of all."""
    # Each camera has two ports for each receiver.
    port = program.free_port(12)
    other, nobody = port + 4, port + 8
    receivers = [running(program.Run("receive", f"127.0.0.1:{port + 2 * index}", "--json", "--glass", wait_for="receiving at"))
                 for index in range(2)]
    sender = running(program.Run(
        "test:", f"file:{pictures.jpegs(640, 480)}", "--to", f"127.0.0.1:{port}", "--to", f"127.0.0.1:{other}", "--to",
        f"127.0.0.1:{nobody}", "--stats", 1, "--pace", "on", "--sdp", folder / "camera.sdp", wait_for="watch it"))
    time.sleep(SECONDS / 4)
    late = running(program.Run("receive", f"127.0.0.1:{other}", wait_for="receiving at"))
    for _ in range(3):
        time.sleep(SECONDS / 4)
        sender.process.send_signal(signal.SIGUSR1)
    receivers[0].stop()
    time.sleep(SECONDS / 4)
    for each in sender, receivers[1], late:
        each.stop()
    for each in receivers:
        assert json.loads(each.out)["frames"] > 10, f"hardly a frame arrived: {each.out}{each.err}"


def recoded(_, running):
    """JPEGs that are re-coded, without loss and with."""
    chosen = [kinds.folder(kind) for kind in kinds.KINDS if kind.name in ("progressive", "greyscale")]
    sender = running(program.Run(*(f"file:{folder}" for folder in chosen), "--to", f"127.0.0.1:{program.free_port(4)}", "--stats", 1,
                                 wait_for="to 127.0.0.1"))
    time.sleep(SECONDS / 2)
    sender.stop(signal.SIGINT)


def bench(folder, running):
    """bench, whose main thread is a receiver, too."""
    measuring = running(program.Run("bench", "test:", "--frames", 10_000, "--warm-up", 10, "--glass", "--html", folder / "page.html",
                                    wait_for="built-in"))
    for _ in range(2):
        time.sleep(SECONDS / 2)
        measuring.process.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    measuring.stop(signal.SIGINT)
    assert "frames received whole" in measuring.out, f"nothing was measured: {measuring.out}{measuring.err}"


def main(words):
    program.STREAMER, = words
    failures = 0
    for scenario in streams, recoded, bench:
        started = []
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            scenario(pathlib.Path(folder), lambda each: started.append(stack.enter_context(each)) or each)
        for each in started:
            races = len(re.findall(r"WARNING: ThreadSanitizer", each.err))
            if each.status != 0 or races:
                failures += 1
                print(f"tsan: {scenario.__name__}: {races} races, status {each.status}:\n{each.err}")
        print(f"tsan: {scenario.__name__}: {len(started)} programs")
    print(f"tsan: {failures} programs failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
