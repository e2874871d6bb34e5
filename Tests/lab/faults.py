#!/usr/bin/env python3
"""What can be wrong with a frame, by name. Some take a number after a colon: "stall:2".

    cut               the first half of its bytes               no-eoi, no-soi    that marker is missing
    random            as many random bytes                      no-dht            its Huffman tables are missing
    zeros             2 KiB of zeros after its EOI              old               an old frame's end after its EOI
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


# Of a picture and the one before it, what is sent instead.
CHANGES = {
    "cut": lambda data, old: data[:len(data) // 2],
    "no-eoi": lambda data, old: data[:-2],
    "no-soi": lambda data, old: data[2:],
    "random": lambda data, old: random.Random(len(data)).randbytes(len(data)),
    "zeros": lambda data, old: data + bytes(2048),
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
