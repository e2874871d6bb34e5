"""`streamer bench`: where the time goes, as people, programs and browsers are told it."""

import calendar
import json
import math
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

import pictures
import program
import rtpjpeg
from program import run

STAGES = ["driver_to_dequeue", "dequeue_to_first_packet", "dequeue_to_last_packet", "dequeue_to_requeue", "driver_to_last_packet"]


class Bench(unittest.TestCase):
    def bench(self, *words, status=0, env=None):
        result = run("bench", "file:%s" % pictures.jpegs(640, 480), "--fps", 100, "--frames", 100, "--warm-up", 10, *words, env=env)
        self.assertEqual(result.status, status, result.err)
        return result

    def test_a_table_for_people(self):
        """Capture alone, without a receiver."""
        result = self.bench()
        fps, = re.findall(r"\n100 frames at (\d+\.\d\d) fps, ", result.out)
        self.assertAlmostEqual(float(fps), 100, delta=5)
        self.assertRegex(result.out, r"microseconds +min +p50 +p90 +p99 +p99.9 +max\n")
        rows = re.findall(r"^(\D+?) +((?: *\d+\.\d)+)$", result.out, re.M)
        self.assertEqual([name for name, _ in rows], ["this program's own timer to dequeued", "dequeued to buffer given back"])
        for _, values in rows:
            values = [float(value) for value in values.split()]
            self.assertEqual(values, sorted(values))
        counts = [int(count) for count in re.findall(r"^(?:from|over) +[\d.]+ +(\d+)", result.out, re.M)]
        self.assertEqual(sum(counts), 100)

    def test_the_table_answers_how_late_the_camera_is(self):
        """With the date, the machine and the version, and the intervals that the JSON has."""
        found = self.bench().out
        self.assertRegex(found, r"\n20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, %s, streamer \d" % re.escape(socket.gethostname()))
        self.assertRegex(found, r"\nHalf of the frames are dequeued within [\d.]+ .s of this program's own timer, which stands for a camera"
                                r" \(p50; 95 % confidence: [\d.]+-[\d.]+\), and 99 of 100 within [\d.]+ .s \(p99; ≥[\d.]+\)\.\n")
        rows = re.findall(r"^\D+ ((?:\d+\.\d *){6})\n  95 % confidence +(.*)$", found, re.M)
        self.assertEqual(len(rows), 2)
        for values, intervals in rows:
            p50, p90, p99, highest = map(float, values.split()[1:5])
            intervals = intervals.split()
            for value, interval in zip((p50, p90), intervals):
                low, high = map(float, interval.split("-"))
                self.assertTrue(low <= value <= high, (value, interval))
            # A hundred frames do not tell how late 99 of 100 are at most.
            for value, interval in zip((p99, highest), intervals[2:]):
                self.assertTrue(interval.startswith("≥") and float(interval[1:]) <= value, (value, interval))

    def test_what_is_measured_to(self):
        """The answer reaches as far as the measurement."""
        with rtpjpeg.Receiver() as receiver:
            self.assertIn("\nHalf of the frames are sent within", self.bench("--to", f"127.0.0.1:{receiver.port}").out)
        self.assertIn("\nHalf of the frames are received whole within", self.bench("--until", "received").out)
        glass = run("bench", "test:", "--frames", 10, "--warm-up", 2, "--glass").out
        self.assertRegex(glass, r"\nHalf of the frames are received whole within [\d.]+ .s of the time that they show ")

    def test_json_and_csv_for_programs(self):
        with rtpjpeg.Receiver() as receiver:
            found = json.loads(self.bench("--to", f"127.0.0.1:{receiver.port}", "--json").out)
            lines = self.bench("--to", f"127.0.0.1:{receiver.port}", "--csv").out.splitlines()
        self.assertEqual(list(found["latency_us"]), STAGES)
        self.assertEqual(found["frames"], 100)
        self.assertAlmostEqual(found["fps"], 100, delta=3)
        for times in found["latency_us"].values():
            within = times.pop("confidence_95")
            self.assertEqual(list(times), ["min", "p50", "p90", "p99", "p99.9", "max"])
            self.assertEqual(list(times.values()), sorted(times.values()))
            for name, (low, high) in within.items():
                self.assertLessEqual(low, times[name])
                self.assertGreaterEqual(math.inf if high is None else high, times[name])
            # A hundred frames do not tell where their thousandth lies.
            self.assertIsNone(within["p99.9"][1])
        self.assertLessEqual(found["latency_us"]["dequeue_to_first_packet"]["p50"], found["latency_us"]["dequeue_to_last_packet"]["p50"])
        self.assertGreater(found["rss_peak_kb"], 1000)
        self.assertEqual((found["host"], found["version"]), (socket.gethostname(), run("--version").out.split()[-1]))
        self.assertLess(abs(calendar.timegm(time.strptime(found["date"], "%Y-%m-%dT%H:%M:%SZ")) - time.time()), 60)
        # A frame's way in all, not less than its parts.
        whole, last = (found["latency_us"][stage] for stage in ("driver_to_last_packet", "dequeue_to_last_packet"))
        self.assertGreater(whole["p50"], last["p50"] * 0.98)
        self.assertEqual([line.split(",")[0] for line in lines], ["stage", *STAGES, "frame_interval"])

    def test_a_delay_shows_up_in_its_own_stage(self):
        """2 ms before each call that sends (the probe sleeps there)."""
        with rtpjpeg.Receiver() as receiver:
            words = ["--to", f"127.0.0.1:{receiver.port}", "--json"]
            usual = json.loads(self.bench(*words).out)["latency_us"]
            late = json.loads(self.bench(*words, env={"LD_PRELOAD": program.PROBE, "PROBE_DELAY_US": "2000"}).out)["latency_us"]
        for stage in STAGES:
            more = late[stage]["p50"] - usual[stage]["p50"]
            if stage in ("driver_to_dequeue", "dequeue_to_first_packet"):
                self.assertLess(abs(more), 700, stage)
            else:
                self.assertTrue(1900 < more < 3500, (stage, more))

    def test_an_earlier_result_is_held_against_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "before.json")
            before = json.loads(self.bench("--json").out)
            for factor, status in (100, 0), (0.001, 1):
                for times in before["latency_us"].values():
                    within = times.pop("confidence_95")
                    times.update({name: value * factor for name, value in times.items()})
                    times["confidence_95"] = {name: [end and end * factor for end in ends] for name, ends in within.items()}
                path.write_text(json.dumps(dict(before, rss_peak_kb=10**6, cpu_us_per_frame=10**6)))
                result = self.bench("--compare", path, status=status)
                self.assertEqual("worse" in result.err, status == 1)
            # Whatever it is, it is refused before anything is measured.
            for text in "no result", "{}", "[]", '{"latency_us": 1, "frames": 2}', '{"latency_us": {}}', '"' * 99, "[" * 100_000:
                path.write_text(text)
                result = self.bench("--compare", path, status=2)
                self.assertIn("it is no result of bench --json", result.err)
                self.assertEqual(result.out, "")
            # What was measured of another mode, and is no longer: that is said.
            path.write_text(json.dumps(dict(before, mode="other", latency_us={"driver_to_nowhere": {"p50": 1}},
                                            rss_peak_kb=10**6, cpu_us_per_frame=10**6)))
            result = self.bench("--compare", path)
            self.assertIn("another mode than before", result.err)
            self.assertIn("no longer measured: driver_to_nowhere", result.err)

    def test_what_chance_can_do_is_not_worse(self):
        """Half as much before, but in intervals that meet those of now."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "before.json")
            before = json.loads(self.bench("--json").out)
            before.update(rss_peak_kb=10**6, cpu_us_per_frame=10**6)
            for meets, status in (True, 0), (False, 1):
                for times in before["latency_us"].values():
                    for name, ends in times["confidence_95"].items():
                        times[name] = ends[0] / 100
                        times["confidence_95"][name] = [0, ends[0] * (100 if meets else 0.02)]
                path.write_text(json.dumps(before))
                self.bench("--compare", path, status=status)

    def test_what_counts_as_worse_of_counts(self):
        """Frames that were not sent: as many more as chance does not give."""
        with rtpjpeg.Receiver() as receiver, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "before.json")
            # Nobody listens at the other one: each frame goes to one of two.
            words = ["--to", f"127.0.0.1:{receiver.port}", "--to", f"127.0.0.1:{program.free_port()}"]
            before = json.loads(self.bench(*words, "--json").out)
            self.assertGreater(before["sent_to_some"], 90)
            self.assertGreater(before["sent"], 90)
            self.assertEqual(before["sent_in_part"], 0)
            self.assertGreater(before["unreachable_packets"], 0)
            # A busy machine may leave frames out: they are none of this test's.
            before.update(rss_peak_kb=10**6, cpu_us_per_frame=10**6, latency_us={}, dropped=1000, never_sent=1000, fps=1)
            for sent_to_some, status in (1000, 0), (95, 0), (1, 1):
                path.write_text(json.dumps(dict(before, sent_to_some=sent_to_some)))
                self.bench(*words, "--compare", path, status=status)
            path.write_text(json.dumps(dict(before, fps=200)))
            self.assertRegex(self.bench(*words, "--compare", path, status=1).err, r"fps .* worse")

    def test_what_is_left_out_is_told(self):
        result = self.bench("--to", f"127.0.0.1:{program.free_port()}")
        sent, part = map(int, re.search(r"\n(\d+) sent, (\d+) in part or not at all; \d+ packets to nobody\n", result.out).groups())
        self.assertEqual(sent + part, 100)
        # Only those that went out whole have a last packet.
        rows = self.bench("--to", f"127.0.0.1:{program.free_port()}", "--csv").out.splitlines()
        counts = {row.split(",")[0]: int(row.split(",")[1]) for row in rows[1:]}
        self.assertEqual(counts["driver_to_dequeue"], 100)
        self.assertLess(counts["dequeue_to_last_packet"], 70)

    def test_ended_early(self):
        """While it warms up: nothing is wrong, and there is nothing to tell."""
        with program.Run("bench", "test:", "--size", "64x64", "--warm-up", 1000, wait_for="test: a built-in") as process:
            time.sleep(0.3)
        self.assertEqual((process.status, process.out), (0, ""))
        self.assertIn("stopped before anything was measured", process.err)

    def test_what_can_not_be_written_is_found_at_once(self):
        for option in "--html", "--times":
            for path in "/nowhere/a", "/proc/a", "/tmp":
                start = time.monotonic()
                result = run("bench", "test:", "--frames", 10_000, option, path)
                self.assertEqual(result.status, 1)
                self.assertIn(path, result.err)
                self.assertLess(time.monotonic() - start, 2)

    def test_an_interface_is_no_way_to_the_receiver_within(self):
        """Where an interface is asked for: loopback has its own."""
        name = next(name for _, name in socket.if_nameindex() if name != "lo") if len(socket.if_nameindex()) > 1 else "lo"
        found = json.loads(self.bench("--until", "received", "--interface", name, "--rtcp-mux", "--json").out)
        self.assertEqual(found["received"]["missing"], 0)
        self.assertEqual(found["received"]["frames"], 100)

    def test_until_received(self):
        """As whole JPEGs, in the receiver that bench brings along: as many as were sent, and later than they were."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "times.csv")
            found = json.loads(self.bench("--until", "received", "--json", "--times", path).out)
            rows = [line.split(",") for line in path.read_text().splitlines()]
        self.assertEqual(found["received"], {"frames": 100, "missing": 0, "kernel_dropped": 0})
        times = found["latency_us"]
        self.assertGreater(times["driver_to_received"]["p50"], times["driver_to_dequeue"]["p50"] + times["dequeue_to_first_packet"]["p50"])
        self.assertLess(times["driver_to_received"]["p50"], 50_000)
        self.assertEqual(rows[0], ["sequence", "timestamp_us", "dequeued_us", "requeued_us", "received_us"])
        sequences = [int(row[0]) for row in rows[1:]]
        self.assertEqual((len(sequences), sequences), (100, sorted(set(sequences))))
        for row in rows[1:]:
            _, _, dequeued, requeued, received = map(float, row)
            self.assertLess(dequeued, min(requeued, received))

    def test_glass(self):
        """From the time that a picture shows: test: draws it when the frame is due, so that encoding it lies in between."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "times.csv")
            found = json.loads(run("bench", "test:", "--frames", 60, "--glass", "--json", "--times", path).out)
            rows = [line.split(",") for line in path.read_text().splitlines()]
        self.assertEqual((found["received"]["glass_unread"], found["received"]["glass_ahead"]), (0, 0))
        times = found["latency_us"]
        self.assertLess(times["glass_to_received"]["p50"], times["driver_to_received"]["p50"] + 1000)
        self.assertGreater(times["glass_to_received"]["p50"], times["encoding"]["p50"])
        self.assertEqual(rows[0][-1], "glass_us")
        self.assertTrue(all(float(row[-1]) >= 0 for row in rows[1:]))
        # A camera that sees no clock.
        found = json.loads(self.bench("--glass", "--json").out)
        self.assertEqual(found["received"]["glass_unread"], 100)
        self.assertNotIn("glass_to_received", found["latency_us"])

    def test_times_of_a_receiver(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "times.csv")
            result, _ = program.stream_to_receiver(["test:", "--size", "640x480"], ["--frames", 40, "--glass", "--times", path])
            rows = [line.split(",") for line in path.read_text().splitlines()]
            self.assertEqual(run("receive", program.free_port(), "--times", "/proc/none").status, 1)
        # A full disk: the stream goes on, and the result comes.
        port = program.free_port()
        with program.Run("receive", port, "--frames", 30, "--times", "/dev/full", "--json", wait_for="receiving at") as full:
            with program.Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{port}"):
                full.wait()
        self.assertEqual((full.status, json.loads(full.out)["frames"]), (1, 30))
        self.assertIn("(ENOSPC): no more times are written", full.err)
        self.assertEqual(rows[0], ["frame", "rtp_timestamp", "received_us", "latency_us", "glass_us"])
        self.assertEqual([int(row[0]) for row in rows[1:]], list(range(1, 41)))
        received = [float(row[2]) for row in rows[1:]]
        self.assertEqual(received, sorted(received))
        # The clock of the sender comes with its first report, behind the first frame.
        latencies = sorted(float(row[3]) for row in rows[1:] if row[3])
        self.assertGreater(len(latencies), 30)
        self.assertAlmostEqual(latencies[len(latencies) // 2], result["latency_us"]["p50"], delta=result["latency_us"]["p50"] / 50 + 1)
        self.assertTrue(all(0 < float(row[4]) < 100_000 for row in rows[1:]))

    def test_large_pictures_are_received(self):
        """Their packets do not say their size."""
        result = run("bench", "test:", "--size", "2560x1440", "--frames", 20, "--warm-up", 5, "--until", "received", "--json")
        self.assertEqual(json.loads(result.out)["received"]["frames"], 20, result.err)

    def test_a_delay_before_sending_shows_up_in_what_is_received(self):
        usual = json.loads(self.bench("--until", "received", "--json").out)["latency_us"]
        late = json.loads(self.bench("--until", "received", "--json", env={"LD_PRELOAD": program.PROBE, "PROBE_DELAY_US": "2000"}).out)["latency_us"]
        more = late["driver_to_received"]["p50"] - usual["driver_to_received"]["p50"]
        self.assertTrue(1900 < more < 3500, more)

    def test_how_far_it_is(self):
        """On a terminal a line that is written anew; its result alone is on standard output."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([program.STREAMER, "bench", "test:", "--size", "64x64", "--warm-up", "10", "--frames", "60", "--json"],
                                   stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        out, _ = process.communicate(timeout=20)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:
            pass
        os.close(ours)
        self.assertRegex(said, rb"\rwaiting for the first frame|\rwarming up: \d+ of 10 frames")
        self.assertRegex(said, rb"\rmeasuring: \d+ of 60 frames, some \d+ s to go")
        self.assertEqual(json.loads(out)["frames"], 60)

    def test_so_far(self):
        """SIGUSR1: where the time went until now, of a stream and of a measurement."""
        with rtpjpeg.Receiver() as receiver:
            with program.Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{receiver.port}", wait_for="test: a built-in") as sender:
                receiver.collect(5, until=lambda r: r.markers() >= 20)
                for number in (1, 2):
                    sender.process.send_signal(signal.SIGUSR1)
                    self.wait_for(lambda: sender.text(sender.out_file).count("dequeued to last packet sent") == number)
        counts = [int(count) for count in re.findall(r"^(\d+) frames at ", sender.out, re.M)]
        self.assertEqual(len(counts), 2)
        self.assertGreaterEqual(counts[0], 15)
        self.assertEqual(sender.status, 0)
        with program.Run("bench", "test:", "--size", "64x64", "--warm-up", 5, "--frames", 10_000, "--json", wait_for="test: a built-in") as bench:
            time.sleep(1)
            bench.process.send_signal(signal.SIGUSR1)
            self.wait_for(lambda: "own timer to dequeued" in bench.text(bench.err_file))
        # And ended early: what was measured until then.
        self.assertGreaterEqual(json.loads(bench.out)["frames"], 10)

    def wait_for(self, condition, seconds=5):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def test_a_page_for_browsers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "page.html")
            self.bench("--html", path)
            text = path.read_text()
        self.assertNotRegex(text, r"(src|href)=|<script")
        drawings = re.findall(r"<svg.*?</svg>", text, re.S)
        # The shares of frames, each frame, and a histogram for each of two stages.
        self.assertEqual(len(drawings), 4)
        for drawing in drawings:
            self.assertGreater(len(list(xml.fromstring(drawing).iter())), 5)


if __name__ == "__main__":
    unittest.main()
