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

            machine.wait_for_path(camera.device)  # the camera's /dev/v4l/by-id/…; a shell pattern will do; there=False
            machine.clock()             # -> Clock(offset, uncertainty): ns; host = guest + offset

Machine(cameras=0, nics=("e1000e",), memory="2G", cpus=2, forwards=(), root="/")
    forwards     (host's port, guest's port) pairs: a TCP port of the host's loopback leads to one of the guest
    root         another tree whose files the guest sees instead, with a kernel in it (boot/, lib/modules/), and with
                 the lab's own guest.sh and agent.py under the path that they have here
    .sockets     one UNIX socket path for each camera (connect = plug in, close = unplug)
    .shared      a folder on the host (Path), writable from both sides, seen in the guest as /lab
    .console()   the kernel's console log so far, str

The guest sees every file of the host at the same path (read-only below an overlay: what it writes is
lost), runs as root, and has udev, the network up (10.0.2.15, the host's loopback is 10.0.2.2; second NIC
10.0.3.15 and 10.0.3.2), and every module of the kernel for modprobe.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import kernel
from process import Link

HOST = "10.0.2.2"       # the host's loopback, seen from the guest
# A boot takes 8 s, and 30 s where three builds run beside it. QEMU's emulation has stood still in one boot of some
# hundreds; its console did not say where then, and does now.
BOOT_SECONDS, BOOT_TRIES = 60, 3
# Debian's own Python starts twice as fast as one with a shared library, and in the guest a start is half a second.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)
# tsc: the emulated one is the host's, and much cheaper to read than the HPET the kernel would otherwise choose.
KERNEL_OPTIONS = "console=ttyS0 loglevel=4 panic=-1 net.ifnames=0 random.trust_cpu=on tsc=reliable"
PR_SET_PDEATHSIG = 1


class NoBoot(RuntimeError):
    pass


class Machine:
    def __init__(self, cameras=0, nics=("e1000e",), memory="2G", cpus=2, forwards=(), root="/"):
        self.cameras, self.nics, self.memory, self.cpus, self.forwards = cameras, nics, memory, cpus, forwards
        self.root = pathlib.Path(root)
        self.folder = self.qemu = self.link = None

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="streamer-lab-"))
        self.sockets = [str(self.folder / f"camera{number}") for number in range(self.cameras)]
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        for tries_left in reversed(range(BOOT_TRIES)):
            try:
                self.boot()
                return self
            except BaseException as error:
                self.end()
                if not tries_left or not isinstance(error, NoBoot):
                    shutil.rmtree(self.folder, ignore_errors=True)
                    raise
                print(f"lab: {error}\nlab: once more", file=sys.__stderr__, flush=True)

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what tests use

    def run(self, command, timeout=60, **options):
        """Runs a command to its end. One that takes too long is killed, with all it has started."""
        process = self.spawn(command, **options)
        try:
            return process.wait(timeout)
        except TimeoutError:
            process.signal("KILL", group=True)
            raise

    def spawn(self, command, cwd=None, env=None, terminal=None, listener=None):
        """Starts a command and returns at once; terminal = (rows, columns) gives it one."""
        return self.link.spawn(command, cwd, env, terminal, listener)

    def wait_for_path(self, pattern, timeout=20, there=True):
        """Waits until a path of the guest exists, or no longer; a shell pattern will do. A camera takes a second."""
        self.run(f'{"until" if there else "while"} set -- {pattern}; test -e "$1"; do sleep 0.1; done', timeout)

    def clock(self, rounds=40):
        return self.link.measure_clock(rounds)

    def console(self):
        file = self.folder / "console"
        return file.read_text(errors="replace") if file.exists() else ""

    # --- beginning and end

    def boot(self):
        found = kernel.Kernel.find() if self.root == pathlib.Path("/") else kernel.Kernel(self.root)
        initramfs = self.folder / "initramfs"
        here = pathlib.Path(__file__).resolve().parent
        found.write_initramfs(initramfs, {
            "LAB_GUEST": str(here / "guest.sh"), "LAB_AGENT": str(here / "agent.py"),
            "LAB_PYTHON": PYTHON, "LAB_MODULES": str("/" / found.modules.relative_to(self.root)),
            "LAB_VERSION": found.release, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
        with socket.socket(socket.AF_UNIX) as listener:
            path = self.folder / "agent"
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(10)
            with open(self.folder / "qemu", "wb") as log:
                self.qemu = subprocess.Popen(self.command(found.image, initramfs), stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, start_new_session=True, preexec_fn=die_with_parent)
            self.link = Link(self.accept(listener))
        try:
            ready = self.link.wait_until(lambda: self.link.ready, BOOT_SECONDS)
        except ConnectionError:
            ready = False
        if not ready:
            raise NoBoot(f"the guest did not boot in {BOOT_SECONDS} s:\n{self.console()}{self.complaints()}")

    def accept(self, listener):
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            raise NoBoot("QEMU did not start:\n" + self.complaints()) from None
        connection.settimeout(None)
        return connection

    def complaints(self):
        return (self.folder / "qemu").read_text(errors="replace")

    def command(self, image, initramfs):
        options = [
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35",
            "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", self.cpus, "-m", self.memory,
            "-kernel", image, "-initrd", initramfs,
            "-append", KERNEL_OPTIONS,
            "-chardev", f"file,id=console,path={self.folder}/console", "-serial", "chardev:console",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.folder}/agent",
            "-device", "virtserialport,chardev=agent,name=lab.agent",
            "-virtfs", f"local,path={self.root},mount_tag=root,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={self.shared},mount_tag=lab,security_model=none",
            "-device", "qemu-xhci,id=usb"]
        for number, path in enumerate(self.sockets):
            options += ["-chardev", f"socket,id=camera{number},path={path},server=on,wait=off",
                        "-device", f"usb-redir,chardev=camera{number},bus=usb.0"]
        for number, card in enumerate(self.nics, 2):
            card = {"virtio": "virtio-net-pci"}.get(card, card)
            doors = [f",hostfwd=tcp:127.0.0.1:{ours}-:{theirs}" for ours, theirs in self.forwards if number == 2]
            options += ["-netdev", f"user,id=net{number},net=10.0.{number}.0/24" + "".join(doors),
                        "-device", f"{card},netdev=net{number}"]
        return ["qemu-system-x86_64", *map(str, options)]

    def end(self):
        if self.link and not self.link.closed and self.qemu.poll() is None:
            try:
                self.link.send(do="end")
                self.qemu.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                pass
        if self.qemu:
            if self.qemu.poll() is None:
                self.qemu.kill()
            self.qemu.wait()
        if self.link:
            self.link.close()


def die_with_parent():
    """QEMU must not outlive the tests, whatever ends them."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
