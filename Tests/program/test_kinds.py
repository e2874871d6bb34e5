"""What becomes of each kind of JPEG, read by an independent receiver and by FFmpeg and GStreamer."""

import math
import pathlib
import subprocess
import tempfile
import unittest

import program
import kinds
import players
import rtpjpeg
from program import Run, free_port, run


def stream(kind, *words, frames=6):
    """Frames of a kind as the independent reader has them, and the ended program."""
    with rtpjpeg.Receiver() as receiver:
        with Run(f"file:{kinds.folder(kind)}", "--fps", 30, "--to", f"127.0.0.1:{receiver.port}", *words) as sender:
            receiver.collect(0.5 if kind.outcome == "dropped" else 5, until=lambda r: r.markers() >= frames)
        return rtpjpeg.frames(receiver.packets()), sender


def grey(jpeg):
    """A picture's light, a byte a pixel."""
    return subprocess.run(["djpeg", "-grayscale", "-pnm"], input=jpeg, stdout=subprocess.PIPE, check=True).stdout[-640 * 480::11]


def psnr(one, other):
    error = sum((a - b) ** 2 for a, b in zip(one, other)) / len(one)
    return 99 if not error else 10 * math.log10(255 ** 2 / error)


class Kinds(unittest.TestCase):
    def test_what_leaves(self):
        for kind in kinds.KINDS:
            with self.subTest(kind.name):
                frames, sender = stream(kind)
                line = sender.out.splitlines()[-1]
                files = sorted(kinds.folder(kind).iterdir())
                if kind.outcome == "same":
                    expected = [rtpjpeg.jpeg(path.read_bytes()) for path in files]
                    for number, frame in enumerate(frames):
                        self.assertTrue(any(rtpjpeg.same(frame, source) for source in expected), f"frame {number}")
                    self.assertNotIn("coded", line)
                self.assertEqual(len(frames) > 0, kind.outcome != "dropped")
                for outcome, words in [("lossless", "re-coded"), ("again", "encoded again"), ("dropped", "no_eoi")]:
                    self.assertEqual(outcome == kind.outcome, words in line, line)

    def test_recoding_can_be_turned_off(self):
        for kind in kinds.KINDS:
            if kind.outcome in ("lossless", "again"):
                with self.subTest(kind.name):
                    kind = kind._replace(outcome="dropped")
                    frames, sender = stream(kind, "--recode", "off")
                    self.assertEqual(frames, [])
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


class Players(unittest.TestCase):
    """The pixels that players decode: those of the source, but for what had to be encoded again, which is near them."""

    def received(self, player, kind):
        port = free_port()
        words = (f"file:{kinds.folder(kind)}", "--to", f"127.0.0.1:{port}", "--fps", 15)
        with Run(*words):
            return players.of_stream(player, port, run("sdp", *words).out, 6)

    def check(self, player):
        for kind in kinds.KINDS:
            if kind.outcome in ("same", "lossless"):
                with self.subTest(kind.name):
                    received = self.received(player, kind)
                    self.assertGreaterEqual(len(received), 6)
                    # FFmpeg does not read arithmetic coding: the coefficients are those that it was made from.
                    is_read = kind.name != "arithmetic coding"
                    source = kinds.folder(kind) if is_read else kinds.pictures.jpegs(640, 480, count=3, sampling="420")
                    self.assertEqual(set(received), set(players.of_files(player, sorted(source.iterdir()))))

    def test_ffmpeg(self):
        self.check(players.FFmpeg)

    def test_gstreamer(self):
        self.check(players.GStreamer)

    def test_what_is_encoded_again_is_near(self):
        for kind in kinds.KINDS:
            if kind.outcome == "again":
                with self.subTest(kind.name), tempfile.TemporaryDirectory() as out:
                    program.stream_to_receiver([f"file:{kinds.folder(kind)}", "--fps", "10"],
                                               ["--frames", "3", "--decode", "--out", out])
                    originals = [grey(path.read_bytes()) for path in sorted(kinds.folder(kind).iterdir())]
                    for path in sorted(pathlib.Path(out).iterdir()):
                        best = max(psnr(grey(path.read_bytes()), original) for original in originals)
                        self.assertGreater(best, 36)


if __name__ == "__main__":
    unittest.main()
