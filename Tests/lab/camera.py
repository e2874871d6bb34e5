#!/usr/bin/env python3
"""A USB camera made of software, plugged into a Machine through a UNIX socket.

    modes  = [Mode("MJPG", 1920, 1080, [30, 15]), Mode("MJPG", 640, 480, [30]), Mode("YUYV", 640, 480, [30])]
    frames = Source.folder(path)            # any callable (format, index) -> Picture(name, data)
    with Camera(machine.sockets[0], modes, frames, faults={10: "cut", 40: "stall:2"}) as camera:
        camera.device                   # its path in the guest: /dev/v4l/by-id/…
        camera.unplug(); camera.plug()  # close and open the socket
        camera.inject("error")          # the next frame gets this fault
        camera.frames()                 # -> [Frame] so far
        camera.sent()                   # -> only those wholly sent

Camera(socket, modes, frames, *, faults={}, spread=0, payload=16384, refused=(), product="Lab Camera", serial="LAB0", log=None)
    spread   milliseconds over which a frame's bytes are sent (0: as fast as requests wait); camera.spread_over(ms) later
    payload  bytes of a UVC payload with its header: a number, or (512, 65536) for a random size each
    refused  the controls of uvc.py that take no value, such as BRIGHTNESS: setting one stalls
    faults   dict from frame index, or a function of it, to a fault's name (faults.py tells them)
    log      path of a JSON Lines file with each frame (default: a temporary one)

A Frame is what the log has of it: index, stream, format, picture, fault, size, sha256 (of what is sent), first, last, fate.
`index` counts all frames since the camera was made and never starts again; `first` and `last` are the host's
CLOCK_MONOTONIC in ns, taken just before the first and the last bytes were handed to QEMU; `fate` is "sent", "aborted" (the
stream stopped or the plug was pulled in the middle), "dropped: no transfer" or "dropped: busy" (the one before took too long).
"""

import argparse
import collections
import contextlib
import gc
import json
import multiprocessing
import os
import signal
import tempfile

from device import Device
from faults import split
from pictures import Picture, Source        # offered here to those who import this
from uvc import Format, Mode, Paper

Frame = collections.namedtuple("Frame", "index stream format picture fault size sha256 first last fate")
IDS = (0x1209, 0x2435)          # pid.codes' vendor number for projects without their own
MANUFACTURER = "Streamer"


class Camera:
    """The handle of a camera that runs in its own process, so that nothing here delays it."""

    def __init__(self, socket, modes, frames, *, faults={}, spread=0, payload=16384, refused=(), product="Lab Camera",
                 serial="LAB0", log=None):
        for fault in () if callable(faults) else faults.values():
            split(fault)            # a name that does not exist is told here, not in the other process
        paper = Paper(modes, IDS, MANUFACTURER, product, serial)
        name = "_".join([MANUFACTURER, *product.split(), serial])
        self.device = f"/dev/v4l/by-id/usb-{name}-video-index0"        # in the guest; index1 is its metadata
        self.folder = None if log else tempfile.TemporaryDirectory(prefix="streamer-camera-")
        self.path = str(log or os.path.join(self.folder.name, "log"))
        sizes = payload if isinstance(payload, tuple) else (payload, payload)
        context = multiprocessing.get_context("fork")       # so that frames and faults may be any functions
        orders, self.orders = context.Pipe(duplex=False)
        with open(self.path, "w") as file:
            device = Device(socket, paper, frames, faults, file, {"spread": spread, "payload": sizes, "refused": refused})
            self.process = context.Process(target=work, args=(device, orders, self.orders), daemon=True)
            self.process.start()
        orders.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.orders.close()
        self.process.join(5)
        self.process.kill()
        if self.folder:
            self.folder.cleanup()

    def plug(self):
        self.orders.send(("plug",))

    def unplug(self):
        self.orders.send(("unplug",))

    def inject(self, fault):
        self.orders.send(("inject", fault))

    def spread_over(self, milliseconds):
        self.orders.send(("spread_over", milliseconds))

    def frames(self):
        with open(self.path) as file:
            frames = [Frame(**json.loads(line)) for line in file if line.endswith("\n")]
        return [frame._replace(format=Format(*frame.format)) for frame in frames]

    def sent(self):
        return [frame for frame in self.frames() if frame.fate == "sent"]


def work(device, orders, others):
    """The camera's process. It ends when the last holder of the other end of `orders` does, so it must not hold it."""
    others.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)         # frames on time, even beside a compiler
    gc.disable()
    device.run(orders)


def fault(text):
    """An entry of the plan from the command line: INDEX=NAME."""
    index, _, name = text.partition("=")
    split(name)
    return int(index), name


def main():
    parser = argparse.ArgumentParser(description="Plugs a virtual camera into a QEMU that waits on a UNIX socket.")
    parser.add_argument("--socket", required=True, help="the path given to QEMU's -chardev socket")
    parser.add_argument("--jpegs", required=True, help="a folder of JPEG files, shown in turn")
    parser.add_argument("--size", default="1920x1080", help="theirs (default: 1920x1080)")
    parser.add_argument("--fps", type=int, nargs="+", default=[30], help="frame rates to offer")
    parser.add_argument("--spread", type=float, default=0, help="milliseconds over which a frame is sent")
    parser.add_argument("--payload", type=int, default=16384, help="bytes of a UVC payload")
    parser.add_argument("--serial", default="LAB0")
    parser.add_argument("--fault", type=fault, action="append", default=[], metavar="INDEX=NAME", help="see faults.py")
    parser.add_argument("--log", help="a JSON Lines file of the frames")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with Camera(options.socket, [Mode("MJPG", width, height, options.fps)], Source.folder(options.jpegs), faults=dict(options.fault),
                spread=options.spread, payload=options.payload, serial=options.serial, log=options.log) as camera:
        with contextlib.suppress(KeyboardInterrupt):
            camera.process.join()


if __name__ == "__main__":
    main()
