#!/usr/bin/env python3
"""Tests of the lab itself: one boot, and the kernel's own uvcvideo as the judge. Run: python3 -m unittest test_lab."""

import collections
import importlib.machinery
import importlib.util
import itertools
import json
import multiprocessing
import os
import pathlib
import signal
import statistics
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import faults
from camera import Camera, Mode, Source
from machine import PYTHON, Machine
from pictures import jpegs

MODES = [Mode("MJPG", 1920, 1080, [30, 15]), Mode("MJPG", 640, 480, [30]), Mode("YUYV", 640, 480, [15])]
SMALL = [Mode("MJPG", 640, 480, [30])]
GRAB = [PYTHON, "-I", "-S", str(HERE / "grab.py")]
FLAG_ERROR = 0x40
FAULTS = ["cut", "no-eoi", "no-soi", "random", "zeros", "old", "no-dht", "no-eof", "empty", "error"]

machine = pictures = plain = None        # plain: a camera in socket 0 without anything special, there all the time
serials = itertools.count()


def setUpModule():
    global machine, pictures, plain
    pictures = Source.made(MODES)
    unittest.addModuleCleanup(check_nothing_left)       # the first one in is the last one out
    machine = unittest.enterModuleContext(Machine(cameras=2, nics=("e1000e", "virtio")))
    plain = unittest.enterModuleContext(Camera(machine.sockets[0], MODES, pictures, serial="PLAIN"))
    machine.wait_for_path(plain.device)


def check_nothing_left():
    assert machine.qemu.poll() is not None, "QEMU still runs"
    assert not machine.folder.exists(), f"{machine.folder} is still there"
    assert not machine.link.reader.is_alive(), "a thread is left"
    assert not multiprocessing.active_children(), "a camera is left"


class Case(unittest.TestCase):
    def camera(self, **options):
        """A camera in socket 1, ready, for this test only. None has the name of another, which may still be going."""
        camera = self.enterContext(Camera(machine.sockets[1], SMALL, pictures, serial=f"T{next(serials)}", **options))
        machine.wait_for_path(camera.device)
        return camera

    def grab(self, camera, count, *options, timeout=30):
        """What an independent reader in the guest gets: a list of objects with grab.py's fields."""
        result = machine.run([*GRAB, camera.device, count, *options], timeout)
        self.assertEqual((result.status, result.stderr), (0, ""))
        return frames_of(result.stdout)

    def assert_same(self, got, camera):
        """What the reader got is what was sent, in the same order and with none left out between."""
        got = [frame.sha256 for frame in got]
        sent = [frame.sha256 for frame in camera.frames() if frame.first]
        starts = [place for place, sha256 in enumerate(sent) if got[0] == sha256]
        self.assertTrue(any(sent[start:start + len(got)] == got for start in starts), "not what was sent")


def frames_of(text):
    return [json.loads(line, object_hook=lambda fields: collections.namedtuple("Got", fields)(**fields))
            for line in text.splitlines()]


def rate(frames):
    """Frames a second by the middle one of the intervals: a compiler beside us may well delay some."""
    return 1e9 / statistics.median(later.stamp - sooner.stamp for sooner, later in zip(frames, frames[1:]))


class MachineTests(Case):
    def test_commands(self):
        result = machine.run("echo out; echo err >&2; exit 3")
        self.assertEqual(result, (3, "out\n", "err\n"))
        self.assertEqual(machine.run(["printf", "%s", "a b'c\n"]).stdout, "a b'c\n")
        self.assertEqual(machine.run(["/no/such/program"]).status, 127)
        for name, number in (("KILL", 9), ("INT", 2), ("PIPE", 13)):        # none is ignored from the start
            self.assertEqual(machine.run(f"kill -{name} $$").status, -number)

    def test_any_byte_survives(self):
        process = machine.spawn([PYTHON, "-c", "import os; os.write(1, bytes(range(256)) * 1000)"])
        process.wait(20)
        self.assertEqual(process.raw()[0], bytes(range(256)) * 1000)

    def test_several_at_once(self):
        waiting = machine.spawn("trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.1; done")
        waiting.wait_for("ready")
        self.assertEqual(machine.run("echo meanwhile").stdout, "meanwhile\n")
        self.assertTrue(waiting.running())
        waiting.signal("USR1")
        self.assertEqual(waiting.wait(10), (7, "ready\ncaught\n", ""))

    def test_too_long(self):
        with self.assertRaisesRegex(TimeoutError, "before"):
            machine.run("echo before; sleep 1234", timeout=1)
        self.assertNotEqual(machine.run("pgrep -f 'sleep [1]234'").status, 0)

    def test_terminal(self):
        process = machine.spawn("stty size; read line; echo \"<$line>\"", terminal=(33, 99))
        process.wait_for("33 99")
        process.write(b"typed\n")
        self.assertIn("<typed>", process.wait(10).stdout)

    def test_shared_folder(self):
        (machine.shared / "question").write_text("42")
        machine.run("cp /lab/question /lab/answer")
        self.assertEqual((machine.shared / "answer").read_text(), "42")

    def test_the_host_is_read_only(self):
        place = HERE / "written-in-the-guest"
        self.assertEqual(machine.run(["touch", place]).status, 0)
        self.assertFalse(place.exists())

    def test_network(self):
        addresses = machine.run("ip -o -4 address").stdout
        for address in ("127.0.0.1/8", "10.0.2.15/24", "10.0.3.15/24"):
            self.assertIn(address, addresses)
        self.assertIn("default via 10.0.2.2", machine.run("ip route").stdout)

    def test_segmentation_offload(self):
        """The e1000e takes UDP GSO; the virtio card, which here has no checksum offload, refuses it with EIO (5)."""
        code = """if True:
            import socket
            for host in "10.0.2.2", "10.0.3.2":
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sender.setsockopt(socket.SOL_UDP, 103, 1000)        # UDP_SEGMENT
                try:
                    print(sender.sendto(bytes(5000), (host, 9)))
                except OSError as error:
                    print(error.errno)"""
        self.assertEqual(machine.run([PYTHON, "-I", "-S", "-c", code]).stdout.split(), ["5000", "5"])

    def test_clock(self):
        """The offset must place an instant of the guest between two of the host."""
        clock = machine.clock()
        before = time.monotonic_ns()
        guest = int(machine.run([PYTHON, "-I", "-S", "-c", "import time; print(time.monotonic_ns())"]).stdout)
        after = time.monotonic_ns()
        self.assertLess(clock.uncertainty, 10_000_000)
        self.assertLess(before, guest + clock.offset + clock.uncertainty)
        self.assertGreater(after, guest + clock.offset - clock.uncertainty)

    def test_vivid(self):
        self.assertEqual(machine.run("modprobe vivid").status, 0)
        self.assertIn("vivid", machine.run("v4l2-ctl --list-devices").stdout)
        self.assertEqual(machine.run("modprobe -r vivid").status, 0)

    def test_the_command(self):
        loader = importlib.machinery.SourceFileLoader("lab", str(HERE / "lab"))
        lab = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab", loader))
        loader.exec_module(lab)
        self.assertEqual(lab.run(machine, ["exit 5"]), 5)
        self.assertEqual(lab.run(machine, ["sh", "-c", "exit 6"]), 6)


class CameraTests(Case):
    def test_what_the_driver_sees(self):
        about = machine.run(["v4l2-ctl", "-d", plain.device, "-D", "--list-formats-ext", "-L"]).stdout
        self.assertRegex(about, r"Driver name\s*: uvcvideo")
        lines = [line.strip() for line in about.splitlines()]
        start = lines.index("[0]: 'MJPG' (Motion-JPEG, compressed)")
        self.assertEqual(lines[start:start + 8], [
            "[0]: 'MJPG' (Motion-JPEG, compressed)", "Size: Discrete 1920x1080", "Interval: Discrete 0.033s (30.000 fps)",
            "Interval: Discrete 0.067s (15.000 fps)", "Size: Discrete 640x480", "Interval: Discrete 0.033s (30.000 fps)",
            "[1]: 'YUYV' (YUYV 4:2:2)", "Size: Discrete 640x480"])
        self.assertRegex(about, r"brightness .*min=0 max=255 step=1 default=128 value=128")
        machine.run(["v4l2-ctl", "-d", plain.device, "-c", "brightness=77"])
        self.assertIn("brightness: 77", machine.run(["v4l2-ctl", "-d", plain.device, "-C", "brightness"]).stdout)

    def test_full_rate_bit_for_bit(self):
        """The second stream is long enough for the ids of requests that the first one's end cancelled to come round."""
        got = self.grab(plain, 60, "streams=2")
        for stream in (got[:60], got[60:]):
            self.assert_same(stream, plain)
            self.assertEqual([frame.sequence for frame in stream], list(range(60)))
            self.assertAlmostEqual(rate(stream), 30, delta=1.5)
        self.assertAlmostEqual(rate(self.grab(plain, 10, "fps=15")), 15, delta=1.5)

    def test_raw_frames(self):
        got = self.grab(plain, 20, "format=YUYV", "size=640x480", "fps=15")
        self.assert_same(got, plain)
        self.assertEqual({frame.size for frame in got}, {640 * 480 * 2})
        self.assertEqual(plain.frames()[-1].format, ("YUYV", 640, 480, 15))

    def test_again_and_again(self):
        """Ids of requests are used again after each stop: none may be lost or confused."""
        got = self.grab(plain, 4, "size=640x480", "streams=6")
        log = plain.frames()
        streams = {frame.stream for frame in log if frame.sha256 in {each.sha256 for each in got}}
        self.assertLessEqual(set(range(log[-1].stream - 5, log[-1].stream + 1)), streams)
        for number in range(6):
            self.assert_same(got[4 * number:4 * number + 4], plain)

    def test_any_payload_size(self):
        camera = self.camera(payload=(512, 65536))
        self.assert_same(self.grab(camera, 30, "size=640x480"), camera)

    def test_spread(self):
        camera = self.camera(spread=20)
        got = self.grab(camera, 30, "size=640x480")
        self.assert_same(got, camera)
        spans = sorted((frame.last - frame.first) / 1e6 for frame in camera.sent())
        self.assertAlmostEqual(spans[len(spans) // 2], 20, delta=3)

    def test_frozen_guest(self):
        """When no transfer waits, a frame is dropped, not saved for later; and what arrives is whole again afterwards."""
        before = len(plain.frames())
        reader = machine.spawn([*GRAB, plain.device, 20, "size=640x480"])
        reader.wait_for("sha256")
        os.kill(machine.qemu.pid, signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(machine.qemu.pid, signal.SIGCONT)
        self.assertEqual(reader.wait(20).status, 0)
        dropped = [frame for frame in plain.frames()[before:] if frame.fate.startswith("dropped")]
        self.assertAlmostEqual(len(dropped), 15, delta=4)
        self.assert_same(frames_of(reader.output()[0]), plain)

    def test_frames_are_the_pictures(self):
        self.grab(plain, 3, "size=640x480", "keep=/lab")
        files = {file.read_bytes() for file in jpegs(640, 480).iterdir()}
        for number in range(3):
            self.assertIn((machine.shared / f"{number:06}").read_bytes(), files)

    def test_two_cameras(self):
        cameras = [plain, self.camera()]
        readers = [machine.spawn([*GRAB, camera.device, 30, "size=640x480"]) for camera in cameras]
        for camera, reader in zip(cameras, readers):
            self.assertEqual(reader.wait(30).status, 0)
            self.assert_same(frames_of(reader.output()[0]), camera)


class FaultTests(Case):
    def test_changes(self):
        """Each does what its name says, told without the code that does it."""
        old, data = (picture.data for picture in pictures.pictures["MJPG", 640, 480][:2])
        changed = {name: faults.apply(name, data, old) for name in FAULTS}
        self.assertEqual(changed["cut"], data[:len(data) // 2])
        self.assertEqual(changed["no-eoi"] + b"\xff\xd9", data)
        self.assertEqual(b"\xff\xd8" + changed["no-soi"], data)
        self.assertEqual(changed["zeros"], data + bytes(2048))
        self.assertEqual(changed["empty"], b"")
        self.assertEqual(len(changed["random"]), len(data))
        self.assertNotIn(changed["random"][:100], data)
        junk = changed["old"].removeprefix(data)
        self.assertTrue(old.endswith(junk) and 1000 < len(junk) < len(old))
        self.assertIn(b"\xff\xc4", data)
        self.assertNotIn(b"\xff\xc4", changed["no-dht"])
        self.assertEqual(changed["no-dht"][-len(data) // 2:], data[-len(data) // 2:])
        self.assertEqual([changed["error"], changed["no-eof"]], [data, data])
        with self.assertRaises(ValueError):
            faults.split("no-such-fault")

    def test_what_the_driver_passes_on(self):
        """Linux 6.1 drops what the camera marks as wrong and what is empty; all else it hands over as it came."""
        plan = {10 + 4 * number: name for number, name in enumerate(FAULTS)}
        camera = self.camera(faults=plan)
        got = self.grab(camera, 60, "size=640x480")
        arrived = {frame.sha256 for frame in got}
        sent = [frame for frame in camera.frames() if frame.first][:62]
        self.assertEqual({frame.fault for frame in sent} - {None}, set(FAULTS))
        lost = {frame.fault for frame in sent if frame.sha256 not in arrived}
        self.assertEqual(lost, {"empty"})       # a frame marked wrong is a good one, sent again 30 frames later
        self.assertEqual([frame.sha256 for frame in got],
                         [frame.sha256 for frame in sent if frame.fault not in ("empty", "error")][:60])
        self.assertFalse([frame for frame in got if frame.flags & FLAG_ERROR])
        skipped = [later.sequence - sooner.sequence - 1 for sooner, later in zip(got, got[1:])]
        # The driver's sequence counts those it dropped; the frame behind one without end it may count twice.
        self.assertIn(sum(skipped), (2, 3))

    def test_stall(self):
        camera = self.camera(faults={5: "stall:1.5"})
        got = self.grab(camera, 10, "size=640x480")
        self.assert_same(got, camera)
        gaps = [(later.stamp - sooner.stamp) / 1e9 for sooner, later in zip(got, got[1:])]
        self.assertAlmostEqual(max(gaps), 1.5, delta=0.2)
        self.assertLess(sorted(gaps)[-2], 0.2)

    def test_injected(self):
        before = len(plain.frames())
        reader = machine.spawn([*GRAB, plain.device, 20, "size=640x480"])
        reader.wait_for("sha256")
        plain.inject("cut")
        reader.wait(20)
        cut = [frame.sha256 for frame in plain.frames()[before:] if frame.fault == "cut"]
        self.assertEqual(len(cut), 1)
        self.assertIn(cut[0], reader.output()[0])

    def test_unplug_and_replug(self):
        camera = self.camera(faults={8: "unplug:1"})
        result = machine.run([*GRAB, camera.device, 30, "size=640x480"], timeout=20)
        self.assertIn("No such device", result.stderr)
        self.assertEqual(len(frames_of(result.stdout)), 8)
        self.assertEqual([frame.fate for frame in camera.frames()][8:], ["aborted"])
        machine.wait_for_path(camera.device)
        self.assert_same(self.grab(camera, 5, "size=640x480"), camera)
        camera.unplug()
        machine.wait_for_path(camera.device, there=False)
        camera.plug()
        machine.wait_for_path(camera.device)
        self.assert_same(self.grab(camera, 5, "size=640x480"), camera)


if __name__ == "__main__":
    unittest.main()
