#!/usr/bin/env python3
"""A USB Video Class 1.1 camera on paper: its descriptors, and its answers to control requests.

Interface 0 is VideoControl (camera terminal 1 -> processing unit 2 -> output terminal 3). Interface 1 is VideoStreaming
with a single setting and a bulk endpoint: a driver starts it by SET_CUR of VS_COMMIT and, as USB has no word for the
end of a bulk stream, stops it by CLEAR_FEATURE(ENDPOINT_HALT).
"""

import collections
import struct

Mode = collections.namedtuple("Mode", "fourcc width height rates")        # what it can do; rates in frames a second
Format = collections.namedtuple("Format", "fourcc width height fps")      # what it is asked to do

ENDPOINT = 0x81
PACKET_SIZE = 512               # of a high-speed bulk endpoint
CLOCK_HZ = 48_000_000           # of the time stamps in payload headers
TICK = 10_000_000               # frame intervals are in units of 100 ns
GUIDS = {"YUYV": b"YUY2\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"}
DEVICE_VERSION = 0x0100
DEVICE_CLASS = (0xEF, 2, 1)
INTERFACES = [(0x0E, 1, 0), (0x0E, 2, 0)]

SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = 0x01, *range(0x81, 0x88)
PROBE, COMMIT = 1, 2
PROBE_BLOCK = struct.Struct("<HBBIHHHHHIIIBBBB")

# (unit, selector): size in bytes, least, most, step, default
Knob = collections.namedtuple("Knob", "size least most step default")
EXPOSURE_MODE, EXPOSURE_TIME, BRIGHTNESS, CONTRAST = (1, 2), (1, 4), (2, 2), (2, 3)
KNOBS = {EXPOSURE_MODE: Knob(1, 1, 8, 9, 8), EXPOSURE_TIME: Knob(4, 1, 5000, 1, 156),      # the mode is a bit map
         BRIGHTNESS: Knob(2, 0, 255, 1, 128), CONTRAST: Knob(2, 0, 100, 1, 32)}


def interval(rate):
    return round(TICK / rate)


def piece(kind, subtype, layout, *values):
    """A descriptor: its length, type and subtype (None if it has none), then the values."""
    body = (b"" if subtype is None else bytes([subtype])) + struct.pack("<" + layout, *values)
    return bytes([len(body) + 2, kind]) + body


class Paper:
    """The descriptors of a camera with these modes."""

    def __init__(self, modes, ids, manufacturer, product, serial):
        self.ids = ids
        self.formats = collections.OrderedDict()        # FourCC -> its modes, in the order given
        for mode in modes:
            self.formats.setdefault(mode.fourcc, []).append(mode)
        self.strings = [manufacturer, product, serial]

    def get(self, kind, number):
        """The bytes for GET_DESCRIPTOR, or None."""
        if kind == 3:
            return self.string(number)
        return {1: self.device, 2: self.configuration}.get(kind, lambda: None)()

    def string(self, number):
        if number > len(self.strings):
            return None
        text = self.strings[number - 1].encode("utf-16-le") if number else struct.pack("<H", 0x0409)
        return bytes([len(text) + 2, 3]) + text

    def device(self):
        return piece(1, None, "HBBBBHHHBBBB", 0x0200, *DEVICE_CLASS, 64, *self.ids, DEVICE_VERSION, 1, 2, 3, 1)

    def configuration(self):
        body = piece(0x0B, None, "BBBBBB", 0, 2, 0x0E, 3, 0, 2)        # one function of two interfaces
        body += self.control() + self.streaming()
        return piece(2, None, "HBBBBB", 9 + len(body), 2, 1, 0, 0x80, 250) + body

    def control(self):
        units = piece(0x24, 2, "BHBBHHHB3s", 1, 0x0201, 0, 0, 0, 0, 0, 3, b"\x0a\0\0")      # mode, time
        units += piece(0x24, 5, "BBHB2sBB", 2, 1, 0, 2, b"\x03\0", 0, 0)                     # brightness, contrast
        units += piece(0x24, 3, "BHBBB", 3, 0x0101, 0, 2, 0)
        return (piece(4, None, "BBBBBBB", 0, 0, 0, *INTERFACES[0], 2)
                + piece(0x24, 1, "HHIBB", 0x0110, 13 + len(units), CLOCK_HZ, 1, 1) + units)

    def streaming(self):
        formats = b"".join(self.format(number, modes) for number, modes in enumerate(self.formats.values(), 1))
        count = len(self.formats)
        header = piece(0x24, 1, f"BHBBBBBBB{count}s", count, 13 + count + len(formats), ENDPOINT, 0, 3, 0, 0, 0, 1,
                       bytes(count))
        return (piece(4, None, "BBBBBBB", 1, 0, 1, *INTERFACES[1], 0) + header + formats
                + piece(5, None, "BBHB", ENDPOINT, 2, PACKET_SIZE, 0))

    def format(self, number, modes):
        fourcc = modes[0].fourcc
        if fourcc == "MJPG":
            text = piece(0x24, 6, "BBBBBBBB", number, len(modes), 0, 1, 0, 0, 0, 0)
        else:
            text = piece(0x24, 4, "BB16sBBBBBB", number, len(modes), GUIDS[fourcc], 16, 1, 0, 0, 0, 0)
        for place, mode in enumerate(modes, 1):
            intervals = [interval(rate) for rate in mode.rates]
            size = frame_size(mode)
            text += piece(0x24, 7 if fourcc == "MJPG" else 5, f"BBHHIIIIB{len(intervals)}I", place, 0, mode.width, mode.height,
                          size * 8, min(size * 8 * max(mode.rates), 0xFFFFFFFF), size, intervals[0], len(intervals), *intervals)
        return text + piece(0x24, 0x0D, "BBB", 1, 1, 4)         # BT.709 primaries, BT.601 matrix: what JFIF means


def frame_size(mode):
    return mode.width * mode.height * 2


class Controls:
    """The state that class requests read and write: probe, commit, and the knobs of the units."""

    def __init__(self, paper, payload, refused):
        self.formats = list(paper.formats.values())
        self.refused = refused          # knobs that take no value
        self.payload = payload          # the largest
        self.state = {PROBE: self.block(0, 0, None), COMMIT: self.block(0, 0, None)}
        self.knobs = {key: knob.default for key, knob in KNOBS.items()}

    def block(self, format, frame, wanted):
        """A probe block near what is wanted: the nearest size and interval there are."""
        format = min(max(format, 0), len(self.formats) - 1)
        frame = min(max(frame, 0), len(self.formats[format]) - 1)
        mode = self.formats[format][frame]
        intervals = [interval(rate) for rate in mode.rates]
        chosen = min(intervals, key=lambda each: abs(each - (wanted or intervals[0])))
        return PROBE_BLOCK.pack(1, format + 1, frame + 1, chosen, 0, 0, 0, 0, 0, frame_size(mode), self.payload,
                                CLOCK_HZ, 3, 0, 0, 0)

    def committed(self):
        _, format, frame, chosen, *_ = PROBE_BLOCK.unpack(self.state[COMMIT])
        mode = self.formats[format - 1][frame - 1]
        fps = min(mode.rates, key=lambda rate: abs(interval(rate) - chosen))
        return Format(mode.fourcc, mode.width, mode.height, fps)

    def read(self, request, unit, selector, interface):
        """The answer to a GET request, or None."""
        if interface == 1:
            return self.read_stream(request, selector)
        knob = KNOBS.get((unit, selector))
        if knob is None:
            return None
        if request == GET_INFO:
            return b"\x03"
        if request == GET_LEN:
            return struct.pack("<H", knob.size)
        value = {GET_CUR: self.knobs[unit, selector], GET_MIN: knob.least, GET_MAX: knob.most, GET_RES: knob.step,
                 GET_DEF: knob.default}.get(request)
        return None if value is None else value.to_bytes(knob.size, "little")

    def read_stream(self, request, selector):
        if selector not in self.state:
            return None
        if request == GET_INFO:
            return b"\x03"
        if request == GET_LEN:
            return struct.pack("<H", PROBE_BLOCK.size)
        if request in (GET_DEF, GET_MIN, GET_MAX):
            return self.block(0, 0, None)
        return self.state[selector] if request == GET_CUR else None

    def write(self, unit, selector, interface, data):
        """SET_CUR: true if it was taken."""
        if interface == 1 and selector in self.state and len(data) == PROBE_BLOCK.size:
            _, format, frame, wanted, *_ = PROBE_BLOCK.unpack(data)
            self.state[selector] = self.block(format - 1, frame - 1, wanted)
            return True
        if interface == 0 and (unit, selector) in self.knobs and (unit, selector) not in self.refused:
            self.knobs[unit, selector] = int.from_bytes(data, "little")
            return True
        return False
