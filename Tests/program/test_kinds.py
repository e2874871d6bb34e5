"""What becomes of each kind of JPEG."""

import re
import unittest

import program
import kinds
import kinds_table
import readme
import rtpjpeg
from program import Run

DECIBELS = re.compile(r"\d+ dB")


def decibels(text):
    return [int(each.split()[0]) for each in DECIBELS.findall(text)]


class Kinds(unittest.TestCase):
    def test_recoding_can_be_turned_off(self):
        for kind in kinds.KINDS:
            if kind.outcome in ("lossless", "again"):
                with self.subTest(kind.name):
                    with rtpjpeg.Receiver() as receiver:
                        place = f"127.0.0.1:{receiver.port}"
                        with Run(f"file:{kinds.folder(kind)}", "--recode", "off", "--fps", 30, "--to", place) as sender:
                            receiver.collect(0.5)
                    self.assertEqual(receiver.data, [])
                    self.assertRegex(sender.out.splitlines()[-1], r"unsupported_\w+ [1-9]")

    def test_cut_frames_can_be_sent(self):
        kind = next(kind for kind in kinds.KINDS if kind.name == "cut in half")
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{kinds.folder(kind)}", "--bad-frames", "repair", "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(10, until=lambda r: r.markers() >= 6)
            frames = rtpjpeg.frames(receiver.packets())
        sources = [path.read_bytes() for path in sorted(kinds.folder(kind).iterdir())]
        for frame in frames:
            self.assertTrue(any(source.endswith(frame.scan) for source in sources))
            self.assertGreater(len(frame.scan), 10_000)
        self.assertRegex(sender.out, r"\d repaired")

    def test_the_extension_says_the_size(self):
        folder = kinds.pictures.jpegs(2304, 1296, count=1, sampling="420")
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{folder}", "--onvif-extension", "--to", f"127.0.0.1:{receiver.port}"):
                receiver.collect(10, until=lambda r: r.markers() >= 2)
            frame = rtpjpeg.frames(receiver.packets())[0]
        profile, body = frame.extension
        self.assertEqual((profile, body[:2]), (0xFFD8, b"\xff\xc0"))
        self.assertEqual((int.from_bytes(body[5:7], "big"), int.from_bytes(body[7:9], "big")), (1296, 2304))
        # The program's own receiver takes it from there.
        result, _ = program.stream_to_receiver([f"file:{folder}", "--onvif-extension"], ["--frames", "3", "--decode"])
        self.assertEqual((result["width"], result["height"], result["undecodable"]), (2304, 1296, 0))


class Table(unittest.TestCase):
    """The README's table, which kinds_table.py measures."""

    DEEDS = {"same": "sent as it is", "lossless": "re-coded without loss, counted as `re-coded`",
             "again": "decoded and encoded again, counted as `encoded again`", "dropped": "dropped, counted as `no_eoi`"}

    def test_what_becomes_of_each_kind(self):
        for kind in kinds.KINDS:
            with self.subTest(kind.name):
                _, deed, *received = kinds_table.row(kind)
                self.assertEqual(deed, self.DEEDS[kind.outcome])
                for cell in received:
                    if kind.outcome == "again":
                        self.assertGreater(decibels(cell), [40])
                    else:
                        pixels = "-" if kind.outcome == "dropped" else kinds_table.SAME
                        self.assertEqual(cell.removesuffix(kinds_table.STAR), pixels)

    def test_the_readme_has_it(self):
        written, measured = readme.table(kinds_table.NAME), kinds_table.table()
        self.assertEqual(DECIBELS.sub("dB", written), DECIBELS.sub("dB", measured), "make kinds WRITE=--write")
        # Other versions of the players come to other last bits.
        for one, other in zip(decibels(written), decibels(measured), strict=True):
            self.assertAlmostEqual(one, other, delta=1)


if __name__ == "__main__":
    unittest.main()
