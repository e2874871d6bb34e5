"""What tests of the program in the lab share: it streams in the guest, and is stopped."""

import unittest

import program
from machine import HOST


class Case(unittest.TestCase):
    """A test file's own has the `machine`."""

    def stream(self, *words, env=None):
        """The program in the guest, streaming. It is stopped when the test ends, if not before."""
        process = self.machine.spawn([program.STREAMER, *words], env=env)
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        process.wait_for("buffers, to ", timeout=15)
        return process

    def stop(self, process, status=0):
        process.signal("TERM")
        result = process.wait(10)
        self.assertEqual(result.status, status, result.stderr)
        return result

    def fails(self, words, status, *parts, env=None):
        """The program in the guest says all of that, and ends so."""
        result = self.machine.run([program.STREAMER, *words, "--to", f"{HOST}:9"], timeout=20, env=env)
        self.assertEqual(result.status, status, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
        return result
