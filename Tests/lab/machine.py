#!/usr/bin/env python3
"""A virtual machine that runs Debian's stock kernel over this machine's own files.

    with Machine(cameras=1) as machine:
        with Camera(machine.sockets[0], modes, frames) as camera:
            result = machine.run("v4l2-ctl --list-devices", timeout=20)
            result.status, result.stdout, result.stderr        # int, str, str

            process = machine.spawn(["/path/to/streamer", "/dev/video0"])   # list: no shell; str: sh -c
            process.output()            # -> (stdout, stderr) so far, str; .raw() gives bytes
            process.wait_for("text", timeout=5)   # until text appears in stdout or stderr
            process.signal("TERM")
            process.wait(timeout=5)     # -> Result; raises TimeoutError

            machine.clock()             # -> Clock(offset, uncertainty): ns; host = guest + offset
            machine.host("10.0.2.2")    # constant HOST: the host's loopback as the guest sees it

Machine(cameras=0, nics=("e1000e",), memory="2G", cpus=2, verbose=False)
    .sockets     one UNIX socket path for each camera (connect = plug in, close = unplug)
    .shared      a folder on the host (Path), writable from both sides, seen in the guest as /lab
    .console()   the kernel's console log so far, str

The guest sees every file of the host at the same path (read-only below an overlay: what it writes is
lost), runs as root, and has udev, the network up (10.0.2.15, host loopback = 10.0.2.2; second NIC
10.0.3.15, host 10.0.3.2), and every module of the kernel for modprobe.
"""
