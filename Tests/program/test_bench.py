"""`streamer bench`: where the time goes, as people, programs and browsers are told it."""

import json
import pathlib
import re
import tempfile
import unittest
import xml.etree.ElementTree as xml

import pictures
import program
import rtpjpeg
from program import run

STAGES = ["driver_to_dequeue", "dequeue_to_first_packet", "dequeue_to_last_packet", "dequeue_to_requeue"]


class Bench(unittest.TestCase):
    def bench(self, *words, status=0, env=None):
        result = run("bench", "file:%s" % pictures.jpegs(640, 480), "--fps", 100, "--frames", 100, "--warm-up", 10, *words, env=env)
        self.assertEqual(result.status, status, result.err)
        return result

    def test_a_table_for_people(self):
        """Capture alone, without a receiver."""
        result = self.bench()
        self.assertRegex(result.out, r"\n100 frames at (100|99)\.\d\d fps, ")
        self.assertRegex(result.out, r"microseconds +min +p50 +p90 +p99 +p99.9 +max\n")
        rows = re.findall(r"^(\D+?) +((?: *\d+\.\d)+)$", result.out, re.M)
        self.assertEqual([name for name, _ in rows], ["driver's timestamp to dequeued", "dequeued to buffer given back"])
        for _, values in rows:
            values = [float(value) for value in values.split()]
            self.assertEqual(values, sorted(values))
        counts = [int(count) for count in re.findall(r"^(?:from|over) +[\d.]+ +(\d+)", result.out, re.M)]
        self.assertEqual(sum(counts), 100)

    def test_json_and_csv_for_programs(self):
        with rtpjpeg.Receiver() as receiver:
            found = json.loads(self.bench("--to", f"127.0.0.1:{receiver.port}", "--json").out)
            lines = self.bench("--to", f"127.0.0.1:{receiver.port}", "--csv").out.splitlines()
        self.assertEqual(list(found["latency_us"]), STAGES)
        self.assertEqual(found["frames"], 100)
        self.assertAlmostEqual(found["fps"], 100, delta=3)
        for times in found["latency_us"].values():
            self.assertEqual(list(times), ["min", "p50", "p90", "p99", "p99.9", "max"])
            self.assertEqual(list(times.values()), sorted(times.values()))
        self.assertLessEqual(found["latency_us"]["dequeue_to_first_packet"]["p50"], found["latency_us"]["dequeue_to_last_packet"]["p50"])
        self.assertGreater(found["rss_peak_kb"], 1000)
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
                    times.update({name: value * factor for name, value in times.items()})
                path.write_text(json.dumps(dict(before, rss_peak_kb=10**6, cpu_user_us_per_frame=10**6,
                                                cpu_system_us_per_frame=10**6, context_switches_per_frame=10, page_faults_per_frame=100)))
                result = self.bench("--compare", path, status=status)
                self.assertEqual("worse" in result.err, status == 1)
            path.write_text("no result")
            self.assertIn("--compare", self.bench("--compare", path, status=2).err)

    def test_a_page_for_browsers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "page.html")
            self.bench("--html", path)
            text = path.read_text()
        self.assertNotRegex(text, r"(src|href)=|<script")
        drawings = re.findall(r"<svg.*?</svg>", text, re.S)
        self.assertEqual(len(drawings), 4)
        for drawing in drawings:
            self.assertGreater(len(list(xml.fromstring(drawing).iter())), 5)


if __name__ == "__main__":
    unittest.main()
