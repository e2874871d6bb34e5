"""`streamer receive` with senders that restart, strangers that send to its port, and no sender at all."""

import contextlib
import json
import pathlib
import random
import signal
import socket
import time
import unittest

import program
import pictures
import rtcp
import rtpjpeg
from program import Run, free_port, run

TICKS = 3600        # of a frame, at 25 a second
RATE = 25


def picture():
    """A small picture of several packets."""
    return rtpjpeg.jpeg(next(iter(sorted(pictures.jpegs(320, 240, count=1, sampling="420").iterdir()))).read_bytes())


class Sender:
    """Sends one picture again and again."""

    def __init__(self, port, host="127.0.0.1", ssrc=0xABCD, sequence=1000, timestamp=5000):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.target = "127.0.0.1", port
        self.ssrc, self.sequence, self.timestamp = ssrc, sequence, timestamp
        self.picture = picture()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def packets(self):
        made = list(rtpjpeg.packets(self.picture, self.sequence, self.timestamp, ssrc=self.ssrc))
        self.sequence = (self.sequence + len(made)) & 0xFFFF
        self.timestamp = (self.timestamp + TICKS) & 0xFFFFFFFF
        return made

    def send(self, data):
        self.socket.sendto(data, self.target)

    def frames(self, count, each=lambda number: None):
        """Sends frames in real time; `each` is called before each of them."""
        for number in range(count):
            each(number)
            for packet in self.packets():
                self.send(packet)
            time.sleep(1 / RATE)

    def jump(self, sequence, timestamp):
        self.sequence = (self.sequence + sequence) & 0xFFFF
        self.timestamp = (self.timestamp + timestamp) & 0xFFFFFFFF

    def forged(self, sequence, timestamp):
        """A packet of this stream's SSRC with other numbers, that is a frame by itself."""
        packet, = rtpjpeg.packets(self.picture._replace(scan=self.picture.scan[:500]), (self.sequence + sequence) & 0xFFFF,
                                  (self.timestamp + timestamp) & 0xFFFFFFFF, ssrc=self.ssrc)
        return packet


@contextlib.contextmanager
def receiving(*words):
    """A receiver; its `result` is its JSON at the end of the block."""
    port = free_port()
    with Run("receive", f"127.0.0.1:{port}", "--json", *words, wait_for="receiving at") as receiver:
        receiver.port = port
        yield receiver
        time.sleep(0.1)
        if receiver.process.poll() is None:
            receiver.stop()
    receiver.result = json.loads(receiver.out)


class Restarts(unittest.TestCase):
    def test_a_sender_that_restarts_under_its_ssrc(self):
        """By how much its sequence numbers and its timestamps jump; frames come on at once."""
        for sequence, timestamp in [(0, 1 << 31), (0, -(1 << 30)), (20000, 0), (-20000, 0), (-5000, -90000), (30000, 1 << 30),
                                    (0x8000, 1 << 31)]:
            with self.subTest(sequence=sequence, timestamp=timestamp), receiving() as receiver, Sender(receiver.port) as sender:
                sender.frames(10)
                sender.jump(sequence, timestamp)
                sender.frames(10)
            counts = receiver.result
            self.assertEqual((counts["frames"], counts["incomplete"], counts["lost"], counts["foreign"]), (20, 0, 0, 0), counts)
            self.assertLess(counts["jitter_us"], 1e6)

    def test_a_sender_that_restarts_at_another_port(self):
        """Under its SSRC, or from the same port under another: it is followed from its second packet on."""
        with receiving() as receiver:
            with Sender(receiver.port) as sender:
                sender.frames(10)
            with Sender(receiver.port, sequence=40000, timestamp=1 << 31) as sender:
                sender.frames(10)
        self.assertEqual((receiver.result["frames"], receiver.result["foreign"]), (20, 0), receiver.result)
        with receiving() as receiver, Sender(receiver.port) as sender:
            sender.frames(10)
            sender.ssrc, sender.sequence = 0xDCBA, 40000
            sender.frames(10)
        self.assertEqual((receiver.result["frames"], receiver.result["foreign"]), (20, 0), receiver.result)

    def test_forged_packets_far_ahead(self):
        chance = random.Random(1)
        with receiving() as receiver, Sender(receiver.port) as sender:
            def forge(number):
                if number >= 2:
                    sender.send(sender.forged(chance.choice([0, 5000, 20000, -20000]), chance.choice([1 << 31, 1 << 30, 1 << 20])))
            sender.frames(30, forge)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["incomplete"], counts["lost"]), (30, 0, 0), counts)
        self.assertGreaterEqual(counts["foreign"], 24)


class Strangers(unittest.TestCase):
    def test_a_foreign_packet_comes_first_and_now_and_then(self):
        for every in (0.1, 0.5, 0.9):
            with self.subTest(every=every), receiving() as receiver, Sender(receiver.port) as sender, \
                    Sender(receiver.port, "127.0.0.2", ssrc=0xBAD) as other:
                def disturb(number):
                    if number % round(every * RATE) == 0:
                        other.send(other.forged(number * 77, number * TICKS * 40))
                disturb(0)
                time.sleep(0.2)
                sender.frames(40, disturb)
            counts = receiver.result
            self.assertEqual((counts["frames"], counts["lost"]), (40 + 1, 0), counts)      # the first foreign one is a frame, too
            self.assertGreaterEqual(counts["foreign"], 40 // round(every * RATE) - 1)
            self.assertEqual(receiver.err.count("packets of another source"), 1, receiver.err)
            self.assertIn("127.0.0.2:", receiver.err)

    def test_foreign_packets_are_on_the_line_for_people(self):
        port = free_port()
        with Run("receive", f"127.0.0.1:{port}", wait_for="receiving at") as receiver, Sender(port) as sender, \
                Sender(port, "127.0.0.2", ssrc=0xBAD) as other:
            sender.frames(3)
            for _ in range(7):
                other.send(other.forged(0, 0))
            sender.frames(3)
            receiver.stop()
        self.assertIn(", 7 of another source", receiver.out)
        self.assertEqual(receiver.err.count("SSRC 0x00000bad"), 1, receiver.err)

    def test_a_flood_of_foreign_packets(self):
        """With tables that have to be computed, in whole frames: the stream gets through."""
        with receiving() as receiver, Sender(receiver.port) as sender, Sender(receiver.port, "127.0.0.2", ssrc=0xBAD) as other:
            def flood(number):
                for part in range(200):
                    packet = bytearray(other.forged(part, number * TICKS))
                    packet[17] = 1 + part % 99                                 # Q
                    other.send(packet)
            sender.frames(3)
            sender.frames(20, flood)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["foreign"]), (23, 4000), counts)

    def test_a_strangers_goodbye_ends_nothing(self):
        with receiving() as receiver, Sender(receiver.port) as sender, Sender(receiver.port, "127.0.0.2", ssrc=0xBAD) as other:
            def disturb(number):
                for port in (receiver.port, receiver.port + 1):
                    other.socket.sendto(rtcp.report(0xABCD, sender=(rtcp.ntp(7), 7, 1, 1), goodbye=True), ("127.0.0.1", port))
                other.send(other.forged(number, 0))
            sender.frames(3)
            sender.frames(20, disturb)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["foreign"], counts["foreign_reports"]), (23, 20, 40), counts)
        self.assertEqual((counts["sender_reports"], counts["latency_us"]), (0, None), counts)


    def test_a_goodbye_from_another_port_of_the_senders_host_ends_nothing(self):
        """With a stream of another source, which is to take its place."""
        with receiving() as receiver, Sender(receiver.port) as sender, Sender(receiver.port, ssrc=0xBAD) as other:
            def disturb(number):
                for port in (receiver.port, receiver.port + 1):
                    other.socket.sendto(rtcp.report(0xABCD, sender=(rtcp.ntp(7), 7, 1, 1), goodbye=True), ("127.0.0.1", port))
                for packet in other.packets():
                    other.send(packet)
            sender.frames(3)
            sender.socket.sendto(rtcp.report(0xABCD, sender=(rtcp.ntp(time.time()), sender.timestamp, 1, 1)),
                                 ("127.0.0.1", receiver.port + 1))
            sender.frames(1)
            sender.frames(20, disturb)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["lost"], counts["foreign_reports"]), (24, 0, 40), counts)
        self.assertEqual(counts["sender_reports"], 1, counts)


class Pending(unittest.TestCase):
    """What is pending at the end is counted before the result is printed."""

    def receive(self, send):
        with receiving() as receiver, Sender(receiver.port) as sender:
            sender.frames(6)
            send(sender)
            time.sleep(0.3)
        return receiver

    def test_damaged_frames(self):
        def damaged(sender):
            for packet in [*sender.packets()[1:], *sender.packets()[:-1]]:
                sender.send(packet)
        counts = self.receive(damaged).result
        self.assertEqual((counts["frames"], counts["incomplete"], counts["foreign"]), (6, 2, 0), counts)

    def test_foreign_packets(self):
        def foreign(sender):
            time.sleep(1.5)
            for sequence, timestamp in ((7000, 5), (20000, 9), (40000, 2)):
                sender.send(sender.forged(sequence, timestamp)[:8] + bytes(4) + sender.forged(0, 0)[12:])
        receiver = self.receive(foreign)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["incomplete"], counts["foreign"]), (6, 0, 3), counts)
        self.assertEqual(receiver.err.count("packets of another source"), 1, receiver.err)

    def test_a_frame_that_is_arriving_is_not_lost(self):
        """The receiver is stopped within a frame."""
        with receiving() as receiver, Sender(receiver.port) as sender:
            sender.frames(6)
            sender.send(sender.packets()[0])
            time.sleep(0.02)
            receiver.stop()
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["incomplete"], counts["lost"]), (6, 0, 0), counts)


class Fields(unittest.TestCase):
    """Fields of interlaced video (RFC 2435, 4.1) are frames of half the height: it is reported, and they are counted."""

    def test_they_are_counted(self):
        for kind in range(4):
            with self.subTest(kind), receiving() as receiver, Sender(receiver.port) as sender:
                for _ in range(6):
                    for packet in sender.packets():
                        sender.send(packet[:12] + bytes([kind]) + packet[13:])
                    time.sleep(0.02)
            counts, expected = receiver.result, 6 if kind else 0
            self.assertEqual((counts["frames"], counts["fields"]), (6, expected), counts)
            self.assertEqual(receiver.err.count("fields of interlaced video"), 1 if kind else 0, receiver.err)


class Timestamps(unittest.TestCase):
    """Senders that break the rules for timestamps and markers: each frame is whole, or counted as what it is, and it is
    reported once."""

    def receive(self, change, count=40):
        """Frames of three packets; `change(frame, part, timestamp)` gives a packet's timestamp and its marker."""
        with receiving() as receiver, Sender(receiver.port) as sender:
            for number in range(count):
                packets = list(rtpjpeg.packets(sender.picture, sender.sequence, 0, size=len(sender.picture.scan) // 3 + 200))
                self.assertEqual(len(packets), 3)
                for part, packet in enumerate(packets):
                    timestamp, marker = change(number, part, 5000 + TICKS * number)
                    sender.send(packet[:1] + bytes([26 | 128 * marker]) + packet[2:4] + (timestamp & 0xFFFFFFFF).to_bytes(4, "big") +
                                packet[8:])
                sender.sequence += 3
                time.sleep(0.01)
            time.sleep(0.2)
        return receiver, receiver.result

    def test_that_stand_still(self):
        for name, change, repeated in [
                ("still", lambda number, part, timestamp: (7, part == 2), 39),
                ("pairs", lambda number, part, timestamp: (number // 2 * TICKS, part == 2), 20)]:
            with self.subTest(name):
                receiver, counts = self.receive(change)
                self.assertEqual((receiver.status, counts["frames"], counts["incomplete"], counts["malformed"], counts["foreign"]),
                                 (0, 40, 0, 0, 0), counts)
                self.assertEqual(counts["repeated_timestamps"], repeated)
                self.assertEqual(receiver.err.count("timestamps stand still"), 1, receiver.err)

    def test_that_go_back(self):
        receiver, counts = self.receive(lambda number, part, timestamp: (100000 - 500 * number, part == 2))
        self.assertEqual((counts["frames"], counts["incomplete"], counts["backward_timestamps"]), (40, 0, 39), counts)
        self.assertEqual(receiver.err.count("timestamps go back"), 1, receiver.err)

    def test_that_change_within_a_frame(self):
        receiver, counts = self.receive(lambda number, part, timestamp: (timestamp + part, part == 2))
        self.assertEqual((receiver.status, counts["frames"], counts["lost"]), (1, 0, 0), counts)
        self.assertEqual((counts["changed_timestamps"], counts["malformed"]), (80, 80), counts)
        self.assertEqual(counts["incomplete"], 40)
        self.assertEqual(receiver.err.count("timestamp changes within a frame"), 1, receiver.err)
        self.assertIn("must not change within a frame", counts["hint"])

    def test_markers_on_no_packet(self):
        receiver, counts = self.receive(lambda number, part, timestamp: (timestamp, False))
        self.assertEqual((receiver.status, counts["frames"], counts["unmarked"]), (1, 0, 39), counts)
        self.assertEqual(counts["incomplete"], 40)
        self.assertIn("no marker bit", counts["hint"])

    def test_markers_on_every_packet(self):
        receiver, counts = self.receive(lambda number, part, timestamp: (timestamp, True))
        self.assertEqual((counts["frames"], counts["continued"], counts["malformed"]), (40, 40, 80), counts)
        self.assertEqual(receiver.err.count("goes on after a packet with the marker"), 1, receiver.err)


class Unreadable(unittest.TestCase):
    """Packets that are no RTP/JPEG, or such as this receiver does not read: what is said of them is true."""

    @staticmethod
    def packet(number, kind=1, q=255, tables=b"\0\0\0\x80" + bytes(range(1, 129)), scan=b"\1" * 100, offset=0, marker=True, ssrc=7):
        return (bytes([0x80, 26 | 128 * marker]) + number.to_bytes(2, "big") + (number * TICKS).to_bytes(4, "big") +
                ssrc.to_bytes(4, "big") + offset.to_bytes(4, "big") + bytes([kind, q, 40, 30]) + tables + scan)

    def test_what_is_said(self):
        for part, packets in [
                *((f"Q {q}, which RFC 2435 (4.2) reserves", [self.packet(n, q=q, tables=b"") for n in range(9)]) for q in (0, 100, 127)),
                ("of 16 bits (precision 3)", [self.packet(n, tables=b"\0\3\1\0" + bytes(256)) for n in range(9)]),
                ("of 16 bits (precision 1)", [self.packet(n, tables=b"\0\1\0\xc0" + bytes(192)) for n in range(9)]),
                ("of 16 bits (precision 2)", [self.packet(n, tables=b"\0\2\0\xc0" + bytes(192)) for n in range(9)]),
                ("a length of 63 bytes", [self.packet(n, tables=b"\0\0\0\x3f" + bytes(63)) for n in range(9)]),
                ("Q 255 and no quantization tables", [self.packet(n, tables=bytes(4)) for n in range(9)]),
                ("JPEG type 2, and RFC 2435 (4.1) defines", [self.packet(n, kind=2) for n in range(9)]),
                ("JPEG type 127, and RFC 2435 (4.1) defines", [self.packet(n, kind=127) for n in range(9)]),
                ("JPEG type 200: what 128 to 255 mean", [self.packet(n, kind=200) for n in range(9)]),
                ("ends before its RTP/JPEG headers do", [self.packet(n, kind=65, tables=b"", scan=b"\0") for n in range(9)]),
                ("no picture data", [self.packet(n, scan=b"") for n in range(9)]),
                ("no RTP packet of version 2", [b"\x47" * 188] * 9)]:
            with self.subTest(part), receiving() as receiver, Sender(receiver.port) as sender:
                for packet in packets:
                    sender.send(packet)
            counts = receiver.result
            self.assertEqual((receiver.status, counts["frames"], counts["malformed"], counts["packets"], counts["lost"]),
                             (1, 0, 9, 0, 0), counts)
            self.assertIn(part, counts["hint"])
            self.assertIn(counts["hint"], receiver.err)
            self.assertNotIn("lost on the network", counts["hint"])

    def test_first_packets_that_are_not_read(self):
        """The others of each frame are: nothing was lost on the network."""
        with receiving() as receiver, Sender(receiver.port) as sender:
            for number in range(20):
                sender.send(self.packet(2 * number, tables=b"\0\3\1\0" + bytes(256), marker=False))
                second = bytearray(self.packet(2 * number + 1, tables=b"", offset=100))
                second[4:8] = (2 * number * TICKS).to_bytes(4, "big")
                sender.send(second)
        counts = receiver.result
        self.assertEqual((counts["frames"], counts["malformed"], counts["lost"]), (0, 20, 0), counts)
        self.assertIn("of 16 bits", counts["hint"])
        self.assertEqual(receiver.err.count("a part of the stream can't be read: "), 1, receiver.err)

    def test_tables_that_never_come(self):
        with receiving() as receiver, Sender(receiver.port) as sender:
            for number in range(9):
                sender.send(self.packet(number, q=200, tables=bytes(4)))
        counts = receiver.result
        self.assertEqual((receiver.status, counts["frames"], counts["incomplete"]), (1, 0, 9), counts)
        self.assertIn("frames with Q 200 have tables of their own, and none came", counts["hint"])

    def test_a_stranger_that_only_sends_such_comes_first(self):
        """It goes on all the time, and no frame of the stream is lost."""
        kinds = {
            "no RTP": lambda n: b"\1\2\3", "type": lambda n: self.packet(n, kind=2), "Q": lambda n: self.packet(n, q=100, tables=b""),
            "16 bits": lambda n: self.packet(n, tables=b"\0\3\1\0" + bytes(256)), "no scan": lambda n: self.packet(n, scan=b""),
            "no tables": lambda n: self.packet(n, tables=bytes(4)),
            "parts twice": lambda n: self.packet(n, offset=100, marker=False)[:4] + bytes(4) + self.packet(n, offset=100)[8:]}
        for name, make in kinds.items():
            with self.subTest(name), receiving() as receiver, Sender(receiver.port) as sender, \
                    Sender(receiver.port, "127.0.0.2") as other:
                numbers = iter(range(1000))

                def disturb(_=None):
                    for _ in range(4):
                        other.send(make(next(numbers)))
                for _ in range(10):
                    disturb()
                    time.sleep(0.01)
                sender.frames(20, disturb)
            self.assertEqual(receiver.result["frames"], 20, receiver.result)


class Nothing(unittest.TestCase):
    """No packet at all, or no whole frame."""

    def check(self, receiver, *words):
        self.assertEqual(receiver.status, 1, receiver.err)
        hint = json.loads(receiver.out)["hint"]
        for word in words:
            self.assertIn(word, hint)
        self.assertIn(hint, receiver.err)

    def test_no_packet(self):
        port = free_port()
        self.check(run("receive", port, "--json", "--seconds", 0.3), "no packet came to", f":{port}", "firewall", "--to")
        receiver = run("receive", f"127.0.0.1:{port}", "--seconds", 0.3)
        self.assertEqual(receiver.status, 1)
        self.assertIn(f"no packet came to 127.0.0.1:{port}", receiver.err)
        self.assertIn("firewall", receiver.err)

    def test_stopped_before_a_packet(self):
        with Run("receive", free_port(), "--json", wait_for="receiving at") as receiver:
            receiver.stop(signal.SIGINT)
        self.check(receiver, "no packet came to")

    def test_it_is_told_while_it_waits(self):
        with Run("receive", free_port(), wait_for="receiving at") as receiver:
            receiver.wait_for("no packet came to", 8)

    def test_packets_of_another_kind(self):
        with Run("receive", f"127.0.0.1:{(port := free_port())}", "--json", "--seconds", 1, wait_for="receiving at") as receiver:
            with Sender(port) as sender:
                for _ in range(5):
                    sender.send(b"\x80\x60" + b"\x67" * 30)
            receiver.wait()
        self.check(receiver, "no RTP/JPEG packet came to", "5 of another kind")

    def test_reports_without_a_stream(self):
        with Run("receive", f"127.0.0.1:{(port := free_port())}", "--json", "--seconds", 1, wait_for="receiving at") as receiver:
            with Sender(port + 1) as sender:
                sender.send(rtcp.report(0xABCD, sender=(rtcp.ntp(7), 7, 1, 1)))
            receiver.wait()
        self.check(receiver, "the sender's reports did", "firewall")

    def test_packets_of_no_whole_frame(self):
        """The beginning of a frame, frames of which packets are missing, and those of a size that is not known."""
        def big(sender):
            packet = bytearray(sender.forged(0, 0))
            packet[18:20] = bytes(2)                                           # width and height
            sender.jump(1, TICKS)
            return [packet]
        for kind, count, packets in [("last packet", 1, lambda sender: sender.packets()[:-1]),
                                     ("lost", 5, lambda sender: sender.packets()[:-1]), ("--x-dimensions", 5, big)]:
            with self.subTest(kind=kind), receiving("--frames", 3) as receiver, Sender(receiver.port) as sender:
                for _ in range(count):
                    for packet in packets(sender):
                        sender.send(packet)
            self.assertEqual(receiver.result["frames"], 0)
            self.check(receiver, "no whole frame", kind)

    def test_there_is_no_hint_where_frames_come(self):
        with receiving() as receiver, Sender(receiver.port) as sender:
            sender.frames(1)
        self.assertEqual((receiver.status, receiver.result["hint"]), (0, None), receiver.err)


if __name__ == "__main__":
    unittest.main()
