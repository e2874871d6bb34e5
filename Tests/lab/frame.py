#!/usr/bin/env python3
"""A frame on its way: cut into UVC payloads, and these into USB transfers, each with its time."""

import struct
import time

import faults
import uvc

HEADER_SIZE = 12
FID, EOF, PTS, SCR, ERROR, EOH = 1, 2, 4, 8, 0x40, 0x80


class Frame:
    """Its bytes, its record for the log, and, once it has begun, the transfers still to come."""

    def __init__(self, record, data, fault):
        self.record, self.data, self.fault = record, data, fault
        self.transfers, self.count, self.start, self.pause = None, 0, 0, 0

    def begin(self, toggle, choose, payload, transfer):
        """Cuts it: into payloads of a size chosen between the two of `payload`, and transfers of the size asked for."""
        name, number = faults.split(self.fault)
        self.pause = number * 1e9 if name == "pause" else 0
        wrong = (len(self.data) * number if number is not None else len(self.data)) if name == "error" else None
        self.transfers = list(cut(self.data, name, wrong, toggle, choose, payload, transfer))
        if name == "unplug":
            del self.transfers[max(1, len(self.transfers) // 2):]
        self.count, self.start = len(self.transfers), time.monotonic_ns()

    def due(self, spread):
        """When the next transfer is due, if all are spread over so many milliseconds."""
        done = self.count - len(self.transfers)
        pause = self.pause if done > self.count // 2 else 0
        return self.start + int(pause) + int(spread * 1_000_000 * done / max(1, self.count - 1))


def cut(data, fault, wrong, toggle, choose, payload, transfer):
    """The transfers of a frame: payloads with their headers, each cut to what a transfer holds. The one in which byte
    `wrong` is has the error bit."""
    place, last = 0, False
    clock = time.monotonic_ns() * (uvc.CLOCK_HZ // 1_000_000) // 1000 & 0xFFFFFFFF
    while not last:
        part = data[place:place + choose(*payload) - HEADER_SIZE]
        here, place = place, place + len(part)
        last = place >= len(data)
        bits = EOH | PTS | SCR | (FID if toggle else 0)
        bits |= EOF if last and fault != "no-eof" else 0
        bits |= ERROR if wrong is not None and (here <= wrong < place or last and wrong >= place) else 0
        text = struct.pack("<BBIIH", HEADER_SIZE, bits, clock, clock, 0) + part
        for start in range(0, len(text), transfer):
            yield text[start:start + transfer]
        if len(text) % transfer == 0 and len(text) < payload[1]:
            yield b""       # only a short transfer tells that a payload has ended before its largest size
