"""Kinds of JPEG that cameras and programs make, and what must become of each: made by libjpeg-turbo's own tools."""

import collections
import ctypes
import pathlib
import subprocess
import tempfile

import pictures
from kernel import cache

# outcome: "same" bit for bit, "lossless" with the same pixels, "again" encoded anew, "dropped"
# cause: why it is dropped, as it is counted
# plain: the JPEG without what is odd about it, where a kind is sent as it is and a plain reader can't read it
Kind = collections.namedtuple("Kind", "name make outcome plain cause", defaults=[None, "no_eoi"])


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


def unused_table(data):
    """With a quantization table of 16 bits that no component uses."""
    found, rest = segments(data)
    return joined([(0xDB, b"\x13" + b"\1\0" * 64)] + found, rest)


def damaged_pair(data):
    """With restart markers, and two damaged bytes in the scan that look like a marker of a reserved code."""
    data = tran("-restart", "4B")(data)
    place = (data.index(b"\xff\xda") + len(data)) // 2
    while 0xFF in data[place - 1:place + 3]:
        place += 1
    return data[:place] + b"\xff\x42" + data[place + 2:]


def extra(marker, body):
    """With one more segment before the scan."""
    def make(data):
        found, rest = segments(data)
        return joined([*found, (marker, body)], rest)
    return make


def two_frames(data):
    """With the frame header twice."""
    found, rest = segments(data)
    return joined([each for each in found for _ in range(2 if each[0] == 0xC0 else 1)], rest)


def sized(data, width, height):
    """With another size in the frame header."""
    found, rest = segments(data)
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return joined([(m, body[:1] + size + body[5:] if m == 0xC0 else body) for m, body in found], rest)


def interrupted(data, part, pair=b"\xff\1"):
    """With two bytes that look like a marker after so much of the scan."""
    place = data.index(b"\xff\xda")
    place += int((len(data) - place) * part)
    while 0xFF in data[place - 1:place + 3]:
        place += 1
    return data[:place] + pair + data[place + 2:]


def ended_early(data):
    """The scan's first bytes, and EOI."""
    found, rest = segments(data)
    return joined(found, rest[:14 + (len(rest) - 14) // 30].rstrip(b"\xff") + b"\xff\xd9")


def inserted(junk, marker=0xC4):
    """With bytes before the first segment of this marker."""
    def make(data):
        found, rest = segments(data)
        place = next(index for index, each in enumerate(found) if each[0] == marker)
        return joined(found[:place], junk + joined(found[place:], rest)[2:])
    return make


def scan_parameters(*values):
    """What SOS says of spectral selection and approximation, which means nothing in baseline JPEG."""
    def make(data):
        found, rest = segments(data)
        return joined(found, rest[:11] + bytes(values) + rest[14:])
    return make


def swapped_chroma(data):
    """A scan that has Cr's data before Cb's: the picture with the two in each other's place."""
    found, rest = segments(data)
    return joined(found, rest[:7] + b"\3" + rest[8:9] + b"\2" + rest[10:])


def rgb(factors):
    return sampled(factors, "-rgb")


def cmyk(data):
    """By TurboJPEG: YCCK, inverted, as Adobe's programs have it."""
    pixels = subprocess.run(["djpeg"], input=data, stdout=subprocess.PIPE, check=True).stdout
    magic, size, _, pixels = pixels.split(b"\n", 3)
    assert magic == b"P6"
    width, height = map(int, size.split())
    ink = b"".join(pixels[index:index + 3] + b"\xff" for index in range(0, len(pixels), 3))
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle, out, size = ctypes.c_void_p(library.tjInitCompress()), ctypes.c_void_p(), ctypes.c_ulong()
    try:
        # TJPF_CMYK, TJSAMP_444, quality 90.
        assert library.tjCompress2(handle, ink, width, 0, height, 11, ctypes.byref(out), ctypes.byref(size), 0, 90, 0) == 0
        return ctypes.string_at(out, size.value)
    finally:
        library.tjFree(out)
        library.tjDestroy(handle)


def fields(*polarities):
    """Two fields as cameras for television have them: two JPEGs of half the height, marked as AVI's."""
    def make(data):
        head, size, most, pixels = subprocess.run(["djpeg"], input=data, stdout=subprocess.PIPE, check=True).stdout.split(b"\n", 3)
        width, height = map(int, size.split())
        lines = [pixels[3 * width * y:3 * width * (y + 1)] for y in range(height)]
        both = b""
        for polarity in polarities:
            half = lines[polarity - 1::2]
            jpeg = subprocess.run(["cjpeg", "-quality", "85", "-sample", "2x1"], stdout=subprocess.PIPE, check=True,
                                  input=b"P6\n%d %d\n255\n" % (width, len(half)) + b"".join(half)).stdout
            found, rest = segments(jpeg)
            both += joined([(0xE0, b"AVI1" + bytes([polarity]) + bytes(9)) if m == 0xE0 else (m, body) for m, body in found], rest)
        return both
    return make


def before_end(segment):
    """With a segment between the scan and EOI."""
    return lambda data: data[:-2] + segment + data[-2:]


def as_it_was(data):
    return data


HTTP = b"--boundary\r\nContent-Type: image/jpeg\r\nContent-Length: 12345\r\n\r\n"

KINDS = [
    Kind("baseline 4:2:0", sampled("2x2"), "same"),
    Kind("baseline 4:2:2", sampled("2x1"), "same"),
    Kind("no Huffman tables", without_huffman, "same"),
    Kind("restart markers", tran("-restart", "4B"), "same"),
    Kind("restart markers, 4:2:2", sampled("2x1", "-restart", "1"), "same"),
    Kind("three quantization tables", three_tables, "same"),
    Kind("16-bit quantization tables", wide_tables, "same"),
    Kind("an unused quantization table of 16 bits", unused_table, "same"),
    Kind("zeros behind the end", lambda data: data + bytes(2048), "same"),
    Kind("an end in the junk behind the end", lambda data: data + b"junk\xff\xd9junk", "same"),
    Kind("a comment and fill bytes", lambda data: data[:2] + b"\xff\xff\xff\xfe\0\6\xff\xd9\xff\xda" + data[2:], "same"),
    Kind("scan parameters of 0", scan_parameters(0, 0, 0), "same"),
    Kind("FF 00 between segments", inserted(b"\xff\0"), "same", as_it_was),
    Kind("zeros before SOS", lambda data: joined(segments(data)[0], bytes(5) + segments(data)[1]), "same", as_it_was),
    Kind("junk between segments", inserted(b"junk \x12\xff\x34", 0xDB), "same", as_it_was),
    Kind("a comment of length 0", inserted(b"\xff\xfe\0\0"), "same", as_it_was),
    Kind("an APP14 whose length is too short", inserted(b"\xff\xee\0\6Adobe\0\x64\0\0\0\0\1", 0xDB), "same", as_it_was),
    Kind("a byte FF before SOI", lambda data: b"\xff" + data, "same", as_it_was),
    Kind("an HTTP header before SOI", lambda data: HTTP + data, "same", as_it_was),
    Kind("two SOIs", lambda data: data[:2] + data, "same", as_it_was),
    Kind("the beginning of a lost frame in front", lambda data: data[:len(data) // 3] + data, "same", as_it_was),
    Kind("the middle of a lost frame in front", lambda data: data[len(data) // 3:len(data) // 2] + data, "same", as_it_was),
    Kind("a lost frame that ends in its header in front", lambda data: data[:100] + data, "same", as_it_was),
    Kind("DNL after the scan", lambda data: before_end(b"\xff\xdc\0\4" + data[data.index(b"\xff\xc0") + 5:][:2])(data), "same",
         as_it_was),
    Kind("a comment after the scan", before_end(b"\xff\xfe\0\6text"), "same", as_it_was),
    Kind("optimised Huffman tables", tran("-optimize"), "lossless"),
    Kind("progressive", tran("-progressive"), "lossless"),
    Kind("components in scans of their own", lambda data: scans(data), "lossless"),
    Kind("greyscale", tran("-grayscale"), "again"),
    Kind("4:4:4", sampled("1x1"), "again"),
    Kind("4:4:0", sampled("1x2"), "again"),
    Kind("4:1:1", sampled("4x1"), "again"),
    Kind("4:2:2 as 2x2,1x2,1x2", sampled("2x2,1x2,1x2"), "again"),
    Kind("3x1,1x1,1x1", sampled("3x1,1x1,1x1"), "again"),
    Kind("2x2,1x1,2x2", sampled("2x2,1x1,2x2"), "again"),
    Kind("RGB", rgb("1x1"), "again"),
    Kind("RGB, subsampled", rgb("2x2,1x1,1x1"), "again"),
    Kind("CMYK", cmyk, "again"),
    Kind("greyscale, stray bytes before the end", lambda data: tran("-grayscale")(data)[:-2] + b"12345678\xff\xd9", "again"),
    Kind("two fields", fields(1, 2), "again"),
    Kind("two fields, the lower one first", fields(2, 1), "again"),
    Kind("components in another order in the scan", swapped_chroma, "lossless"),
    Kind("arithmetic coding", tran("-arithmetic"), "lossless"),
    Kind("cut in half", lambda data: data[:len(data) // 2], "dropped"),
    Kind("no end", lambda data: data[:-2], "dropped"),
    Kind("an end after a thirtieth of the scan", ended_early, "dropped"),
    Kind("two frame headers", two_frames, "dropped", cause="malformed_header"),
    Kind("greyscale, two frame headers", lambda data: two_frames(tran("-grayscale")(data)), "dropped", cause="malformed_header"),
    Kind("a restart interval of one byte", extra(0xDD, b"\1"), "dropped", cause="malformed_header"),
    Kind("a quantization table of number 4", extra(0xDB, b"\4" + bytes([1]) * 64), "dropped", cause="malformed_header"),
    Kind("a Huffman table that is cut", extra(0xC4, b"\0\0\2" + bytes(15)), "dropped", cause="malformed_header"),
    Kind("a Huffman table of three codes of one bit", extra(0xC4, b"\0\3" + bytes(15) + b"\1\2\3"), "dropped",
         cause="undecodable"),
    Kind("greyscale, 65535 pixels wide", lambda data: sized(tran("-grayscale")(data), 65535, 480), "dropped",
         cause="unsupported_size"),
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


def plain(kind):
    """The pictures of this kind as a plain reader can read them."""
    return [(kind.plain or kind.make)(path.read_bytes()) for path in sorted(sources().iterdir())]


def pixels(kind):
    """What libjpeg-turbo decodes of this kind, in RGB; of fields what they were made from."""
    home = sources() if "fields" in kind.name else folder(kind)
    return [subprocess.run(["djpeg", path], stdout=subprocess.PIPE, check=True).stdout.split(b"\n", 3)[3]
            for path in sorted(home.iterdir())]
