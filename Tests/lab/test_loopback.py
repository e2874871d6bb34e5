#!/usr/bin/env python3
"""Loopback devices in the lab: Debian's v4l2loopback, fed by another program. One announces capture and output, as by
default, the other what it can do at the moment (exclusive_caps=1)."""

import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "program")]

import kernel
import loopback
import program
import rtpjpeg
import streams
from machine import HOST, PYTHON, Machine
from pictures import jpegs

DEVICES = BOTH, EXCLUSIVE = "/dev/video20", "/dev/video21"
WRITTEN = "/dev/video22"          # exclusive, too
machine = None


def setUpModule():
    global machine
    module = loopback.build(kernel.Kernel.find())
    machine = unittest.enterModuleContext(Machine())
    result = machine.run(f"modprobe videodev && insmod {module} video_nr=20,21,22 exclusive_caps=0,1,1")
    assert result.status == 0, result.stderr


class Case(streams.Case):
    machine = property(lambda self: machine)

    def feed(self, device, fourcc="MJPG", fps=15, way="streaming"):
        """A program that feeds a device, and the pictures that it shows."""
        folder = jpegs(320, 240)
        process = machine.spawn([PYTHON, "-I", "-S", str(HERE / "feed.py"), device, fourcc, "320x240", str(fps), str(folder),
                                 way])
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        process.wait_for("feeding", timeout=15)
        return process, [rtpjpeg.jpeg(file.read_bytes()) for file in sorted(pathlib.Path(folder).iterdir())]


class Streaming(Case):
    def check(self, device, fourcc, *words):
        producer, sources = self.feed(device, fourcc)
        with rtpjpeg.Receiver() as receiver:
            process = self.stream(device, "--to", f"{HOST}:{receiver.port}", *words)
            started = time.monotonic()
            receiver.collect(20, until=lambda r: r.markers() >= 90)
            took = time.monotonic() - started
            result = self.stop(process)
            self.assertIn(f"{fourcc} 320x240", result.stderr)
            received = rtpjpeg.whole_frames(receiver.packets())
            self.assertGreaterEqual(len(received), 90, result.stderr)
            self.assertLess(took, 12, "90 frames at 15 a second")
            # Of its two buffers the producer writes one while the other is read: a machine as slow as this is overtaken at times.
            torn = [number for number, frame in enumerate(received) if not any(rtpjpeg.same(frame, source) for source in sources)]
            self.assertLessEqual(len(torn), 3, "frames that are not as they were fed")
            stamps = [frame.timestamp for frame in received]
            steps = [(after - before) % 2**32 for before, after in zip(stamps, stamps[1:])]
            self.assertTrue(all(0 < step < 45_000 for step in steps), steps)
        producer.signal("KILL")
        producer.wait(10)

    def test_it_goes_on(self):
        for device in DEVICES:
            with self.subTest(device):
                self.check(device, "MJPG")

    def test_buffers_that_another_program_fills_are_not_wiped(self):
        for device in DEVICES:
            with self.subTest(device):
                self.check(device, "MJPG", "--early", "on")

    def test_jpeg_by_either_name(self):
        for fourcc, name in [("JPEG", "mjpeg"), ("MJPG", "jpeg"), ("JPEG", "jpeg"), ("JPEG", "MJPG")]:
            with self.subTest(f"{fourcc} by --format {name}"):
                self.check(BOTH, fourcc, "--format", name)


class Feeding(Case):
    def test_without_a_producer_it_says_so(self):
        for device in DEVICES:
            with self.subTest(device):
                self.fails([device], 1, device, "no program feeds", "start the program that feeds it")

    def test_what_a_program_that_only_wrote_leaves(self):
        """With exclusive_caps=1 a device has no capability afterwards, and takes no format."""
        producer, _ = self.feed(WRITTEN, way="writing")
        with rtpjpeg.Receiver() as receiver:
            process = self.stream(WRITTEN, "--to", f"{HOST}:{receiver.port}")
            receiver.collect(10, until=lambda r: r.markers() >= 30)
            self.stop(process)
            self.assertGreaterEqual(receiver.markers(), 30)
        producer.signal("KILL")
        producer.wait(10)
        self.fails([WRITTEN], 1, WRITTEN, "no program feeds", "start the program that feeds it")

    def test_a_producer_that_stops(self):
        for device in DEVICES:
            with self.subTest(device), rtpjpeg.Receiver() as receiver:
                producer, _ = self.feed(device)
                process = self.stream(device, "--to", f"{HOST}:{receiver.port}")
                receiver.collect(10, until=lambda r: r.markers() >= 10)
                producer.signal("KILL")
                producer.wait(10)
                result = process.wait(15)
                self.assertEqual(result.status, 1, result.stderr)
                self.assertIn(device, result.stderr)
                self.assertIn("the program that feeds this loopback device stopped", result.stderr)
                self.assertGreaterEqual(receiver.markers(), 10)


if __name__ == "__main__":
    unittest.main()
