#!/usr/bin/env python3
"""libcamera's cameras in the lab: the UVC camera by libcamera's uvcvideo pipeline, through the bridge."""

import itertools
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "program")]

import players
import program
import raw
import rtpjpeg
import streams
import uvc
from camera import Camera, Mode, Source
from machine import HOST, PYTHON, Machine
from pictures import jpegs

STREAMER = program.STREAMER
BRIDGE = pathlib.Path(STREAMER).parent / "libstreamer-libcamera.so"
MODES = [Mode("MJPG", 640, 480, [30]), Mode("YUYV", 320, 240, [15])]
machine = pictures = None
serials = itertools.count()


def setUpModule():
    global machine, pictures
    subprocess.run([program.ROOT / "scripts/bridge"], check=True)
    pictures = Source.made(MODES)
    machine = unittest.enterModuleContext(Machine(cameras=1))


class Case(streams.Case):
    machine = property(lambda self: machine)

    def camera(self, modes=MODES, **options):
        camera = self.enterContext(Camera(machine.sockets[0], modes, pictures, serial=f"L{next(serials)}", **options))
        machine.wait_for_path(camera.device)
        return camera

    def receiver(self):
        return self.enterContext(rtpjpeg.Receiver())


class Streaming(Case):
    def test_mjpeg_arrives_bit_for_bit(self):
        camera, receiver = self.camera(), self.receiver()
        ports = [program.free_port(4), program.free_port(8) + 4]
        to = [word for port in [receiver.port, *ports] for word in ("--to", f"{HOST}:{port}")]
        sdp = machine.run([STREAMER, "sdp", "libcamera:0", "--to", f"{HOST}:{ports[0]}"])
        self.assertEqual(sdp.status, 0, sdp.stderr)
        watches = [players.Watch(player, port, sdp.stdout.replace(HOST, "127.0.0.1"))
                   for player, port in zip(players.ALL, ports)]
        process = self.stream("libcamera:0", *to, "--log-level", "debug")
        receiver.collect(20, until=lambda r: r.markers() >= 90)
        for watch in watches:
            watch.wait(10)
        result = self.stop(process)
        self.assertIn("Lab Camera (libcamera), MJPG 640x480", result.stderr)
        self.assertIn("timestamps are the sensor's by libcamera", result.stderr)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertGreaterEqual(len(received), 90)
        sources = {log.sha256: rtpjpeg.jpeg(pictures(tuple(log.format), log.index).data) for log in camera.sent()}
        logs = []
        rest = iter(camera.sent())
        for frame in received:
            log = next((log for log in rest if rtpjpeg.same(frame, sources[log.sha256])), None)
            self.assertIsNotNone(log, "a frame that was not sent behind the one before")
            logs.append(log)
        # As far from the first as the camera's log has it.
        offsets = [((frame.timestamp - received[0].timestamp) & 0xFFFFFFFF) / 90_000 - log.first / 1e9
                   for frame, log in zip(received, logs)]
        usual = statistics.median(offsets)
        self.assertLess(statistics.median(abs(offset - usual) for offset in offsets), 0.005)
        files = sorted(jpegs(640, 480).iterdir())
        for player, watch in zip(players.ALL, watches):
            seen = watch.end()
            self.assertGreaterEqual(len(seen), 10, player.__name__)
            self.assertLessEqual(set(seen), set(players.of_files(player, files)), player.__name__)

    def test_yuyv_is_what_libjpeg_turbo_alone_makes(self):
        camera, receiver = self.camera(), self.receiver()
        sources = [rtpjpeg.jpeg(raw.jpeg("YUYV", bytes(picture.data), 320, 240, 80, raw.YUV420))
                   for picture in pictures.pictures["YUYV", 320, 240]]
        process = self.stream("libcamera:0", "--format", "yuyv", "--range", "as-is", "--to", f"{HOST}:{receiver.port}",
                              env={"LD_PRELOAD": program.PROBE, "PROBE_OUT": "/lab/probe.json"})
        receiver.collect(20, until=lambda r: r.markers() >= 60)
        result = self.stop(process)
        self.assertIn("YUYV 320x240", result.stderr)
        self.assertIn("encoded here to JPEG 4:2:0", result.stderr)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertGreaterEqual(len(received), 60)
        for frame in received:
            self.assertTrue(any(rtpjpeg.same(frame, source) for source in sources))
        # libcamera itself allocates; between the program's own lines nothing is.
        report = json.loads((machine.shared / "probe.json").read_text())
        self.assertGreaterEqual(report["frames"], 50)
        self.assertEqual((report["allocations"], report["first_caller"]), (0, ""))

    def test_mjpeg_is_sent_out_of_the_cameras_buffers(self):
        camera, receiver = self.camera(), self.receiver()
        process = self.stream("libcamera:0", "--to", f"{HOST}:{receiver.port}",
                              env={"LD_PRELOAD": program.PROBE, "PROBE_OUT": "/lab/probe.json"})
        receiver.collect(20, until=lambda r: r.markers() >= 60)
        self.stop(process)
        report = json.loads((machine.shared / "probe.json").read_text())
        self.assertGreaterEqual(report["frames"], 50)
        self.assertEqual((report["allocations"], report["first_caller"], report["scan_outside"]), (0, "", 0))
        self.assertGreater(report["scan_inside"], 50)

    def test_bench(self):
        self.camera()
        result = machine.run([STREAMER, "bench", "libcamera:0", "--frames", "30", "--warm-up", "5", "--json"])
        self.assertEqual(result.status, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["timestamp_source"], "sensor")


class Demo(Case):
    def test_it_takes_a_camera_of_libcameras(self):
        """Where no camera gives MJPEG, as on a Raspberry Pi with a camera of its own."""
        self.camera([mode for mode in MODES if mode.fourcc == "YUYV"])
        result = machine.run(f"mkdir -p {program.ROOT}/out/demo && {program.ROOT}/scripts/demo", timeout=120)
        self.assertEqual(result.status, 0, result.stderr)
        self.assertIn("demo: .build/release/streamer libcamera:0 --to", result.stdout)
        self.assertIn("demo: every frame arrived whole, and decodes", result.stdout)


class Ends(Case):
    def rounds(self, *words):
        return machine.spawn([PYTHON, HERE / "rounds.py", BRIDGE, "0", *map(str, words)])

    def test_nothing_is_left(self):
        """No descriptor, no thread, no mapping."""
        self.camera()
        for words in (("MJPG", 640, 480, 3, 10), ("YUYV", 320, 240, 2, 5)):
            result = self.rounds(*words).wait(40)
            self.assertEqual(result.status, 0, result.stderr)
            reports = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertEqual(len(reports), words[3])
            for report in reports:
                self.assertEqual(report["after"], report["before"])
                self.assertEqual(report["during"]["mappings"], 4)
                self.assertGreater(report["during"]["threads"], 1)

    def test_nothing_is_left_of_one_that_was_unplugged(self):
        camera = self.camera()
        process = self.rounds("MJPG", 640, 480, 1, 0)
        process.wait_for("streaming", timeout=15)
        camera.unplug()
        result = process.wait(20)
        report = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual(report["reason"], "it was unplugged")
        self.assertEqual(report["after"], report["before"])

    def test_a_camera_that_gives_up_blocks_nobody(self):
        """All requests are cancelled, and it is not unplugged: that is known after two seconds, in which others are served."""
        self.camera()
        process = machine.spawn([PYTHON, HERE / "rounds.py", BRIDGE, "0", "MJPG", "640", "480", "1", "5"],
                                env={"LD_PRELOAD": program.PROBE, "PROBE_DMABUF": "99:0"})
        result = process.wait(30)
        self.assertEqual(result.status, 0, result.stdout + result.stderr)
        report = json.loads(result.stdout.splitlines()[-1])
        self.assertIn("libcamera cancelled all requests", report["reason"])
        self.assertLess(report["longest_take_ms"], 1000)

    def test_unplugged_it_says_so(self):
        camera, receiver = self.camera(), self.receiver()
        process = self.stream("libcamera:0", "--exit-on-loss", "--to", f"{HOST}:{receiver.port}")
        receiver.collect(10, until=lambda r: r.markers() >= 5)
        camera.unplug()
        result = process.wait(10)
        self.assertEqual(result.status, 1)
        self.assertIn("libcamera:0: it was unplugged", result.stderr)


class Faults(Case):
    def listed(self):
        return next(each for each in json.loads(machine.run([STREAMER, "list", "--json"]).stdout)
                    if each["driver"] == "libcamera")

    def test_without_a_camera(self):
        machine.wait_for_path("/dev/video0", there=False)
        self.fails(["libcamera:0"], 1, "libcamera:0: libcamera finds no camera; it has to be connected, and the user in the group 'video'")
        self.fails(["libcamera:"], 2, "libcamera: needs a camera, such as libcamera:0")

    def test_names_modes_and_controls(self):
        self.camera()
        found = self.listed()
        self.assertEqual((found["card"], found["bus"], found["stable_names"]),
                         ("Lab Camera: Lab Camera", "external", ["libcamera:0"]))
        self.assertEqual([(mode["format"], mode["width"], mode["height"]) for mode in found["modes"]],
                         [("MJPG", 640, 480), ("YUYV", 320, 240)])
        controls = {each["name"]: each for each in found["controls"]}
        self.assertEqual((controls["Brightness"]["type"], controls["Brightness"]["minimum"], controls["Brightness"]["default"]),
                         ("float", -1, 0))
        self.assertEqual(controls["AeEnable"]["type"], "boolean")
        text = machine.run([STREAMER, "list"]).stdout
        self.assertIn(f"{found['path']}  Lab Camera: Lab Camera (libcamera, external)\n  libcamera:0\n  MJPG 640x480\n", text)
        self.assertIn("  ExposureTime=100 to 500000 (default 15600)\n", text)
        # By its id.
        self.stop(self.stream(found["path"], "--to", f"{HOST}:9"))
        self.fails(["libcamera:nobody"], 1, "libcamera has no such camera; it has:\n  0  " + found["path"].split(":", 1)[1])
        self.fails(["libcamera:7"], 1, "libcamera has no such camera")
        for words in (["--format", "nv12"], ["--size", "641x480"]):
            self.fails(["libcamera:0", *words], 2, f"libcamera:0: it does not offer {words[0]}", "  YUYV 320x240")
        self.fails(["libcamera:0", "--flip", "h"], 1, "libcamera:0: it can't turn its picture left to right")
        self.fails(["libcamera:0", "libcamera:0"], 2, "libcamera:0 is named twice")
        self.fails(["libcamera:0", "--set", "brightnes=1"], 2, "has no such control; did you mean Brightness?")
        for word, part in [("Brightness=1.5", "it takes -1 to 0.992"), ("brightness=much", "it takes -1 to 0.992"),
                           ("AeEnable=7", "it takes on or off"), ("ExposureTime=1.5", "it takes 100 to 500000"),
                           ("Contrast=1,1", "it takes 0.5 to 2.063")]:
            self.fails(["libcamera:0", "--set", word], 2, f"--set {word}: {part}")

    def test_controls_and_rates(self):
        camera = self.camera()
        words = ["--set", "brightness=0.5", "--set", "AeEnable=off", "--fps", "15"]
        process = self.stream("libcamera:0", *words, "--to", f"{HOST}:9")
        process.wait_for("can't set a rate")
        self.stop(process)
        shown = machine.run(["v4l2-ctl", "-d", camera.device, "-C", "brightness,auto_exposure"]).stdout
        self.assertEqual(re.findall(r": (\d+)", shown), ["192", "1"])

    def test_a_control_that_the_camera_refuses(self):
        self.camera(refused=(uvc.BRIGHTNESS,))
        self.fails(["libcamera:0", "--set", "Brightness=0.5", "--set", "contrast=1"], 1,
                   "libcamera:0: it gave up the request that sets Brightness, Contrast: its driver refuses a value")
        # What is not set can't be refused.
        self.stop(self.stream("libcamera:0", "--set", "contrast=1", "--to", f"{HOST}:9"))

    def test_a_taken_camera(self):
        camera = self.camera()
        for name in (camera.device, "libcamera:0"):
            process = self.stream(name, "--to", f"{HOST}:9")
            self.fails(["libcamera:0"], 1, "libcamera:0: ", "(EBUSY); another program, or another camera named here, has it")
            self.stop(process)


class Bridges(unittest.TestCase):
    """Bridges that are none. Their programs run on this machine: none of them gets as far as a camera."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "bin").mkdir()
        (self.folder / "lib/streamer").mkdir(parents=True)
        shutil.copy(STREAMER, self.folder / "bin")

    def check(self, *parts):
        def run(*words):
            return subprocess.run([self.folder / "bin/streamer", *words], capture_output=True, text=True, timeout=20)
        result = run("libcamera:0", "--to", "127.0.0.1:9")
        self.assertEqual(result.returncode, 1, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
        # All else goes on.
        self.assertEqual(run("bench", "test:", "--frames", "2", "--warm-up", "1").returncode, 0)
        return run("list")

    def test_none(self):
        result = self.check("libcamera:0: there is no bridge to libcamera", str(self.folder / "bin"), "make bridge",
                            "sudo apt-get install libcamera-dev")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_of_another_interface(self):
        out = self.folder / "bin" / BRIDGE.name
        subprocess.run([program.ROOT / "scripts/bridge", "-DLCB_INTERFACE=99"], check=True, env={**os.environ, "OUT": str(out)})
        result = self.check(f"{out}: it has interface 99, and this program needs 1", "make bridge")
        self.assertEqual(result.returncode, 0)
        self.assertIn("it has interface 99", result.stderr)

    def test_for_a_libcamera_that_is_not_here(self):
        def build(*words):
            subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", *map(str, words)], check=True)
        stub, out = self.folder / "stub.so", self.folder / "lib/streamer" / BRIDGE.name
        build("-Wl,-soname,libcamera.so.9.9", "-o", stub)
        build("-Wl,--no-as-needed", "-o", out, "-x", "none", stub)
        self.check(f"{out}: it can't be loaded", "libcamera.so.9.9", "another libcamera than this machine has", "make bridge")

    def test_that_are_none(self):
        (self.folder / "bin" / BRIDGE.name).write_text("no library")
        self.check("it can't be loaded")

    def test_where_make_install_puts_it(self):
        shutil.copy(BRIDGE, self.folder / "lib/streamer")
        self.check("libcamera:0: libcamera finds no camera")


if __name__ == "__main__":
    unittest.main()
