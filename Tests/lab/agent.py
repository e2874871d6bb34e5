#!/usr/bin/env python3
"""Runs in the guest: starts, feeds and watches processes for the host, over a virtio-serial port.

Each line is a JSON object. Bytes travel as Latin-1 text, so that any byte survives.
    host:  {"id": 1, "do": "spawn", "argv": […], "cwd": "/", "env": {…}, "terminal": [rows, columns] or null}
           {"id": 1, "do": "input" | "signal" | "resize", …}   {"id": 0, "do": "clock"}   {"do": "end"}
    guest: {"id": 1, "out": "…"}  {"id": 1, "err": "…"}  {"id": 1, "status": 0}  {"id": 0, "clock": ns}
           and {"ready": true} once, at the start
"""

import fcntl
import glob
import json
import os
import pty
import selectors
import signal
import struct
import subprocess
import termios
import time

PORT = "lab.agent"
CHUNK = 65536


def open_port():
    """The character device of the port with our name: udev's symbolic link may not be there yet."""
    for path in glob.glob("/sys/class/virtio-ports/*/name"):
        with open(path) as file:
            if file.read().strip() == PORT:
                return os.open("/dev/" + path.split("/")[-2], os.O_RDWR)
    raise SystemExit("agent: no virtio-serial port is named " + PORT)


def set_size(descriptor, size):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))


class Child:
    """A process and the descriptors its output comes from."""

    def __init__(self, request):
        size = request.get("terminal")
        options = dict(cwd=request["cwd"], env=request["env"], start_new_session=True)
        if size:
            main, side = pty.openpty()
            set_size(side, size)
            options["preexec_fn"] = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            self.process = subprocess.Popen(request["argv"], stdin=side, stdout=side, stderr=side, **options)
            os.close(side)
            self.sources, self.input = {main: "out"}, main
        else:
            self.process = subprocess.Popen(request["argv"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, **options)
            self.sources = {self.process.stdout.fileno(): "out", self.process.stderr.fileno(): "err"}
        for descriptor in self.sources:
            os.set_blocking(descriptor, False)
        self.exit = os.pidfd_open(self.process.pid)

    def read(self, descriptor):
        """What the descriptor has now; None if nothing, b"" at its end."""
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:
            return None
        except OSError:     # a terminal whose last user has gone says EIO
            return b""

    def signal(self, number, group):
        try:
            (os.killpg if group else os.kill)(self.process.pid, number)
        except ProcessLookupError:
            pass


class Agent:
    def __init__(self, port):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.selector.register(port, selectors.EVENT_READ, self.receive)
        self.children = {}
        self.line = b""
        self.running = True

    def run(self):
        self.send(ready=True)
        while self.running:
            for key, _ in self.selector.select():
                key.data()
        for child in self.children.values():
            child.signal(signal.SIGKILL, True)

    def send(self, **message):
        data = memoryview(json.dumps(message).encode() + b"\n")
        while data:
            data = data[os.write(self.port, data):]

    def receive(self):
        data = os.read(self.port, CHUNK)
        self.running = self.running and bool(data)      # b"": the host has gone
        *lines, self.line = (self.line + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            getattr(self, "do_" + request["do"])(request)

    def do_clock(self, request):
        self.send(id=request["id"], clock=time.monotonic_ns())

    def do_end(self, request):
        self.running = False

    def do_spawn(self, request):
        try:
            child = Child(request)
        except OSError as error:
            self.send(id=request["id"], err=f"{request['argv'][0]}: {error.strerror}\n")
            self.send(id=request["id"], status=127)
            return
        self.children[request["id"]] = child
        for descriptor in child.sources:
            self.selector.register(descriptor, selectors.EVENT_READ,
                                   lambda d=descriptor: self.pass_on(request["id"], d))
        self.selector.register(child.exit, selectors.EVENT_READ, lambda: self.finish(request["id"]))

    def do_input(self, request):
        child = self.children.get(request["id"])
        if child:
            os.write(child.input, request["data"].encode("latin-1"))

    def do_resize(self, request):
        child = self.children.get(request["id"])
        if child:
            set_size(child.input, request["size"])

    def do_signal(self, request):
        child = self.children.get(request["id"])
        if child:
            child.signal(request["signal"], request["group"])

    def pass_on(self, id, descriptor):
        """One piece of output to the host; true if there may be more."""
        child = self.children.get(id)
        if child is None or descriptor not in child.sources:    # finished in the same round of the selector
            return False
        data = child.read(descriptor)
        if data:
            self.send(id=id, **{child.sources[descriptor]: data.decode("latin-1")})
        elif data == b"":
            self.forget(child, descriptor)
        return bool(data)

    def forget(self, child, descriptor):
        self.selector.unregister(descriptor)
        os.close(descriptor)
        del child.sources[descriptor]

    def finish(self, id):
        """The process has ended: the rest of its output, then its status. Its own children may live on, unheard."""
        child = self.children[id]
        for descriptor in list(child.sources):
            while self.pass_on(id, descriptor):
                pass
            if descriptor in child.sources:
                self.forget(child, descriptor)
        self.selector.unregister(child.exit)
        os.close(child.exit)
        del self.children[id]
        self.send(id=id, status=child.process.wait())


if __name__ == "__main__":
    with open("/run/prepared") as prepared:     # guest.sh: devices and network are made at the same time
        prepared.read()
    Agent(open_port()).run()
