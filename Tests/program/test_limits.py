"""What `make bench` and `make bench-send` fail for, shown with measurements that are made up."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

import program

sys.path.append(str(program.ROOT / "bench"))

import micro


def module(name):
    """A bench whose file name has no ending."""
    loader = importlib.machinery.SourceFileLoader(name, str(program.ROOT / "bench" / name))
    found = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(found)
    return found


class Micro(unittest.TestCase):
    """bench/micro.py with one part whose threshold is 1000 instructions."""

    def bench(self, *words, nanoseconds=58.0, instructions=1000, allocations=0):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            path = pathlib.Path(folder, "thresholds.json")
            path.write_text(json.dumps({"swift 6 here": {"packetize 20 kB": 1000}}))
            listing = unittest.mock.Mock(stdout="packetize 20 kB\n")
            for name, value in {"THRESHOLDS": path, "compiler": lambda: "swift 6 here", "time_of": lambda _: (nanoseconds, 4, "packet"),
                                "instructions": lambda _: (instructions, allocations)}.items():
                stack.enter_context(unittest.mock.patch.object(micro, name, value))
            stack.enter_context(unittest.mock.patch.object(micro.subprocess, "run", lambda *_, **__: listing))
            out = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            return micro.main(words), out.getvalue()

    def test_a_slow_machine_is_no_failure(self):
        """A time of 250 ns a packet is shown: it has no limit."""
        status, text = self.bench(nanoseconds=1000.0)
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"\npacketize 20 kB +1000\.0 +250\.00 +packet +1000 +1000 +0\.00\n")

    def test_instructions_are_limited(self):
        for words in [], ["--gate"]:
            self.assertEqual(self.bench(*words, instructions=1050)[0], 0)
            status, text = self.bench(*words, instructions=1060)
            self.assertEqual(status, 1)
            self.assertIn("FAILED packetize 20 kB: 1060 instructions, 6% over its threshold", text)

    def test_allocations_are_limited(self):
        status, text = self.bench(allocations=1)
        self.assertEqual(status, 1)
        self.assertIn("FAILED packetize 20 kB: 1.00 allocations each time", text)


class Send(unittest.TestCase):
    """bench/send with packets a second and nanoseconds a packet of the program and the floor, one of each a round."""

    @classmethod
    def setUpClass(cls):
        cls.send = module("send")

    def row(self, ours, floor, fps=None, costs=(1000, 1000)):
        runs = [[self.send.Run(cost, [cost], rate, 100, 100) for rate in rates] for cost, rates in zip(costs, (ours, floor))]
        return self.send.Row(self.send.WAYS[0], fps or self.send.FAST, floor=runs[1], ours=runs[0])

    def misses(self, *words, **options):
        return list(self.row(*words, **options).misses())

    def test_a_machine_too_slow_for_the_floor(self):
        """Neither reaches 100,000 packets a second: the ratio is the limit."""
        self.assertEqual(self.misses([94_618, 81_886, 90_000], [99_000, 86_000, 95_000]), [])
        miss, = self.misses([70_000] * 3, [90_000] * 3, costs=(1300, 1000))
        self.assertIn("1.300 of the floor's CPU time", miss)

    def test_the_floor_reaches_it_and_the_program_does_not(self):
        miss, = self.misses([94_618] * 3, [110_700] * 3)
        self.assertEqual(miss, "94618 packets a second where the floor sends 100000 or more, at least 100000")

    def test_only_the_rounds_in_which_the_floor_reaches_it_count(self):
        """A machine that becomes slower or quicker from round to round."""
        self.assertEqual(self.misses([110_000, 80_000, 82_000], [110_700, 84_000, 85_000]), [])
        self.assertEqual(len(self.misses([90_000, 80_000, 82_000], [110_700, 84_000, 85_000])), 1)

    def test_both_reach_it(self):
        self.assertEqual(self.misses([110_500] * 3, [110_700] * 3), [])

    def test_60_frames_a_second_need_not(self):
        self.assertEqual(self.misses([7300] * 3, [7320] * 3, fps=60), [])

    def test_the_table_has_the_rates_of_both(self):
        self.assertEqual(self.row([94_618, 94_000, 95_000], [99_000, 98_000, 99_500]).rates().split(), ["94618", "99000"])


if __name__ == "__main__":
    unittest.main()
