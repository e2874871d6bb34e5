#!/usr/bin/env python3
"""Raw pictures by plain means: their planes, what libjpeg-turbo alone makes of them, and how like two pictures are."""

import ctypes
import math

library = ctypes.CDLL("libturbojpeg.so.0")
library.tjInitCompress.restype = ctypes.c_void_p
YUV420, YUV422 = 2, 1           # TJSAMP
RGB = 0                         # TJPF


def mean(one, other):
    return bytes((a + b + 1) >> 1 for a, b in zip(one, other))


def halved(plane, width):
    """Of every two lines their mean."""
    lines = [plane[start:start + width] for start in range(0, len(plane), width)]
    return b"".join(mean(lines[at], lines[min(at + 1, len(lines) - 1)]) for at in range(0, len(lines), 2))


def plane(data, start, width, height):
    """The lines of a plane; grey in place of those whose bytes are not all there."""
    found = data[start:start + width * height]
    found = found[:len(found) // width * width]
    return found + b"\x80" * (width * height - len(found))


def planes(fourcc, data, width, height, sampling=YUV420):
    """Y, Cb and Cr of a picture without a byte between lines; width and height are even."""
    luma, half = width * height, width // 2
    lines = height if fourcc in ("YUYV", "UYVY", "422P", "NV16") else height // 2
    if fourcc in ("YUYV", "UYVY"):
        first = fourcc == "UYVY"
        y, u, v = data[first::2], data[1 - first::4], data[3 - first::4]
    elif fourcc == "GREY":
        y, u, v = data[:luma], b"\x80" * (half * lines), b"\x80" * (half * lines)
    elif fourcc in ("NV12", "NM12", "NV16"):
        y, pairs = plane(data, 0, width, height), plane(data, luma, width, lines)
        u, v = pairs[::2], pairs[1::2]
    elif fourcc in ("YU12", "YM12", "YV12", "422P"):
        y, u, v = (plane(data, 0, width, height), plane(data, luma, half, lines), plane(data, luma + half * lines, half, lines))
        if fourcc == "YV12":
            u, v = v, u
    else:
        raise ValueError(fourcc)
    return (y, halved(u, half), halved(v, half)) if lines == height and sampling == YUV420 else (y, u, v)


def pixels(fourcc, data, width, height):
    """Red, green and blue of a picture, for those that have them."""
    if fourcc == "RGB3":
        return data[:3 * width * height]
    if fourcc == "RGBP":        # 5, 6 and 5 bits, as libv4lconvert takes them
        values = (data[at] | data[at + 1] << 8 for at in range(0, 2 * width * height, 2))
        return bytes(part for value in values for part in (value >> 8 & 0xF8, value >> 3 & 0xFC, value << 3 & 0xF8))
    return None


def jpeg(fourcc, data, width, height, quality, sampling=YUV420):
    """By TurboJPEG's own calls."""
    handle, out, size = ctypes.c_void_p(library.tjInitCompress()), ctypes.c_void_p(), ctypes.c_ulong()
    rgb = pixels(fourcc, data, width, height)
    if rgb:
        failed = library.tjCompress2(handle, rgb, width, 0, height, RGB, ctypes.byref(out), ctypes.byref(size), sampling,
                                     quality, 0)
    else:
        parts = [ctypes.c_char_p(plane) for plane in planes(fourcc, data, width, height, sampling)]
        pointers = (ctypes.c_void_p * 3)(*(ctypes.cast(part, ctypes.c_void_p) for part in parts))
        failed = library.tjCompressFromYUVPlanes(handle, pointers, width, None, height, sampling, ctypes.byref(out),
                                                 ctypes.byref(size), quality, 0)
    assert not failed
    try:
        return ctypes.string_at(out, size.value)
    finally:
        library.tjFree(out)
        library.tjDestroy(handle)


def rgb(fourcc, data, width, height):
    """The picture as it is, by JFIF's formulas."""
    found = pixels(fourcc, data, width, height)
    if found:
        return found
    luma, blue, red = planes(fourcc, data, width, height)
    out = bytearray()
    for y in range(height):
        for x in range(width):
            at = y // 2 * (width // 2) + x // 2
            bright, cb, cr = luma[y * width + x], blue[at] - 128, red[at] - 128
            for value in (bright + 1.402 * cr, bright - 0.344136 * cb - 0.714136 * cr, bright + 1.772 * cb):
                out.append(min(max(round(value), 0), 255))
    return bytes(out)


def psnr(one, other):
    """In dB, up to 99."""
    error = sum((a - b) ** 2 for a, b in zip(one, other)) / len(one)
    return min(99, 10 * math.log10(255 ** 2 / error)) if error else 99
