"""Reports both ways, read and written by an independent end."""

import contextlib
import json
import random
import re
import socket
import subprocess
import time
import unittest

import players
import program
import pictures
import rtcp
import rtpjpeg
from program import Run, free_port

SMALL = ("--size", "320x240", "--fps", "25")


class SenderReports(unittest.TestCase):
    def test_two_cameras_have_one_name_and_one_clock(self):
        """And reports come by RFC 3550's rule: the first at once, then after 5 s, times 0.5 to 1.5, over e - 3/2."""
        port = free_port(4)
        with rtcp.Session(port) as first, rtcp.Session(port + 2) as second:
            with Run("test:", "test:", *SMALL, "--to", f"127.0.0.1:{port}") as sender:
                both = first, second
                rtcp.collect(both, 30, until=lambda: min(len(each.reports) for each in both) >= 3)
                sender.stop()
                rtcp.collect(both, 0.3)
            for session in (first, second):
                *told, last = session.reports
                self.assertEqual({each.kind for each in told}, {200})
                self.assertLess(told[0].time - session.media[0][0], 0.2)
                for before, after in zip(told, told[1:]):
                    self.assertTrue(2.0 < after.time - before.time < 6.3, after.time - before.time)
                self.assertEqual((last.goodbye, last.ssrc), ([told[0].ssrc], told[0].ssrc))
                packets = session.packets()
                self.assertEqual({packet.ssrc for packet in packets} | {each.ssrc for each in told}, {last.ssrc})
                # At the end nothing is under way: the counts are all that came, without their headers.
                self.assertEqual((last.packets, last.octets), (len(packets), sum(p.size - 12 for p in packets)))
                for each in told:
                    # The wall clock and the media clock are of the instant when it left.
                    self.assertLess(abs(rtcp.seconds(each.ntp) - each.time), 0.05)
                    for packet in packets[::50]:
                        delay = packet.time - rtcp.capture_time(each, packet.timestamp)
                        self.assertTrue(-0.002 < delay < 0.2, delay)
            self.assertEqual(first.reports[0].cname, second.reports[0].cname)
            self.assertNotEqual(first.reports[0].ssrc, second.reports[0].ssrc)
            # By both clocks a tick of RTP is at the same wall clock, within what reading it costs.
            for one in first.reports:
                for other in second.reports:
                    drift = rtcp.capture_time(one, one.timestamp) - rtcp.capture_time(other, other.timestamp)
                    self.assertLess(abs(drift - (one.time - other.time)), 0.05)

    def test_each_process_has_a_name_of_its_own(self):
        names = set()
        for _ in range(2):
            with rtcp.Session(port := free_port()) as session, Run("test:", *SMALL, "--to", f"127.0.0.1:{port}"):
                session.collect(5, until=lambda s: s.reports)
                names.add(session.reports[0].cname)
        self.assertEqual(len(names), 2)

    def test_one_port_for_both(self):
        for host in ("127.0.0.1", "::1"):
            with self.subTest(host):
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                place = f"[{host}]" if ":" in host else host
                with rtcp.Session(port := free_port(family=family), host, muxed=True) as session:
                    with Run("test:", *SMALL, "--rtcp-mux", "--onvif-extension", "--stats", "0.2", "--to", f"{place}:{port}") as sender:
                        session.collect(5, until=lambda s: s.reports and len(s.media) > 20)
                        told = session.reports[0]
                        session.send(rtcp.report(7, rtcp.Block(told.ssrc, 0, 0, 0, 9, told.ntp >> 16 & 0xFFFFFFFF, 0)))
                        sender.wait_for("reports 0.0 % lost")
                        sender.stop()
                        session.collect(0.3)
                    last, packets = session.reports[-1], session.packets()
                    headers = sum(12 + (4 + len(p.extension[1]) if p.extension else 0) for p in packets)
                    self.assertEqual(last.octets, sum(p.size for p in packets) - headers)
                    self.assertTrue(last.goodbye)

    def test_nobody_on_the_port_is_no_harm(self):
        with rtpjpeg.Receiver() as receiver:
            with Run("test:", *SMALL, "--to", f"127.0.0.1:{receiver.port}") as sender:
                receiver.collect(2)
            self.assertGreater(len(rtpjpeg.frames(receiver.packets())), 40)
            self.assertNotIn("lost", sender.err)


class ReceiverReports(unittest.TestCase):
    def test_statistics_have_loss_jitter_and_round_trip(self):
        with rtcp.Session(port := free_port()) as session:
            with Run("test:", *SMALL, "--stats", "0.2", "--to", f"127.0.0.1:{port}") as sender:
                session.collect(5, until=lambda s: s.reports)
                told = session.reports[0]
                # A delay of 1 s that it did not have: the round trip is what is left, which is none.
                delay = int((time.time() - told.time) * 65536)
                time.sleep(0.25)
                block = rtcp.Block(told.ssrc, 64, 1234, 99, 450, told.ntp >> 16 & 0xFFFFFFFF, delay)
                session.send(rtcp.report(7, block))
                sender.wait_for(" reports ")
                line = next(line for line in reversed(Run.text(sender.out_file).splitlines()) if " reports " in line)
                self.assertIn(f"127.0.0.1:{port} reports 25.0 % lost (1234 packets in all), jitter 5.0 ms", line)
                self.assertTrue(250 <= float(re.search(r"round trip ([\d.]+) ms", line)[1]) < 400, line)
                # It leaves: nothing is told of it any more.
                session.send(rtcp.report(7, goodbye=True))
                before = len(Run.text(sender.out_file))
                time.sleep(0.7)
                self.assertNotIn(" reports ", Run.text(sender.out_file)[before + 200:])

    def test_a_collision_has_it_go_on_as_another(self):
        with rtcp.Session(port := free_port()) as session:
            with Run("test:", *SMALL, "--ssrc", "CAFE", "--to", f"127.0.0.1:{port}") as sender:
                session.collect(5, until=lambda s: s.reports)
                session.send(rtcp.report(0xCAFE, cname=b"another"))
                session.collect(5, until=lambda s: s.packets()[-1].ssrc != 0xCAFE)
                packets = session.packets()
                new = packets[-1].ssrc
                self.assertNotEqual(new, 0xCAFE)
                sender.wait_for(f"it goes on as 0x{new:08x}")
                # The old one ends, and the new one reports at once.
                session.collect(1)
                self.assertIn([0xCAFE], [each.goodbye for each in session.reports])
                self.assertIn((200, new), [(each.kind, each.ssrc) for each in session.reports])
                # Whole frames on both sides of it.
                both = [[p for p in session.packets() if p.ssrc == ssrc] for ssrc in (0xCAFE, new)]
                for part in both:
                    self.assertTrue(rtpjpeg.frames(part))
                    self.assertTrue(part[-1].marker)
                # Who goes on so shall not have it begin anew again and again.
                for _ in range(20):
                    session.send(rtcp.report(new, cname=b"another"))
                    session.collect(0.05)
                self.assertEqual(session.packets()[-1].ssrc, new)

    def test_garbage_is_no_harm(self):
        chance = random.Random(1)
        with rtcp.Session(port := free_port()) as session:
            with Run("test:", *SMALL, "--to", f"127.0.0.1:{port}") as sender:
                session.collect(5, until=lambda s: s.reports)
                whole = rtcp.report(7, rtcp.Block(session.reports[0].ssrc, 1, 2, 3, 4, 5, 6), goodbye=True)
                for number in range(3000):
                    data = bytearray(whole)
                    for _ in range(chance.randrange(1, 6)):
                        data[chance.randrange(len(data))] = chance.randrange(256)
                    session.send(bytes(data[:chance.randrange(len(data) + 1)]) if number % 3 else chance.randbytes(number % 3000))
                session.media.clear()
                session.collect(1)
                self.assertGreater(sum(p.marker for p in session.packets()), 15)
            self.assertEqual(sender.status, 0)

    def test_gstreamer_reports(self):
        """Its rtpbin understands the reports: it answers with the round trip. (FFmpeg 5.1 sends none from an SDP.)"""
        port = free_port()
        with Run("test:", *SMALL, "--stats", "0.2", "--to", f"127.0.0.1:{port}") as sender:
            with rtcp.Session(port) as session:
                session.collect(5, until=lambda s: s.reports)
                answer = session.reports[0].source[1]
            command = ["gst-launch-1.0", "-q", "rtpbin", "name=bin", "udpsrc", f"port={port}", f"caps={players.CAPS}", "!",
                       "bin.recv_rtp_sink_0", "bin.", "!", "rtpjpegdepay", "!", "fakesink", "udpsrc", f"port={port + 1}", "!",
                       "bin.recv_rtcp_sink_0", "bin.send_rtcp_src_0", "!", "udpsink", "host=127.0.0.1", f"port={answer}",
                       "sync=false", "async=false"]
            with subprocess.Popen(command, **players.QUIET) as player:
                try:
                    sender.wait_for("round trip", 20)
                finally:
                    player.terminate()
        self.assertRegex(sender.out, rf"127.0.0.1:{port} reports 0.0 % lost")


class Strangers(unittest.TestCase):
    """Reports that do not come from the stream's receiver."""

    def forge(self, sock, target, told, count=400):
        """All that a report can claim, with what a stranger can know."""
        middle = told.ntp >> 16 & 0xFFFFFFFF
        for number in range(count):
            block = rtcp.Block(told.ssrc, 255, 12345, 0, 90000, middle, 0)
            sock.sendto(rtcp.report(1000 + number, block), target)
        for cname in (b"another", b"third"):
            sock.sendto(rtcp.report(told.ssrc, cname=cname), target)
            sock.sendto(rtcp.report(told.ssrc, sender=(1, 2, 3, 4), cname=cname), target)
        sock.sendto(rtcp.report(7, goodbye=True), target)

    def check(self, muxed):
        with rtcp.Session(port := free_port(), muxed=muxed) as session, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", port + 1))
            words = ["--rtcp-mux"] if muxed else []
            with Run("test:", *SMALL, *words, "--ssrc", "CAFE", "--stats", "0.2", "--to", f"127.0.0.1:{port}") as sender:
                session.collect(5, until=lambda s: s.reports)
                told = session.reports[0]
                self.forge(stranger, told.source, told)
                session.collect(1)
                self.assertNotIn(" reports ", Run.text(sender.out_file))
                # The receiver's own counts, and goes on counting.
                session.send(rtcp.report(7, rtcp.Block(told.ssrc, 0, 3, 99, 0, 0, 0)))
                sender.wait_for(f"127.0.0.1:{port} reports 0.0 % lost (3 packets in all)")
                self.forge(stranger, told.source, told)
                session.collect(1)
                sender.stop()
                session.collect(0.3)
            self.assertEqual({packet.ssrc for packet in session.packets()}, {0xCAFE})
            self.assertEqual([each.goodbye for each in session.reports if each.goodbye], [[0xCAFE]])
            lines = [line for line in sender.out.splitlines() if " reports " in line]
            self.assertEqual({re.search(r"reports (.*) packets in all", line)[1] for line in lines}, {"0.0 % lost (3"})
            return sender

    def test_another_address_counts_for_nothing(self):
        sender = self.check(muxed=False)
        self.assertEqual(sender.err.count("RTCP reports from 127.0.0.2:"), 1, sender.err)
        # The kernel lets nothing of it through to the stream's own socket.
        self.check(muxed=True)

    def test_another_port_counts_for_nothing_once_the_receivers_is_known(self):
        with rtcp.Session(port := free_port()) as session, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            with Run("test:", *SMALL, "--ssrc", "CAFE", "--stats", "0.2", "--to", f"127.0.0.1:{port}") as sender:
                session.collect(5, until=lambda s: s.reports)
                told = session.reports[0]
                session.send(rtcp.report(7, rtcp.Block(told.ssrc, 0, 3, 99, 0, 0, 0)))
                sender.wait_for("reports 0.0 % lost (3 packets in all)")
                self.forge(other, told.source, told)
                session.collect(1)
            self.assertEqual({packet.ssrc for packet in session.packets()}, {0xCAFE})
            self.assertNotIn("12345", sender.out)

    def test_a_group_has_bounds(self):
        """Who does not receive the sender's reports does not set the loss, and the SSRC does not change again and again."""
        group, port = "239.77.3.1", free_port()
        lo = socket.inet_aton("127.0.0.1")
        with contextlib.ExitStack() as stack:
            media, member, stranger = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(3))
            for each, number in ((media, port), (member, port + 1)):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                each.bind((group, number))
                each.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + lo)
            stranger.bind(("127.0.0.2", 0))
            for each in (member, stranger):
                each.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, lo)
            with Run("test:", *SMALL, "--ssrc", "CAFE", "--stats", "0.2", "--interface", "lo", "--to", f"{group}:{port}") as sender:
                member.settimeout(10)
                told = rtcp.parse(member.recv(2048))
                target = group, port + 1
                for number in range(400):
                    stranger.sendto(rtcp.report(1000 + number, rtcp.Block(told.ssrc, 255, 12345, 0, 90000, 0, 0)), target)
                block = rtcp.Block(told.ssrc, 0, 3, 99, 0, told.ntp >> 16 & 0xFFFFFFFF, 0)
                member.sendto(rtcp.report(7, block), target)
                sender.wait_for(f"{group}:{port} reports 0.0 % lost (3 packets in all)")
                # It can collide once.
                for _ in range(20):
                    stranger.sendto(rtcp.report(ssrc(media), cname=b"another"), target)
                    time.sleep(0.05)
                time.sleep(0.5)
            self.assertNotIn("12345", sender.out)
            self.assertEqual(sender.err.count("it goes on as"), 1, sender.err)


def ssrc(media):
    """The SSRC of the newest packet."""
    media.setblocking(False)
    found = None
    while True:
        try:
            found = media.recv(65536)
        except BlockingIOError:
            if found:
                return rtpjpeg.parse(found).ssrc


class Receiving(unittest.TestCase):
    """`streamer receive` beside a sender of the tests' own."""

    def send(self, port, skip=(), frames=40, words=(), muxed=False, clock=0.0):
        """Streams one small picture again and again; returns the receiver's JSON, the reports that came, the SSRC."""
        picture = rtpjpeg.jpeg(next(iter(sorted(pictures.jpegs(320, 240, count=1, sampling="420").iterdir()))).read_bytes())
        with Run("receive", f"127.0.0.1:{port}", "--json", "--frames", frames, *words, wait_for="receiving at") as receiver:
            with rtcp.Session(free_port()) as session:
                media, control = session.rtp.socket, session.rtp.socket if muxed else session.rtcp.socket
                sequence, count, octets = 65530, 0, 0
                for number in range(frames + 20):
                    if receiver.process.poll() is not None:
                        break
                    now = time.time()
                    timestamp = int(now * 90000) & 0xFFFFFFFF
                    if number % 20 == 0:
                        told = rtcp.ntp(now + clock), timestamp, count, octets
                        control.sendto(rtcp.report(0xABCD, sender=told), ("127.0.0.1", port + (not muxed)))
                    for packet in rtpjpeg.packets(picture, sequence, timestamp):
                        if sequence not in skip:
                            media.sendto(packet, ("127.0.0.1", port))
                        sequence, count, octets = (sequence + 1) & 0xFFFF, count + 1, octets + len(packet) - 12
                    session.collect(0.02)
                receiver.wait(10)
                session.collect(0.2)
                return json.loads(receiver.out), session.reports, sequence

    def test_it_reports_what_it_lost(self):
        result, reports, _ = self.send(free_port(), skip={65534, 65535, 3})
        self.assertGreaterEqual(result["sender_reports"], 2)
        self.assertEqual(result["lost"], 3)
        last = reports[-1]
        self.assertTrue(last.goodbye)
        for each in reports:
            self.assertEqual((each.kind, each.blocks[0].ssrc), (201, 0xABCD))
        self.assertEqual(last.blocks[0].lost, 3)
        # The numbers went on over 65,535.
        self.assertGreater(last.blocks[0].highest, 65536)
        self.assertGreater(last.blocks[0].last, 0)
        self.assertGreater(last.blocks[0].delay, 0)

    def test_it_knows_how_old_frames_are(self):
        for muxed in (False, True):
            result, _, _ = self.send(free_port(), muxed=muxed)
            latency = result["latency_us"]
            self.assertTrue(0 <= latency["min"] <= latency["p50"] <= latency["p99"] <= latency["max"] < 200_000, latency)
        # A sender whose clock is behind by half a second.
        result, _, _ = self.send(free_port(), clock=-0.5)
        self.assertTrue(500_000 <= result["latency_us"]["p50"] < 700_000, result)

    def test_both_ends_of_the_program(self):
        for words in ([], ["--rtcp-mux"]):
            result, sender = program.stream_to_receiver(["test:", *SMALL, *words, "--stats", "0.2"], ["--frames", "50"])
            self.assertGreaterEqual(result["sender_reports"], 1)
            self.assertTrue(0 < result["latency_us"]["p50"] < 100_000, result)
            self.assertIn("reports 0.0 % lost (0 packets in all)", sender.out)
            self.assertIn("round trip", sender.out)

    def test_it_reports_from_the_address_that_the_stream_comes_to(self):
        """A sender takes reports from no other; this machine has several."""
        for words in ([], ["--rtcp-mux"]):
            port = free_port()
            with Run("receive", port, "--seconds", 2, wait_for="receiving at") as receiver:
                with Run("test:", *SMALL, *words, "--stats", "0.2", "--to", f"127.0.0.2:{port}") as sender:
                    receiver.wait(10)
            self.assertIn(f"127.0.0.2:{port} reports 0.0 % lost (0 packets in all)", sender.out)
            self.assertNotIn("are ignored", sender.err)

    def test_a_new_source_is_taken_at_once_behind_a_goodbye(self):
        port = free_port()
        with Run("receive", f"127.0.0.1:{port}", "--json", "--seconds", 3, wait_for="receiving at") as receiver:
            for _ in range(2):
                with Run("test:", *SMALL, "--to", f"127.0.0.1:{port}", wait_for=", to 127"):
                    time.sleep(0.6)
            receiver.wait(10)
        result = json.loads(receiver.out)
        self.assertEqual((result["foreign"], result["lost"]), (0, 0))
        self.assertGreater(result["frames"], 25)


if __name__ == "__main__":
    unittest.main()
