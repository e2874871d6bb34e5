"""Receivers that no packet reaches: why, in words, and what to do. In a network namespace of its own."""

import errno
import os
import subprocess
import time
import unittest

import program

SPACE = f"streamer-{os.getpid()}"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Unreachable(unittest.TestCase):
    def setUp(self):
        ip("netns", "add", SPACE)
        self.addCleanup(ip, "netns", "del", SPACE)
        ip("-n", SPACE, "link", "set", "lo", "up")
        for kind, address in (("unreachable", "10.9.8.1"), ("prohibit", "10.9.8.2")):
            ip("-n", SPACE, "route", "add", kind, address)

    def said(self, address, env=None):
        """What it logs while it streams there; or at once, where it can't begin."""
        command = ["ip", "netns", "exec", SPACE, program.STREAMER, "test:", "--size", "320x240", "--to", address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **(env or {})})
        time.sleep(1)
        process.terminate()
        return process.communicate(timeout=10)[1]

    def check(self, address, *parts, env=None):
        text = self.said(address, env)
        self.assertIn(address, text)
        for part in parts:
            self.assertIn(part, text)
        self.assertEqual(text.count(parts[0]), 1, text)

    def test_a_route_that_says_so(self):
        self.check("10.9.8.1:5000", "EHOSTUNREACH", "no host answers at that address")

    def test_a_route_that_forbids_it(self):
        self.check("10.9.8.2:5000", "EACCES", "a route forbids it")

    def test_no_route(self):
        self.check("10.9.8.3:5000", "ENETUNREACH", "the network is not up, or has no route there")

    def test_a_firewall(self):
        """nftables and a full connection tracking table give sendmsg(2) EPERM."""
        self.check("127.0.0.1:5000", "EPERM", "a firewall on this machine drops them", "connection tracking table is full",
                   env={"LD_PRELOAD": program.PROBE, "PROBE_SEND": str(errno.EPERM)})


if __name__ == "__main__":
    unittest.main()
