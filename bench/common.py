"""What the benches share: where things are, their words, rounds, and what those in the camera lab ask of it."""

import argparse
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "Tests/program"), str(ROOT / "Tests/lab")]

import readme

FLOOR = ROOT / "out/floor"


def floor():
    """The bare loop in C that the program is held against, built."""
    FLOOR.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", FLOOR, HERE / "floor.c"], check=True)
    return FLOOR


def words(text, rounds, seconds, table=None):
    """A reader of a bench's words: rounds and seconds a run, and what the bench adds to it.
    - text: what it says of itself.
    - table: the name of the README's table that it makes."""
    reader = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("rounds", nargs="?", type=int, default=rounds, help=f"default: {rounds}")
    reader.add_argument("seconds", nargs="?", type=float, default=seconds, help=f"of a run; default: {seconds}")
    if table:
        reader.add_argument("--write", action="store_const", const=table, help="put the table into README.md")
    return reader


def publish(rows, words):
    """Prints a table, and puts it into the README where that is asked for."""
    text = readme.markdown(rows)
    print(text)
    if words.write:
        readme.write(words.write, text)


def interleaved(count, cases, measure):
    """So many rounds, in each of which every case is measured once: a list of {case: what `measure` gave}. Every other
    round has them in the opposite order, so that none is always the first."""
    rounds = []
    for number in range(count):
        found = {}
        for case in cases[::-1] if number % 2 else cases:
            found[case] = measure(case)
            print(".", end="", file=sys.stderr, flush=True)
        rounds.append(found)
    print(file=sys.stderr)
    return rounds


@contextlib.contextmanager
def together(commands, cpu, apart):
    """Programs that run at once on one CPU: {name: process}. Each has `.said` at the end. They begin behind each other, by
    chance up to `apart` seconds more, so that they are not always as far behind each other."""
    running = {}
    try:
        for name, words in commands.items():
            running[name] = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                             text=True, preexec_fn=lambda: os.sched_setaffinity(0, [cpu]))
            time.sleep(random.uniform(0.1, 0.1 + apart))
        yield running
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.said = process.communicate()[0]


def cpu(task):
    """Nanoseconds of CPU time so far, of a folder of /proc: a thread's, or with all of its threads a process's."""
    if (task / "task").exists():
        return sum(map(cpu, (task / "task").iterdir()))
    return int((task / "schedstat").read_text().split()[0])


def camera_thread(process):
    """The folder of the first camera's thread."""
    return next(task for task in pathlib.Path(f"/proc/{process}/task").iterdir() if (task / "comm").read_text() == "camera-0\n")


def ending(data):
    """The last bytes of a scan, which tell the pictures apart; some send the EOI, some don't."""
    return bytes(data[-34:-2] if data[-2:] == b"\xff\xd9" else data[-32:])


def endings(pictures):
    """The names of a camera's pictures by the last bytes of their scans."""
    return {ending(picture.data): picture.name for each in pictures.pictures.values() for picture in each}


def pid(machine, command):
    """Of a program that runs in the lab's machine."""
    return machine.run(["pidof", pathlib.Path(command).name]).stdout.split()[0]


def spent(machine, pid):
    """CPU seconds of a process in the lab's machine so far."""
    text = machine.run(f"cat /proc/{pid}/task/*/schedstat").stdout
    return sum(int(line.split()[0]) for line in text.splitlines()) / 1e9
