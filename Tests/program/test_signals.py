"""What ends the program: signals, a session that closes, a reader that is gone."""

import os
import signal
import subprocess
import time
import unittest

from program import STREAMER, Run, free_port

TO = ("--to", "127.0.0.1:9")


def status(name):
    """No packet comes to a receiver here, and it ends with an error."""
    return 1 if name == "receive" else 0


class HangUp(unittest.TestCase):
    COMMANDS = {"stream": ("test:", *TO), "bench": ("bench", "test:", "--frames", 100_000, "--warm-up", 0), "receive": ("receive", "127.0.0.1:{}")}

    def each(self):
        for name, words in self.COMMANDS.items():
            yield name, [str(word).format(free_port()) for word in words]

    def test_it_ends_like_SIGTERM(self):
        for name, words in self.each():
            with self.subTest(name), Run(*words) as process:
                time.sleep(0.7)
                self.assertLess(process.stop(signal.SIGHUP), 1)
                self.assertEqual(process.status, status(name), process.err)
                self.assertRegex(process.out, r"\d frames")

    def test_one_that_is_ignored_stays_ignored(self):
        """As nohup has it."""
        for name, words in self.each():
            with self.subTest(name):
                process = subprocess.Popen(["nohup", STREAMER, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           stdin=subprocess.DEVNULL)
                time.sleep(0.7)
                for _ in range(3):
                    process.send_signal(signal.SIGHUP)
                    time.sleep(0.1)
                self.assertIsNone(process.poll())
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(2), status(name))
                process.communicate()

    def test_a_terminal_that_closes(self):
        """A closed ssh session: SIGHUP, and then nothing can be written."""
        for name, words in self.each():
            with self.subTest(name):
                terminal, inside = os.openpty()
                process = subprocess.Popen([STREAMER, *words], stdin=inside, stdout=inside, stderr=inside,
                                           start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))
                os.close(inside)
                time.sleep(0.7)
                os.close(terminal)
                self.assertIn(process.wait(2), (0, 1))


class Repeated(unittest.TestCase):
    """`timeout` signals its child, and then the group that the child belongs to."""

    def test_signals_close_together_are_one(self):
        commands = {"stream": ("test:", "--size", "160x120", *TO),
                    "bench": ("bench", "test:", "--size", "160x120", "--frames", 100_000, "--warm-up", 0),
                    "receive": ("receive", f"127.0.0.1:{free_port()}")}
        for name, words in commands.items():
            for pause in (0, 0.001, 0.01):
                with self.subTest(name, pause=pause), Run(*words) as process:
                    time.sleep(0.7)
                    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                        process.process.send_signal(number)
                        time.sleep(pause)
                    process.wait()
                    self.assertRegex(process.out, r"\d frames")
                    self.assertEqual(process.status, status(name), process.err)

    def test_timeout_ends_it(self):
        for _ in range(5):
            ended = subprocess.run(["timeout", "--preserve-status", "0.5", STREAMER, "test:", "--size", "160x120", *TO],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertRegex(ended.stdout, r"\d frames")


class Readers(unittest.TestCase):
    def ended(self, words, stdout):
        return subprocess.Popen([STREAMER, *map(str, words)], stdout=stdout, stderr=subprocess.DEVNULL)

    def test_receive_ends_when_nobody_reads_its_output(self):
        for words in ([], ["--json"]):
            with self.subTest(words):
                reading, writing = os.pipe()
                process = self.ended(["receive", f"127.0.0.1:{free_port()}", *words], writing)
                os.close(writing)
                time.sleep(0.5)
                self.assertIsNone(process.poll())
                os.close(reading)
                self.assertEqual(process.wait(3), status("receive"))

    def test_a_stream_goes_on_without_printing(self):
        reading, writing = os.pipe()
        process = self.ended(["test:", "--stats", 0.1, *TO], writing)
        os.close(writing)
        time.sleep(0.5)
        os.close(reading)
        time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(2), 0)


if __name__ == "__main__":
    unittest.main()
