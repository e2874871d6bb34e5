"""Pages that the program writes, in a real browser."""

import collections
import json
import pathlib
import re
import signal
import tempfile
import time
import unittest

import browser
import pictures
import rtpjpeg
from program import Run

# An element's place in the window, in whole pixels.
BOX = "(each => (box => [box.left, box.top, box.width, box.height].map(Math.round))(each.getBoundingClientRect()))"

LIGHT = bytes(range(200, 256))


class Browser(unittest.TestCase):
    """That the helper finds what is wrong."""

    def test_it_finds_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a.html")
            path.write_text("<!DOCTYPE html><body style='margin:0'><div style='width:700px'>a</div><script>nothing.at()</script>")
            self.assertEqual(browser.overflow(path, 390), 310)
            found = browser.errors(path)
            self.assertEqual(len(found), 1)
            self.assertIn("nothing is not defined", found[0])
            data, width, height = browser.pixels(browser.screenshot(path, 300, 200))
            self.assertEqual((width, height, len(data)), (300, 200, 60_000))
            self.assertEqual(max(data[0::300 * 100]), 255)


class Bench(unittest.TestCase):
    """Pages of few and of many frames, with few stages and with all, with outliers."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        files = [f"file:{pictures.jpegs(640, 480)}", "--fps"]
        cls.pages = {}
        with rtpjpeg.Receiver() as receiver:
            to = ["--to", f"127.0.0.1:{receiver.port}"]
            for name, words in {
                "two frames": [*files, 20, "--frames", 2, "--warm-up", 0],
                "captured": [*files, 100, "--frames", 100, "--warm-up", 10],
                "sent": [*files, 100, "--frames", 100, "--warm-up", 10, *to],
                "all stages": ["test:", "--frames", 60, "--warm-up", 10, "--glass", *to],
                "outliers": [*files, 1000, "--frames", 3000, "--until", "received", *to],
            }.items():
                page = cls.pages[name] = f"{folder.name}/{name}.html"
                with Run("bench", *words, "--html", page, "--json", wait_for=": " if name == "outliers" else None) as bench:
                    if name == "outliers":
                        time.sleep(1)
                        # One frame is 100 ms late.
                        for number in signal.SIGSTOP, signal.SIGCONT:
                            bench.process.send_signal(number)
                            time.sleep(0.1)
                    bench.wait()
                assert bench.status == 0, bench.err
                if name == "all stages":
                    cls.found = json.loads(bench.out)

    def at(self, widths, expression, check):
        """Checks what an expression is in each page at each width."""
        for name, page in self.pages.items():
            with browser.Page(page) as window:
                for width in widths:
                    window.resize(width, 844)
                    with self.subTest(page=name, width=width):
                        check(window.evaluate(expression))

    def test_no_errors(self):
        for page in self.pages.values():
            self.assertEqual(browser.errors(page), [])

    def test_its_title_and_first_sentence_are_the_answer(self):
        with browser.Page(self.pages["all stages"]) as window:
            title, heading, sentence = window.evaluate("""[document.title, document.querySelector("h1").textContent,
              document.querySelector("p").textContent]""")
        times = self.found["latency_us"]["glass_to_received"]
        for text in title, heading:
            p50, p99 = re.match(r"How late is test\? ([\d.]+) ms \(p50\), ([\d.]+) ms \(p99\)", text).groups()
            self.assertAlmostEqual(float(p50) * 1000, times["p50"], delta=times["p50"] / 10)
            self.assertAlmostEqual(float(p99) * 1000, times["p99"], delta=times["p99"] / 10)
        self.assertTrue(sentence.startswith("Half of the frames are received whole within "), sentence)
        for text in title, sentence:
            for part in self.found["host"], self.found["date"], self.found["version"], self.found["mode"], "60 frames":
                self.assertIn(part, text)

    def test_percentiles_have_their_intervals(self):
        for name, page in self.pages.items():
            with self.subTest(page=name), browser.Page(page) as window:
                rows = window.evaluate("""Array.from(document.querySelectorAll("tr"), row =>
                  Array.from(row.querySelectorAll("td"), cell => cell.querySelector("small")?.textContent ?? null))""")
                self.assertGreaterEqual(len(rows), 3)
                for row in rows[1:]:
                    self.assertEqual([row[0], row[5]], [None, None])
                    for interval in row[1:5]:
                        self.assertRegex(interval, r"^([\d.]+-|≥)[\d.]+$")

    def test_the_programs_own_timer_is_no_driver(self):
        for page in self.pages.values():
            text = pathlib.Path(page).read_text()
            self.assertIn("this program's own timer to dequeued", text)
            self.assertNotIn("driver's timestamp", text)

    def test_fits_a_phone_and_a_desktop(self):
        self.at((320, 390, 768, 1280, 1920), "document.documentElement.scrollWidth - innerWidth",
                lambda excess: self.assertLessEqual(excess, 0))

    def test_a_desktops_width_is_used(self):
        for width in 1280, 1920:
            with browser.Page(self.pages["all stages"], width, 844) as window:
                left, right, wide = window.evaluate("""(boxes => [Math.min(...boxes.map(box => box.left)), Math.max(...boxes.map(box => box.right)),
                  boxes[0].width])(Array.from(document.querySelectorAll("svg"), svg => svg.getBoundingClientRect()))""")
            self.assertLess(left, width / 30)
            self.assertGreater(right, width - width / 30)
            # Next to each other: as wide as the window, a chart would be higher than it.
            self.assertLess(wide, 700)

    def test_each_curve_has_a_colour_and_is_seen(self):
        for name, curves in ("outliers", 6), ("all stages", 8):
            with self.subTest(page=name), browser.Page(self.pages[name], 1280, 2000) as window:
                left, top, wide, high = window.evaluate(BOX + """(document.querySelector("svg"))""")
                colours = window.evaluate("""Array.from(document.querySelectorAll("section:first-child i"), each => getComputedStyle(each).backgroundColor)""")
                window.screenshot(f"{self.pages[name]}.png")
            self.assertEqual((len(colours), len(set(colours))), (curves, curves))
            data, width, _ = browser.pixels(f"{self.pages[name]}.png", "rgb24")
            pixels = collections.Counter(data[3 * (y * width + x):3 * (y * width + x) + 3] for y in range(top, top + high) for x in range(left, left + wide))
            for colour in colours:
                # Drawn from the top of the chart, where all frames are, to its bottom, or nearly.
                self.assertGreater(pixels[bytes(map(int, re.findall(r"\d+", colour)))], 40, colour)

    def test_texts_can_be_read_on_a_phone(self):
        """Not smaller than 9 pixels, in drawings, too, and none cut off by its drawing's end."""
        def check(found):
            self.assertGreater(len(found), 20)
            for text, height, out in found:
                self.assertGreaterEqual(height, 9, text)
                self.assertLessEqual(out, 1, text)

        self.at((390,), """Array.from(document.querySelectorAll("svg text"), text => {
          const [box, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()]
          return [text.textContent, box.height, Math.max(all.left - box.left, box.right - all.right, all.top - box.top,
            box.bottom - all.bottom)]})""", check)

    def test_texts_do_not_cover_each_other(self):
        self.at((320, 390, 1280, 1920), """Array.from(document.querySelectorAll("svg"), drawing => {
          const boxes = Array.from(drawing.querySelectorAll("text"), text => [text.textContent, text.getBoundingClientRect()])
          return boxes.flatMap(([one, a], index) => boxes.slice(index + 1).filter(([other, b]) =>
            a.left < b.right + 2 && b.left < a.right + 2 && a.top < b.bottom - 2 && b.top < a.bottom - 2)
            .map(([other, b]) => [one, other]))}).flat()""", lambda covered: self.assertEqual(covered, []))

    def test_no_tick_is_written_twice(self):
        def check(drawings):
            for ticks in drawings:
                self.assertGreaterEqual(len(ticks), 3)
                self.assertEqual(len(ticks), len(set(ticks)), ticks)

        self.at((1280,), """Array.from(document.querySelectorAll("svg"), drawing =>
          Array.from(drawing.querySelectorAll("text[text-anchor=middle]"), text => text.textContent))""", check)

    def test_something_is_drawn(self):
        for name, page in self.pages.items():
            with browser.Page(page, 1280, 4000) as window:
                window.screenshot(f"{page}.png")
                places = window.evaluate(f"""Array.from(document.querySelectorAll("svg"), {BOX})""")
            data, width, _ = browser.pixels(f"{page}.png")
            self.assertGreaterEqual(len(places), 4)
            for left, top, wide, high in places:
                self.assertGreater(min(wide, high), 100)
                ink = sum(len(data[y * width + left:y * width + left + wide].translate(None, LIGHT)) for y in range(top, top + high))
                self.assertGreater(ink, wide * high / 1000, name)


if __name__ == "__main__":
    unittest.main()
