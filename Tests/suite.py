#!/usr/bin/env python3
"""Runs the tests in Python, all or those whose names contain one of the words given: those of the program, then those in
the camera lab. A test that is skipped is a failure."""

import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Result(unittest.TextTestResult):
    """Says of each test how long it took."""

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.started:.1f} s ")
        super().addSuccess(test)


def flat(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def main(words):
    sys.path[:0] = [str(HERE / "program"), str(HERE / "lab")]
    found = [test for folder in ("program", "lab")
             for test in flat(unittest.TestLoader().discover(str(HERE / folder), top_level_dir=str(HERE / folder)))]
    chosen = unittest.TestSuite(test for test in found if not words or any(word in test.id() for word in words))
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result, buffer=True).run(chosen)
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    print(f"{result.testsRun - bad - skipped} passed, {bad} failed, {skipped} skipped")
    return 1 if bad or skipped or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
