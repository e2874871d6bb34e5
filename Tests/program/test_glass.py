"""From glass to glass: the time that pictures show, read by the receiver."""

import json
import pathlib
import subprocess
import tempfile
import time
import unittest

import browser
import pictures
import program
import timecode
from program import run, stream_to_receiver


def receive(sending, frames=30, words=()):
    return stream_to_receiver(sending, ["--glass", "--frames", frames, *words])[0]


def clock():
    """The wall clock, in microseconds."""
    return time.time_ns() / 1000


class Streams(unittest.TestCase):
    def test_every_test_picture_is_read(self):
        for size in ("254x144", "320x240", "640x480", "1280x720", "1920x1080"):
            with self.subTest(size):
                result = receive(["test:", "--size", size], frames=45)
                self.assertEqual((result["frames"], result["glass_unread"], result["glass_ahead"]), (45, 0, 0))
                self.assertEqual(list(result["glass_us"]), list(result["latency_us"]))
                # The picture is drawn when the frame is due, so both are the same but for that, and for the millisecond that
                # the code leaves out.
                self.assertLess(abs(result["glass_us"]["p50"] - result["latency_us"]["p50"]), 4000)
                self.assertLess(result["glass_us"]["p50"], 60_000)

    def test_coarse_and_fast(self):
        result = receive(["test:", "--size", "640x360", "--fps", 60, "--quality", 15], frames=120)
        self.assertEqual(result["glass_unread"], 0)

    def test_a_picture_that_is_too_small_has_none(self):
        result = receive(["test:", "--size", "253x144"])
        self.assertEqual((result["glass_unread"], result["glass_us"]), (30, None))

    def test_what_holds_frames_up_is_in_it(self):
        """20 ms before each call that sends (the probe sleeps there)."""
        port = program.free_port()
        usual = receive(["test:", "--size", "320x240"])["glass_us"]
        with program.Run("receive", f"127.0.0.1:{port}", "--json", "--glass", "--frames", 30, wait_for="receiving at") as receiver:
            with program.Run("test:", "--size", "320x240", "--to", f"127.0.0.1:{port}",
                             env={"LD_PRELOAD": program.PROBE, "PROBE_DELAY_US": "20000"}):
                receiver.wait(60)
        late = json.loads(receiver.out)["glass_us"]
        self.assertTrue(19_000 < late["p50"] - usual["p50"] < 60_000, (usual, late))

    def test_people_are_told(self):
        port = program.free_port()
        with program.Run("receive", f"127.0.0.1:{port}", "--glass", "--seconds", 2.5, wait_for="receiving at") as receiver:
            with program.Run("test:", "--size", "320x240", "--to", f"127.0.0.1:{port}"):
                receiver.wait(30)
        lines = receiver.out.splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r", \d+\.\d ms from glass to glass \(median of \d+\), 0 without a readable code")

    def test_a_camera_before_something_else(self):
        result = receive([f"file:{pictures.jpegs(640, 480)}"], frames=60)
        self.assertEqual((result["glass_unread"], result["glass_us"], result["glass_ahead"]), (60, None, 0))


class Codes(unittest.TestCase):
    """Pictures of another writer of the code."""

    def look(self, *milliseconds, size=(640, 360), quality=85):
        """How old its times are, when they arrive: what was counted."""
        with tempfile.TemporaryDirectory() as folder:
            for number, each in enumerate(milliseconds):
                timecode.write(f"{folder}/{number:03}.jpg", each, *size, quality=quality)
            before = clock()
            result = receive([f"file:{folder}", "--fps", 20], frames=10)
            return result, before, clock()

    def test_old_pictures_are_as_old_as_they_are(self):
        for age in (0, 1, 20, 900):
            with self.subTest(age):
                shown = time.time_ns() // 1_000_000 - age * 1000
                result, before, after = self.look(shown)
                self.assertEqual((result["glass_unread"], result["glass_ahead"]), (0, 0))
                # The histogram is right within 1 %, but for the ends, which are exact.
                self.assertGreaterEqual(result["glass_us"]["min"], before - shown * 1000)
                self.assertLessEqual(result["glass_us"]["max"], after - shown * 1000)

    def test_a_clock_that_is_ahead_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            timecode.write(f"{folder}/a.jpg", time.time_ns() // 1_000_000 + 600_000)
            port = program.free_port()
            with program.Run("receive", f"127.0.0.1:{port}", "--json", "--glass", "--frames", 10, wait_for="receiving at") as receiver:
                with program.Run(f"file:{folder}", "--to", f"127.0.0.1:{port}"):
                    receiver.wait(30)
        result = json.loads(receiver.out)
        self.assertEqual((result["glass_unread"], result["glass_ahead"], result["glass_us"]), (0, 10, None))
        self.assertEqual(receiver.err.count("this clock and that of the display differ"), 1)

    def test_sizes_and_qualities(self):
        shown = time.time_ns() // 1_000_000
        for size, quality in ((254, 96), 60), ((640, 200), 30), ((1000, 90), 20), ((1920, 1080), 85):
            with self.subTest(size=size, quality=quality):
                result, before, after = self.look(shown, size=size, quality=quality)
                self.assertEqual(result["glass_unread"], 0)
                self.assertGreaterEqual(result["glass_us"]["min"], before - shown * 1000)
                self.assertLessEqual(result["glass_us"]["max"], after - shown * 1000)


class Page(unittest.TestCase):
    """The page for a display, in a real browser."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.page = f"{cls.folder.name}/glass.html"
        result = run("bench", "--glass-page", cls.page)
        assert (result.status, result.out) == (0, ""), result.err

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_its_code_is_the_time_of_the_browser(self):
        for width, height, scale in (1280, 720, 1), (390, 844, 1), (390, 844, 2), (1280, 600, 1.5):
            with self.subTest(width=width, height=height, scale=scale), tempfile.TemporaryDirectory() as folder:
                begun = clock()
                png = browser.screenshot(self.page, width, height, scale)
                ended = clock()
                subprocess.run(["ffmpeg", "-v", "error", "-i", png, "-pix_fmt", "yuvj420p", "-q:v", "4", f"{folder}/a.jpg"],
                               check=True)
                before = clock()
                result = receive([f"file:{folder}"], frames=10)
                after = clock()
                self.assertEqual((result["glass_unread"], result["glass_ahead"]), (0, 0))
                # Shown within the browser's run: its first frame is as old as from there to here.
                self.assertGreaterEqual(result["glass_us"]["min"], before - ended)
                self.assertLessEqual(result["glass_us"]["max"], after - begun)

    def test_its_digits_and_its_bars_are_one_time(self):
        """As the page has them, and as they are written elsewhere."""
        with browser.Page(self.page, 1000, 600) as page:
            for _ in range(20):
                digits, zone, line = page.evaluate("""new Promise(done => requestAnimationFrame(() => {
                  const bars = document.getElementById("bars")
                  done([document.getElementById("digits").textContent, new Date().getTimezoneOffset(),
                    Array.from(bars.getContext("2d").getImageData(0, 0, bars.width, 1).data)])}))""")
                hours, minutes, seconds = digits.split(":")
                shown = (int(hours) * 3600 + int(minutes) * 60 + zone * 60) * 1000 + round(float(seconds) * 1000)
                reds = line[::4]
                self.assertEqual(len(reds), 127 * 7)
                bars = "".join("1" if red < 128 else "0" for red in reds[3::7])
                # Digits tell the time of the day, the code that of its 24 bits: the day is today, or it ends now.
                today = time.time_ns() // 1_000_000 // 86_400_000
                days = [timecode.modules((today + day) * 86_400_000 + shown) for day in (-1, 0, 1)]
                self.assertIn(bars, days)
                self.assertEqual(reds, [red for red in reds[3::7] for _ in range(7)])

    def test_it_moves_without_errors(self):
        self.assertEqual(browser.errors(self.page, seconds=1), [])
        with browser.Page(self.page) as page:
            texts = {page.evaluate("""new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
                done(document.getElementById("digits").textContent))))""") for _ in range(10)}
        self.assertGreaterEqual(len(texts), 9)

    def test_it_fits(self):
        for width, height in (320, 568), (390, 844), (844, 390), (1280, 720), (3840, 2160):
            with self.subTest(width=width, height=height), browser.Page(self.page, width, height) as page:
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                self.assertLessEqual(page.evaluate("document.documentElement.scrollHeight"), height)
                for part in ("digits", "bars"):
                    left, right, wide = page.evaluate(
                        f"""(box => [box.left, box.right, box.width])(document.getElementById("{part}").getBoundingClientRect())""")
                    self.assertTrue(left >= 0 and right <= width, (part, left, right))
                    self.assertGreater(wide, 0.6 * min(width, 2 * height), part)

    def test_bad_usage(self):
        for words, part in ((["--glass-page", ""], "--glass-page ''"), (["test:", "--glass-page", "a.html"], "'test:'")):
            result = run("bench", *words)
            self.assertEqual(result.status, 2)
            self.assertIn(part, result.err)
        result = run("bench", "--glass-page", "/nowhere/a.html")
        self.assertEqual(result.status, 1)
        self.assertIn("/nowhere/a.html", result.err)

    def test_nothing_else_is_loaded(self):
        text = pathlib.Path(self.page).read_text()
        self.assertNotRegex(text, r"(src|href)=|https?:|@import|fetch")


if __name__ == "__main__":
    unittest.main()
