#!/usr/bin/env python3
"""Captures frames from a V4L2 device, to judge a camera by what arrives:
    grab.py DEVICE COUNT [format=MJPG] [size=1920x1080] [fps=30] [streams=1] [timeout=5] [keep=FOLDER]

Prints a line of JSON for each frame: sequence, flags, bytes, the driver's time stamp and the time of DQBUF (ns of the
guest's CLOCK_MONOTONIC), SHA-256. It takes COUNT frames, stops, and starts again as often as `streams` says; it ends with
status 1 when no frame comes for `timeout` seconds. `keep` is a folder for the frames themselves: 000000, 000001, …

It does without argparse, ctypes and json: in an emulated machine each costs a good part of a second.
"""

import fcntl
import hashlib
import mmap
import os
import select
import struct
import sys
import time

CAPTURE, MEMORY_MMAP = 1, 1
BUFFERS = 8
# struct v4l2_buffer: index, type, bytesused, flags, field, time stamp (s, µs), timecode, sequence, memory, offset, length
BUFFER = struct.Struct("<5I4x2q16s2IQI12x")
DEFAULTS = {"format": "MJPG", "size": "1920x1080", "fps": "30", "streams": "1", "timeout": "5", "keep": ""}


def request(direction, number, size):
    return direction << 30 | size << 16 | ord("V") << 8 | number


S_FMT, S_PARM, REQBUFS = request(3, 5, 208), request(3, 22, 204), request(3, 8, 20)
QUERYBUF, QBUF, DQBUF = (request(3, number, BUFFER.size) for number in (9, 15, 17))
STREAMON, STREAMOFF = request(1, 18, 4), request(1, 19, 4)


class Reader:
    def __init__(self, path, fourcc, width, height, fps):
        self.device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.call(S_FMT, struct.pack("<I4xII4s", CAPTURE, width, height, fourcc.encode()).ljust(208, b"\0"))
        self.call(S_PARM, struct.pack("<IIIII", CAPTURE, 0, 0, 1, fps).ljust(204, b"\0"))
        self.call(REQBUFS, struct.pack("<III8x", BUFFERS, CAPTURE, MEMORY_MMAP))
        self.maps = []
        for index in range(BUFFERS):
            *_, offset, length = self.buffer(QUERYBUF, index)
            self.maps.append(mmap.mmap(self.device, length, offset=offset))

    def call(self, number, data):
        data = bytearray(data)
        fcntl.ioctl(self.device, number, data)
        return data

    def buffer(self, number, index=0):
        return BUFFER.unpack(self.call(number, BUFFER.pack(index, CAPTURE, 0, 0, 0, 0, 0, b"", 0, MEMORY_MMAP, 0, 0)))

    def start(self):
        for index in range(BUFFERS):
            self.buffer(QBUF, index)
        self.call(STREAMON, struct.pack("<I", CAPTURE))

    def stop(self):
        self.call(STREAMOFF, struct.pack("<I", CAPTURE))

    def frame(self, timeout):
        """The next frame's line and bytes; None if none comes in time."""
        ready, _, _ = select.select([self.device], [], [], timeout)
        if not ready:
            return None
        index, _, size, flags, _, seconds, microseconds, _, sequence, *_ = self.buffer(DQBUF)
        dequeued = time.monotonic_ns()
        data = self.maps[index][:size]
        self.buffer(QBUF, index)
        return (f'{{"sequence": {sequence}, "flags": {flags}, "size": {size}, '
                f'"stamp": {seconds * 1_000_000_000 + microseconds * 1000}, "dequeued": {dequeued}, '
                f'"sha256": "{hashlib.sha256(data).hexdigest()}"}}'), data


def main(device, count, *words):
    options = DEFAULTS | dict(word.split("=") for word in words)
    reader = Reader(device, options["format"], *map(int, options["size"].split("x")), int(options["fps"]))
    number = 0
    for _ in range(int(options["streams"])):
        reader.start()
        for _ in range(int(count)):
            frame = reader.frame(float(options["timeout"]))
            if frame is None:
                sys.exit(1)
            print(frame[0], flush=True)
            if options["keep"]:
                with open(os.path.join(options["keep"], f"{number:06}"), "wb") as file:
                    file.write(frame[1])
            number += 1
        reader.stop()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
