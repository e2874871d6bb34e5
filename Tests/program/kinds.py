"""Kinds of JPEG that cameras and programs make, and what must become of each: made by libjpeg-turbo's own tools."""

import collections
import pathlib
import subprocess
import tempfile

import pictures
from kernel import cache

# outcome: "same" bit for bit, "lossless" with the same pixels, "again" encoded anew, "dropped"
Kind = collections.namedtuple("Kind", "name make outcome")


def tran(*words):
    return lambda data: subprocess.run(["jpegtran", "-copy", "all", *words], input=data, stdout=subprocess.PIPE, check=True).stdout


def sampled(factors, *words):
    def make(data):
        pixels = subprocess.run(["djpeg"], input=data, stdout=subprocess.PIPE, check=True).stdout
        return subprocess.run(["cjpeg", "-quality", "85", "-sample", factors, *words], input=pixels, stdout=subprocess.PIPE,
                              check=True).stdout
    return make


def segments(data):
    """A JPEG as [(marker, body)] and all from SOS on."""
    found, place = [], 2
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2:place + 4], "big")
        found.append((data[place + 1], data[place + 4:end]))
        place = end
    return found, data[place:]


def joined(found, rest):
    return b"\xff\xd8" + b"".join(b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
                                  for marker, body in found) + rest


def without_huffman(data):
    found, rest = segments(data)
    return joined([each for each in found if each[0] != 0xC4], rest)


def three_tables(data):
    """As the C920 has it: a table for each component, Cb's and Cr's alike."""
    found, rest = segments(data)
    chroma = next(body for marker, body in found if marker == 0xDB and body[0] == 1)
    changed = [(m, body[:14] + b"\2" if m == 0xC0 else body) for m, body in found]
    return joined([(0xDB, b"\2" + chroma[1:])] + changed, rest)


def wide_tables(data):
    found, rest = segments(data)
    return joined([(m, bytes([0x10 | body[0]]) + b"".join(b"\0" + body[i:i + 1] for i in range(1, 65))) if m == 0xDB else (m, body)
                   for m, body in found], rest)


KINDS = [
    Kind("baseline 4:2:0", sampled("2x2"), "same"),
    Kind("baseline 4:2:2", sampled("2x1"), "same"),
    Kind("no Huffman tables", without_huffman, "same"),
    Kind("restart markers", tran("-restart", "4B"), "same"),
    Kind("restart markers, 4:2:2", sampled("2x1", "-restart", "1"), "same"),
    Kind("three quantization tables", three_tables, "same"),
    Kind("16-bit quantization tables", wide_tables, "same"),
    Kind("zeros behind the end", lambda data: data + bytes(2048), "same"),
    Kind("an end in the junk behind the end", lambda data: data + b"junk\xff\xd9junk", "same"),
    Kind("a comment and fill bytes", lambda data: data[:2] + b"\xff\xff\xff\xfe\0\6\xff\xd9\xff\xda" + data[2:], "same"),
    Kind("optimised Huffman tables", tran("-optimize"), "lossless"),
    Kind("progressive", tran("-progressive"), "lossless"),
    Kind("components in scans of their own", lambda data: scans(data), "lossless"),
    Kind("greyscale", tran("-grayscale"), "again"),
    Kind("4:4:4", sampled("1x1"), "again"),
    Kind("4:4:0", sampled("1x2"), "again"),
    Kind("4:1:1", sampled("4x1"), "again"),
    Kind("4:2:2 as 2x2,1x2,1x2", sampled("2x2,1x2,1x2"), "again"),
    Kind("arithmetic coding", tran("-arithmetic"), "lossless"),
    Kind("cut in half", lambda data: data[:len(data) // 2], "dropped"),
    Kind("no end", lambda data: data[:-2], "dropped"),
]


def scans(data):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
        script.write("0;\n1;\n2;\n")
        script.flush()
        return tran("-scans", script.name)(data)


def sources():
    """The folder of pictures that those of each kind are made from."""
    return pictures.jpegs(640, 480, count=3, sampling="420")


def folder(kind):
    """A folder of pictures of this kind."""
    home = cache() / "kinds" / f"640x480-{kind.name.replace(' ', '-').replace(',', '').replace(':', '')}"
    home.mkdir(parents=True, exist_ok=True)
    for path in sorted(sources().iterdir()):
        target = home / path.name
        if not target.exists():
            part = home / (path.name + ".part")
            part.write_bytes(kind.make(path.read_bytes()))
            part.rename(target)
    return home
