#!/usr/bin/env python3
"""What can be wrong with a frame, by name. Some take a number after a colon: "stall:2".

    cut               the first half of its bytes               no-eoi, no-soi    that marker is missing
    random            as many random bytes                      no-dht            its Huffman tables are missing
    zeros             2 KiB of zeros after its EOI              old               an old frame's end after its EOI
    lost              the beginning of an old frame before it   lost-header       of that no more than a part of its header
    lost-middle       a middle part of an old frame before it   junk              a byte FF and zeros before it
    dnl               the height again, between scan and EOI    scan-0            SOS parameters of 0
    empty             payload headers with nothing behind
    error             the error bit in its last header          error:SHARE       in the one so far (0 to 1) into it
    no-eof            no end-of-frame bit: only the next frame's toggled bit tells that it has ended
    pause:SECONDS     a pause in the middle of it
    stall:SECONDS     no frames for that long, then this one
    unplug            half of it, then the plug is pulled       unplug:SECONDS    and put back that much later
"""

import random


def without_tables(jpeg):
    """The JPEG without its DHT segments."""
    kept, place = [jpeg[:2]], 2
    while jpeg[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(jpeg[place + 2:place + 4], "big")
        if jpeg[place + 1] != 0xC4:
            kept.append(jpeg[place:end])
        place = end
    return b"".join(kept) + jpeg[place:]


def frame_height(jpeg):
    """The two bytes of SOF0 that say it."""
    place = jpeg.index(b"\xff\xc0")
    return jpeg[place + 5:place + 7]


def with_scan_parameters(jpeg, values):
    """The JPEG with other bytes in place of Ss, Se, Ah and Al."""
    place = jpeg.index(b"\xff\xda") + 11
    return jpeg[:place] + values + jpeg[place + 3:]


# Of a picture and the one before it, what is sent instead.
CHANGES = {
    "cut": lambda data, old: data[:len(data) // 2],
    "no-eoi": lambda data, old: data[:-2],
    "no-soi": lambda data, old: data[2:],
    "random": lambda data, old: random.Random(len(data)).randbytes(len(data)),
    "zeros": lambda data, old: data + bytes(2048),
    "lost": lambda data, old: old[:len(old) // 3] + data,
    "lost-header": lambda data, old: old[:100] + data,
    "lost-middle": lambda data, old: old[len(old) // 3:len(old) // 2] + data,
    "junk": lambda data, old: b"\xff" + bytes(50) + data,
    "dnl": lambda data, old: data[:-2] + b"\xff\xdc\0\4" + frame_height(data) + data[-2:],
    "scan-0": lambda data, old: with_scan_parameters(data, b"\0\0\0"),
    "old": lambda data, old: data + old[len(old) * 3 // 4:],
    "empty": lambda data, old: b"",
    "no-dht": lambda data, old: without_tables(data),
}
OTHERS = {"error", "no-eof", "pause", "stall", "unplug"}


def split(fault):
    """A fault's name and its number: ("stall", 2.0). ("", None) for no fault."""
    name, _, number = (fault or "").partition(":")
    if name and name not in CHANGES and name not in OTHERS:
        raise ValueError(f"no such fault: {fault!r}")
    if name in ("pause", "stall") and not number:
        raise ValueError(f"{name} needs its seconds, as in {name}:2")
    return name, float(number) if number else None


def apply(name, data, old):
    return CHANGES[name](data, old) if name in CHANGES else data
