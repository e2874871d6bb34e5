"""A reader of RTP/JPEG by the letter of RFC 3550 and RFC 2435, independent of the program: it trusts nothing and
says what is wrong. And the parts of a JPEG file that must come through unchanged."""

import collections
import select
import socket
import struct
import time

Packet = collections.namedtuple("Packet", "time size marker payload_type sequence timestamp ssrc offset type q width height "
                                          "interval extension tables scan")
Frame = collections.namedtuple("Frame", "timestamp type width height interval extension tables scan packets")


class Violation(AssertionError):
    """A packet or a frame that breaks a rule."""


def parse(data, at=0.0):
    """One datagram as a packet."""
    if len(data) < 20:
        raise Violation(f"{len(data)} bytes are no RTP/JPEG packet")
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    if first not in (0x80, 0x90):
        raise Violation(f"first byte {first:#x}: version 2 without padding and CSRCs was expected")
    place, extension = 12, None
    if first == 0x90:
        profile, words = struct.unpack_from("!HH", data, place)
        extension = profile, data[place + 4:place + 4 + 4 * words]
        place += 4 + 4 * words
    word, kind, q, width, height = struct.unpack_from("!IBBBB", data, place)
    place += 8
    if word >> 24:
        raise Violation("type-specific is not 0")
    if kind not in (0, 1, 64, 65):
        raise Violation(f"type {kind}")
    interval = 0
    if kind >= 64:
        interval, count = struct.unpack_from("!HH", data, place)
        place += 4
        if not interval or count != 0xFFFF:
            raise Violation(f"restart header {interval} {count:#x}")
    offset, scan, tables = word & 0xFFFFFF, data[place:], None
    if q != 255:
        raise Violation(f"Q {q}")
    if offset == 0:
        mbz, precision, length = struct.unpack_from("!BBH", scan)
        if (mbz, precision, length) != (0, 0, 128):
            raise Violation(f"quantization header {mbz} {precision} {length}")
        tables, scan = scan[4:132], scan[132:]
    if not scan:
        raise Violation("a packet without scan data")
    return Packet(at, len(data), bool(second & 0x80), second & 0x7F, sequence, timestamp, ssrc, offset, kind, q, width,
                  height, interval, extension, tables, scan)


def frames(packets):
    """Packets in their order as frames; any loss or contradiction is a violation."""
    result, current = [], []
    for number, packet in enumerate(packets):
        if number:
            before = packets[number - 1]
            if packet.sequence != (before.sequence + 1) & 0xFFFF:
                raise Violation(f"sequence {packet.sequence} behind {before.sequence}")
            if (packet.ssrc, packet.payload_type) != (before.ssrc, before.payload_type):
                raise Violation("SSRC or payload type changed")
            if before.marker == (packet.timestamp == before.timestamp):
                raise Violation("the timestamp changes with the marker, and only then")
        if packet.offset != sum(len(p.scan) for p in current):
            raise Violation(f"offset {packet.offset}")
        if current and packet[8:13] != current[0][8:13]:
            raise Violation("the packets of a frame differ in type, Q, size or restart interval")
        if current and packet.extension:
            raise Violation("only a frame's first packet has the extension")
        current.append(packet)
        if packet.marker:
            sizes = {p.size for p in current[:-1]}
            if len(sizes) > 1 or sizes and current[-1].size > sizes.pop():
                raise Violation("all packets of a frame but the last have one size")
            result.append(Frame(packet.timestamp, packet.type, packet.width, packet.height, packet.interval,
                                current[0].extension, current[0].tables, b"".join(p.scan for p in current), len(current)))
            current = []
    return result


def whole_frames(packets):
    """The frames of which every packet came, among others of which some are missing."""
    groups = {}
    for packet in packets:
        groups.setdefault(packet.timestamp, []).append(packet)
    whole = [group for group in groups.values() if group[-1].marker and group[0].offset == 0 and
             len(group) == ((group[-1].sequence - group[0].sequence) & 0xFFFF) + 1]
    return [frame for group in whole for frame in frames(group)]


def in_order(packets):
    """The packets by their sequence numbers: a queue of a busy machine may change their order."""
    place, places = packets[0].sequence, []
    for packet in packets:
        place += (packet.sequence - place + 0x8000 & 0xFFFF) - 0x8000
        places.append(place)
    return [packets[index] for index in sorted(range(len(packets)), key=places.__getitem__)]


class Receiver:
    """A socket that keeps every datagram with its time of arrival."""

    def __init__(self, host="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)      # SO_RCVBUFFORCE
        self.socket.bind((host, port))
        self.port = self.socket.getsockname()[1]
        self.data = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def collect(self, seconds, until=None):
        """Takes what comes, until `until(self)` is true or the time is over."""
        end = time.monotonic() + seconds
        self.socket.setblocking(False)
        while (left := end - time.monotonic()) > 0 and not (until and until(self)):
            if not select.select([self.socket], [], [], min(left, 0.2))[0]:
                continue
            while True:
                try:
                    data = self.socket.recv(65536)
                except BlockingIOError:
                    break
                except ConnectionRefusedError:
                    continue
                self.data.append((time.monotonic(), data))
        return self

    def markers(self):
        return sum(data[1] >> 7 for _, data in self.data)

    def packets(self):
        return [parse(data, at) for at, data in self.data]


Jpeg = collections.namedtuple("Jpeg", "width height type interval tables scan")


def jpeg(data):
    """What of a JPEG file must come through: size, type, tables, and the scan with its EOI."""
    offset, tables, frame, interval = 2, {}, None, 0
    while data[offset + 1] == 0xFF:         # fill bytes
        offset += 1
    while True:
        marker, length = struct.unpack_from("!xBH", data, offset)
        body = data[offset + 4:offset + 2 + length]
        if marker == 0xDB:
            while body:
                size = 2 if body[0] >> 4 else 1
                tables[body[0] & 15], body = body[size:1 + 64 * size:size], body[1 + 64 * size:]
        elif marker == 0xDD:
            interval = int.from_bytes(body, "big")
        elif marker == 0xC0:
            _, height, width, _ = struct.unpack_from("!BHHB", body)
            frame = height, width, body[7], body[8], body[11]
        offset += 2 + length
        if marker == 0xDA:
            break
    height, width, sampling, luma, chroma = frame
    return Jpeg(width, height, {0x21: 0, 0x22: 1}[sampling], interval, tables[luma] + tables[chroma],
                data[offset:data.index(b"\xff\xd9", offset) + 2])


def packets(picture, sequence, timestamp, size=1400, ssrc=0xABCD):
    """A picture's RTP packets (RFC 2435), made independently of the program."""
    place = 0
    while place < len(picture.scan):
        tables = b"\0\0\0\x80" + picture.tables if place == 0 else b""
        part = picture.scan[place:place + size - 20 - len(tables)]
        is_last = place + len(part) == len(picture.scan)
        yield (bytes([0x80, 26 | 128 * is_last]) + sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + ssrc.to_bytes(4, "big")
               + place.to_bytes(4, "big") + bytes([picture.type, 255, picture.width // 8, picture.height // 8]) + tables + part)
        place += len(part)
        sequence = (sequence + 1) & 0xFFFF


def same(frame, source):
    """Whether a received frame is a source picture, bit for bit; an EOI that is missing is added by every receiver."""
    size = (source.width + 7) // 8, (source.height + 7) // 8
    return source.scan.removesuffix(b"\xff\xd9") == frame.scan.removesuffix(b"\xff\xd9") and frame.tables == source.tables and frame.interval == source.interval and \
        frame.type == source.type + (64 if source.interval else 0) and \
        (frame.width, frame.height) == (size if max(size) <= 255 else (0, 0))       # a byte each; 0: not said
