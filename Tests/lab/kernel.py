#!/usr/bin/env python3
"""Debian's stock kernel, downloaded and unpacked but never installed, and an initramfs for it.

Kept in ${XDG_CACHE_HOME:-~/.cache}/streamer-lab/kernel/<version>: delete that folder to get a newer one.
"""

import lzma
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# What it takes to reach the root file system, then what every guest has: a modprobe in the guest takes a second.
EARLY_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "e1000e", "virtio_net", "virtio_console", "xhci_pci"]
FOLDERS = ["bin", "proc", "dev", "modules", "host", "cover", "merged"]


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(base) / "streamer-lab"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text):
    print("lab: " + text, file=sys.stderr, flush=True)


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, folder):
        self.folder = folder
        self.image = folder / "image"
        self.release = next(folder.glob("lib/modules/*")).name
        self.modules = folder / "lib/modules"

    @classmethod
    def find(cls):
        """The newest one in the cache, without asking anyone; else the one behind linux-image-amd64."""
        home = cache() / "kernel"
        home.mkdir(exist_ok=True)
        kept = [folder for folder in home.iterdir() if not folder.name.startswith(".")]
        return cls(max(kept, key=lambda folder: folder.stat().st_mtime) if kept else download(home))

    def dependencies(self, module):
        """The files of a module and of what it needs, in the order to load them."""
        lines = subprocess.run(["modprobe", "--dirname", self.folder, "--set-version", self.release,
                                "--show-depends", module], check=True, capture_output=True, text=True).stdout
        return [pathlib.Path(path) for path in re.findall(r"^insmod (.*\.ko(?:\.xz)?)", lines, re.M)]

    def write_initramfs(self, path, settings):
        """An initramfs of busybox, init.sh, the modules for the root, and the settings (a dict of strings)."""
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            tree = pathlib.Path(folder)
            for name in FOLDERS:
                (tree / name).mkdir()
            shutil.copy(shutil.which("busybox"), tree / "bin/busybox")
            shutil.copy(HERE / "init.sh", tree / "init")
            (tree / "init").chmod(0o755)
            lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
            (tree / "settings").write_text("".join(lines))
            files = dict.fromkeys(file for module in EARLY_MODULES for file in self.dependencies(module))
            for number, file in enumerate(files):
                data = lzma.open(file).read() if file.suffix == ".xz" else file.read_bytes()
                (tree / f"modules/{number:02}-{file.name.removesuffix('.xz')}").write_bytes(data)
            names = "\n".join(str(file.relative_to(tree)) for file in tree.rglob("*"))
            with open(path, "wb") as archive:
                subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names.encode(),
                               stdout=archive, check=True)


def package():
    """Name and version of the package that linux-image-amd64 stands for."""
    answer = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True).stdout
    name = re.search(r"Depends: (linux-image-\S+)", answer)[1]
    about = subprocess.run(["apt-cache", "show", "--no-all-versions", name], capture_output=True, text=True).stdout
    return name, re.search(r"^Version: (\S+)", about, re.M)[1]


def fetch(folder):
    """Downloads the package into a folder; with lists brought up to date, if those at hand are empty or stale."""
    for update in (False, True):
        try:
            if update:
                subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=sys.__stderr__)
            name, version = package()
            say(f"downloading {name} {version} (once)")
            subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", f"{name}={version}"], cwd=folder,
                           check=True, stdout=sys.__stderr__)
            return version
        except (TypeError, subprocess.CalledProcessError):
            if update:
                raise


def download(home):
    """Downloads and unpacks beside its final place, and moves it there when whole: an interruption leaves nothing."""
    with tempfile.TemporaryDirectory(dir=home, prefix=".") as folder:
        version = fetch(folder)
        final = home / version.replace(":", "_")
        say(f"unpacking it into {final}")
        tree = pathlib.Path(folder) / "tree"
        subprocess.run(["dpkg", "-x", *pathlib.Path(folder).glob("*.deb"), tree], check=True)
        release = next(tree.glob("lib/modules/*")).name
        subprocess.run(["depmod", "-b", tree, release], check=True)
        (tree / "image").write_bytes(unpacked(next(tree.glob("boot/vmlinuz-*")).read_bytes()))
        if not final.exists():      # someone else may have been faster
            tree.rename(final)
    return final


def unpacked(image):
    """The ELF file inside a bzImage: QEMU starts it directly, which saves the guest 5 s of decompressing itself."""
    setup_sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = 512 * (setup_sectors + 1) + offset
    if image[start:start + 6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(image[start:start + length])
    return image    # another compression: slower, but it boots
