"""Pages that the program writes, in a real browser."""

import pathlib
import tempfile
import unittest

import browser
import pictures
import rtpjpeg
from program import run


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
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.pages = []
        for name, words in ("alone", []), ("sent", ["--to"]):
            page = f"{cls.folder.name}/{name}.html"
            with rtpjpeg.Receiver() as receiver:
                to = [f"127.0.0.1:{receiver.port}"] if words else []
                result = run("bench", f"file:{pictures.jpegs(640, 480)}", "--fps", 100, "--frames", 100, "--warm-up", 10,
                             "--html", page, *words, *to)
            assert result.status == 0, result.err
            cls.pages.append(page)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_no_errors(self):
        for page in self.pages:
            self.assertEqual(browser.errors(page), [])

    def test_fits_a_phone_and_a_desktop(self):
        for page in self.pages:
            for width in (320, 390, 768, 1280):
                with self.subTest(page=page, width=width):
                    self.assertLessEqual(browser.overflow(page, width), 0)

    def test_texts_can_be_read_on_a_phone(self):
        """Not smaller than 9 pixels, in drawings, too, and none cut off by its drawing's end."""
        for page in self.pages:
            with self.subTest(page), browser.Page(page, 390, 844) as phone:
                found = phone.evaluate("""Array.from(document.querySelectorAll("svg text"), text => {
                  const [box, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()]
                  return [text.textContent, box.height, Math.max(all.left - box.left, box.right - all.right, all.top - box.top,
                    box.bottom - all.bottom)]})""")
                self.assertGreater(len(found), 20)
                for text, height, out in found:
                    self.assertGreaterEqual(height, 9, text)
                    self.assertLessEqual(out, 1, text)

    def test_texts_do_not_cover_each_other(self):
        for page in self.pages:
            for width in (390, 1280):
                with self.subTest(page=page, width=width), browser.Page(page, width, 844) as window:
                    covered = window.evaluate("""Array.from(document.querySelectorAll("svg"), drawing => {
                      const boxes = Array.from(drawing.querySelectorAll("text"), text => [text.textContent, text.getBoundingClientRect()])
                      return boxes.flatMap(([one, a], index) => boxes.slice(index + 1).filter(([other, b]) =>
                        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2)
                        .map(([other, b]) => [one, other]))}).flat()""")
                    self.assertEqual(covered, [])

    def test_something_is_drawn(self):
        for page in self.pages:
            with browser.Page(page, 1280, 4000) as window:
                window.screenshot(f"{page}.png")
                places = window.evaluate("""Array.from(document.querySelectorAll("svg"), svg =>
                  (box => [box.left, box.top, box.width, box.height].map(Math.round))(svg.getBoundingClientRect()))""")
            data, width, _ = browser.pixels(f"{page}.png")
            self.assertGreaterEqual(len(places), 4)
            for left, top, wide, high in places:
                self.assertGreater(min(wide, high), 100)
                ink = sum(data[y * width + x] < 200 for y in range(top, top + high) for x in range(left, left + wide))
                self.assertGreater(ink, wide * high / 500)


if __name__ == "__main__":
    unittest.main()
