#!/usr/bin/env python3
"""What the parts of the frame's way cost: time, instructions and allocations, each of one thing done many times.

    bench/micro.py            measures all, prints a table; fails where instructions or allocations are over their limits
    bench/micro.py --gate     the same without times
    bench/micro.py --write    measures, and writes the instructions down as the new thresholds

Instructions (callgrind) and allocations are what so many more iterations take. Thresholds are in bench/thresholds.json, by
the compiler and the processor; 5 % over one is a failure. A compiler that is not there is held to the nearest one's with
a quarter more. Times are the least of some runs, and have no limits: other programs on the machine add to them, and not to
instructions.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent / ".build/release/benchmarks"
THRESHOLDS = HERE / "thresholds.json"
# All else on the way of a frame allocates nothing.
ALLOCATIONS = {"depacketize 165 kB": 35}
TOLERANCE = 1.05
ALLOCATORS = re.compile(r"(malloc|calloc|realloc|posix_memalign|aligned_alloc|_mid_memalign)([@'.].*)?")


def compiler():
    version = subprocess.run(["swift", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return f"swift {re.search(r'version ([0-9.]+)', version.stdout)[1]} {platform.machine()}"


def run(name, count, *before):
    done = subprocess.run([*before, PROGRAM, name, str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    nanoseconds, units, unit, _ = done.stdout.split()
    return int(nanoseconds), int(units), unit


def time_of(name):
    """The least nanoseconds of an iteration, how many units that is, and their name."""
    count = 1
    while (first := run(name, count))[0] < 20_000_000:
        count *= 4
    runs = [run(name, count) for _ in range(7)]
    return min(each[0] for each in runs) / count, *first[1:]


def counted(name, count):
    """All instructions and all allocations of a run."""
    with tempfile.NamedTemporaryFile() as out:
        run(name, count, "valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}")
        text = pathlib.Path(out.name).read_text()
    total = int(re.search(r"^(?:summary|totals): (\d+)", text, re.M)[1])
    names = dict(re.findall(r"^c?fn=\((\d+)\) (.+)$", text, re.M))
    allocators = {number for number, each in names.items() if ALLOCATORS.fullmatch(each)}
    assert allocators, "callgrind did not see malloc"
    caller, allocations = None, 0
    for is_callee, number, times in re.findall(r"^(c?)fn=\((\d+)\).*(?:\ncalls=(\d+))?", text, re.M):
        if not is_callee:
            caller = number
        # One that asks another is one allocation.
        elif number in allocators and caller not in allocators:
            allocations += int(times)
    return total, allocations


def instructions(name):
    """Instructions and allocations of one iteration: what more of them take. Two runs differ by some hundred instructions, in
    which a few iterations of something small would drown."""
    few = 20
    before = counted(name, few)
    for more in (100, 2000):
        count, allocations = ((b - a) / more for a, b in zip(before, counted(name, few + more)))
        if count > 10_000:
            break
    return count, allocations


def threshold(known, key):
    """The thresholds of this compiler, or of the nearest one, and how much more is allowed."""
    if key in known:
        return known[key], TOLERANCE
    same = [each for each in known if each.split()[-1] == key.split()[-1]]
    print(f"no thresholds of {key}: bench/micro.py --write makes them" + (f"; held to those of {max(same)}" if same else ""))
    return (known[max(same)], 1.25) if same else ({}, 1)


def misses(name, count, allocations, limits, tolerance):
    """Which limits a part misses."""
    if limits and name not in limits:
        yield "it has no threshold"
    if count > limits.get(name, count) * tolerance + 1:
        yield f"{count:.0f} instructions, {count / limits[name] - 1:.0%} over its threshold"
    if allocations > ALLOCATIONS.get(name, 0):
        yield f"{allocations:.2f} allocations each time"


def main(words):
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--gate", action="store_true", help="no times")
    reader.add_argument("--write", action="store_true", help="new thresholds")
    words = reader.parse_args(words)
    key = compiler()
    known = json.loads(THRESHOLDS.read_text()) if THRESHOLDS.exists() else {}
    limits, tolerance = threshold(known, key)
    names = subprocess.run([PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    # Alone, unlike what is only counted.
    times = {name: (0, 1, "") if words.gate else time_of(name) for name in names}
    measured, failures = {}, []
    print(key)
    print(f"{'':26} {'ns':>10} {'ns a unit':>10}   {'unit':8} {'instructions':>13} {'threshold':>10} {'allocations':>12}")
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    for name, (count, allocations) in zip(names, pool.map(instructions, names)):
        nanoseconds, units, unit = times[name]
        measured[name] = round(count)
        time = f"{'':24}" if words.gate else f"{nanoseconds:10.1f} {nanoseconds / units:10.2f}   "
        print(f"{name:26} {time}{unit:8} {count:13.0f} {limits.get(name, 0):10} {allocations:12.2f}", flush=True)
        failures += [f"{name}: {miss}" for miss in misses(name, count, allocations, limits, tolerance)]
    if words.write:
        THRESHOLDS.write_text(json.dumps(known | {key: measured}, indent=2) + "\n")
        failures = [each for each in failures if "threshold" not in each]
    for each in failures:
        print(f"FAILED {each}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
