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
        self.assertEqual(receiver.err.count("SSRC BAD"), 1, receiver.err)

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

    def test_packets_whose_tables_can_not_be_read(self):
        """Those of 16 bits, both or one, and a Q that stands for none: it is neither the network nor another codec."""
        def changed(sender, change):
            packets = [bytearray(packet) for packet in sender.packets()]
            for packet in packets:
                change(packet)
            return packets

        def precision(bits):
            def change(packet):
                if packet[13:16] == bytes(3):
                    packet[21] = bits
            return change

        def q(value):
            def change(packet):
                packet[17] = value
                if packet[13:16] == bytes(3):
                    # A frame's first packet: without tables, where its Q says that they come, of no length.
                    packet[20:152] = bytes(4) if value >= 128 else b""
            return change
        for change, words in [(precision(3), ["16 bits"]), (precision(1), ["16 bits"]), (precision(2), ["16 bits"]),
                              *((q(value), [f"Q is {value}"]) for value in (0, 100, 127, 128, 200, 255))]:
            with self.subTest(words=words), receiving("--frames", 3) as receiver, Sender(receiver.port) as sender:
                for _ in range(5):
                    for packet in changed(sender, change):
                        sender.send(packet)
            self.assertEqual(receiver.result["frames"], 0)
            self.check(receiver, "packets came to", "no frame that can be read", "quantization tables", *words)

    def test_there_is_no_hint_where_frames_come(self):
        with receiving() as receiver, Sender(receiver.port) as sender:
            sender.frames(1)
        self.assertEqual((receiver.status, receiver.result["hint"]), (0, None), receiver.err)


if __name__ == "__main__":
    unittest.main()
