"""A reader and writer of RTCP by the letter of RFC 3550, independent of the program, and a stream's two sockets."""

import collections
import socket
import struct
import time

import rtpjpeg

Report = collections.namedtuple("Report", "time source kind ssrc ntp timestamp packets octets blocks cname goodbye")
Block = collections.namedtuple("Block", "ssrc fraction lost highest jitter last delay")
BEFORE_1970 = 2208988800


class Violation(AssertionError):
    """A datagram that breaks a rule."""


def parse(data, at=0.0, source=None):
    """One compound packet (6.1): a report first, a CNAME always, the lengths exact."""
    place, first, sender, blocks, cname, goodbye = 0, None, (None,) * 4, [], None, []
    ssrc = None
    while place < len(data):
        head, kind, words = struct.unpack_from("!BBH", data, place)
        body = data[place + 4:place + 4 + 4 * words]
        if head >> 6 != 2 or head & 0x20 or len(body) != 4 * words:
            raise Violation(f"packet {head:#x} {kind} of {words} words at {place} of {len(data)}")
        if first is None:
            first = kind
            if kind not in (200, 201):
                raise Violation(f"it begins with {kind}")
        if kind in (200, 201):
            ssrc, = struct.unpack_from("!I", body)
            if kind == 200:
                sender = struct.unpack_from("!QIII", body, 4)
            for number in range(head & 31):
                fields = struct.unpack_from("!IIIIII", body, (24 if kind == 200 else 4) + 24 * number)
                lost = fields[1] & 0xFFFFFF
                blocks.append(Block(fields[0], fields[1] >> 24, lost - (1 << 24) if lost >> 23 else lost, *fields[2:]))
        elif kind == 202:
            if head & 31 != 1 or struct.unpack_from("!I", body)[0] != ssrc or body[4] != 1 or body[-1]:
                raise Violation("a description of one source by its CNAME was expected")
            cname = body[6:6 + body[5]].decode("ascii")
            if set(body[6 + body[5]:]) != {0}:
                raise Violation("zeros were expected behind the CNAME")
        elif kind == 203:
            goodbye += struct.unpack_from(f"!{head & 31}I", body)
        place += 4 + 4 * words
    if not cname:
        raise Violation("no CNAME")
    return Report(at, source, first, ssrc, *sender, blocks, cname, goodbye)


def report(ssrc, block=None, cname=b"tests", goodbye=False, sender=None):
    """A receiver's report, or a sender's: `sender` is (ntp, timestamp, packets, octets)."""
    body = struct.pack("!I", ssrc) + (struct.pack("!QIII", *sender) if sender else b"")
    if block:
        body += struct.pack("!IIIIII", block.ssrc, block.fraction << 24 | block.lost & 0xFFFFFF, *block[3:])
    item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname
    item += bytes(4 - len(item) % 4)
    data = struct.pack("!BBH", 0x81 if block else 0x80, 200 if sender else 201, len(body) // 4) + body
    data += struct.pack("!BBH", 0x81, 202, len(item) // 4) + item
    return data + (struct.pack("!BBHI", 0x81, 203, 1, ssrc) if goodbye else b"")


def ntp(seconds):
    return int((seconds + BEFORE_1970) * 2 ** 32)


def seconds(value):
    return value / 2 ** 32 - BEFORE_1970


def capture_time(told, timestamp):
    """The sender's wall clock when a frame was captured, by a report."""
    ticks = (timestamp - told.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
    return seconds(told.ntp) + ticks / 90000


def collect(sessions, duration, until=None):
    """Takes what comes to all of them, until `until()` is true or the time is over."""
    end = time.monotonic() + duration
    while time.monotonic() < end and not (until and until()):
        for session in sessions:
            session.take()
        time.sleep(0.002)


class Session:
    """A stream's sockets: RTP at an even port, RTCP behind it, or both on one."""

    def __init__(self, port, host="127.0.0.1", muxed=False):
        self.rtp = rtpjpeg.Receiver(host, port)
        self.rtcp = self.rtp if muxed else rtpjpeg.Receiver(host, port + 1)
        self.port = port
        self.reports, self.media = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.rtp.socket.close()
        self.rtcp.socket.close()

    def collect(self, duration, until=None):
        """Takes what comes, until `until(self)` is true or the time is over."""
        collect([self], duration, until and (lambda: until(self)))
        return self

    def take(self):
        """Takes what is there."""
        for each in {self.rtp.socket, self.rtcp.socket}:
            self._take(each)

    def _take(self, each):
        each.setblocking(False)
        while True:
            try:
                data, source = each.recvfrom(65536)
            except BlockingIOError:
                return
            now = time.time()
            if 192 <= data[1] <= 223:
                self.reports.append(parse(data, now, source))
            elif each is self.rtp.socket:
                self.media.append((now, data))
            else:
                raise Violation("RTP on the port of RTCP")

    def packets(self):
        return [rtpjpeg.parse(data, at) for at, data in self.media]

    def send(self, data):
        """Back to where the last report came from."""
        self.rtcp.socket.sendto(data, self.reports[-1].source)
