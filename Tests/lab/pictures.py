#!/usr/bin/env python3
"""Test pictures: JPEGs made by libjpeg-turbo and kept in the cache, and raw frames.

    folder = jpegs(1920, 1080)                          # 30 files, 4:2:2, quality 85: about 165 kB each
    folder = jpegs(640, 480, count=10, sampling="420")
    frames = Source.folder(folder)                      # what a Camera takes: cycles through the files
    frames = Source.made(modes)                         # the same for several modes, YUYV too
"""

import collections
import ctypes
import pathlib
import tempfile

import texture
from kernel import cache

Picture = collections.namedtuple("Picture", "name data")
SAMPLINGS = {"444": (0, 1, 1), "422": (1, 2, 1), "420": (2, 2, 2)}       # TurboJPEG's number, chroma's share each way
VERSION = 1             # of the content: another one makes all files anew
STEP = (74, 46)         # from one view to the next; even, as chroma is


def views(count):
    return [(number * STEP[0] % texture.SIZE, number * STEP[1] % texture.SIZE) for number in range(count)]


class Encoder:
    def __init__(self, width, height, sampling, quality):
        self.library = ctypes.CDLL("libturbojpeg.so.0")
        self.library.tjInitCompress.restype = ctypes.c_void_p
        self.library.tjGetErrorStr2.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p(self.library.tjInitCompress())
        self.width, self.height, self.quality = width, height, quality
        self.sampling, self.across, self.down = SAMPLINGS[sampling]
        self.planes = texture.planes(width, height, self.across, self.down)
        # Python's bytes are read where they are: a view is only another pointer.
        self.bases = [ctypes.cast(ctypes.c_char_p(plane.data), ctypes.c_void_p).value for plane in self.planes]

    def encode(self, x, y):
        """The JPEG of the view at an even place of the texture."""
        places = [(x, y)] + [(x // self.across, y // self.down)] * 2
        pointers = [base + plane.offset(*place) for base, plane, place in zip(self.bases, self.planes, places)]
        strides = [plane.stride for plane in self.planes]
        buffer, size = ctypes.c_void_p(), ctypes.c_ulong()
        failed = self.library.tjCompressFromYUVPlanes(
            self.handle, (ctypes.c_void_p * 3)(*pointers), self.width, (ctypes.c_int * 3)(*strides), self.height,
            self.sampling, ctypes.byref(buffer), ctypes.byref(size), self.quality, 0)
        if failed:
            raise RuntimeError(self.library.tjGetErrorStr2(self.handle).decode())
        try:
            return ctypes.string_at(buffer, size.value)
        finally:
            self.library.tjFree(buffer)

    def close(self):
        self.library.tjDestroy(self.handle)


def kept(name, make):
    """The folder of that name in the cache; if it is not there, make(folder) fills it first, beside its final place."""
    home = cache() / "pictures"
    home.mkdir(exist_ok=True)
    final = home / f"{name}-v{VERSION}"
    if not final.exists():
        with tempfile.TemporaryDirectory(dir=home, prefix=".") as folder:
            tree = pathlib.Path(folder) / "tree"
            tree.mkdir()
            make(tree)
            if not final.exists():      # someone else may have been faster
                tree.rename(final)
    return final


def jpegs(width, height, count=30, sampling="422", quality=85):
    """A folder with that many JPEG files, 000.jpg and so on: made at the first call, found at the next."""
    def make(folder):
        encoder = Encoder(width, height, sampling, quality)
        for number, view in enumerate(views(count)):
            (folder / f"{number:03}.jpg").write_bytes(encoder.encode(*view))
        encoder.close()
    return kept(f"{width}x{height}-{sampling}-q{quality}-n{count}", make)


def raws(width, height, count):
    """The same with YUYV frames: 000.yuyv and so on."""
    def make(folder):
        planes = texture.planes(width, height, 2, 1)
        for number, view in enumerate(views(count)):
            (folder / f"{number:03}.yuyv").write_bytes(yuyv(planes, width, height, *view))
    return kept(f"{width}x{height}-yuyv-n{count}", make)


def yuyv(planes, width, height, x, y):
    """The view at an even place of the texture, as luma and chroma in turn."""
    luma, *chroma = planes
    frame = bytearray(2 * width * height)
    for row in range(height):
        start = luma.offset(x, y + row)
        out, end = 2 * width * row, 2 * width * (row + 1)
        frame[out:end:2] = luma.data[start:start + width]
        for place, plane in zip((1, 3), chroma):
            start = plane.offset(x // 2, y + row)
            frame[out + place:end:4] = plane.data[start:start + width // 2]
    return frame


class Source:
    """Frames for a camera: for each format a list of pictures, shown in turn."""

    def __init__(self, pictures):
        self.pictures = pictures        # (FourCC, width, height) -> [Picture]; None for all others

    def __call__(self, format, index):
        pictures = self.pictures.get(format[:3]) or self.pictures[None]
        return pictures[index % len(pictures)]

    @classmethod
    def folder(cls, path):
        """The files of a folder, by name, for whatever format."""
        return cls({None: [Picture(file.name, file.read_bytes()) for file in sorted(pathlib.Path(path).iterdir())]})

    @classmethod
    def made(cls, modes, count=30, sampling="422"):
        """Our own test pictures for all these modes."""
        pictures = {}
        for fourcc, width, height, _ in modes:
            folder = jpegs(width, height, count, sampling) if fourcc == "MJPG" else raws(width, height, min(count, 8))
            pictures[fourcc, width, height] = cls.folder(folder).pictures[None]
        return cls(pictures)
