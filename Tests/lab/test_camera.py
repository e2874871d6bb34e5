#!/usr/bin/env python3
"""The program in the lab: the kernel's own uvcvideo, a camera that logs what it sent, receivers outside."""

import collections
import itertools
import json
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "program")]

import kinds
import players
import program
import rtcp
import rtpjpeg
import streams
from camera import Camera, Mode, Source
from machine import Machine
from pictures import jpegs

MODES = [Mode("MJPG", 640, 480, [60, 30]), Mode("MJPG", 1920, 1080, [30, 15]), Mode("MJPG", 1280, 720, [30]),
         Mode("YUYV", 640, 480, [15])]
SMALL = [Mode("MJPG", 640, 480, [30])]
HOST = "10.0.2.2"           # the host's loopback, seen from the guest
STREAMER = program.STREAMER
TESTS = program.ROOT / ".build/debug/streamerPackageTests.xctest"

machine = pictures = None
serials = itertools.count()


def setUpModule():
    global machine, pictures
    pictures = Source.made(MODES)
    machine = unittest.enterModuleContext(Machine(cameras=2))


class Case(streams.Case):
    machine = property(lambda self: machine)

    def camera(self, modes=SMALL, number=0, frames=None, **options):
        """A camera in the guest, for this test only."""
        camera = self.enterContext(Camera(machine.sockets[number], modes, frames or pictures, serial=f"C{next(serials)}",
                                          **options))
        machine.wait_for_path(camera.device)
        return camera

    def receiver(self):
        return self.enterContext(rtpjpeg.Receiver())

    def expected(self, camera, frames=None):
        """The frames that the camera wholly sent, with what of each must come through."""
        parsed = {}
        for log in camera.sent():
            if log.sha256 not in parsed:
                picture = (frames or pictures)(tuple(log.format), log.index)
                parsed[log.sha256] = rtpjpeg.jpeg(picture.data)
                self.assertEqual(picture.name, log.picture)
        return [(log, parsed[log.sha256]) for log in camera.sent()]

    def assert_arrived(self, received, expected, drops=0):
        """What was received is what is expected, bit for bit, each once, and without at most so many of them.

        In the order of their timestamps: uvcvideo copies out of USB transfers on all CPUs at once, and on a busy machine
        a frame may overtake the one before. Returns the camera's logs of them."""
        in_order = sorted(received, key=lambda frame: (frame.timestamp - received[0].timestamp + (1 << 31)) & 0xFFFFFFFF)
        places, logs = iter(enumerate(expected, 1)), []
        for number, frame in enumerate(in_order):
            place, log = next(((place, log) for place, (log, source) in places if rtpjpeg.same(frame, source)), (None, None))
            self.assertIsNotNone(place, f"frame {number} is none of those that are expected behind the one before")
            logs.append(log)
        self.assertLessEqual(place - len(received), drops)
        return logs

    def probed(self, camera, frames=310):
        """What the probe found inside of the program, while it streamed so many frames of a camera."""
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}",
                              env={"LD_PRELOAD": program.PROBE, "PROBE_OUT": "/lab/probe.json"})
        receiver.collect(25, until=lambda r: r.markers() >= frames)
        self.stop(process)
        report = json.loads((machine.shared / "probe.json").read_text())
        self.assertGreaterEqual(report["frames"], 300)
        self.assertEqual(report["scan_outside"], 0)
        self.assertGreater(report["scan_inside"], 300 * 100)
        self.assertEqual((report["allocations"], report["first_caller"]), (0, ""))
        return report

    def check_player(self, player, wait_for="buffers, to ", **options):
        """A player gets the pixels of the files that a camera of 720p sends."""
        camera = self.camera([Mode("MJPG", 1280, 720, [30])], **options)
        port = program.free_port()
        sdp = machine.run([STREAMER, "sdp", camera.device, "--to", f"{HOST}:{port}"])
        self.assertEqual(sdp.status, 0, sdp.stderr)
        process = self.stream(camera.device, "--to", f"{HOST}:{port}")
        process.wait_for(wait_for, timeout=20)
        # The guest's way to the host's loopback is through QEMU.
        text = sdp.stdout.replace(HOST, "127.0.0.1")
        self.assertIn("c=IN IP4 127.0.0.1", text)
        received = players.of_stream(player, port, text, 40)
        self.stop(process)
        camera.unplug()
        files = sorted(jpegs(1280, 720).iterdir())
        self.assertGreaterEqual(len(received), 40)
        self.assertLessEqual(set(received), set(players.of_files(player, files)))


class Streaming(Case):
    def test_every_frame_arrives_bit_for_bit(self):
        """20 seconds of 1080p30, which is the default of this camera."""
        camera = self.camera(MODES)
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
        receiver.collect(30, until=lambda r: r.markers() >= 600)
        result = self.stop(process)
        receiver.collect(1)
        self.assertIn("MJPG 1920x1080 at 30 fps", result.stderr)
        packets = receiver.packets()
        received = rtpjpeg.whole_frames(packets)
        expected = self.expected(camera)
        self.assertGreaterEqual(len(received), 600)
        # What the camera sent behind the last one that was streamed is not the stream's.
        self.assertLessEqual(len(received), len(expected))
        # A busy host has the emulated kernel hand a frame over behind the next one; that is counted, and nothing else is.
        counts = self.counts(result, camera)
        self.assertEqual(counts["dropped"], counts.get("driver", 0))
        self.assertLessEqual(counts["dropped"], 3)
        logs = self.assert_arrived(received, expected, counts["dropped"])
        self.assertLessEqual(max(packet.size for packet in packets), 1400)
        self.check_timestamps(received, logs)

    def check_timestamps(self, received, logs):
        """A frame's timestamp is its first payload's time: as far from the stream's first as the camera's log has it."""
        offsets = [((frame.timestamp - received[0].timestamp) & 0xFFFFFFFF) / 90_000 - log.first / 1e9
                   for frame, log in zip(received, logs)]
        # The emulated machine takes a payload late now and then, perhaps the first; the usual one is near.
        usual = statistics.median(offsets)
        self.assertLess(statistics.median(abs(offset - usual) for offset in offsets), 0.005)
        steps = [((b.timestamp - a.timestamp) & 0xFFFFFFFF) for a, b in zip(received, received[1:])]
        self.assertTrue(all(step < 1 << 31 for step in steps))
        took = (logs[-1].first - logs[0].first) / 1e9
        self.assertAlmostEqual(sum(steps) / 90_000, took, delta=0.1)

    def test_players_get_the_pixels_of_the_source(self):
        for player in players.ALL:
            with self.subTest(player.__name__):
                self.check_player(player)

    def test_two_cameras_in_one_process(self):
        cameras = [self.camera(SMALL, number) for number in range(2)]
        port = program.free_port(4)
        receivers = [self.enterContext(rtpjpeg.Receiver(port=port + 2 * number)) for number in range(2)]
        process = self.stream(*(camera.device for camera in cameras), "--to", f"{HOST}:{port}", "--cpu", "0")
        names = machine.run("cat /proc/$(pgrep -x streamer)/task/*/comm").stdout.split()
        for receiver in receivers:
            receiver.collect(10, until=lambda r: r.markers() >= 60)
        result = self.stop(process)
        for camera, receiver in zip(cameras, receivers):
            received = rtpjpeg.whole_frames(receiver.packets())
            self.assertGreaterEqual(len(received), 60)
            self.assert_arrived(received, self.expected(camera), self.counts(result, camera).get("driver", 0))
        self.assertLessEqual({"camera-0", "camera-1"}, set(names))

    def test_nothing_is_copied_and_nothing_allocated(self):
        self.assertEqual(self.probed(self.camera(MODES))["mappings"], 4)

    def test_what_is_asked_for_is_given(self):
        camera = self.camera(MODES)
        for words, expected in [(["--size", "640x480"], "640x480 at 30 fps"), (["--fps", "60"], "640x480 at 60 fps"),
                                (["--fps", "15", "--buffers", "8"], "1920x1080 at 15 fps, 8 buffers"),
                                (["--size", "1280x720", "--format", "MJPG"], "1280x720 at 30 fps, 4 buffers")]:
            with self.subTest(words):
                receiver = self.receiver()
                process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}", *words)
                receiver.collect(5, until=lambda r: r.markers() >= 5)
                result = self.stop(process)
                self.assertIn(expected, result.stderr)
                size = expected.split()[0].split("x")
                frame = rtpjpeg.frames(receiver.packets())[0]
                self.assertEqual((frame.width * 8, frame.height * 8), (int(size[0]), int(size[1])))

    def test_list(self):
        camera = self.camera(MODES)
        found = [each for each in json.loads(machine.run([STREAMER, "list", "--json"]).stdout)
                 if camera.device in each["stable_names"]]
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["driver"], "uvcvideo")
        modes = {(mode["format"], mode["width"], mode["height"], tuple(mode["fps"])) for mode in found[0]["modes"]}
        self.assertEqual(modes, {(mode.fourcc, mode.width, mode.height, tuple(mode.rates)) for mode in MODES})
        text = machine.run([STREAMER, "list"]).stdout
        self.assertIn("  MJPG 1920x1080 at 30, 15 fps\n", text)
        self.assertIn(f"  {camera.device}\n", text)
        self.assertIn("/dev/v4l/by-path/", text)


class Pictures(Case):
    """JPEGs as cameras make them that are not like all others."""

    def test_other_tables_and_restart_markers(self):
        # Of each kind, how many segments of a marker its pictures have: DHT, DRI, DQT.
        markers = {"no Huffman tables": (0xC4, 0), "restart markers": (0xDD, 1), "three quantization tables": (0xDB, 3),
                   "optimised Huffman tables": (0xC4, 4)}
        originals = jpegs(640, 480, count=3, sampling="420")
        for kind in (kind for kind in kinds.KINDS if kind.name in markers):
            with self.subTest(kind.name):
                folder = kinds.folder(kind)
                marker, count = markers[kind.name]
                for path in folder.iterdir():
                    found, _ = kinds.segments(path.read_bytes())
                    self.assertEqual([number for number, _ in found].count(marker), count)
                camera = self.camera([Mode("MJPG", 640, 480, [5])], frames=Source.folder(folder))
                receiver = self.receiver()
                process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
                receiver.collect(10, until=lambda r: r.markers() >= 10)
                result = self.stop(process)
                camera.unplug()
                received = rtpjpeg.whole_frames(receiver.packets())
                self.assertGreaterEqual(len(received), 10)
                counts = self.counts(result, camera)
                self.assertEqual(counts["dropped"], 0)
                # What was made of standard tables without loss, and is brought back to them without loss, is what it was.
                recoded = kind.outcome == "lossless"
                self.assert_arrived(received, self.expected(camera, Source.folder(originals if recoded else folder)))
                self.assertEqual(counts.get("re-coded", 0), counts["frames"] if recoded else 0)
                if recoded:
                    pixels = [players.of_files(players.FFmpeg, sorted(home.iterdir())) for home in (folder, originals)]
                    self.assertEqual(*pixels)

    def check_another_size(self, width, height, said):
        """The JPEG's own size is the true one: in packets, and in the SDP."""
        frames = Source.folder(jpegs(width, height, count=3, sampling="420"))
        camera = self.camera([Mode("MJPG", 1920, 1080, [10])], frames=frames)
        receiver = self.receiver()
        process = self.stream(camera.device, "--sdp", "/lab/other.sdp", "--to", f"{HOST}:{receiver.port}")
        receiver.collect(20, until=lambda r: r.markers() >= 8)
        result = self.stop(process)
        sdp = (machine.shared / "other.sdp").read_bytes().decode()
        self.assertIn(f"a=framesize:26 {width}-{height}\r\n", sdp)
        self.assertEqual(f"a=x-dimensions:{width},{height}\r\n" in sdp, said == (0, 0))
        self.assertEqual(result.stderr.count(f"its pictures are {width}x{height}, not 1920x1080"), 1, result.stderr)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertEqual({(frame.width, frame.height) for frame in received}, {said})
        self.assert_arrived(received, self.expected(camera, frames))

    def test_pictures_smaller_than_the_mode(self):
        self.check_another_size(1280, 720, (160, 90))

    def test_pictures_larger_than_the_mode_and_2040(self):
        self.check_another_size(2304, 1296, (0, 0))

    def test_4k(self):
        """Packets can't say a size over 2040: the SDP does. The program's own receiver gets the same, and decodes it."""
        frames = Source.folder(jpegs(3840, 2160, count=3, sampling="420"))
        camera = self.camera([Mode("MJPG", 1920, 1080, [30]), Mode("MJPG", 3840, 2160, [3])], frames=frames)
        receiver = self.receiver()
        port = program.free_port()
        out = self.enterContext(tempfile.TemporaryDirectory())
        with program.Run("receive", f"127.0.0.1:{port}", "--x-dimensions", "3840x2160", "--frames", 6, "--decode", "--json",
                         "--out", out, wait_for="receiving at") as own:
            process = self.stream(camera.device, "--size", "3840x2160", "--sdp", "/lab/4k.sdp",
                                  "--to", f"{HOST}:{receiver.port}", "--to", f"{HOST}:{port}")
            receiver.collect(20, until=lambda r: r.markers() >= 8)
            result = self.stop(process)
        self.assertIn("MJPG 3840x2160 at 3 fps", result.stderr)
        sdp = (machine.shared / "4k.sdp").read_bytes().decode()
        self.assertIn("a=framesize:26 3840-2160\r\n", sdp)
        self.assertIn("a=x-dimensions:3840,2160\r\n", sdp)
        expected = self.expected(camera, frames)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertGreaterEqual(len(received), 8)
        self.assertEqual({(frame.width, frame.height) for frame in received}, {(0, 0)})
        self.assert_arrived(received, expected)
        self.assertEqual(self.counts(result, camera)["dropped"], 0)
        told = json.loads(own.out)
        self.assertEqual({key: told[key] for key in ("width", "height", "frames", "lost", "kernel_dropped", "incomplete",
                                                     "undecodable", "malformed")},
                         dict(width=3840, height=2160, frames=6, lost=0, kernel_dropped=0, incomplete=0, undecodable=0, malformed=0))
        files = [rtpjpeg.jpeg(path.read_bytes()) for path in sorted(pathlib.Path(out).iterdir())]
        self.assertEqual(len(files), 6)
        self.assertTrue(all(file == source for file, (_, source) in zip(files, expected)))


class Ending(Case):
    def test_the_device_is_free_at_once(self):
        camera = self.camera()
        receiver = self.receiver()
        for number in ("TERM", "INT", "TERM"):
            process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
            receiver.collect(5, until=lambda r: r.markers() >= 3)
            process.signal(number)
            result = process.wait(5)
            self.assertEqual(result.status, 0, result.stderr)
            self.assertRegex(result.stdout, r"\d+ frames, \d+ sent, 0 dropped, \d+ packets, \d+ bytes\n$")
            receiver.data.clear()

    def test_unplugged_it_says_so(self):
        camera = self.camera()
        receiver = self.receiver()
        process = self.stream(camera.device, "--exit-on-loss", "--to", f"{HOST}:{receiver.port}")
        receiver.collect(5, until=lambda r: r.markers() >= 3)
        camera.unplug()
        result = process.wait(10)
        self.assertEqual(result.status, 1)
        self.assertIn("unplugged", result.stderr)
        self.assertIn("frames", result.stdout)


class Errors(Case):
    def test_a_busy_device(self):
        camera = self.camera()
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
        self.fails([camera.device], 1, camera.device, "EBUSY", "another program has it open")
        receiver.collect(5, until=lambda r: r.markers() >= 10)
        self.stop(process)
        rtpjpeg.whole_frames(receiver.packets())

    def test_a_mode_that_is_not_offered(self):
        camera = self.camera(MODES)
        listed = ["MJPG 640x480 at 60, 30 fps", "MJPG 1920x1080 at 30, 15 fps", "YUYV 640x480 at 15 fps"]
        self.fails([camera.device, "--size", "800x600"], 2, "--size 800x600", *listed)
        self.fails([camera.device, "--fps", "50"], 2, "--fps 50", *listed)
        self.fails([camera.device, "--format", "nv12"], 2, "--format NV12", *listed)

    def test_a_node_that_is_no_camera(self):
        camera = self.camera()
        metadata = camera.device.replace("index0", "index1")
        self.fails([metadata], 1, metadata, "does not capture video")
        self.fails(["/dev/video77"], 1, "/dev/video77", "no such device")
        self.fails(["/dev/null"], 1, "/dev/null", "no video device")

    def test_a_device_that_a_cgroup_forbids(self):
        """As in a container without it, or in a service with a DevicePolicy: EPERM, for root, too."""
        camera = self.camera()
        box = "/tmp/devices/box"
        result = machine.run(f"mkdir -p /tmp/devices && mount -t cgroup -o devices none /tmp/devices && mkdir {box}"
                             f" && echo 'c 81:* rwm' > {box}/devices.deny")
        self.assertEqual(result.status, 0, result.stderr)
        try:
            result = machine.run(f"echo $$ > {box}/cgroup.procs; exec {STREAMER} {camera.device} --to {HOST}:9", timeout=20)
            self.assertEqual(result.status, 1, result.stderr)
            for part in (camera.device, "EPERM", "--device", "DeviceAllow=char-video4linux rw"):
                self.assertIn(part, result.stderr)
            self.assertNotIn("usermod", result.stderr)
            result = machine.run(["setpriv", "--reuid=nobody", "--clear-groups", STREAMER, camera.device, "--to",
                                  f"{HOST}:9"], timeout=20)
            for part in ("EACCES", "usermod -aG video"):
                self.assertIn(part, result.stderr)
        finally:
            machine.run(f"rmdir {box}; umount /tmp/devices")

    def test_names_of_a_device_are_text_and_no_more(self):
        """A product's name with escape sequences, line feeds, C1 and overrides of the direction."""
        name = "Evil\x1b[31m\x1b]0;x\x07\n/dev/video9  \x9b2J\u202egpj\u2028\x7f\r\u00e9"
        # udev has names of its own for it.
        self.enterContext(Camera(machine.sockets[0], SMALL, pictures, serial="EVIL", product=name))
        path = "/dev/v4l/by-id/*_EVIL-video-index0"
        machine.wait_for_path(path)
        path = machine.run(f"readlink -f {path}").stdout.strip()
        clean = machine.run([STREAMER, "list"])
        self.assertEqual(clean.status, 0, clean.stderr)
        process = self.stream(path, "--to", f"{HOST}:9")
        shown = clean.stdout + self.stop(process).stderr
        self.assertIn("Evil", shown)
        self.assertEqual([each for each in shown if each != "\n" and (ord(each) < 32 or 0x7F <= ord(each) < 0xA0
                                                                      or each in "\u202e\u2028")], [])
        self.assertNotIn("\n/dev/video9", shown)
        text = machine.run([STREAMER, "list", "--json"]).stdout
        card = next(each["card"] for each in json.loads(text) if each["card"].startswith("Evil"))
        self.assertTrue(all(32 <= ord(each) != 127 for each in text.rstrip("\n")))
        self.assertNotIn("\x1b", card)

    def test_no_bandwidth_says_what_to_do(self):
        camera = self.camera()
        result = machine.run([STREAMER, camera.device, "--to", f"{HOST}:9"], timeout=20,
                             env={"LD_PRELOAD": program.PROBE, "PROBE_STREAMON": "28"})
        self.assertEqual(result.status, 1)
        for part in ("VIDIOC_STREAMON", "ENOSPC", "bandwidth", "--size", "quirks=0x80"):
            self.assertIn(part, result.stderr)


class Reports(Case):
    def test_a_step_of_the_wall_clock_moves_no_timestamp(self):
        """The wall clock is set forward by an hour: the reports say so, the stream's own clock goes on."""
        with rtcp.Session(program.free_port()) as session:
            process = self.stream_test("--size", "320x240", "--fps", 10, "--to", f"{HOST}:{session.port}")
            session.collect(10, until=lambda s: s.reports)
            machine.run(["sh", "-c", "date -s @$(($(date +%s) + 3600))"])
            self.addCleanup(lambda: machine.run(["sh", "-c", "date -s @$(($(date +%s) - 3600))"]))
            session.collect(20, until=lambda s: rtcp.seconds(s.reports[-1].ntp - s.reports[0].ntp) + rtcp.BEFORE_1970 > 1800)
            self.stop(process)
        first, *_, last = [report for report in session.reports if report.kind == 200]
        passed = last.time - first.time
        self.assertAlmostEqual((last.ntp - first.ntp) / 2 ** 32, 3600 + passed, delta=2)
        self.assertAlmostEqual(((last.timestamp - first.timestamp) & 0xFFFFFFFF) / 90_000, passed, delta=0.5)
        packets = session.packets()
        steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in zip(packets, packets[1:])} - {0}
        self.assertLess(max(steps), 90_000)

    def test_a_group_has_several_receivers(self):
        """IPv4 and IPv6, in the guest: both receivers get all, report, and are told of the sender's clock and its end."""
        # The guest's network has no IPv6: its own loopback does for it.
        machine.run(["sh", "-c", "ip link set lo multicast on up; ip -6 route replace ff00::/8 dev lo table local"])
        for group in ("239.1.2.3:5000", "[ff15::1]:5000"):
            with self.subTest(group):
                receivers = [machine.spawn([STREAMER, "receive", group, "--frames", "160", "--json"]) for _ in range(2)]
                for each in receivers:
                    each.wait_for("receiving at", timeout=10)
                process = self.stream_test("--size", "320x240", "--fps", 20, "--to", group, "--stats", "0.5")
                for each in receivers:
                    result = each.wait(30)
                    self.assertEqual(result.status, 0, result.stderr)
                    counts = json.loads(result.stdout)
                    self.assertEqual((counts["lost"], counts["incomplete"], counts["foreign"]), (0, 0, 0))
                    self.assertGreaterEqual(counts["sender_reports"], 1)
                    self.assertIsNotNone(counts["latency_us"])
                result = self.stop(process)
                self.assertIn("reports of 2 receivers at worst 0.0 % lost", result.stdout)
                self.assertNotIn("someone else uses", result.stderr)

    def stream_test(self, *words):
        process = machine.spawn([STREAMER, "test:", *map(str, words)])
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        process.wait_for("fps, ", timeout=15)
        return process


class Faults(Case):
    """What a camera does wrong is counted, and the good frames around it are sent."""

    def run_with(self, faults, frames=60, **options):
        camera = self.camera(faults=faults, **options)
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
        receiver.collect(20, until=lambda r: r.markers() >= frames)
        result = self.stop(process)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertGreaterEqual(len(received), frames)
        return camera, received, result

    def test_bad_frames(self):
        """Half of them: each is counted by its cause. And good ones with a flaw: junk behind the end, no Huffman tables."""
        causes = {"no-soi": "no_soi", "random": "no_soi", "no-eoi": "no_eoi", "cut": "no_eoi"}
        names = [None, "no-soi", "old", "cut", "zeros", "no-eoi", "no-dht", "random"]
        plan = {index: names[index % 8] for index in range(64)}
        # The plan has 32 good ones: it is over when more have come.
        camera, received, result = self.run_with(plan, frames=40)
        counts = self.counts(result, camera)
        bad = collections.Counter(causes[log.fault] for log in camera.sent() if log.fault in causes)
        self.assertEqual(set(bad), {"no_soi", "no_eoi"})
        self.assertEqual({cause: counts[cause] for cause in bad}, bad)
        driver = counts.get("driver", 0)
        self.assertEqual(counts["dropped"], bad.total() + driver)
        expected = [(log, source) for log, source in self.expected(camera) if log.fault not in causes]
        self.assert_arrived(received, expected, driver)
        for cause in bad:
            self.assertEqual(result.stderr.count(f"counted as {cause}"), 1)

    FLAWS = ["lost", "lost-header", "lost-middle", "junk", "dnl", "scan-0"]

    def test_frames_with_flaws_are_sent_as_they_are(self):
        """The beginning of a lost frame or junk in front, DNL, odd scan parameters."""
        plan = {index: [None, *self.FLAWS][index % 7] for index in range(20, 90)}
        camera, received, result = self.run_with(plan, frames=80)
        counts = self.counts(result, camera)
        self.assertEqual(counts["dropped"], counts.get("driver", 0))
        self.assert_arrived(received, self.expected(camera), counts["dropped"])
        skipped = sum(log.fault in ("lost", "lost-header", "lost-middle", "junk") for log in camera.sent())
        self.assertAlmostEqual(counts["after"], skipped, delta=counts["dropped"])

    def test_flagged_and_empty_frames(self):
        """This kernel keeps them to itself: gaps in the sequence are the driver's drops."""
        _, received, result = self.run_with({10: "error", 20: "error", 30: "empty"})
        self.assertIn("driver", result.stdout.splitlines()[-1])
        for a, b in zip(received, received[1:]):
            self.assertNotEqual(a.timestamp, b.timestamp)

    def test_a_stall_is_survived(self):
        """It does not last its 20 s: the stream is restarted after 3 s without a frame, which wakes the camera."""
        camera, received, result = self.run_with({20: "stall:20"})
        steps = [((b.timestamp - a.timestamp) & 0xFFFFFFFF) / 90_000 for a, b in zip(received, received[1:])]
        self.assertTrue(2.9 < max(steps) < 8, steps)
        self.assertEqual(result.stderr.count("no frame for some seconds"), 1)
        self.assertEqual(result.stderr.count("gives frames again"), 1)

    def test_timestamps_that_stand_still_repeat_or_go_back(self):
        """RTP's rise all the same, evenly, and it is reported once."""
        for count in (0, 4, 2, -5):
            camera, receiver = self.camera(), self.receiver()
            with self.subTest(count):
                process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}",
                                      env={"LD_PRELOAD": program.PROBE, "PROBE_STAMPS": str(count)})
                receiver.collect(20, until=lambda r: r.markers() >= 150)
                result = self.stop(process)
                self.assertEqual(result.stderr.count("timestamps stand still, repeat, go back or are far"), 1, result.stderr)
                received = rtpjpeg.whole_frames(receiver.packets())
                stamps = [frame.timestamp for frame in received]
                steps = [(after - before) % 2**32 for before, after in zip(stamps, stamps[1:])]
                self.assertTrue(all(0 < step < 2**31 for step in steps), steps)
                # 3000 ticks a frame, or twice that where one is missing.
                uneven = [step for step in steps[90:] if not 2000 <= step <= 4000]
                self.assertLessEqual(len(uneven), 3, steps)
            camera.unplug()
            machine.wait_for_path(camera.device, there=False)

    def test_a_camera_that_is_slow_is_told(self):
        camera = self.camera(faults=lambda index: "stall:0.05")
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
        process.wait_for("exposure_dynamic_framerate", timeout=20)
        self.assertRegex(self.stop(process).stderr, r"it gives \d+\.\d frames a second, not 30")

    def test_a_slow_network_costs_frames_and_never_the_camera(self):
        """1080p30 of 40 Mbit/s through 10: the socket is full when the next frame comes."""
        camera = self.camera(MODES)
        receiver = self.receiver()
        machine.run("tc qdisc add dev eth0 root tbf rate 10mbit burst 20kb limit 10mb")
        try:
            process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}")
            receiver.collect(8)
            result = self.stop(process)
        finally:
            machine.run("tc qdisc del dev eth0 root")
        line = result.stdout.splitlines()[-1]
        late = int(re.search(r"(\d+) packets left out as late", line)[1])
        captured = int(re.search(r"(\d+) frames", line)[1])
        self.assertGreater(late, 1000)
        self.assertGreater(captured, 150)
        # What came is right packet by packet, and the frames that are whole are bit for bit.
        packets = receiver.packets()
        self.assertGreater(len(packets), 3000)
        whole = rtpjpeg.whole_frames(packets)
        self.assertGreater(len(whole), 0)
        sources = [rtpjpeg.jpeg(picture.data) for picture in pictures.pictures["MJPG", 1920, 1080]]
        for frame in whole:
            self.assertTrue(any(rtpjpeg.same(frame, source) for source in sources))


    def test_a_full_socket_without_a_frame_is_not_waited_for(self):
        """The frame that waits for the socket is given up for a bad one, and then no frame comes: nothing is to be done."""
        camera = self.camera(MODES, faults={45: "no-eoi", 46: "stall:8"})
        receiver = self.receiver()
        machine.run("tc qdisc add dev eth0 root tbf rate 10mbit burst 20kb limit 10mb")
        try:
            process = self.stream(camera.device, "--stall-timeout", 60, "--to", f"{HOST}:{receiver.port}")
            receiver.collect(2.5)
            # User and system time, in ticks of 10 ms.
            ticks = "for i in 1 2 3 4 5; do cut -d ' ' -f 14,15 /proc/$(pgrep -x streamer)/stat; sleep 0.5; done"
            spent = [sum(map(int, line.split())) for line in machine.run(ticks).stdout.splitlines()]
            result = self.stop(process)
        finally:
            machine.run("tc qdisc del dev eth0 root")
        self.assertRegex(result.stdout, r"packets left out as late")
        self.assertIn("no_eoi 1", result.stdout.splitlines()[-1])
        self.assertLess(min(b - a for a, b in zip(spent, spent[2:])), 20, spent)


class Early(Case):
    """Packets that leave while the camera is still sending their frame, over 20 ms."""

    OPTIONS = dict(modes=MODES, spread=20, payload=(512, 65_536))

    def run_with(self, camera, frames, *words, seconds=40):
        receiver = self.receiver()
        process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}", *words)
        receiver.collect(seconds, until=lambda r: r.markers() >= frames)
        result = self.stop(process)
        receiver.collect(1)
        return receiver, result, self.counts(result, camera)

    def check(self, camera, receiver, expected, counts):
        """Every packet came, and every whole frame is one that the camera sent, bit for bit, but for those it is not to be."""
        packets = rtpjpeg.in_order(receiver.packets())
        gaps = [(a.sequence, b.sequence, a.marker) for a, b in zip(packets, packets[1:]) if b.sequence != (a.sequence + 1) & 0xFFFF]
        self.assertEqual(gaps, [])
        received = rtpjpeg.whole_frames(packets)
        self.assertEqual(len(received), counts["sent"])
        return received, self.assert_arrived(received, expected, counts["dropped"])

    def test_a_long_stream_bit_for_bit(self):
        """Payloads of all sizes, and pauses in one of eight frames; the timestamps are as even as ever."""
        pauses = random.Random(1)
        camera = self.camera(**self.OPTIONS,
                             faults=lambda index: f"pause:{pauses.uniform(0.001, 0.012):.4f}" if index % 8 == 7 else None)
        # make soak-early has ten minutes of it.
        seconds = float(os.environ.get("SOAK_SECONDS", 20))
        receiver, result, counts = self.run_with(camera, 30 * seconds, seconds=1.3 * seconds)
        self.assertIn("packets leave while it still sends the frame", result.stderr)
        received, logs = self.check(camera, receiver, self.expected(camera), counts)
        self.assertGreaterEqual(len(received), 26 * seconds)
        self.assertEqual(counts["dropped"], counts.get("driver", 0) + counts.get("stale", 0))
        self.assertGreater(counts["early"], 0.7 * len(received))
        # Those that a busy host has the driver hand over in the wrong order.
        self.assertLessEqual(counts.get("abandoned", 0), 0.02 * len(received))
        Streaming.check_timestamps(self, received, logs)
        self.assertGreater(self.ahead(receiver, received, logs), 2e6)

    def ahead(self, receiver, received, logs):
        """How long before the camera's last byte has left it a frame's first packet is here: nanoseconds, the median."""
        first = {}
        for at, packet in receiver.data:
            first.setdefault(int.from_bytes(packet[4:8], "big"), at * 1e9)
        # The first ones: in ten minutes the receiver here falls behind.
        return statistics.median(log.last - first[frame.timestamp] for frame, log in list(zip(received, logs))[:500])

    def test_bad_frames_end_without_their_last_packet(self):
        """The error bit at many places, more in a row than there are buffers; cut, without an end, junk behind it."""
        chance = random.Random(2)
        names = ["cut", "no-eoi", "old", "zeros", "random", "no-soi", "empty", "no-eof", "pause:0.01"]
        plan = {}
        for index in range(40, 400):
            if chance.random() < 0.3:
                plan[index] = chance.choice(names) if chance.random() < 0.5 else f"error:{chance.random():.2f}"
        for index in (100, 150, 200):
            plan.update({index + place: f"error:{chance.random():.2f}" for place in range(index // 25)})
        camera = self.camera(**self.OPTIONS, faults=plan)
        receiver, result, counts = self.run_with(camera, 300)
        bad = ("cut", "no-eoi", "random", "no-soi", "empty", "error")
        expected = [(log, source) for log, source in self.expected(camera)
                    if not (log.fault or "").startswith(bad)]
        received, _ = self.check(camera, receiver, expected, counts)
        self.assertGreater(counts["early"], 100)
        self.assertGreater(counts["abandoned"], 10)
        self.assertGreater(counts["no_eoi"], 5)

    def test_a_lost_beginning_that_was_sent_is_abandoned(self):
        """The picture after it is sent all the same, and frames with other flaws leave early."""
        plan = {index: [None, *Faults.FLAWS][index % 7] for index in range(60, 200)}
        camera = self.camera(**self.OPTIONS, faults=plan)
        receiver, result, counts = self.run_with(camera, 220)
        received, _ = self.check(camera, receiver, self.expected(camera), counts)
        self.assertGreater(counts["early"], 100)
        lost = sum(log.fault == "lost" for log in camera.sent())
        self.assertGreater(counts["abandoned"], lost // 2)
        self.assertEqual(counts["dropped"], counts.get("driver", 0) + counts.get("stale", 0))

    def test_a_stall_and_an_unplug_in_the_middle(self):
        camera = self.camera(**self.OPTIONS, faults={60: "pause:2", 300: "unplug"})
        receiver = self.receiver()
        process = self.stream(camera.device, "--exit-on-loss", "--to", f"{HOST}:{receiver.port}")
        receiver.collect(15, until=lambda r: r.markers() >= 290)
        result = process.wait(15)
        self.assertEqual(result.status, 1)
        self.assertIn("it was unplugged", result.stderr)
        received = rtpjpeg.whole_frames(receiver.packets())
        self.assertGreater(len(received), 100)
        self.assert_arrived(received, self.expected(camera), 10)

    def test_nothing_is_copied_and_nothing_allocated(self):
        self.probed(self.camera(**self.OPTIONS))

    def test_players(self):
        for player in players.ALL:
            with self.subTest(player.__name__):
                self.check_player(player, wait_for="packets leave while", spread=20)

    def test_off_waits_for_whole_frames(self):
        camera = self.camera(**self.OPTIONS)
        receiver, result, counts = self.run_with(camera, 60, "--early", "off")
        self.assertNotIn("early", counts)
        received, logs = self.check(camera, receiver, self.expected(camera), counts)
        self.assertLess(self.ahead(receiver, received, logs), 0)


class Measuring(Case):
    def test_bench_agrees_with_the_camera(self):
        """From the driver's timestamp, the first payload's, to the last byte: as long as the camera's log has it."""
        for spread, early in (20, "off"), (10, "auto"):
            camera = self.camera(MODES, spread=spread)
            result = machine.run([STREAMER, "bench", camera.device, "--frames", "150", "--early", early, "--json"], timeout=60)
            self.assertEqual(result.status, 0, result.stderr)
            found = json.loads(result.stdout)
            logs = camera.sent()[30:]
            took = statistics.median(log.last - log.first for log in logs) / 1000
            # Not before the last byte was there; a machine that is emulated takes its time then.
            late = found["latency_us"]["driver_to_dequeue"]["p50"] - took
            self.assertTrue(-1000 < late < 6000, late)
            interval = (logs[-1].first - logs[0].first) / (logs[-1].index - logs[0].index) / 1e9
            lost = found["drops"].get("driver", 0)
            self.assertAlmostEqual(found["fps"] * (149 + lost) / 149, 1 / interval, delta=0.3)
            self.assertEqual((found["abandoned"], found["ahead"]), (0, 0))
            self.assertEqual((found["width"], found["height"], found["frames"]), (1920, 1080, 150))
            self.assertEqual(found["dropped"], lost + found["drops"].get("stale", 0))
            self.assertEqual(found["timestamp_source"], "start_of_exposure")
            camera.unplug()


    def measured(self, camera, meanwhile=lambda process: None, frames=120):
        """bench's result, and the time from its first frame to its last, in ns of the driver's timestamps."""
        process = machine.spawn([STREAMER, "bench", camera.device, "--warm-up", 30, "--frames", frames, "--json",
                                 "--early", "off", "--times", "/lab/times.csv"])
        meanwhile(process)
        result = process.wait(60)
        self.assertEqual(result.status, 0, result.stderr)
        rows = (machine.shared / "times.csv").read_text().splitlines()
        return json.loads(result.stdout), float(rows[-1].split(",")[1]) * 1000

    def test_a_stalled_reader_loses_frames_and_knows_how_many(self):
        """Exactly as many as lie between the first and the last one measured, by the camera's own log."""
        camera = self.camera(SMALL)

        def stall(process):
            process.wait_for("MJPG", timeout=20)
            while len(camera.sent()) < 60:
                time.sleep(0.05)
            process.signal("STOP")
            time.sleep(1.2)
            process.signal("CONT")

        found, span = self.measured(camera, stall)
        self.assertGreater(found["drops"]["driver"], 10)
        self.assertEqual(found["frames"], 120)
        logs = camera.sent()
        # The measured ones begin behind 30 others; the driver may have left out the camera's first one.
        last = 30 + found["frames"] + found["drops"]["driver"] - 1
        off = [span - (logs[last + first].first - logs[30 + first].first) for first in (0, 1)]
        self.assertLess(min(map(abs, off)), 12e6, found)
        # Had one frame more or less been counted, a whole interval would be between the two.
        self.assertEqual(found["never_sent"], 0)

    def test_frames_that_the_camera_never_sent_have_a_name_of_their_own(self):
        stalls = {50: "stall:0.1", 70: "stall:0.034", 90: "stall:0.2"}
        camera = self.camera(SMALL, faults=stalls)
        found, _ = self.measured(camera)
        logs = camera.sent()[30:150]
        usual = statistics.median(b.first - a.first for a, b in itertools.pairwise(logs))
        missing = sum(round((b.first - a.first) / usual) - 1 for a, b in itertools.pairwise(logs))
        self.assertGreaterEqual(missing, 3 + 1 + 6 - 1)
        self.assertAlmostEqual(found["never_sent"], missing, delta=1)
        # No number is missing for them, and so no frame was dropped.
        self.assertEqual(found["drops"].get("driver", 0), 0)


class Devices(Case):
    """The unit tests of V4L2Capture that need a driver, on vivid's devices: of one plane and of several."""

    def test_rings(self):
        machine.run("modprobe vivid n_devs=2 multiplanar=1,2 node_types=0x1,0x1 no_error_inj=0")
        paths = machine.run("for d in /sys/class/video4linux/video*; do grep -q vivid $d/name && echo /dev/${d##*/}; done")
        single, multi = paths.stdout.split()
        try:
            result = machine.run([TESTS, "--testing-library", "swift-testing", "--filter", "DeviceTests"],
                                 env={"STREAMER_SINGLE": single, "STREAMER_MULTI": multi}, timeout=60)
            self.assertEqual(result.status, 0, result.stdout + result.stderr)
            self.assertRegex(result.stdout + result.stderr, r"Test run with [1-9]\d* tests.* passed")
            self.assertNotIn("skipped", result.stdout + result.stderr)
        finally:
            machine.run("modprobe -r vivid")


if __name__ == "__main__":
    unittest.main()
