#!/usr/bin/env python3
"""Streams from a camera through the bridge to libcamera again and again, in one process, and tells how many descriptors,
threads and mapped dma-bufs it has before, while it streams, and after each round: JSON, a line a round.

    rounds.py BRIDGE CAMERA FOURCC WIDTH HEIGHT ROUNDS FRAMES

With 0 frames a round lasts until the camera is gone; `streaming` is printed then.
"""

import ctypes
import json
import os
import select
import sys
import time
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32, c_void_p

PLANES = 3


class Size(ctypes.Structure):
    _fields_ = [("width", c_uint32), ("height", c_uint32)]


class Wish(ctypes.Structure):
    _fields_ = [("fourcc", c_uint32), ("size", Size), ("buffers", c_uint32), ("flip", c_uint32)]


class Stream(ctypes.Structure):
    _fields_ = [("fourcc", c_uint32), ("size", Size), ("plane_count", c_uint32), ("strides", c_uint32 * PLANES),
                ("flip", c_uint32), ("encoding", c_int), ("is_full_range", c_bool)]


class Memory(ctypes.Structure):
    _fields_ = [("count", c_uint32), ("bytes", c_size_t), ("heap", c_char_p)]


class Plane(ctypes.Structure):
    _fields_ = [("start", c_void_p), ("room", c_size_t), ("used", c_size_t)]


class Frame(ctypes.Structure):
    _fields_ = [("buffer", c_uint32), ("sequence", c_uint32), ("sensor_time", c_int64), ("buffer_time", c_int64),
                ("is_damaged", c_bool), ("planes", Plane * PLANES)]


def function(result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)


class Functions(ctypes.Structure):
    _fields_ = [
        ("list", function(c_int, POINTER(c_void_p), POINTER(c_uint32))), ("listed", c_void_p),
        ("end_list", function(None, c_void_p)), ("open", function(c_int, c_char_p, POINTER(c_void_p))),
        ("reason", function(c_char_p, c_void_p)), ("describe", c_void_p),
        ("configure", function(c_int, c_void_p, POINTER(Wish), POINTER(Stream))),
        ("set", function(c_int, c_void_p, c_char_p, POINTER(c_double), c_uint32)),
        ("start", function(c_int, c_void_p, POINTER(Memory))), ("descriptor", function(c_int, c_void_p)),
        ("take", function(c_int, c_void_p, POINTER(Frame))), ("give_back", function(None, c_void_p, c_uint32)),
        ("stop", function(None, c_void_p)), ("close", function(None, c_void_p))]


def counts():
    maps = [line for line in open("/proc/self/maps") if "dmabuf" in line]
    return {"descriptors": len(os.listdir("/proc/self/fd")), "threads": len(os.listdir("/proc/self/task")),
            "mappings": len(maps)}


def settled(wanted):
    """The counts, when they are what they should be or no longer change: the kernel may still show a thread that was joined."""
    for _ in range(20):
        found = counts()
        time.sleep(0.05)
        if found == (wanted or counts()):
            break
    return found


def streamed(bridge, name, wish, frames):
    """The counts while it streams, what ended it, and how many frames there were."""
    camera, stream, memory, frame = c_void_p(), Stream(), Memory(), Frame()

    def check(status):
        if status < 0:
            raise SystemExit(f"{status}: {bridge.reason(camera).decode()}")

    check(bridge.open(name.encode(), byref(camera)))
    # Whoever chooses among modes sets one after the other.
    for _ in range(2):
        check(bridge.configure(camera, byref(wish), byref(stream)))
    check(bridge.start(camera, byref(memory)))
    seen = status = longest = 0
    during = counts()

    def take():
        nonlocal longest
        started = time.monotonic()
        status = bridge.take(camera, byref(frame))
        longest = max(longest, round(1000 * (time.monotonic() - started)))
        return status

    while status >= 0 and (frames == 0 or seen < frames):
        select.select([bridge.descriptor(camera)], [], [], 10)
        while (status := take()) > 0:
            seen += 1
            if frames == 0 and seen == 1:
                print("streaming", flush=True)
            # One stays out, as one may when it ends.
            if seen != frames:
                bridge.give_back(camera, frame.buffer)
            elif frames:
                break
    reason = bridge.reason(camera).decode()
    bridge.stop(camera)
    if frames:
        bridge.give_back(camera, frame.buffer)
    bridge.close(camera)
    return {"during": during, "frames": seen, "status": status, "reason": reason,
            "longest_take_ms": longest}


def main(path, name, fourcc, width, height, rounds, frames):
    library = ctypes.CDLL(path)
    library.libcamera_bridge_functions.restype = POINTER(Functions)
    bridge = library.libcamera_bridge_functions().contents
    wish = Wish(int.from_bytes(fourcc.encode(), "little"), Size(int(width), int(height)), 4, 0)
    # What libcamera makes once a process stays: the calling thread's event dispatcher, with a descriptor.
    found = c_void_p()
    bridge.open(name.encode(), byref(found))
    bridge.close(found)
    before = settled(None)
    for _ in range(int(rounds)):
        result = streamed(bridge, name, wish, int(frames))
        print(json.dumps({"before": before, **result, "after": settled(before)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
