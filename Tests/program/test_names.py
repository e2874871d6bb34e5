"""Receivers and senders by a name that has several addresses, as localhost has: ::1 and 127.0.0.1."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

import rtpjpeg
from program import Run, free_port

HOSTS = ("127.0.0.1", "::1")
OWN = tempfile.NamedTemporaryFile("w", suffix=".hosts")
OWN.write("127.0.0.1 localhost\n::1 localhost\n")
OWN.flush()
# With an /etc/hosts of its own: not all machines have ::1 in theirs.
WITHIN = ("unshare", "-m", "--propagation", "private", "sh", "-c", f'mount --bind {OWN.name} /etc/hosts && exec "$@"', "sh")


def port_of_both():
    """One that is free for both families."""
    while True:
        port = free_port()
        if port == free_port(family=socket.AF_INET6):
            return port


class Sending(unittest.TestCase):
    WORDS = ("test:", "--size", "320x240", "--fps", 50)

    def test_the_address_that_does_not_refuse_is_taken(self):
        for host in HOSTS:
            with self.subTest(host), tempfile.TemporaryDirectory() as home:
                port = port_of_both()
                place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                with rtpjpeg.Receiver(host, port) as receiver:
                    with Run(*self.WORDS, "--to", f"localhost:{port}", "--sdp", f"{home}/a.sdp", wait_for="wrote", within=WITHIN) as sender:
                        receiver.collect(5, until=lambda r: r.markers() >= 150)
                        said = sender.text(sender.err_file)
                        sdp = pathlib.Path(home, "a.sdp").read_bytes().decode()
                self.assertGreaterEqual(receiver.markers(), 150)
                # At the start, or when it was taken.
                self.assertRegex(said, rf"(, to|the stream goes to) {re.escape(place)} \(localhost\)\n")
                self.assertIn(f"c=IN IP{6 if ':' in host else 4} {host}\r\n", sdp)
                self.assertNotIn("ECONNREFUSED", said)

    def test_bench_takes_it_too(self):
        for host in HOSTS:
            with self.subTest(host):
                port = port_of_both()
                with rtpjpeg.Receiver(host, port) as receiver:
                    with Run("bench", *self.WORDS, "--to", f"localhost:{port}", "--warm-up", 50, "--frames", 50, "--json",
                             within=WITHIN) as sender:
                        receiver.collect(20, until=lambda r: r.markers() >= 60)
                        sender.wait(20)
                counts = json.loads(sender.out)
                self.assertGreater(counts["sent"], 45, counts)
                self.assertNotIn("ECONNREFUSED", sender.err)

    def test_a_receiver_that_comes_later_is_found(self):
        for host in HOSTS:
            with self.subTest(host):
                port = port_of_both()
                with Run(*self.WORDS, "--to", f"localhost:{port}", wait_for="they are tried in turn", within=WITHIN) as sender:
                    time.sleep(2.5)
                    with rtpjpeg.Receiver(host, port) as receiver:
                        receiver.collect(8, until=lambda r: r.markers() >= 200)
                        self.assertGreaterEqual(receiver.markers(), 200)
                self.assertEqual(sender.err.count("they are tried in turn"), 1)
                # One a second at most.
                self.assertLess(sender.err.count("\n"), 12, sender.err)

    def test_a_receiver_has_one_address_alone(self):
        """Another receiver's is not taken, and one without others is sent to all the time."""
        port = port_of_both()
        with rtpjpeg.Receiver("127.0.0.1", port) as receiver:
            with Run(*self.WORDS, "--to", f"127.0.0.1:{port}", "--to", f"localhost:{port}", within=WITHIN) as sender:
                receiver.collect(3, until=lambda r: r.markers() >= 100)
            frames = rtpjpeg.frames(receiver.packets())
        self.assertGreaterEqual(len(frames), 99)


class Receiving(unittest.TestCase):
    def test_a_name_is_both_families(self):
        for host in HOSTS:
            with self.subTest(host):
                port = port_of_both()
                place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                with Run("receive", f"localhost:{port}", "--frames", 130, "--json", wait_for="receiving at", within=WITHIN) as receiver:
                    with Run("test:", "--size", "1280x720", "--to", place, "--stats", "0.5") as sender:
                        receiver.wait(20)
                result = json.loads(receiver.out)
                self.assertEqual((result["frames"], result["lost"], result["kernel_dropped"]), (130, 0, 0))
                # Reports go both ways, at the address of the stream.
                self.assertGreater(result["sender_reports"], 0)
                self.assertIn(f"{place} reports 0.0 % lost", sender.out)
                for place in (f"127.0.0.1:{port}", f"[::1]:{port}"):
                    self.assertIn(place, receiver.err.splitlines()[0])

    def test_on_a_machine_without_ipv6_the_other_family_is_enough(self):
        space = f"streamer-{os.getpid()}-names"
        subprocess.run(["ip", "netns", "add", space], check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", space], check=True)
        within = ("ip", "netns", "exec", space)
        subprocess.run([*within, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        subprocess.run(["ip", "-n", space, "link", "set", "lo", "up"], check=True)
        with Run("receive", "localhost:5000", "--frames", 40, wait_for="receiving at 127.0.0.1:5000, ", within=within + WITHIN) as receiver:
            with Run("test:", "--size", "320x240", "--to", "localhost:5000", within=within + WITHIN):
                receiver.wait(20)
        self.assertEqual(receiver.status, 0, receiver.err)

    def test_an_address_is_one(self):
        port = port_of_both()
        with Run("receive", f"127.0.0.1:{port}", wait_for="receiving at") as receiver:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
                other.bind(("::1", port))
        self.assertIn(f"receiving at 127.0.0.1:{port}, socket", receiver.err)

    def test_a_port_that_another_program_has_is_an_error(self):
        """Of one family, too: else its stream would go unseen."""
        port = port_of_both()
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            with self.subTest(host), socket.socket(family, socket.SOCK_DGRAM) as other:
                other.bind((host, port))
                with Run("receive", f"localhost:{port}", within=WITHIN) as receiver:
                    receiver.wait(5)
                self.assertEqual(receiver.status, 1)
                self.assertIn("another program receives there", receiver.err)


if __name__ == "__main__":
    unittest.main()
