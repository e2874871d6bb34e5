#!/usr/bin/env python3
"""A USB camera made of software, plugged into a Machine through a UNIX socket.

    modes  = [Mode("MJPG", 1920, 1080, [30, 15]), Mode("MJPG", 640, 480, [30]), Mode("YUYV", 640, 480, [30])]
    frames = Jpegs("/folder")           # any callable (mode, index) -> Picture(name, data)
    with Camera(machine.sockets[0], modes, frames, faults={10: "cut", 40: "stall:2"}) as camera:
        camera.unplug(); camera.plug()  # close and open the socket
        camera.inject("error")          # the next frame gets this fault
        camera.frames()                 # -> [Frame] so far: index, stream, picture, sha256, size, first, last, fault, fate
        camera.sent()                   # -> only those wholly sent

Camera(socket, modes, frames, *, faults={}, spread=0.0, payload=16384, product="Lab Camera", serial="LAB0", log=None)
    spread   milliseconds over which a frame's bytes are sent (0: as fast as requests wait)
    payload  bytes of a UVC payload: a number, or (512, 65536) for a random size each
    faults   dict from frame index, or a function of it, to a fault's name (faults.py tells them)
    log      path of a JSON Lines file with each frame (default: a temporary one)

Runs in its own process. `index` counts all frames since the camera was made and never starts again;
`first` and `last` are CLOCK_MONOTONIC ns of the host, just before the first and the last bytes were written.
"""
