"""What becomes of each kind of JPEG."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import program
import kinds
import kinds_table
import players
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

    def test_cut_frames_that_are_recoded_can_be_sent(self):
        """libjpeg makes of them what it can; without that option they are cut short like any other."""
        grey = kinds.tran("-grayscale")
        for name, make in [("greyscale, cut in half", lambda data: grey(data)[:len(grey(data)) // 2]),
                           ("greyscale, no end", lambda data: grey(data)[:-2]),
                           ("greyscale, zeros in place of the end", lambda data: grey(data)[:-2] + bytes(300)),
                           ("greyscale, cut and ended", lambda data: grey(data)[:len(grey(data)) // 2] + b"\xff\xd9"),
                           ("progressive, cut", lambda data: kinds.tran("-progressive")(data)[:len(data) // 3])]:
            with self.subTest(name):
                folder = kinds.folder(kinds.Kind(name, make, "dropped"))
                sender = self.sent(folder, 0, "--bad-frames", "drop")
                self.assertRegex(sender, r"\(no_eoi \d+")
                sender = self.sent(folder, 3, "--bad-frames", "repair")
                self.assertRegex(sender, r"\d+ repaired, \d+ (encoded again|re-coded)")

    def sent(self, folder, frames, *words):
        """Streams until so many frames came, or for a while; gives the sender's last line."""
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{folder}", "--fps", 30, *words, "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(10 if frames else 0.5, until=lambda r: frames and r.markers() >= frames)
            self.assertGreaterEqual(receiver.markers(), frames)
            rtpjpeg.frames(receiver.packets())
        return sender.out.splitlines()[-1]

    def test_what_is_skipped_is_counted(self):
        line = self.sent(kinds.folder(next(kind for kind in kinds.KINDS if kind.name == "an HTTP header before SOI")), 3)
        count, skipped = map(int, re.search(r"(\d+) after (\d+) skipped bytes", line).groups())
        self.assertEqual(skipped, count * len(kinds.HTTP))

    def test_what_warnings_are_of_arrives(self):
        """A damaged byte, a wrong restart number, a damaged byte between them: what libjpeg decodes is sent."""
        grey = kinds.tran("-grayscale", "-restart", "2")

        def damaged(data, place, value):
            return data[:place] + bytes([value]) + data[place + 1:]

        def restart(data, number):
            """Where the marker of a restart number first is."""
            return data.index(bytes([0xFF, 0xD0 + number]), data.index(b"\xff\xda")) + 1

        for name, make in [("greyscale, a wrong restart number", lambda data: damaged(grey(data), restart(grey(data), 3), 0xD7)),
                           ("greyscale, no restart marker", lambda data: grey(data).replace(b"\xff\xd2", b"", 1)),
                           ("greyscale, a damaged byte", lambda data: damaged(grey(data), restart(grey(data), 5) + 20, 0x55)),
                           ("optimised, a damaged byte", lambda data: damaged(kinds.tran("-optimize")(data), 5000, 0x55)),
                           ("greyscale, FF 01 in the last rows", lambda data: kinds.interrupted(kinds.tran("-grayscale")(data), .97)),
                           ("4:2:0, FF 01 in the last rows", lambda data: kinds.interrupted(data, .97)),
                           ("4:2:0, FF BF in the last rows", lambda data: kinds.interrupted(data, .97, b"\xff\xbf"))]:
            with self.subTest(name):
                line = self.sent(kinds.folder(kinds.Kind(name, make, "again")), 6)
                self.assertNotIn("undecodable", line)
                self.assertNotIn("no_eoi", line)

    def test_what_a_marker_in_the_scan_cuts_short_is_dropped(self):
        """Over an eighth of the picture is missing, whatever it is made from."""
        for name, words in [("greyscale", ["-grayscale"]), ("4:2:0", []), ("optimised", ["-optimize"]),
                            ("restart markers", ["-restart", "4B"]),
                            ("restart markers, greyscale", ["-restart", "4B", "-grayscale"])]:
            pair = b"\xff\xee" if "restart" in name else b"\xff\1"
            with self.subTest(name):
                folder = kinds.folder(kinds.Kind(f"{name}, a marker in the scan", lambda data: kinds.interrupted(
                    kinds.tran(*words)(data), .5, pair), "dropped"))
                self.assertRegex(self.sent(folder, 0), r" 0 sent, .*[( ]no_eoi \d+\)")
                self.assertRegex(self.sent(folder, 3, "--bad-frames", "repair"), r"\d+ repaired")

    def test_fields_are_said_to_be_what_is_sent(self):
        """Two that form a frame are one picture from the first line on; others are reported, and counted."""
        pair = kinds.folder(next(kind for kind in kinds.KINDS if kind.name == "two fields"))
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{pair}", "--fps", 30, "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(10, until=lambda r: r.markers() >= 3)
            self.assertEqual(rtpjpeg.frames(receiver.packets())[0].height, 480 // 8)
        self.assertRegex(sender.err, r"pictures, JPEG 640x480 ")
        self.assertNotIn("as its mode says", sender.err)
        self.assertNotIn("single field", sender.out + sender.err)
        for name, make in [("two upper fields", kinds.fields(1, 1)), ("two lower fields", kinds.fields(2, 2)),
                           ("an upper field", kinds.fields(1)),
                           ("fields of two heights", lambda data: kinds.fields(1)(data) + kinds.sized(
                               kinds.fields(2)(data), 640, 200)),
                           ("two upper fields, greyscale", lambda data: 2 * kinds.extra(0xE0, b"AVI1\1" + bytes(9))(
                               kinds.tran("-grayscale", "-crop", "640x240+0+0")(data)))]:
            with self.subTest(name), rtpjpeg.Receiver() as receiver:
                folder = kinds.folder(kinds.Kind(name, make, "same"))
                with Run(f"file:{folder}", "--fps", 30, "--to", f"127.0.0.1:{receiver.port}") as sender:
                    receiver.collect(10, until=lambda r: r.markers() >= 3)
                self.assertEqual(rtpjpeg.frames(receiver.packets())[0].height, 240 // 8)
                self.assertRegex(sender.err, r"pictures, JPEG 640x240 ")
                self.assertEqual(sender.err.count("a picture is one field of interlaced video"), 1)
                self.assertRegex(sender.out.splitlines()[-1], r", \d+ single fields")

    def test_a_damaged_pair_of_bytes_between_restart_markers_is_sent(self):
        """It is no kind of the table: FFmpeg shows what it likes below it."""
        kind = kinds.Kind("restart markers, a damaged pair of bytes like a marker", kinds.damaged_pair, "same")
        with rtpjpeg.Receiver() as receiver:
            with Run(f"file:{kinds.folder(kind)}", "--fps", 30, "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(10, until=lambda r: r.markers() >= 6)
            frames = rtpjpeg.frames(receiver.packets())
        sources = [rtpjpeg.jpeg(data) for data in kinds.plain(kind)]
        self.assertGreaterEqual(len(frames), 6)
        self.assertTrue(all(any(rtpjpeg.same(frame, source) for source in sources) for frame in frames))
        self.assertNotIn("no_eoi", sender.out)

    def test_a_recoding_that_takes_long_holds_nothing_up(self):
        """Frames of 64 megapixels, and of a hundred scans: each is given up in time, and the others go on."""
        black = subprocess.run(["cjpeg", "-progressive"], input=b"P5\n8192 8192\n255\n" + bytes(8192 * 8192),
                               stdout=subprocess.PIPE, check=True).stdout
        scans = "".join(f"0: {k} {k}, 0, 0;\n" if k else "0: 0-0, 0, 0;\n" for k in range(64))
        with tempfile.TemporaryDirectory() as folder, rtpjpeg.Receiver() as receiver:
            script = pathlib.Path(folder, "scans.txt")
            script.write_text(scans)
            slow = subprocess.run(["cjpeg", "-scans", script], input=b"P5\n5120 4096\n255\n" + bytes(5120 * 4096),
                                  stdout=subprocess.PIPE, check=True).stdout
            script.unlink()
            # Those that come while one is being given up are lost.
            for number in range(3, 8):
                pathlib.Path(folder, f"{number}.jpg").write_bytes(next(kinds.sources().iterdir()).read_bytes())
            pathlib.Path(folder, "1.jpg").write_bytes(black)
            pathlib.Path(folder, "2.jpg").write_bytes(slow)
            with Run(f"file:{folder}", "--fps", 5, "--to", f"127.0.0.1:{receiver.port}") as sender:
                # Twice through the folder: a quick machine may be done with the one of many scans in time.
                receiver.collect(15, until=lambda r: r.markers() >= 9)
                memory = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{sender.process.pid}/status").read_text()
                              .splitlines() if line.startswith("VmHWM"))
                self.assertLess(sender.stop(), 1.5)
        self.assertGreaterEqual(receiver.markers(), 9)
        self.assertEqual(sender.status, 0)
        self.assertRegex(sender.out.splitlines()[-1], r"recode_limit [2-9]")
        self.assertLess(memory, 120_000)

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
             "again": "decoded and encoded again, counted as `encoded again`"}

    def test_what_becomes_of_each_kind(self):
        for kind in kinds.KINDS:
            with self.subTest(kind.name):
                _, deed, *received = kinds_table.row(kind)
                self.assertEqual(deed, self.DEEDS.get(kind.outcome, f"dropped, counted as `{kind.cause}`"))
                for player, cell in zip(players.ALL, received):
                    if (player, kind.name) == kinds_table.UNCOMPARED:
                        self.assertEqual(cell, "received")
                    elif kind.outcome == "again":
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
