"""What the program counts as sent, and what it knows of its receivers: refused, unreachable, unknown, or reported."""

import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import unittest

import program
import pictures
from program import Run, free_port


class Space:
    """A network namespace with one end of a wire in it; the other end is in a namespace of its own."""

    def __init__(self, test, number):
        self.name = f"streamer-{os.getpid()}-{number}"
        self.ip("netns", "add", self.name, within=False)
        test.addCleanup(self.ip, "netns", "del", self.name, within=False)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, within=True):
        subprocess.run(["ip", *(["-n", self.name] if within else []), *words], check=True)

    def queue(self, *words):
        """Has its end send through a queue (tc)."""
        subprocess.run(["tc", "-n", self.name, "qdisc", "replace", "dev", "wire", "root", *words], check=True)

    def stream(self, seconds, *words):
        """What a stream from here prints, and what it logs."""
        command = ["ip", "netns", "exec", self.name, program.STREAMER, *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(seconds)
        finally:
            process.terminate()
        return process.communicate(timeout=10)


def wired(test):
    """Two namespaces: 10.7.7.1 and fd77::1 stream over a wire to 10.7.7.2 and fd77::2, and to nobody at .9."""
    one, other = Space(test, 1), Space(test, 2)
    one.ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other.name)
    for number, space in enumerate((one, other), 1):
        space.ip("addr", "add", f"10.7.7.{number}/24", "dev", "wire")
        space.ip("addr", "add", f"fd77::{number}/64", "dev", "wire", "nodad")
        space.ip("link", "set", "wire", "up")
    return one, other


def counts(text):
    """Frames of the last line: given by the camera, and sent."""
    return [int(number) for number in re.search(r"(\d+) frames, (\d+) sent", text.splitlines()[-1]).groups()]


class Refused(unittest.TestCase):
    def test_frames_to_a_port_that_refuses_are_not_sent(self):
        for size in ("64x64", "1280x720"):
            for host, family in (("127.0.0.1", socket.AF_INET), ("[::1]", socket.AF_INET6)):
                with self.subTest(f"{size} {host}"):
                    port = free_port(family=family)
                    with Run("test:", "--size", size, "--fps", 50, "--to", f"{host}:{port}", "--stats", "0.3") as sender:
                        time.sleep(1)
                    given, sent = counts(sender.out)
                    self.assertGreater(given, 20)
                    self.assertEqual(sent, 0, sender.out)
                    self.assertIn(f"test: packets to {host}:{port} are lost: Connection refused (ECONNREFUSED)\n", sender.out)
                    self.assertNotIn("unknown", sender.out)
                    self.assertEqual(sender.err.count("ECONNREFUSED"), 1)

    def test_over_a_wire_it_takes_a_moment_to_know(self):
        """Answers come later than the frame has left, and once a second."""
        one, _ = wired(self)
        for address in ("10.7.7.2:5000", "[fd77::2]:5000"):
            with self.subTest(address):
                out, err = one.stream(3, "test:", "--size", "320x240", "--to", address)
                given, sent = counts(out)
                self.assertGreater(given, 60)
                self.assertLessEqual(sent, 2, out)
                self.assertIn(f"packets to {address} are lost: Connection refused", err)

    def test_one_that_begins_to_receive_is_sent_to(self):
        port = free_port()
        with Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{port}") as sender:
            time.sleep(0.5)
            with Run("receive", f"127.0.0.1:{port}", "--frames", 30, wait_for="receiving at") as receiver:
                receiver.wait(20)
        given, sent = counts(sender.out)
        self.assertGreaterEqual(sent, 29)
        self.assertLess(sent, given)


class Unreachable(unittest.TestCase):
    def test_a_host_that_does_not_answer_is_reported(self):
        """Nobody has the address: ARP and neighbour discovery get no answer."""
        one, _ = wired(self)
        for size in ("64x64", "1280x720"):
            words = [word for address in ("10.7.7.9:5000", "[fd77::9]:5000") for word in ("--to", address)]
            out, err = one.stream(7, "test:", "--size", size, *words, "--stats", 1)
            for address in ("10.7.7.9:5000", "[fd77::9]:5000"):
                with self.subTest(f"{size} {address}"):
                    self.assertEqual(err.count(f"packets to {address} are lost: No route to host (EHOSTUNREACH)"), 1, err)
                    self.assertIn(f"test: packets to {address} are lost: No route to host (EHOSTUNREACH)\n", out)
            given, sent = counts(out)
            # It takes the kernel three seconds.
            self.assertLess(sent, 4 * 30)
            self.assertGreater(given, 6 * 30 - 10)

    def test_the_port_that_reports_share_does_not_spin(self):
        """With --rtcp-mux epoll watches the socket whose error queue fills."""
        one, _ = wired(self)
        process = subprocess.Popen(["ip", "netns", "exec", one.name, program.STREAMER, "test:", "--size", "64x64", "--fps", "5",
                                    "--rtcp-mux", "--to", "10.7.7.9:5000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(6)
            with open(f"/proc/{process.pid}/stat") as stat:
                ticks = sum(map(int, stat.read().rsplit(")")[1].split()[11:13]))
        finally:
            process.terminate()
            process.wait(10)
        self.assertLess(ticks / os.sysconf("SC_CLK_TCK"), 1)


class FullQueue(unittest.TestCase):
    def test_what_a_queue_drops_is_no_receiver_that_refuses(self):
        """Large frames overflow the network device's queue, until it is as long as they need: those after that are sent."""
        one, _ = wired(self)
        # A host that answers nothing, also not that nobody listens.
        one.ip("neigh", "replace", "10.7.7.9", "lladdr", "02:00:00:00:00:09", "dev", "wire")
        one.queue("tbf", "rate", "100mbit", "burst", "5kb", "limit", "50kb")
        threading.Timer(3, one.queue, ["tbf", "rate", "1gbit", "burst", "500kb", "limit", "1mb"]).start()
        out, err = one.stream(6, f"file:{pictures.jpegs(1920, 1080)}", "--fps", 20, "--gso", "off", "--to", "10.7.7.9:5000")
        given, sent = counts(out)
        parts, late = map(int, re.search(r"(\d+) sent in part or not at all, .*, (\d+) packets left out as late", out).groups())
        self.assertEqual(sent + parts, given, out)
        self.assertNotIn("unreachable", out)
        # Some two seconds' frames.
        self.assertGreater(parts, 20)
        self.assertGreater(late, 20 * parts)
        self.assertGreater(sent, 2 * 20)
        self.assertIn("packets to 10.7.7.9:5000 are lost: No buffer space available (ENOBUFS); the queue", err)


class Unknown(unittest.TestCase):
    def test_a_receiver_that_never_reports_is_unknown(self):
        """Once while it lasts, and at the end of a stream without --stats."""
        for words, seconds in (["--stats", "0.3"], 1.5), ([], 0.5):
            with self.subTest(str(words)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
                receiver.bind(("127.0.0.1", 0))
                port = receiver.getsockname()[1]
                with Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{port}", *words) as sender:
                    time.sleep(seconds)
                line = f"test: 127.0.0.1:{port} sends no reports: whether packets arrive there is unknown\n"
                self.assertEqual(sender.out.count(line), 1, sender.out)

    def test_one_that_reports_is_not(self):
        port = free_port()
        with Run("receive", f"127.0.0.1:{port}", wait_for="receiving at"):
            with Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{port}", "--stats", 1, wait_for=" reports 0.0 % lost") as sender:
                before = len(Run.text(sender.out_file))
                time.sleep(2)
        self.assertNotIn("unknown", sender.out[before:])


class Intervals(unittest.TestCase):
    def test_rates_are_those_of_the_interval(self):
        folder = pictures.jpegs(640, 480, count=1, sampling="420")
        size = next(pathlib.Path(folder).iterdir()).stat().st_size
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            with Run(f"file:{folder}", "--fps", 20, "--to", f"127.0.0.1:{receiver.getsockname()[1]}", "--stats", 1) as sender:
                time.sleep(4.5)
        found = re.findall(r"in the last ([\d.]+) s ([\d.]+) frames/s sent, ([\d.]+) Mbit/s, (\d+) frames dropped, (\d+) packets left out\n",
                           sender.out)
        self.assertIn(len(found), (4, 5), sender.out)
        for seconds, rate, megabits, dropped, left in found[1:]:
            self.assertAlmostEqual(float(seconds), 1, delta=0.3)
            self.assertAlmostEqual(float(rate), 20, delta=4)
            self.assertAlmostEqual(float(megabits), float(rate) * size * 8e-6, delta=0.25 * float(megabits))
            self.assertEqual((dropped, left), ("0", "0"))
        # The last line has the totals alone.
        self.assertRegex(sender.out.splitlines()[-1], r"packets, \d+ bytes$")


if __name__ == "__main__":
    unittest.main()
