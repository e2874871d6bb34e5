#!/usr/bin/env python3
"""The host's end of the agent in the guest: processes there, as objects here."""

import collections
import json
import os
import signal
import threading
import time

Result = collections.namedtuple("Result", "status stdout stderr")
Clock = collections.namedtuple("Clock", "offset uncertainty")   # ns; the host's clock = the guest's + offset


class Process:
    """A process in the guest. Its status is that of Python's subprocess: negative for a signal."""

    def __init__(self, link, id, argv):
        self.link = link
        self.id = id
        self.argv = argv
        self.data = {"out": bytearray(), "err": bytearray()}
        self.status = None
        self.listener = None        # called with each piece of output, for those who want it at once

    def receive(self, message):
        for name in self.data.keys() & message.keys():
            piece = message[name].encode("latin-1")
            self.data[name] += piece
            if self.listener:
                self.listener(name, piece)
        self.status = message.get("status", self.status)

    def raw(self):
        """Its output so far: (stdout, stderr) in bytes."""
        return bytes(self.data["out"]), bytes(self.data["err"])

    def output(self):
        """Its output so far: (stdout, stderr) in text."""
        return tuple(data.decode(errors="replace") for data in self.raw())

    def running(self):
        return self.status is None

    def signal(self, name, group=False):
        """Sends "TERM", "INT"… to the process, or to its whole group."""
        self.link.send(do="signal", id=self.id, signal=getattr(signal, "SIG" + name), group=group)

    def write(self, data):
        """Types something, if the process has a terminal."""
        self.link.send(do="input", id=self.id, data=data.decode("latin-1"))

    def resize(self, rows, columns):
        self.link.send(do="resize", id=self.id, size=[rows, columns])

    def wait(self, timeout=60):
        self.until(lambda: not self.running(), timeout, "to end")
        return Result(self.status, *self.output())

    def wait_for(self, text, timeout=10):
        """Waits until text is in its output; an error if it ends without."""
        self.until(lambda: text in "".join(self.output()) or not self.running(), timeout, f"to say {text!r}")
        if text not in "".join(self.output()):
            raise RuntimeError(f"{self.argv} ended with status {self.status} and never said {text!r}:\n" + self.told())

    def until(self, condition, timeout, what):
        if not self.link.wait_until(condition, timeout):
            raise TimeoutError(f"{self.argv} took more than {timeout} s {what}:\n" + self.told())

    def told(self):
        return "".join(self.output())[-4000:]


class Link:
    """The line to the agent: one thread reads it and hands each message to its process."""

    def __init__(self, connection):
        self.connection = connection
        self.changed = threading.Condition()
        self.writing = threading.Lock()
        self.processes = {}
        self.last = 0
        self.ready = False
        self.clock = None
        self.closed = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            with self.connection.makefile("rb") as lines:
                for line in lines:
                    self.receive(json.loads(line), time.monotonic_ns())
        except ConnectionResetError:
            pass        # QEMU ended with something unread
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def receive(self, message, arrival):
        with self.changed:
            if "clock" in message:
                self.clock = message["clock"], arrival
            elif "ready" in message:
                self.ready = True
            else:
                self.processes[message["id"]].receive(message)
            self.changed.notify_all()

    def close(self):
        """To be called when QEMU has ended, so that the thread has too."""
        self.reader.join(5)
        self.connection.close()

    def send(self, **message):
        with self.writing:
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def wait_until(self, condition, timeout):
        """True when the condition holds; false when time is up; an error when the guest has gone."""
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.closed, timeout)
            if self.closed and not condition():
                raise ConnectionError("the guest has gone")
            return condition()

    def spawn(self, command, cwd=None, env=None, terminal=None, listener=None):
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", **(env or {})}
        self.last += 1
        process = self.processes[self.last] = Process(self, self.last, argv)
        process.listener = listener
        self.send(do="spawn", id=process.id, argv=argv, env=env, cwd=str(cwd or os.getcwd()), terminal=terminal)
        return process

    def measure_clock(self, rounds):
        """How far the host's CLOCK_MONOTONIC is from the guest's: the best of some questions and answers."""
        best = None
        for _ in range(rounds):
            self.clock = None
            asked = time.monotonic_ns()
            self.send(do="clock", id=0)
            if not self.wait_until(lambda: self.clock, 5):
                raise TimeoutError("the guest does not tell its time")
            guest, answered = self.clock
            clock = Clock((asked + answered) // 2 - guest, (answered - asked) // 2)
            best = min(best or clock, clock, key=lambda clock: clock.uncertainty)
        return best
