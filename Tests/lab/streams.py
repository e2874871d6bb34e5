"""What tests of the program in the lab share: it streams in the guest, and is stopped."""

import re
import threading
import time
import unittest

import program
import rtpjpeg
from machine import HOST


class Receiver(rtpjpeg.Receiver):
    """Takes packets all the time, so that their times are those of their arrival."""

    def __enter__(self):
        self.ends = False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.socket.close()

    def work(self):
        while not self.ends:
            self.collect(0.1)

    def stop(self):
        self.ends = True
        self.thread.join()

    def wait(self, what, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not happen in {seconds} s")
            time.sleep(0.02)


class Case(unittest.TestCase):
    """A test file's own has the `machine`."""

    def stream(self, *words, env=None, says=" buffers, "):
        """The program in the guest, streaming, or as far as it says so. It is stopped when the test ends, if not before."""
        process = self.machine.spawn([program.STREAMER, *words], env=env)
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        process.wait_for(says, timeout=15)
        return process

    def stop(self, process, status=0):
        process.signal("TERM")
        result = process.wait(10)
        self.assertEqual(result.status, status, result.stderr)
        return result

    def counts(self, result, camera):
        """What the camera's last line of statistics says."""
        line = [line for line in result.stdout.splitlines() if line.startswith(camera.device)][-1]
        found = {name.strip(): int(number) for number, name in re.findall(r"(\d+) ([a-z][a-z -]*)", line)}
        found.update({cause: int(number) for cause, number in re.findall(r"(\w+) (\d+)[,)]", line)})
        return found

    def fails(self, words, status, *parts, env=None):
        """The program in the guest says all of that, and ends so."""
        result = self.machine.run([program.STREAMER, *words, "--to", f"{HOST}:9"], timeout=20, env=env)
        self.assertEqual(result.status, status, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
        return result

    def wait_for_frames(self, receiver, count=10):
        """So many more frames."""
        before = receiver.markers()
        receiver.wait(f"{count} frames", lambda: receiver.markers() >= before + count)

    def check_session(self, packets):
        """One source, no sequence number that was never sent, and timestamps on the clock of the time of arrival."""
        self.assertEqual(len({packet.ssrc for packet in packets}), 1)
        for a, b in zip(packets, packets[1:]):
            self.assertEqual((b.sequence - a.sequence) % 65536, 1)
            step = ((b.timestamp - a.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)) / 90_000
            self.assertGreaterEqual(step, 0)
            self.assertAlmostEqual(step, b.time - a.time, delta=0.5)
