#!/usr/bin/env python3
"""Captures frames from a V4L2 device by itself, to judge a camera or another program by: grab.py DEVICE COUNT [MJPG 1920x1080 [FPS]].

Prints a line of JSON for each frame: sequence, flags, bytes, SHA-256, the driver's time stamp and the time of DQBUF (ns of
the guest's CLOCK_MONOTONIC). With --keep FOLDER it writes the frames there too, 000000 and so on.
"""

import argparse
import ctypes
import fcntl
import hashlib
import json
import mmap
import os
import select
import struct
import time

CAPTURE, MEMORY_MMAP = 1, 1
BUFFERS = 8


class Buffer(ctypes.Structure):
    """struct v4l2_buffer of a 64-bit machine; its timecode, which no one uses, is left as bytes."""
    _fields_ = [("index", ctypes.c_uint32), ("type", ctypes.c_uint32), ("bytesused", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("field", ctypes.c_uint32), ("seconds", ctypes.c_int64),
                ("microseconds", ctypes.c_int64), ("timecode", ctypes.c_uint8 * 16), ("sequence", ctypes.c_uint32),
                ("memory", ctypes.c_uint32), ("offset", ctypes.c_uint64), ("length", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32 * 2)]


def request(direction, number, size):
    return direction << 30 | size << 16 | ord("V") << 8 | number


S_FMT = request(3, 5, 208)
REQBUFS = request(3, 8, 20)
QUERYBUF, QBUF, DQBUF = (request(3, number, ctypes.sizeof(Buffer)) for number in (9, 15, 17))
STREAMON, STREAMOFF = request(1, 18, 4), request(1, 19, 4)
S_PARM = request(3, 22, 204)


class Reader:
    def __init__(self, path, fourcc, width, height, fps):
        self.device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        text = struct.pack("<I4xII4s", CAPTURE, width, height, fourcc.encode())
        fcntl.ioctl(self.device, S_FMT, bytearray(text.ljust(208, b"\0")))
        fcntl.ioctl(self.device, S_PARM, bytearray(struct.pack("<IIIII", CAPTURE, 0, 0, 1, fps).ljust(204, b"\0")))
        fcntl.ioctl(self.device, REQBUFS, bytearray(struct.pack("<III", BUFFERS, CAPTURE, MEMORY_MMAP).ljust(20, b"\0")))
        self.maps = []
        for index in range(BUFFERS):
            buffer = self.call(QUERYBUF, Buffer(index=index, type=CAPTURE, memory=MEMORY_MMAP))
            self.maps.append(mmap.mmap(self.device, buffer.length, offset=buffer.offset))
            self.call(QBUF, buffer)
        fcntl.ioctl(self.device, STREAMON, struct.pack("<I", CAPTURE))

    def call(self, number, buffer):
        fcntl.ioctl(self.device, number, buffer)
        return buffer

    def frame(self, timeout):
        """The next frame's facts and bytes; None if none comes in time."""
        ready, _, _ = select.select([self.device], [], [], timeout)
        if not ready:
            return None
        buffer = self.call(DQBUF, Buffer(type=CAPTURE, memory=MEMORY_MMAP))
        facts = {"sequence": buffer.sequence, "flags": buffer.flags, "size": buffer.bytesused,
                 "stamp": buffer.seconds * 1_000_000_000 + buffer.microseconds * 1000, "dequeued": time.monotonic_ns()}
        data = self.maps[buffer.index][:buffer.bytesused]
        self.call(QBUF, buffer)         # which changes what it says
        return {**facts, "sha256": hashlib.sha256(data).hexdigest()}, data


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("device")
    parser.add_argument("count", type=int)
    parser.add_argument("fourcc", nargs="?", default="MJPG")
    parser.add_argument("size", nargs="?", default="1920x1080")
    parser.add_argument("fps", nargs="?", type=int, default=30)
    parser.add_argument("--timeout", type=float, default=5, help="seconds without a frame after which it gives up, with status 1")
    parser.add_argument("--keep", help="a folder for the frames")
    options = parser.parse_args()
    reader = Reader(options.device, options.fourcc, *map(int, options.size.split("x")), options.fps)
    for number in range(options.count):
        frame = reader.frame(options.timeout)
        if frame is None:
            raise SystemExit(1)
        print(json.dumps(frame[0]), flush=True)
        if options.keep:
            with open(os.path.join(options.keep, f"{number:06}"), "wb") as file:
                file.write(frame[1])


if __name__ == "__main__":
    main()
