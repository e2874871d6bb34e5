"""`make bench-gate` in copies of the sources that were made worse: it says what became worse, and by how much."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import program

PLAN = """\
    var cursor = start(picture.header, timestamp)
    return try extend(&cursor, picture.scan, picture.header, isWhole: true)
"""
# The plan's code is there once, and runs twice: code that was there twice would be compiled otherwise than what is measured.
TWICE = """\
    var passes = min(capacity, 2)
    while true {
      var cursor = start(picture.header, timestamp)
      let plan = try extend(&cursor, picture.scan, picture.header, isWhole: true)
      passes -= 1
      if passes == 0 { return plan }
      sequence = planStart
    }
"""
NEW_ARENA = """\
    arena.deallocate()
    arena = .allocate(byteCount: Self.longestFirst + capacity * Self.longestNext, alignment: 16)
""" + PLAN
PACKETIZE = {f"packetize {size} kB" for size in (5, 20, 50, 100, 165, 1000)}
# What has packets planned, too, among other work.
PLANNING = {name.replace("packetize", "with its end") for name in PACKETIZE} | {"depacketize 165 kB"}


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.tree = pathlib.Path(folder.name, "tree")
        shutil.copytree(program.ROOT, cls.tree, ignore=shutil.ignore_patterns(".build", ".git", "out", "__pycache__"))

    def gate(self, planted):
        """What the gate says of the packetizer with another way to plan: {benchmark: why it failed}."""
        path = self.tree / "Sources/RTPCore/Packetizer.swift"
        text = (program.ROOT / "Sources/RTPCore/Packetizer.swift").read_text()
        self.assertEqual(text.count(PLAN), 1, "there is no place to plant it")
        path.write_text(text.replace(PLAN, planted))
        made = subprocess.run(["make", "bench-gate"], cwd=self.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})
        self.assertNotEqual(made.returncode, 0, made.stdout)
        self.assertIn("timestamp", made.stdout, "it was not measured")
        failed = {}
        for name, why in re.findall(r"^FAILED (.*?): (.*)", made.stdout, re.M):
            failed.setdefault(name, []).append(why)
        # It tells the planted from all else.
        self.assertLessEqual(PACKETIZE, set(failed), made.stdout)
        self.assertLessEqual(set(failed), PACKETIZE | PLANNING, made.stdout)
        return failed

    def test_needless_work(self):
        """Each frame is planned twice."""
        failed = self.gate(TWICE)
        for name in PACKETIZE:
            more, = re.findall(r"^\d+ instructions, (\d+)% over its threshold$", "\n".join(failed[name]), re.M)
            self.assertTrue(30 < int(more) < 120, failed[name])
        self.assertNotIn("allocations", str(failed))

    def test_an_allocation_a_frame(self):
        """Each frame has memory of its own for its headers."""
        failed = self.gate(NEW_ARENA)
        for name in PACKETIZE:
            self.assertIn("1.00 allocations each time", failed[name])


if __name__ == "__main__":
    unittest.main()
