"""Streams from end to end on this machine: what leaves is by the RFC and what the files were, whoever receives."""

import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import program
import pictures
import players
import rtcp
import rtpjpeg
from program import Run, free_port, run, stream_to_receiver


def sources(folder):
    return [rtpjpeg.jpeg(path.read_bytes()) for path in sorted(pathlib.Path(folder).iterdir())]


class Packets(unittest.TestCase):
    """`file:` pictures, read by an independent receiver."""

    def check(self, folder, words=(), frames=12, mtu=1400, payload_type=26):
        expected = sources(folder)
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{folder}", "--to", f"127.0.0.1:{receiver.port}", "--fps", 50, "--mtu", mtu, *words):
                receiver.collect(10, until=lambda r: r.markers() >= frames)
            packets = receiver.packets()
        received = rtpjpeg.frames(packets)
        self.assertGreaterEqual(len(received), frames)
        # A loaded machine may leave beats out: the timestamps tell which.
        beats = [((frame.timestamp - received[0].timestamp) & 0xFFFFFFFF) / 1800 for frame in received]
        first = next(n for n, source in enumerate(expected) if rtpjpeg.same(received[0], source))
        for beat, frame in zip(beats, received):
            self.assertEqual(beat, int(beat))
            self.assertTrue(rtpjpeg.same(frame, expected[(first + int(beat)) % len(expected)]), f"beat {beat}")
        self.assertLessEqual(max(p.size for p in packets), mtu)
        self.assertEqual({p.payload_type for p in packets}, {payload_type})
        return received, packets

    def test_kinds_and_sizes(self):
        for width, height, sampling in [(1920, 1080, "422"), (1280, 720, "420"), (2040, 600, "420"), (641, 479, "422"),
                                        (16, 16, "420"), (8, 8, "422")]:
            with self.subTest(f"{width}x{height} {sampling}"):
                self.check(pictures.jpegs(width, height, count=3, sampling=sampling))

    def test_packet_sizes(self):
        folder = pictures.jpegs(640, 480, count=3, sampling="422")
        for mtu in (200, 1199, 1472, 8972, 65507):
            with self.subTest(mtu):
                self.check(folder, mtu=mtu)

    def test_timestamps_are_the_captures(self):
        received, packets = self.check(pictures.jpegs(320, 240, count=3, sampling="420"), frames=40)
        firsts = {}
        for packet in packets:
            firsts.setdefault(packet.timestamp, packet.time)
        stamps, times = list(firsts), list(firsts.values())
        # 90 kHz: as long by the timestamps as by the clock.
        length = ((stamps[-1] - stamps[0]) & 0xFFFFFFFF) / 90_000
        self.assertGreaterEqual(length, 39 / 50)
        self.assertAlmostEqual(length, times[-1] - times[0], delta=0.1)

    def test_starts_are_random_unless_told(self):
        folder = pictures.jpegs(16, 16, count=1, sampling="420")
        starts = [self.check(folder, frames=1)[1][0] for _ in range(3)]
        for field in ("sequence", "timestamp", "ssrc"):
            self.assertEqual(len({getattr(packet, field) for packet in starts}), 3, field)
        words = ("--ssrc", "0xCAFE", "--payload-type", 96)
        self.assertEqual(self.check(folder, words, frames=1, payload_type=96)[1][0].ssrc, 0xCAFE)

    def test_a_size_over_2040_is_said_by_the_sdp(self):
        folder = pictures.jpegs(2304, 1296, count=1, sampling="420")
        with rtpjpeg.Receiver() as receiver, tempfile.TemporaryDirectory() as home:
            with Run(f"file:{folder}", "--to", f"127.0.0.1:{receiver.port}", "--sdp", f"{home}/a.sdp"):
                receiver.collect(5, until=lambda r: r.markers() >= 2)
            text = pathlib.Path(home, "a.sdp").read_bytes().decode()
            packets = receiver.packets()
        self.assertEqual((packets[0].width, packets[0].height), (0, 0))
        self.assertIn("a=x-dimensions:2304,1296\r\n", text)

    def test_a_size_that_changes_is_reported_once_and_in_the_sdp(self):
        """From one that packets can say to one that they can't, and back again, for ever."""
        with tempfile.TemporaryDirectory() as home, rtpjpeg.Receiver() as receiver:
            folder = pathlib.Path(home, "pictures")
            folder.mkdir()
            for number, (width, height) in enumerate([(640, 480), (2304, 1296)]):
                picture = sorted(pathlib.Path(pictures.jpegs(width, height, count=1, sampling="420")).iterdir())[0].read_bytes()
                for copy in range(60):
                    folder.joinpath(f"{number}-{copy:02}.jpg").write_bytes(picture)
            path, texts = pathlib.Path(home, "a.sdp"), []
            with Run(f"file:{folder}", "--fps", 20, "--to", f"127.0.0.1:{receiver.port}", "--sdp", path, wait_for="wrote") as sender:
                end = time.monotonic() + 15
                while time.monotonic() < end and len(texts) < 3:
                    text = path.read_bytes().decode()
                    if text not in texts:
                        texts.append(text)
                    receiver.collect(0.1)
            sizes = {(frame.width, frame.height) for frame in rtpjpeg.whole_frames(receiver.packets())}
        self.assertEqual(sizes, {(80, 60), (0, 0)})
        self.assertEqual([re.search("a=framesize:26 (.*)\r", text)[1] for text in texts], ["640-480", "2304-1296", "640-480"])
        self.assertEqual(["x-dimensions:2304,1296" in text for text in texts], [False, True, False])
        origins = [re.search("o=- ([0-9]+) ([0-9]+) ", text).groups() for text in texts]
        self.assertEqual({session for session, _ in origins}, {origins[0][0]})
        self.assertEqual([version for _, version in origins], ["1", "2", "3"])
        self.assertEqual(sender.err.count("its pictures are 2304x1296 from now on, no longer 640x480"), 1, sender.err)
        self.assertEqual(sender.err.count("its pictures are"), 1, sender.err)

    def test_two_receivers_get_the_same_packets(self):
        folder = pictures.jpegs(640, 480, count=3, sampling="422")
        with rtpjpeg.Receiver() as one, rtpjpeg.Receiver("::1") as two:
            with Run(f"file:{folder}", "--to", f"127.0.0.1:{one.port}", "--to", f"[::1]:{two.port}", "--to", "127.0.0.1:9"):
                one.collect(1)
                two.collect(0.5)
            size = min(len(one.data), len(two.data))
            self.assertGreater(size, 100)
            self.assertEqual([data for _, data in one.data[:size]], [data for _, data in two.data[:size]])

    def test_bad_pictures_are_counted_and_passed_over(self):
        good = sorted(pathlib.Path(pictures.jpegs(320, 240, count=3, sampling="420")).iterdir())[0].read_bytes()
        bad = {
            "no_eoi": good[:-2], "no_soi": good[2:], "no_sos": good[:20] + good[-2:], "truncated": good[:100],
            "empty": b"", "undecodable": good.replace(b"\xff\xc0", b"\xff\xc2", 1),
            "unsupported_precision": good.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c", 1),
        }
        with tempfile.TemporaryDirectory() as folder, rtpjpeg.Receiver() as receiver:
            for number, (name, data) in enumerate(bad.items()):
                pathlib.Path(folder, f"{number:02}-a-good.jpg").write_bytes(good + b"\0" * 2048)
                pathlib.Path(folder, f"{number:02}-{name}.jpg").write_bytes(data)
            with Run(f"file:{folder}", "--to", f"127.0.0.1:{receiver.port}", "--fps", 100) as sender:
                receiver.collect(10, until=lambda r: r.markers() >= 3 * len(bad))
            source = rtpjpeg.jpeg(good)
            self.assertTrue(all(rtpjpeg.same(frame, source) for frame in rtpjpeg.frames(receiver.packets())))
        self.assertEqual(sender.status, 0)
        for name in bad:
            self.assertEqual(sender.err.count(f"as {name} from now on"), 1, name)
            self.assertRegex(sender.out, rf"\b{name} \d")

    def test_a_mjpeg_file_is_a_camera(self):
        folder = pictures.jpegs(320, 240, count=3, sampling="420")
        with tempfile.TemporaryDirectory() as home, rtpjpeg.Receiver() as receiver:
            path = pathlib.Path(home, "film.mjpeg")
            path.write_bytes(b"".join(each.read_bytes() + b"\0" * 7 for each in sorted(pathlib.Path(folder).iterdir())))
            with Run(f"file:{path}", "--to", f"127.0.0.1:{receiver.port}"):
                receiver.collect(5, until=lambda r: r.markers() >= 6)
            received = rtpjpeg.frames(receiver.packets())
        expected = sources(folder)
        self.assertTrue(all(any(rtpjpeg.same(frame, source) for source in expected) for frame in received))
        self.assertEqual(len({frame.scan for frame in received}), 3)


class Players(unittest.TestCase):
    """FFmpeg and GStreamer get the same pixels as they get from the source files."""

    FRAMES = 20
    KINDS = [(640, 480, "422"), (640, 480, "420"), (1920, 1080, "422")]

    def test_pixels(self):
        for player in players.ALL:
            for width, height, sampling in self.KINDS:
                with self.subTest(f"{player.__name__} {width}x{height} {sampling}"):
                    folder = pictures.jpegs(width, height, count=5, sampling=sampling)
                    words = (f"file:{folder}", "--to", f"127.0.0.1:{free_port()}", "--fps", 15)
                    port = int(words[2].rsplit(":")[-1])
                    with Run(*words):
                        received = players.of_stream(player, port, run("sdp", *words).out, self.FRAMES)
                    self.assertGreaterEqual(len(received), self.FRAMES)
                    self.assertEqual(set(received), set(players.of_files(player, pathlib.Path(folder).iterdir())))


class EndToEnd(unittest.TestCase):
    """The program's own camera and its own receiver."""

    def test_the_test_picture_arrives_whole(self):
        with tempfile.TemporaryDirectory() as home:
            result, sender = stream_to_receiver(["test:"], ["--frames", 60, "--decode", "--out", f"{home}/out"])
            files = sorted(os.listdir(f"{home}/out"))
            first = pathlib.Path(home, "out", files[0]).read_bytes()
        self.assertEqual((len(files), files[0]), (60, "frame-00000001.jpg"))
        self.assertEqual((rtpjpeg.jpeg(first).width, rtpjpeg.jpeg(first).height), (1280, 720))
        self.assertEqual({key: result[key] for key in ("frames", "lost", "kernel_dropped", "incomplete", "undecodable",
                                                       "malformed", "width", "height")},
                         dict(frames=60, lost=0, kernel_dropped=0, incomplete=0, undecodable=0, malformed=0, width=1280, height=720))
        self.assertAlmostEqual(result["fps"], 30, delta=1)
        self.assertEqual(sender.status, 0)

    def test_the_test_picture_moves_and_obeys(self):
        with rtpjpeg.Receiver("::1") as receiver:
            with Run("test:", "--size", "200x152", "--fps", 100, "--quality", 30, "--to", f"[::1]:{receiver.port}"):
                receiver.collect(5, until=lambda r: r.markers() >= 50)
            frames = rtpjpeg.frames(receiver.packets())
        self.assertEqual({(f.width, f.height) for f in frames}, {(25, 19)})
        self.assertGreater(len({f.scan for f in frames}), 45)

    def test_a_bit_rate_is_held(self):
        for rate in (6, 8):
            with self.subTest(rate), rtpjpeg.Receiver() as receiver:
                with Run("test:", "--bitrate", rate, "--to", f"127.0.0.1:{receiver.port}"):
                    receiver.collect(8, until=lambda r: r.markers() >= 150)
                frames = rtpjpeg.frames(receiver.packets())[30:]
            seconds = ((frames[-1].timestamp - frames[0].timestamp) & 0xFFFFFFFF) / 90_000
            # The headers of the JPEGs are not sent: 0.6 kB each.
            found = 8 * sum(len(frame.scan) + 600 for frame in frames[1:]) / seconds / 1e6
            self.assertLess(abs(found / rate - 1), 0.1, found)

    def test_two_cameras_have_threads_and_ports_of_their_own(self):
        folder = pictures.jpegs(640, 480, count=3, sampling="422")
        port = free_port(4)
        with rtpjpeg.Receiver(port=port) as one, rtpjpeg.Receiver(port=port + 2) as two:
            with Run("test:", f"file:{folder}", "--to", f"127.0.0.1:{port}") as sender:
                one.collect(5, until=lambda r: r.markers() >= 20)
                two.collect(5, until=lambda r: r.markers() >= 20)
                tasks = pathlib.Path(f"/proc/{sender.process.pid}/task")
                names = {pathlib.Path(task, "comm").read_text().strip() for task in tasks.iterdir()}
            self.assertEqual({frame.width for frame in rtpjpeg.frames(one.packets())}, {160})
            self.assertEqual({frame.width for frame in rtpjpeg.frames(two.packets())}, {80})
        self.assertLessEqual({"camera-0", "camera-1"}, names)
        self.assertEqual(sender.status, 0)

    def test_a_thread_is_bound_to_its_cpu(self):
        def affinity(*words):
            with Run("test:", "--to", "127.0.0.1:9", *words, wait_for="test: a built-in") as sender:
                for task in pathlib.Path(f"/proc/{sender.process.pid}/task").iterdir():
                    if (task / "comm").read_text().strip() == "camera-0":
                        return os.sched_getaffinity(int(task.name)), sender
            return None

        cpu = max(os.sched_getaffinity(0))
        self.assertEqual(affinity("--cpu", cpu)[0], {cpu})
        refused = run("test:", "--to", "127.0.0.1:9", "--cpu", os.cpu_count())
        self.assertEqual(refused.status, 2)
        self.assertIn(f"--cpu '{os.cpu_count()}': expected a CPU of this machine", refused.err)
    def test_what_the_kernel_dropped_is_no_loss_of_the_network(self):
        folder = pictures.jpegs(1920, 1080, count=3, sampling="422")
        port = free_port()
        with Run("receive", f"127.0.0.1:{port}", "--json", wait_for="receiving at") as receiver:
            with Run(f"file:{folder}", "--fps", 300, "--to", f"127.0.0.1:{port}"):
                time.sleep(0.5)
                receiver.process.send_signal(signal.SIGSTOP)
                time.sleep(2.5)
                receiver.process.send_signal(signal.SIGCONT)
                time.sleep(1)
            receiver.stop()
        result = json.loads(receiver.out)
        self.assertGreater(result["kernel_dropped"], 1000)
        self.assertEqual(result["lost"], 0)
        self.assertGreater(result["frames"], 100)

    def test_statistics_are_printed_so_often(self):
        with Run("test:", "--to", "127.0.0.1:9", "--stats", "0.2") as sender:
            time.sleep(1.1)
        lines = [line for line in sender.out.splitlines() if re.match(r"test: \d+ frames, 0 sent", line)]
        self.assertIn(len(lines), range(5, 8))
        self.assertIn("packets to 127.0.0.1:9 are lost: Connection refused (ECONNREFUSED)", sender.err)
        self.assertEqual(sender.err.count("ECONNREFUSED"), 1)


class Ways(unittest.TestCase):
    def test_the_class_of_service_is_on_every_packet(self):
        """The stream's and the reports', over IPv4 and IPv6."""
        for host, level, option, kind in [("127.0.0.1", socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
                                          ("::1", socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS)]:
            with self.subTest(host), rtcp.Session(free_port(family=socket.AF_INET6 if ":" in host else socket.AF_INET), host) as session:
                sockets = session.rtp.socket, session.rtcp.socket
                for each in sockets:
                    each.setsockopt(level, option, 1)
                    each.settimeout(5)
                place = f"[{host}]" if ":" in host else host
                with Run("test:", "--size", "320x240", "--dscp", "AF41", "--to", f"{place}:{session.port}"):
                    for each in sockets:
                        for _ in range(1 if each is sockets[1] else 20):
                            _, control, _, _ = each.recvmsg(2048, 64)
                            (found, number, data), = control
                            self.assertEqual((found, number, data[0]), (level, kind, 34 << 2))


class Memory(unittest.TestCase):
    def test_a_receiver_costs_little(self):
        """Memory of its own with many receivers, and with one: not that of the program's file, which varies."""
        sizes = {}
        for count in (1, 401):
            words = [word for number in range(count) for word in ("--to", f"127.0.0.1:{20_000 + 2 * number}")]
            with Run("test:", "--size", "64x64", *words, wait_for="fps, ") as sender:
                time.sleep(1.5)
                text = pathlib.Path(f"/proc/{sender.process.pid}/smaps_rollup").read_text()
                sizes[count] = int(re.search(r"Anonymous:\s+(\d+)", text)[1]) * 1024
        # Its addresses, its host as reports are accepted from it, what counts its refusals, and, on both threads, the path of
        # its packets, which is watched: some 1900 bytes.
        self.assertLess((sizes[401] - sizes[1]) / 400, 2300)


class Beats(unittest.TestCase):
    """Frames of cameras that have a beat instead of hardware: whose fault it is when some are missed."""

    def last_line(self, words, stops=0):
        """What the sender says at its end, when it was stopped for so many seconds meanwhile."""
        with rtpjpeg.Receiver() as receiver:
            with Run(*words, "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(10, until=lambda r: r.markers() >= 10)
                sender.process.send_signal(signal.SIGSTOP)
                time.sleep(stops)
                sender.process.send_signal(signal.SIGCONT)
                before = receiver.markers()
                receiver.collect(10, until=lambda r: r.markers() >= before + 10)
        return sender.out.splitlines()[-1]

    def test_the_machine_does_not_let_it_run(self):
        line = self.last_line([f"file:{pictures.jpegs(320, 240)}", "--fps", 50], stops=1)
        self.assertTrue(45 <= int(re.search(r"\(missed_beat (\d+)\)", line)[1]) <= 60, line)

    def test_it_is_too_slow(self):
        line = self.last_line(["test:", "--size", "3840x2160", "--fps", 240])
        self.assertGreater(int(re.search(r"too_slow (\d+)\)", line)[1]), 20, line)


class Stopping(unittest.TestCase):
    def test_a_signal_ends_it_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            for words in (["test:"], ["test:", "test:", "--fps", "5"]):
                with rtpjpeg.Receiver() as receiver, \
                        Run(*words, "--to", f"127.0.0.1:{receiver.port}", wait_for="test: a built-in") as sender:
                    receiver.collect(5, until=lambda r: r.markers() >= 2)
                    seconds = sender.stop(number)
                self.assertEqual(sender.status, 0)
                self.assertLess(seconds, 0.2)
                self.assertRegex(sender.out, r"test: \d+ frames, \d+ sent, 0 dropped, \d+ packets, \d+ bytes\n")


    def test_a_reader_that_stands_still_holds_nothing_up(self):
        reading, writing = os.pipe()
        fcntl.fcntl(writing, 1031, 4096)        # F_SETPIPE_SZ
        sender = subprocess.Popen([program.STREAMER, "test:", "--to", "127.0.0.1:9", "--stats", "0.01"], stdout=writing,
                                  stderr=subprocess.DEVNULL)
        os.close(writing)
        time.sleep(2)
        sender.send_signal(signal.SIGTERM)
        self.assertEqual(sender.wait(2), 0)
        os.close(reading)


class HotPath(unittest.TestCase):
    def test_nothing_is_allocated_a_frame(self):
        folder = pictures.jpegs(1920, 1080, count=3, sampling="422")
        for camera in ("test:", f"file:{folder}"):
            with self.subTest(camera), tempfile.NamedTemporaryFile("r") as out, rtpjpeg.Receiver() as receiver:
                with Run(camera, "--fps", 100, "--to", f"127.0.0.1:{receiver.port}", "--to", "127.0.0.1:9",
                         env={"LD_PRELOAD": program.PROBE, "PROBE_OUT": out.name}):
                    receiver.collect(20, until=lambda r: r.markers() >= 320)
                report = json.load(out)
                self.assertGreaterEqual(report["frames"], 300)
                self.assertEqual(report["allocations"], 0, report["first_caller"])
                # The probe does see allocations, and scan data that lies elsewhere than in a camera's mapping.
                if camera == "test:":
                    self.assertGreater(report["exempt_allocations"], 300)
                self.assertGreater(report["scan_outside"], 300)
                self.assertEqual(report["scan_inside"], 0)


if __name__ == "__main__":
    unittest.main()
