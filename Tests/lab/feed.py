#!/usr/bin/env python3
"""Feeds a loopback device with the files of a folder, in turn, until it is ended:
    feed.py DEVICE FOURCC WIDTHxHEIGHT FPS FOLDER [writing]

Without `writing` it says that it streams (VIDIOC_STREAMON), as GStreamer does; FFmpeg only writes.

Prints `feeding` with the first frame. It does without argparse and ctypes: see grab.py.
"""

import fcntl
import os
import struct
import sys
import time

OUTPUT = 2
S_FMT = 3 << 30 | 208 << 16 | ord("V") << 8 | 5
STREAMON = 1 << 30 | 4 << 16 | ord("V") << 8 | 18


def main(device, fourcc, size, fps, folder, way="streaming"):
    width, height = map(int, size.split("x"))
    frames = [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]
    output = os.open(device, os.O_RDWR)
    fcntl.ioctl(output, S_FMT, struct.pack("<I4xII4s", OUTPUT, width, height, fourcc.encode()).ljust(208, b"\0"))
    if way == "streaming":
        fcntl.ioctl(output, STREAMON, struct.pack("<I", OUTPUT))
    due, number = time.monotonic(), 0
    while True:
        os.write(output, frames[number % len(frames)])
        if number == 0:
            print("feeding", flush=True)
        number += 1
        due += 1 / float(fps)
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
